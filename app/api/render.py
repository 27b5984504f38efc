"""A preview: what a Markdown text would be, nothing stored."""

from typing import Annotated, Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.api import schemas
from app.api.openapi import MARKDOWN_BODY
from app.api.reports import written
from app.api.service import Reading, Service, ServiceDep, WriterDep
from app.api.uploads import read_raw
from app.database import reading
from app.documents.document import Document
from app.documents.source_names import source_name
from app.documents.sources import Source
from app.errors import QueryError, SourceError
from app.posts.fields import WHOLE, show_post
from app.posts.parameters import Query as PlainQuery
from app.posts.sites import contexts_now
from app.posts.store import preview_row

router = APIRouter(prefix="/v1", tags=["Writing"])


class RenderQuery(PlainQuery):
    name: str = Field(default="untitled.md", description="The source name to assume", max_length=1024)


@router.post("/render", response_model=schemas.PostDetail, openapi_extra=MARKDOWN_BODY)
async def post_render(
    request: Request, query: Annotated[RenderQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """The detail of a Markdown text; nothing is stored."""
    try:
        name = source_name(query.name)
    except SourceError as error:
        raise QueryError(error.detail, parameter="name", code=error.reason) from error
    content = await read_raw(request, service.limits)
    seen = Reading(service=service, principal=writer, now=service.clock())
    preview = await anyio.to_thread.run_sync(_preview, Source(name=name, content=content), seen)
    return written(preview, 200)


def _understood(source: Source, service: Service) -> Document:
    """The text by the configuration that is stored for its name."""
    with reading(service.engine) as connection:
        context = contexts_now(connection, service.context).of(source.name)
    return service.renderers.parse(source, context)


def _preview(source: Source, reading: Reading) -> dict[str, Any]:
    row = preview_row(_understood(source, reading.service), reading.now)
    shape = dict.fromkeys(WHOLE)
    return show_post(row, shape, reading.show) | {"older": None, "newer": None, "related": []}
