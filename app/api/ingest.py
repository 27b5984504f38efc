"""Writing: uploads, single posts, a preview of one, and what sources there are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import anyio
import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy import Connection
from starlette.responses import StreamingResponse

from app.api import schemas
from app.api.auth import Principal
from app.api.caching import entity_tags, etag, stream
from app.api.posts import own_tag, path_slug
from app.api.problems import Problem, finding_error, problem_of
from app.api.service import Reading, ReadingDep, Service, ServiceDep, WriterDep
from app.api.uploads import Placing, Upload, read_raw, receive_upload
from app.documents.document import Document, parse
from app.documents.slug import slug_from_name
from app.documents.sources import Batch, Source, is_post, source_name
from app.errors import Conflict, DocumentError, HonbunError, NotFound, PreconditionFailed, QueryError, SourceError
from app.posts.fields import NEIGHBOURS, WHOLE, show_post
from app.posts.filters import DetailQuery, Query as PlainQuery
from app.posts.ingest import Options, delete_one, ingest
from app.posts.models import instant_text
from app.posts.queries import status_of
from app.posts.read import all_sources, get_post
from app.posts.report import Report, Result
from app.posts.store import former_holder, preview_row, stored_as, stored_under

router = APIRouter(prefix="/v1", tags=["Writing"])
MARKDOWN_BODY = {"requestBody": {"required": True, "content": {"text/markdown": {"schema": {"type": "string"}}}}}
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "text/markdown": {"schema": {"type": "string"}},
            "application/zip": {"schema": {"type": "string", "format": "binary"}},
            "application/gzip": {"schema": {"type": "string", "format": "binary"}},
            "application/x-tar": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["name", "content"],
                                "properties": {"name": {"type": "string"}, "content": {"type": "string"}},
                            },
                        },
                        "manifest": {"type": "object", "additionalProperties": {"type": "string"}},
                    },
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "manifest": {"type": "string", "description": "JSON: name -> SHA-256"},
                    },
                }
            },
        },
    }
}


class IngestQuery(PlainQuery):
    name: str | None = Field(default=None, description="The source name of a single file", max_length=1024)
    dry_run: bool = False
    atomic: bool = True
    strip: int = Field(default=0, ge=0, le=100, description="How many leading folders to drop")
    prefix: str | None = Field(default=None, description="Put before each name", max_length=1024)
    prune: bool = Field(default=False, description="Remove posts under `prefix` that are not in the upload")
    prune_max: int | None = Field(default=None, ge=0, le=2**31 - 1)


class RenderQuery(PlainQuery):
    name: str = Field(default="untitled.md", description="The source name to assume", max_length=1024)


class SourcesQuery(PlainQuery):
    prefix: str = Field(default="", max_length=1024)


@router.post("/ingest", response_model=schemas.IngestReport, openapi_extra=UPLOAD_BODY)
async def post_ingest(
    request: Request, query: Annotated[IngestQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """Takes files in: all of them or, with `atomic=false`, those that can be taken."""
    if query.prune and query.prefix is None:
        raise QueryError("prune needs prefix, which may be empty", parameter="prefix", code="missing_parameter")
    prefix = _prefix(query.prefix or "")
    placing = Placing(name=query.name, strip=query.strip, prefix=prefix)
    read = await receive_upload(request, placing, service.limits)
    take = partial(_take, service, writer, query, prefix, read)
    if "application/jsonl" in request.headers.get("accept", ""):
        return StreamingResponse(_lines(service, take), media_type="application/jsonl")
    report = await anyio.to_thread.run_sync(take, lambda _: None, limiter=service.writers)
    return report_answer(report, service, atomic=query.atomic)


def _prefix(prefix: str) -> str:
    """A prefix in the form of names; it may be empty and may end within a folder's name."""
    if not prefix:
        return ""
    try:
        return source_name(f"{prefix}x")[:-1]
    except SourceError as error:
        raise QueryError(error.detail, parameter="prefix", code=error.reason) from error


def _take(  # noqa: PLR0913 - what an upload depends on
    service: Service,
    writer: Principal,
    query: IngestQuery,
    prefix: str,
    read: Callable[[], Upload],
    on_result: Callable[[Result], None],
) -> Report:
    upload = read()
    options = Options(
        author=writer.name,
        via="http",
        atomic=query.atomic,
        dry_run=query.dry_run,
        prune_below=prefix if query.prune else None,
        prune_max=query.prune_max,
        manifest=upload.manifest,
    )
    return ingest(
        service.engine,
        upload.batch,
        context=service.context,
        options=options,
        now=service.clock(),
        on_result=on_result,
    )


