"""Atom (RFC 4287), its pages linked as RFC 5005 says."""

from collections.abc import Iterator
from typing import Final

from app.api.feed import Entry, Feed
from app.api.xml import DECLARATION, element, text

MEDIA_TYPE: Final = "application/atom+xml"
NAMESPACE: Final = "http://www.w3.org/2005/Atom"


def atom_feed(feed: Feed) -> bytes:
    lang = {"xml:lang": feed.site.lang} if feed.site.lang else {}
    content = "\n".join(["", *_head(feed), *map(_entry, feed.entries), ""])
    return f"{DECLARATION}{element('feed', content, {'xmlns': NAMESPACE} | lang)}\n".encode()


def _head(feed: Feed) -> Iterator[str]:
    yield element("id", text(feed.id))
    yield element("title", text(feed.site.title))
    if feed.site.description:
        yield element("subtitle", text(feed.site.description))
    yield element("updated", feed.updated_at)
    yield _person(feed.site.title)  # of the entries that name no author
    for relation, address in feed.pages.items():
        yield element("link", attributes={"rel": relation, "type": MEDIA_TYPE, "href": address})
    if feed.site.url is not None:
        yield element("link", attributes={"rel": "alternate", "type": "text/html", "href": feed.site.url})
    yield element("generator", "Honbun")


def _entry(entry: Entry) -> str:
    return element("entry", "".join(_parts(entry)), {"xml:lang": entry.lang} if entry.lang else None)


def _parts(entry: Entry) -> Iterator[str]:
    yield element("id", text(entry.id))
    yield element("title", text(entry.title))
    yield element("link", attributes={"rel": "alternate", "href": entry.address})
    if entry.published_at is not None:
        yield element("published", entry.published_at)
    yield element("updated", entry.updated_at)
    for name in entry.authors:
        yield _person(name)
    for term in entry.terms:
        yield element("category", attributes={"term": term})
    if entry.excerpt:
        yield element("summary", text(entry.excerpt))
    yield element("content", text(entry.html), {"type": "html"})


def _person(name: str) -> str:
    return element("author", element("name", text(name)))
