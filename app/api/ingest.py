"""Uploads: many files at once, in one answer or in a line a file."""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated, Any

import anyio
import anyio.to_thread
import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.responses import StreamingResponse

from app.api import schemas
from app.api.auth import Principal
from app.api.caching import JSON, asks_for, check_acceptable
from app.api.openapi import UPLOAD_BODY
from app.api.problems import problem_of
from app.api.reports import counts, report_answer, result_json, status_code
from app.api.service import Service, ServiceDep, WriterDep
from app.api.uploads import Placing, Upload, receive_upload
from app.documents.source_names import source_name
from app.errors import HonbunError, QueryError, SourceError
from app.posts.ingest import Options, ingest
from app.posts.parameters import Query as PlainQuery
from app.posts.report import Report, Result

router = APIRouter(prefix="/v1", tags=["Writing"])
Take = Callable[[Callable[[Result], Any]], Report]  # given who hears each result


class IngestQuery(PlainQuery):
    name: str | None = Field(default=None, description="The source name of a single file", max_length=1024)
    dry_run: bool = Field(default=False, description="Say what would happen; keep nothing")
    atomic: bool = Field(default=True, description="All files or none; with `false`, those that can be taken")
    strip: int = Field(default=0, ge=0, le=100, description="How many leading folders to drop")
    prefix: str | None = Field(default=None, description="Put before each name", max_length=1024)
    prune: bool = Field(default=False, description="Remove posts under `prefix` that are not in the upload")
    prune_max: int | None = Field(default=None, ge=0, le=2**31 - 1, description="Allow to remove so many")


@router.post(
    "/ingest",
    response_model=schemas.IngestReport,
    responses={207: {"model": schemas.IngestReport, "description": "With `atomic=false`, some files failed"}},
    openapi_extra=UPLOAD_BODY,
)
async def post_ingest(
    request: Request, query: Annotated[IngestQuery, Query()], service: ServiceDep, writer: WriterDep
) -> Response:
    """Takes files in: all of them or, with `atomic=false`, those that can be taken."""
    if query.prune and query.prefix is None:
        raise QueryError("prune needs prefix, which may be empty", parameter="prefix", code="missing_parameter")
    streamed = asks_for(request, "application/jsonl")
    if not streamed:
        check_acceptable(request, JSON)
    prefix = name_prefix(query.prefix or "")
    placing = Placing(name=query.name, strip=query.strip, prefix=prefix)
    read = await receive_upload(request, placing, service.limits)
    take = partial(_take, service, writer, query, prefix, read)
    if streamed:
        lines = _lines(service, take, atomic=query.atomic)
        return StreamingResponse(lines, media_type="application/jsonl", headers={"Cache-Control": "no-store"})
    return await anyio.to_thread.run_sync(_answered, take, service, query.atomic, limiter=service.writers)


def name_prefix(prefix: str) -> str:
    """A prefix in the form of names; it may be empty and may end within a folder's name. Raises QueryError."""
    if not prefix:
        return ""
    try:
        return source_name(f"{prefix}x")[:-1]
    except SourceError as error:
        raise QueryError(error.detail, parameter="prefix", code=error.reason) from error


def _take(  # noqa: PLR0913, PLR0917 - what an upload depends on
    service: Service,
    writer: Principal,
    query: IngestQuery,
    prefix: str,
    read: Callable[[], Upload],
    on_result: Callable[[Result], Any],
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
        parse_each=service.renderers.finish_each,
    )


def _answered(take: Take, service: Service, atomic: bool) -> Response:
    """The answer, made in the thread: thousands of results take longer than the event loop may."""
    return report_answer(take(lambda _: None), service, atomic=atomic)


async def _lines(service: Service, take: Take, *, atomic: bool) -> AsyncIterator[bytes]:
    """A line a file as it is written, then the summary: after the commit, or with the reason why there was none.

    A reader that goes away changes nothing: what was begun is taken to its end.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[Result | None] = asyncio.Queue()

    def heard(result: Result) -> None:  # in the writing thread
        loop.call_soon_threadsafe(queue.put_nowait, result)

    task = asyncio.ensure_future(anyio.to_thread.run_sync(_summary, take, heard, atomic, limiter=service.writers))
    task.add_done_callback(lambda _: queue.put_nowait(None))
    while (result := await queue.get()) is not None:
        yield _line({"type": "result", **result_json(result, service)})
    yield _line({"type": "summary", **task.result()})


def _summary(take: Take, heard: Callable[[Result], None], atomic: bool) -> dict[str, Any]:
    try:
        report = take(heard)
    except HonbunError as error:
        problem = orjson.loads(problem_of(error).body)
        return {"status": problem["status"], "problem": problem}
    return {"status": status_code(report, atomic=atomic), "version": report.version, **counts(report)}


def _line(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