def report_answer(report: Report, service: Service, *, atomic: bool) -> Response:
    """200 when all went well, 207 when some failed, a 422 problem where nothing was stored for that."""
    body = report_json(report, service)
    if not report.has_failures:
        return _written(body, 200, report.version)
    if not atomic:
        return _written(body, 207, report.version)
    errors = [finding_error(result.problem, result.name) for result in report.results if result.problem]
    failures = f"{len(errors)} file{'s' if len(errors) > 1 else ''} failed"
    return Problem(
        422,
        errors[0]["code"] if len(errors) == 1 else "invalid_documents",
        f"{failures}; nothing was stored",
        errors=errors,
        members=body,
        headers={"Honbun-Version": report.version},
    )


def _written(body: Any, status: int, version: str, headers: dict[str, str] | None = None) -> Response:
    usual = {"Honbun-Version": version, "Cache-Control": "no-store"}
    return Response(orjson.dumps(body), status, headers=usual | (headers or {}), media_type="application/json")


def report_json(report: Report, service: Service) -> dict[str, Any]:
    results = [result_json(result, service) for result in report.results]
    return {"version": report.version, **report.counts, "results": results}


def result_json(result: Result, service: Service) -> dict[str, Any]:
    """One file's result as clients see it."""
    post = result.post
    links = service.links
    return {
        "name": result.name,
        "action": result.action,
        "id": post and post.id,
        "slug": post and post.slug,
        "url": post and links.url(post.slug),
        "permalink": post
        and links.permalink(
            id=post.id,
            slug=post.slug,
            written=post.permalink,
            published_at=post.published_at,
            category=post.category,
            lang=post.lang,
        ),
        "status": post and status_of(post, service.clock()),
        "published_at": instant_text(post.published_at) if post and post.published_at else None,
        "sha256": result.sha256,
        "warnings": [asdict(finding) for finding in result.warnings],
        "problem": result.problem and asdict(result.problem),
    }


async def _lines(service: Service, take: Callable[[Callable[[Result], None]], Report]) -> AsyncIterator[bytes]:
    """A line a file as it is written, then the summary: after the commit, or with the reason why there was none."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Result | None] = asyncio.Queue()
    task = asyncio.ensure_future(
        anyio.to_thread.run_sync(
            take, lambda result: loop.call_soon_threadsafe(queue.put_nowait, result), limiter=service.writers
        )
    )
    task.add_done_callback(lambda _: queue.put_nowait(None))
    while (result := await queue.get()) is not None:
        yield _line({"type": "result", **result_json(result, service)})
    yield _line({"type": "summary", **_summary(task, service)})


def _summary(task: asyncio.Future[Report], service: Service) -> dict[str, Any]:
    try:
        report = task.result()
    except HonbunError as error:
        problem = orjson.loads(problem_of(error).body)
        return {"status": problem["status"], "problem": problem}
    status = 200 if not report.has_failures else 207 if report.committed else 422
    return {"status": status, "version": report.version, **report.counts}


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


@router.put(
    "/posts/{slug}",
    response_model=schemas.IngestResult,
    responses={201: {"model": schemas.IngestResult}},
    openapi_extra=MARKDOWN_BODY,
)
async def put_post(
    request: Request,
    slug: str,
    _query: Annotated[PlainQuery, Query()],
    service: ServiceDep,
    writer: WriterDep,
) -> Response:
    """Creates or replaces one post."""
    slug = _new_slug(slug)
    guard = partial(_check_conditions, slug=slug, match=request.headers.get("if-match"), none_match=request.headers.get("if-none-match"))
    name = await anyio.to_thread.run_sync(_name_for, service, slug, guard)
    content = await read_raw(request, service.limits)
    put = partial(_put, service, writer, slug, Source(name=name, content=content), guard)
    report, headers = await anyio.to_thread.run_sync(put, limiter=service.writers)
    result = report.results[0]
    if result.problem is not None:
        raise DocumentError(result.problem)
    return _written(
        result_json(result, service), 201 if result.action == "created" else 200, report.version, headers
    )


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


def _check_conditions(connection: Connection, *, slug: str, match: str | None, none_match: str | None) -> None:
    """If-Match and If-None-Match against the post's own content (RFC 9110, 13.1). Raises PreconditionFailed."""
    try:
        row = stored_as(connection, slug)
    except NotFound:
        row = None
    own = None if row is None else own_tag(row)
    if match is not None and not _names(match, own, strong=True):
        raise PreconditionFailed("the post is not as If-Match says; read it again and merge")
    if none_match is not None and _names(none_match, own, strong=False):
        raise PreconditionFailed(f"there is a post {slug!r} already")


