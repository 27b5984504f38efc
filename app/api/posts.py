"""Reading posts: lists, single posts, their sources, all of them in one stream."""

from functools import partial
from hashlib import sha256
from typing import Annotated, Any
from unicodedata import normalize

from fastapi import APIRouter, Query, Request, Response

from app.api import schemas
from app.api.caching import Lifetime, respond
from app.api.facets import facets_json
from app.api.lists import envelope
from app.api.openapi import JSON_LINES
from app.api.routes import ReadRoute
from app.api.service import Reading, ReadingDep
from app.api.streams import stream
from app.errors import NotFound
from app.posts.detail import get_post, source_of
from app.posts.epochs import Snapshot
from app.posts.facets import count_facets
from app.posts.fields import WHOLE, shape_of
from app.posts.filters import DetailQuery, ExportQuery, ListQuery
from app.posts.lists import is_short, list_posts
from app.posts.parameters import Query as PlainQuery
from app.posts.read import export_posts
from app.posts.store import former_holder
from app.posts.terms import term_tags

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=ReadRoute)


@router.get("/posts", response_model=schemas.PostList)
async def get_posts(request: Request, query: Annotated[ListQuery, Query()], reading: ReadingDep) -> Response:
    """A filtered page of posts."""
    return await reading.answer(partial(show_list, request, query, reading), is_short=is_short(query))


def show_list(request: Request, query: ListQuery, reading: Reading, hurried: bool) -> Response:
    """The answer to a list. Raises QueryError, Unauthorized, Forbidden, NotAcceptable, Unhurried."""
    reading.check_status(query)
    reader = reading.reader
    with reading.snapshot(hurried=hurried) as (snapshot, lifetime):
        page = list_posts(snapshot, query, reader, reading.show)
        facets = count_facets(snapshot.connection, query, reader)
    path = f"{reading.service.links.root_path}/v1/posts"
    body, headers = envelope(request, page, lifetime.state.label, path)
    if facets:
        body["facets"] = facets_json(request, facets, path)
    return respond(request, body, lifetime, tags=["list", *term_tags(query)], headers=headers)


@router.get("/posts/{slug}", response_model=schemas.PostDetail)
async def get_one(request: Request, slug: str, query: Annotated[DetailQuery, Query()], reading: ReadingDep) -> Response:
    """One post, whole. A former slug answers 308."""
    read = partial(show_one, request, path_slug(slug), query, reading)
    return await reading.answer(read, is_short=not query.filters)


def show_one(request: Request, slug: str, query: DetailQuery, reading: Reading, hurried: bool) -> Response:
    """The answer to a slug. Raises NotFound, QueryError, Unauthorized, Forbidden, NotAcceptable, Unhurried."""
    reading.check_status(query)
    with reading.snapshot(hurried=hurried) as (snapshot, lifetime):
        try:
            post, row = get_post(snapshot, slug, query, reading.reader, reading.show, any_status=reading.is_trusted)
        except NotFound:
            return _moved(request, _present_slug(snapshot, slug, reading), reading, lifetime)
    return respond(request, post, lifetime, own=own_tag(row), tags=[f"post-{row.id}"])


def path_slug(slug: str) -> str:
    """A slug from an address in the form that slugs are kept in. Raises NotFound for what can be none."""
    if any(character < " " or "\ud800" <= character <= "\udfff" for character in slug):
        raise NotFound("a slug holds no control characters")
    return normalize("NFC", slug)


def own_tag(row: Any) -> str:
    """What identifies a post's own content: not its neighbours, not the encoding, not the fields chosen."""
    return sha256(f"{row.id} {row.slug} {row.sha256} {row.rendered_by}".encode()).hexdigest()[:20]


def _present_slug(snapshot: Snapshot, former: str, reading: Reading) -> str:
    """Where the post with this former slug is now. Raises NotFound, also where the reader may not see that post."""
    slug = former_holder(snapshot.connection, former)
    try:
        if slug is not None:
            query = DetailQuery(fields=("slug",))
            get_post(snapshot, slug, query, reading.reader, reading.show, any_status=reading.is_trusted)
            return slug
    except NotFound:  # it names the present slug, which is nobody's business
        pass
    raise NotFound(f"there is no post {former!r}")


def _moved(request: Request, slug: str, reading: Reading, lifetime: Lifetime) -> Response:
    """308 to where a post is now, with the query kept."""
    query = request.scope["query_string"].decode("latin-1")
    url = reading.service.links.url(slug)
    return Response(status_code=308, headers=lifetime.headers() | {"Location": f"{url}?{query}" if query else url})


@router.get(
    "/posts/{slug}/source",
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}, "description": "The file"}},
)
def get_source(request: Request, slug: str, _query: Annotated[PlainQuery, Query()], reading: ReadingDep) -> Response:
    """The file byte for byte."""
    if not reading.service.public_source:
        reading.require("read")
    with reading.snapshot() as (snapshot, lifetime):
        row = source_of(snapshot.connection, path_slug(slug), reading.reader, any_status=reading.is_trusted)
    return respond(
        request,
        bytes(row.source),
        lifetime,
        own=own_tag(row),
        tags=[f"post-{row.id}"],
        media_type="text/markdown; charset=utf-8",
    )


@router.get("/export.jsonl", response_class=Response, responses=JSON_LINES)
def export(request: Request, query: Annotated[ExportQuery, Query()], reading: ReadingDep) -> Response:
    """Every post of a filter in one stream."""
    reading.check_status(query)
    shape = shape_of(query.fields, query.include, WHOLE, detail=False)
    return stream(
        request,
        reading,
        lambda connection: export_posts(connection, query, shape, reading.reader, reading.show),
        tags=["list", *term_tags(query)],
    )
