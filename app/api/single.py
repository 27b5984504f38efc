"""Writing one post by its address: PUT and DELETE, with conditions (RFC 9110, 13)."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Self

import anyio
import anyio.to_thread
import orjson
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from app.api import schemas
from app.api.auth import Principal
from app.api.caching import entity_tags, etag
from app.api.openapi import MARKDOWN_BODY
from app.api.posts import own_tag, path_slug
from app.api.reports import result_json, written
from app.api.service import Reading, Service, ServiceDep, WriterDep
from app.api.uploads import read_raw
from app.database import reading
from app.documents.slug import slug_from_name
from app.documents.source_names import is_post
from app.documents.sources import Batch, Source
from app.errors import (
    Conflict,
    DatabaseUnavailable,
    DocumentError,
    NotFound,
    PreconditionFailed,
    QueryError,
    TooSlow,
)
from app.posts.detail import get_post
from app.posts.filters import DetailQuery
from app.posts.ingest import Options, delete_one, ingest
from app.posts.parameters import Query as PlainQuery
from app.posts.report import Report
from app.posts.store import former_holder, identity_of, stored_under

router = APIRouter(prefix="/v1", tags=["Writing"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What If-Match and If-None-Match demand of the post's own content, whatever its neighbours and encoding are."""

    match: str | None
    none_match: str | None

    @classmethod
    def of(cls, request: Request) -> Self:
        return cls(match=_joined(request, "if-match"), none_match=_joined(request, "if-none-match"))

    def check(self, row: Any) -> None:
        """Raises PreconditionFailed; `row` is None where there is no post."""
        own = None if row is None else own_tag(row)
        if self.match is not None and not _names(self.match, own, weakly=False):
            raise PreconditionFailed("the post is not as If-Match says; read it again and merge")
        if self.none_match is not None and _names(self.none_match, own, weakly=True):
            raise PreconditionFailed("there is such a post already", code="already_exists")


def _joined(request: Request, name: str) -> str | None:
    """A header that may be sent in several lines."""
    return ", ".join(request.headers.getlist(name)) or None


def _names(header: str, own: str | None, *, weakly: bool) -> bool:
    """Whether a list of tags names the post, by the first part of an ETag of its detail or of its source."""
    if own is None:
        return False
    tags = entity_tags(header)
    strong = [tag for tag in tags if weakly or not tag.startswith("W/")]
    return header.strip() == "*" or any(tag.removeprefix("W/").strip('"').split(".")[0] == own for tag in strong)


@router.put(
    "/posts/{slug}",
    response_model=schemas.IngestResult,
    responses={201: {"model": schemas.IngestResult, "description": "The post was created"}},
    openapi_extra=MARKDOWN_BODY,
)
async def put_post(
    request: Request, slug: str, _query: Annotated[PlainQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """Creates or replaces one post."""
    target = _Target(slug=_new_slug(slug), conditions=Conditions.of(request))
    name = await service.find(target.name)
    source = Source(name=name, content=await read_raw(request, service.limits))
    put = partial(_put, service, writer, source, target)
    report, headers = await anyio.to_thread.run_sync(put, limiter=service.writers)
    result = report.results[0]
    status = 201 if result.action == "created" else 200
    return written(result_json(result, service), status, report.version, headers)


def _new_slug(slug: str) -> str:
    """A slug that a post may have. Raises QueryError."""
    try:
        wanted = path_slug(slug)
    except NotFound as error:
        raise QueryError(error.detail, parameter="slug", code="invalid_slug") from error
    if slug_from_name(wanted) != wanted:
        raise QueryError(
            "this cannot be a slug",
            parameter="slug",
            code="invalid_slug",
            hint="letters, digits, - _ . ~ in any script, at most 200 bytes",
        )
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    slug: str
    conditions: Conditions

    def name(self, connection: Connection) -> str:
        """The source name of the post with this slug, or of the one to be.

        Raises PreconditionFailed, Conflict, QueryError.
        """
        row = identity_of(connection, self.slug)
        self.conditions.check(row)
        if row is not None:
            return str(row.source_name)
        return self._new_name(connection)

    def _new_name(self, connection: Connection) -> str:
        holder = former_holder(connection, self.slug)
        if holder is not None:
            detail = f"{self.slug!r} is a former slug of {holder!r}"
            raise Conflict(detail, code="former_slug", hint=f"replace {holder!r}")
        name = f"{self.slug}.md"
        if not is_post(name):
            raise QueryError(f"{name!r} can be no post", parameter="slug", code="invalid_slug")
        if taken := stored_under(connection, [name]):
            raise Conflict(f"the source {name!r} has the slug {taken[name].slug!r}", code="name_taken")
        return name


def _put(service: Service, writer: Principal, source: Source, target: _Target) -> tuple[Report, dict[str, str]]:
    def guard(connection: Connection) -> None:
        if target.name(connection) != source.name:
            raise Conflict(
                "another writer gave this slug to another source", code="changed_meanwhile", hint="send it again"
            )

    report = ingest(
        service.engine,
        Batch(sources=[source]),
        context=service.context,
        options=Options(author=writer.name, via="http", slug=target.slug),
        now=service.clock(),
        guard=guard,
        parse_each=service.renderers.finish_each,
    )
    if (problem := report.results[0].problem) is not None:
        raise DocumentError(problem)
    tag = _detail_tag(Reading(service=service, principal=writer, now=service.clock()), source, target.slug)
    return report, {"Location": service.links.url(target.slug)} | tag


def _detail_tag(reading: Reading, source: Source, slug: str) -> dict[str, str]:
    """The ETag that the detail now has; none where another writer has been there since, whose tag it would be.

    The post is kept by now: that the database is too busy to read it again is no failure.
    """
    try:
        with reading.snapshot() as (snapshot, _):
            post, row = get_post(snapshot, slug, DetailQuery(), reading.reader, reading.show, any_status=True)
    except (NotFound, TooSlow, DatabaseUnavailable):
        return {}
    return {"ETag": etag(orjson.dumps(post), own_tag(row))} if row.sha256 == source.sha256 else {}


@router.delete("/posts/{slug}", status_code=204, response_class=Response)
async def delete_post(
    request: Request, slug: str, _query: Annotated[PlainQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """Removes one post."""
    remove = partial(_delete, service, writer, path_slug(slug), Conditions.of(request))
    version = await anyio.to_thread.run_sync(remove, limiter=service.writers)
    return Response(status_code=204, headers={"Honbun-Version": version})


def _delete(service: Service, writer: Principal, slug: str, conditions: Conditions) -> str:
    def guard(connection: Connection) -> None:
        conditions.check(identity_of(connection, slug))

    with reading(service.engine) as connection:  # a condition on a post that is not there fails too: 412, not 404
        guard(connection)
    options = Options(author=writer.name, via="http")
    return delete_one(service.engine, slug, options=options, now=service.clock(), guard=guard)
