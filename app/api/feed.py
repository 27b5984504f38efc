"""A feed, whatever its format: a page of a list with everything in it that a reader elsewhere needs, links whole."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from fastapi import Request

from app.api.lists import address_of, kept_parameters
from app.api.service import Site
from app.documents.absolute import absolute_in, with_absolute_links
from app.documents.links import Links
from app.posts.models import instant_text
from app.posts.pages import Page

FIELDS = (
    *("id", "url", "permalink", "title", "published_at", "updated_at", "authors", "categories", "tags"),
    *("excerpt", "lang", "cover", "html"),
)
NO_FILTERS = ("limit", "min_version", "wait")
_HOST = re.compile(r"([A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A post. `id` is a URN, `address` where it is read, `terms` its categories and tags; times as in the API."""

    id: str
    address: str
    title: str
    published_at: str | None
    updated_at: str
    authors: list[str]
    terms: list[str]
    excerpt: str
    lang: str | None
    cover: str | None
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """`id` is the same for all pages, `site` what it is a feed of, `pages` has `self` and the others by relation."""

    id: str
    site: Site
    updated_at: str
    pages: dict[str, str]
    entries: list[Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the service was asked, and where what it shows is read."""

    origin: str  # scheme and host
    links: Links

    @classmethod
    def of(cls, request: Request, links: Links) -> "Place":
        host = request.headers.get("host", "")
        if not _HOST.fullmatch(host):  # HTTP/1.0 needs none
            name, port = request.scope["server"]
            host = f"{name}:{port}" if port else name
        return cls(origin=f"{request.url.scheme}://{host}", links=links)

    def path(self, path: str) -> str:
        """The absolute address of a path of this API."""
        return f"{self.origin}{path}"

    def post(self, item: dict[str, Any]) -> str:
        """The reader's address of a post; without one, that in this API."""
        return item["permalink"] or self.path(item["url"])

    def target(self, item: dict[str, Any], target: str) -> str:
        """What an address in a post leads to."""
        if target.startswith(f"{self.links.root_path}/v1/"):
            return self.path(target)
        site = f"{self.links.site_url}/" if self.links.site_url else self.path(item["url"])
        return absolute_in(item["permalink"] or site, target)


def feed_of(  # noqa: PLR0913, PLR0917 - what a feed is made of
    request: Request, place: Place, site: Site, path: str, page: Page, changed_at: datetime
) -> Feed:
    """The feed at `path`: a page with our fields; where it has no items, it is as old as the last change of all."""
    items = orjson.loads(orjson.dumps(page.items))
    kept = kept_parameters(request)
    here = {"cursor": cursor} if (cursor := request.query_params.get("cursor")) is not None else {}
    ways = {"self": here, "first": {}, "previous": page.previous, "next": page.next}
    filters = sorted((name, value) for name, value in kept if name not in NO_FILTERS)
    return Feed(
        id=uuid5(NAMESPACE_URL, f"{site.url or place.origin}{address_of(path, filters)}").urn,
        site=site,
        updated_at=max((item["updated_at"] for item in items), default=instant_text(changed_at)),
        pages={
            name: place.path(address_of(path, [*kept, *way.items()])) for name, way in ways.items() if way is not None
        },
        entries=list(_entries(items, place)),
    )


def _entries(items: Iterable[dict[str, Any]], place: Place) -> Iterable[Entry]:
    for item in items:
        absolute = partial(place.target, item)
        yield Entry(
            id=f"urn:uuid:{item['id']}",
            address=place.post(item),
            title=item["title"],
            published_at=item["published_at"],
            updated_at=item["updated_at"],
            authors=item["authors"],
            terms=list(dict.fromkeys([*item["categories"], *item["tags"]])),
            excerpt=item["excerpt"],
            lang=item["lang"],
            cover=None if item["cover"] is None else absolute(item["cover"]),
            html=with_absolute_links(item["html"], absolute),
        )
