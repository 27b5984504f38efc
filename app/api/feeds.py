"""What other programs follow a site by: feeds of any list, and a map of all posts."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.api import atom, json_feed, sitemap
from app.api.caching import respond
from app.api.feed import FIELDS, Feed, Place, feed_of
from app.api.routes import ReadRoute
from app.api.service import Reading, ReadingDep
from app.errors import NotFound
from app.posts.filters import FeedQuery, SitemapQuery
from app.posts.lists import list_posts
from app.posts.read import visible_addresses, visible_count
from app.posts.terms import term_tags

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=ReadRoute)


def _documented(media_type: str, schema: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": schema}}, "description": "The whole document"}}


@router.get("/feed.json", response_class=Response, responses=_documented(json_feed.MEDIA_TYPE, {"type": "object"}))
def get_json_feed(request: Request, query: Annotated[FeedQuery, Query()], reading: ReadingDep) -> Response:
    """The newest posts of a filter as JSON Feed 1.1, whole."""
    return _feed(request, query, reading, "/v1/feed.json", json_feed.json_feed, json_feed.MEDIA_TYPE)


@router.get("/feed.atom", response_class=Response, responses=_documented(atom.MEDIA_TYPE, {"type": "string"}))
def get_atom_feed(request: Request, query: Annotated[FeedQuery, Query()], reading: ReadingDep) -> Response:
    """The newest posts of a filter as Atom (RFC 4287), whole."""
    return _feed(request, query, reading, "/v1/feed.atom", atom.atom_feed, atom.MEDIA_TYPE)


def _feed(  # noqa: PLR0913, PLR0917 - the two formats differ in the last three
    request: Request,
    query: FeedQuery,
    reading: Reading,
    path: str,
    written: Callable[[Feed], Any],
    media_type: str,
) -> Response:
    reading.check_status(query)
    links, site = reading.service.links, reading.service.site
    with reading.snapshot() as (snapshot, lifetime):
        page = list_posts(snapshot, query.as_list(FIELDS), reading.reader, reading.show)
    path = f"{links.root_path}{path}"
    feed = feed_of(request, Place.of(request, links), site, path, page, lifetime.state.changed_at)
    return respond(request, written(feed), lifetime, tags=["list", *term_tags(query)], media_type=media_type)


@router.get("/sitemap.xml", response_class=Response, responses=_documented(sitemap.MEDIA_TYPE, {"type": "string"}))
def get_sitemap(request: Request, query: Annotated[SitemapQuery, Query()], reading: ReadingDep) -> Response:
    """The addresses of all posts; past 50 000 an index of sitemaps."""
    place = Place.of(request, reading.service.links)
    with reading.snapshot() as (snapshot, lifetime):
        connection = snapshot.connection
        parts = max(1, -(-visible_count(connection, reading.now) // sitemap.MOST))
        if query.part is None and parts > 1:
            path = f"{place.links.root_path}/v1/sitemap.xml"
            body = sitemap.sitemap_index(place.path(f"{path}?part={number}") for number in range(1, parts + 1))
        elif (part := query.part or 1) <= parts:
            found = visible_addresses(connection, reading.reader, reading.show, sitemap.MOST, part)
            body = sitemap.sitemap((place.post(item), item["updated_at"]) for item in found)
        else:
            raise NotFound(f"the sitemap has {parts} parts")
    return respond(request, body, lifetime, tags=["list"], media_type=sitemap.MEDIA_TYPE)
