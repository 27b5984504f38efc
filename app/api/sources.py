"""What sources there are, for clients that send only what differs."""

from collections.abc import Iterator
from heapq import merge
from operator import itemgetter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection

from app.api.ingest import name_prefix
from app.api.openapi import JSON_LINES
from app.api.service import Reading, ReadingDep, WriterDep
from app.api.streams import stream
from app.posts.parameters import Query as PlainQuery
from app.posts.queries import status_of
from app.posts.read import all_sources
from app.posts.sites import read_sites

router = APIRouter(prefix="/v1", tags=["Writing"])


class SourcesQuery(PlainQuery):
    prefix: str = Field(default="", max_length=1024, description="Only names that begin so")


@router.get("/sources", response_class=Response, responses=JSON_LINES)
def get_sources(
    request: Request, query: Annotated[SourcesQuery, Query()], _writer: WriterDep, reading: ReadingDep
) -> Response:
    """Name, hash, slug and status of every stored source, a line each; a `_config.yml` has no slug and no status."""
    prefix = name_prefix(query.prefix)
    return stream(request, reading, lambda connection: _sources(connection, prefix, reading))


def _sources(connection: Connection, prefix: str, reading: Reading) -> Iterator[dict[str, Any]]:
    configs = [
        {"name": config.name, "sha256": config.sha256, "slug": None, "status": None}
        for config in read_sites(connection).values()
        if config.name.startswith(prefix)
    ]
    return merge(configs, _posts(connection, prefix, reading), key=itemgetter("name"))


def _posts(connection: Connection, prefix: str, reading: Reading) -> Iterator[dict[str, Any]]:
    for row in all_sources(connection, prefix):
        status = status_of(row, reading.now)
        yield {"name": row.source_name, "sha256": row.sha256, "slug": row.slug, "status": status}
