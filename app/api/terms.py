"""What there is to filter by: categories, tags, authors, archives; and the service itself."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from app.api import schemas
from app.api.caching import respond
from app.api.lists import envelope
from app.api.routes import ReadRoute
from app.api.service import Reading, ReadingDep
from app.documents.normalize import term_key
from app.documents.slug import slugify
from app.posts.filters import ArchiveQuery, TermQuery
from app.posts.models import instant_text
from app.posts.parameters import Query as PlainQuery
from app.posts.read import TermCount, count_periods, count_terms, page_of_terms, visible_count

router = APIRouter(prefix="/v1", tags=["Reading"], route_class=ReadRoute)
TermParameters = Annotated[TermQuery, Query()]


@router.get("", response_model=schemas.ServiceInfo)
def get_service(request: Request, _query: Annotated[PlainQuery, Query()], reading: ReadingDep) -> Response:
    """The service: what it is called, what it holds, where to go from here."""
    service = reading.service
    root = service.links.root_path
    with reading.snapshot() as (snapshot, lifetime):
        count = visible_count(snapshot.connection, reading.now)
    body = {
        "title": service.site.title,
        "description": service.site.description,
        "site_url": service.site.url,
        "timezone": service.links.zone.key,
        "lang": service.site.lang,
        "version": lifetime.state.label,
        "posts": count,
        "links": {name: f"{root}{path}" for name, path in LINKS.items()},
    }
    return respond(request, body, lifetime, tags=["list"])


LINKS = {
    "posts": "/v1/posts",
    "categories": "/v1/categories",
    "tags": "/v1/tags",
    "authors": "/v1/authors",
    "archives": "/v1/archives",
    "suggest": "/v1/suggest",
    "feed_json": "/v1/feed.json",
    "feed_atom": "/v1/feed.atom",
    "sitemap": "/v1/sitemap.xml",
    "export": "/v1/export.jsonl",
    "openapi": "/openapi.json",
    "docs": "/docs",
}


@router.get("/categories", response_model=schemas.TermList)
def get_categories(request: Request, query: TermParameters, reading: ReadingDep) -> Response:
    """The categories of the posts, with how many each has."""
    return _terms(request, "categories", query, reading)


@router.get("/tags", response_model=schemas.TermList)
def get_tags(request: Request, query: TermParameters, reading: ReadingDep) -> Response:
    """The tags of the posts, with how many each has."""
    return _terms(request, "tags", query, reading)


@router.get("/authors", response_model=schemas.TermList)
def get_authors(request: Request, query: TermParameters, reading: ReadingDep) -> Response:
    """The authors of the posts, with how many each has."""
    return _terms(request, "authors", query, reading)


PLURALS = {"categories": "category", "tags": "tag", "authors": "author"}


def _terms(request: Request, plural: str, query: TermQuery, reading: Reading) -> Response:
    taxonomy = PLURALS[plural]
    root = reading.service.links.root_path
    with reading.snapshot() as (snapshot, lifetime):
        found, page = page_of_terms(count_terms(snapshot.connection, taxonomy, reading.now), query)
    page.items.extend(_shown(term, taxonomy, root) for term in found)
    body, headers = envelope(request, page, lifetime.state.label, f"{root}/v1/{plural}")
    return respond(request, body, lifetime, tags=["list"], headers=headers)


def _shown(term: TermCount, taxonomy: str, root: str) -> dict[str, Any]:
    shown = term_link(term.name, taxonomy, root)
    return shown | {"count": term.count, "latest_at": instant_text(term.latest_at)}


def term_link(name: str, taxonomy: str, root: str) -> dict[str, Any]:
    """A term's name, its slug, and the address of its posts."""
    return {
        "name": name,
        "slug": slugify(name) or term_key(name),
        "url": f"{root}/v1/posts?{urlencode({taxonomy: name})}",
    }


@router.get("/archives", response_model=schemas.ArchiveList)
def get_archives(request: Request, query: Annotated[ArchiveQuery, Query()], reading: ReadingDep) -> Response:
    """Years or months with the number of posts, by the day in the site's time zone."""
    root = reading.service.links.root_path
    with reading.snapshot() as (snapshot, lifetime):
        periods = count_periods(snapshot.connection, query.by, reading.reader)
    items = [
        {"period": period, "count": count, "url": f"{root}/v1/posts?{urlencode({'published_at': period})}"}
        for period, count in periods
    ]
    body = {"items": items, "total": len(items), "version": lifetime.state.label}
    return respond(request, body, lifetime, tags=["list"])