def _names(header: str, own: str | None, *, strong: bool) -> bool:
    if own is None:
        return False
    tags = [tag for tag in header.split(",") if not (strong and tag.strip().startswith("W/"))]
    return header.strip() == "*" or any(tag.strip('"').split(".")[0] == own for tag in entity_tags(",".join(tags)))


def _name_for(service: Service, slug: str, guard: Callable[[Connection], None]) -> str:
    """The source name of the post with this slug, or of the one to be. Raises Conflict, PreconditionFailed."""
    reading = Reading(service=service, principal=None, now=service.clock())
    with reading.snapshot() as (connection, _):
        guard(connection)
        try:
            return str(stored_as(connection, slug).source_name)
        except NotFound:
            pass
        holder = former_holder(connection, slug)
        if holder is not None:
            raise Conflict(f"{slug!r} is a former slug of {holder!r}", code="former_slug", hint=f"replace {holder!r}")
        name = f"{slug}.md"
        if not is_post(name):
            raise QueryError(f"{name!r} can be no post", parameter="slug", code="invalid_slug")
        if taken := stored_under(connection, [name]):
            raise Conflict(f"the source {name!r} has the slug {taken[name].slug!r}", code="name_taken")
        return name


def _put(
    service: Service, writer: Principal, slug: str, source: Source, guard: Callable[[Connection], None]
) -> tuple[Report, dict[str, str]]:
    report = ingest(
        service.engine,
        Batch(sources=[source]),
        context=service.context,
        options=Options(author=writer.name, via="http", slug=slug),
        now=service.clock(),
        guard=guard,
    )
    if report.has_failures:
        return report, {}
    reading = Reading(service=service, principal=writer, now=service.clock())
    with reading.snapshot() as (connection, _):
        shape = dict.fromkeys((*WHOLE, *NEIGHBOURS))
        post, row = get_post(connection, slug, DetailQuery(), shape, reading.reader, reading.show, any_status=True)
    return report, {"Location": service.links.url(slug), "ETag": etag(orjson.dumps(post), own_tag(row))}


@router.delete("/posts/{slug}", status_code=204, response_class=Response)
async def delete_post(
    request: Request, slug: str, _query: Annotated[PlainQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """Removes one post."""
    slug = path_slug(slug)
    guard = partial(_check_conditions, slug=slug, match=request.headers.get("if-match"), none_match=None)
    options = Options(author=writer.name, via="http")
    remove = partial(delete_one, service.engine, slug, options=options, now=service.clock(), guard=guard)
    version = await anyio.to_thread.run_sync(remove, limiter=service.writers)
    return Response(status_code=204, headers={"Honbun-Version": version})


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
    document = await anyio.to_thread.run_sync(parse, Source(name=name, content=content), service.context)
    return _written(_preview(document, Reading(service=service, principal=writer, now=service.clock())), 200, "")


def _preview(document: Document, reading: Reading) -> dict[str, Any]:
    row = preview_row(document, reading.now)
    shape = dict.fromkeys(WHOLE)
    return show_post(row, shape, reading.show) | {"older": None, "newer": None, "related": []}


@router.get(
    "/sources",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}, "description": "A source a line"}},
)
def get_sources(
    request: Request, query: Annotated[SourcesQuery, Query()], writer: WriterDep, reading: ReadingDep
) -> Response:
    """Name, hash, slug and status of every stored source."""
    del writer
    return stream(request, _sources(query.prefix, reading), {"Cache-Control": "private, no-store"})


def _sources(prefix: str, reading: Reading) -> Iterator[dict[str, Any]]:
    with reading.snapshot() as (connection, _):
        for row in all_sources(connection, prefix):
            yield {
                "name": row.source_name,
                "sha256": row.sha256,
                "slug": row.slug,
                "status": status_of(row, reading.now),
            }


