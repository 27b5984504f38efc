"""Reading posts: lists, single posts, their sources, all of them in one stream."""

from contextlib import ExitStack
from collections.abc import Iterator
from hashlib import sha256
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, Query, Request, Response

from app.api import schemas
from app.api.auth import require
from app.api.caching import Lifetime, respond, stream
from app.api.lists import envelope
from app.api.service import Reading, ReadingDep
from app.errors import NotFound
from app.posts.fields import NEIGHBOURS, SUMMARY, WHOLE, shape_of
from app.posts.filters import DetailQuery, ExportQuery, ListQuery, Query as PlainQuery
from app.posts.read import export_posts, get_post, list_posts, source_of
from app.posts.store import former_holder
from app.posts.terms import term_tags

router = APIRouter(prefix="/v1", tags=["Reading"])


@router.get("/posts", response_model=schemas.PostList)
def get_posts(request: Request, query: Annotated[ListQuery, Query()], reading: ReadingDep) -> Response:
    """A filtered page of posts."""
    reading.check_status(query)
    shape = shape_of(query.fields, query.include, SUMMARY, detail=False)
    with reading.snapshot() as (connection, lifetime):
        page = list_posts(connection, query, shape, reading.reader, reading.show)
    body, headers = envelope(request, page, lifetime.state.label, reading.service.links.root_path)
    return respond(request, body, lifetime, tags=["list", *term_tags(query)], headers=headers)


@router.get("/posts/{slug}", response_model=schemas.PostDetail)
def get_one(request: Request, slug: str, query: Annotated[DetailQuery, Query()], reading: ReadingDep) -> Response:
    """One post, whole. A former slug answers 308."""
    reading.check_status(query)
    shape = shape_of(query.fields, query.include, (*WHOLE, *NEIGHBOURS), detail=True)
    slug = path_slug(slug)
    with reading.snapshot() as (connection, lifetime):
        try:
            post, row = get_post(
                connection, slug, query, shape, reading.reader, reading.show, any_status=reading.is_trusted
            )
        except NotFound:
            return _moved(request, former_holder(connection, slug), slug, reading, lifetime, connection)
    return respond(request, post, lifetime, own=own_tag(row), tags=[f"post-{row.id}"])


def path_slug(slug: str) -> str:
    """A slug from an address in the form that slugs are kept in. Raises NotFound for what can be none."""
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in slug):
        raise NotFound("a slug holds no control characters")
    return normalize("NFC", slug)


def own_tag(row: Any) -> str:
    """What identifies a post's own content: not its neighbours, not the encoding, not the fields chosen."""
    return sha256(f"{row.id} {row.slug} {row.sha256} {row.rendered_by}".encode()).hexdigest()[:20]


def _moved(  # noqa: PLR0913 - what the answer depends on
    request: Request, now_at: str | None, slug: str, reading: Reading, lifetime: Lifetime, connection: Any
) -> Response:
    """308 to where a former slug's post is now, if the reader may see that one."""
    if now_at is None:
        raise NotFound(f"there is no post {slug!r}")
    get_post(
        connection, now_at, DetailQuery(), {"id": None}, reading.reader, reading.show, any_status=reading.is_trusted
    )
    url = reading.service.links.url(now_at)
    query = request.url.query
    return Response(status_code=308, headers=lifetime.headers() | {"Location": f"{url}?{query}" if query else url})


@router.get(
    "/posts/{slug}/source",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "description": "The file"}},
)
def get_source(
    request: Request, slug: str, _query: Annotated[PlainQuery, Query()], reading: ReadingDep
) -> Response:
    """The file byte for byte."""
    service = reading.service
    if not service.public_source:
        require(reading.principal, "read", service.engine, service.bootstrap)
    with reading.snapshot() as (connection, lifetime):
        row = source_of(connection, path_slug(slug), reading.reader, any_status=reading.is_trusted)
    return respond(
        request,
        bytes(row.source),
        lifetime,
        own=own_tag(row),
        tags=[f"post-{row.id}"],
        media_type="text/markdown; charset=utf-8",
    )


@router.get(
    "/export.jsonl",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}, "description": "A post a line"}},
)
def export(request: Request, query: Annotated[ExportQuery, Query()], reading: ReadingDep) -> Response:
    """Every post of a filter in one stream."""
    reading.check_status(query)
    shape = shape_of(query.fields, query.include, WHOLE, detail=False)
    stack = ExitStack()
    try:
        connection, lifetime = stack.enter_context(reading.snapshot())
        items = export_posts(connection, query, shape, reading.reader, reading.show)
        return stream(request, _closing(items, stack), lifetime.headers(["list"]))
    except BaseException:
        stack.close()
        raise


def _closing(items: Iterator[Any], stack: ExitStack) -> Iterator[Any]:
    """The items, and then the end of the transaction that they were read in."""
    with stack:
        yield from items
