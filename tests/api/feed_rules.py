"""What the formats demand of a feed: the MUSTs of RFC 4287 and of JSON Feed 1.1 that a program can judge."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, fromstring

ATOM = "{http://www.w3.org/2005/Atom}"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FEED_ONCE = ("id", "title", "updated", "generator", "icon", "logo", "rights", "subtitle")
ENTRY_ONCE = ("id", "title", "updated", "content", "published", "rights", "source", "summary")
JSON_FEED = {
    "version": str, "title": str, "home_page_url": str, "feed_url": str, "description": str, "user_comment": str,
    "next_url": str, "icon": str, "favicon": str, "authors": list, "language": str, "expired": bool, "hubs": list,
    "items": list,
}  # fmt: skip
JSON_ITEM = {
    "id": str, "url": str, "external_url": str, "title": str, "content_html": str, "content_text": str, "summary": str,
    "image": str, "banner_image": str, "date_published": str, "date_modified": str, "authors": list, "tags": list,
    "language": str, "attachments": list,
}  # fmt: skip


def atom(content: bytes) -> Element:
    """The feed, which must be one by RFC 4287."""
    feed = fromstring(content)
    assert feed.tag == f"{ATOM}feed"
    _atom_parts(feed, FEED_ONCE)
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")].count("self") == 1  # 4.1.1 SHOULD
    entries = feed.findall(f"{ATOM}entry")
    for entry in entries:
        _atom_parts(entry, ENTRY_ONCE)
        assert feed.find(f"{ATOM}author") is not None or entry.find(f"{ATOM}author") is not None
        assert entry.find(f"{ATOM}content") is not None or "alternate" in [
            link.get("rel") for link in entry.findall(f"{ATOM}link")
        ]
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    return feed


def _atom_parts(part: Element, once: tuple[str, ...]) -> None:
    for name in once:
        assert len(part.findall(ATOM + name)) <= 1, name
    for name in ("id", "title", "updated"):
        assert part.find(ATOM + name) is not None, name
    assert urlsplit(part.findtext(f"{ATOM}id") or "").scheme  # an IRI, never relative
    for name in ("updated", "published"):
        for time in part.findall(ATOM + name):
            assert TIME.fullmatch(time.text or ""), time.text
    for name in ("title", "subtitle", "summary", "content"):
        for text in part.findall(ATOM + name):
            assert text.get("type", "text") in ("text", "html")
            assert len(text) == 0  # neither holds elements
    for person in part.findall(f"{ATOM}author"):
        assert len(person.findall(f"{ATOM}name")) == 1
    for category in part.findall(f"{ATOM}category"):
        assert category.get("term")
    links = part.findall(f"{ATOM}link")
    assert all(is_absolute(link.get("href") or "") for link in links)
    alternates = [
        (link.get("type"), link.get("hreflang")) for link in links if link.get("rel", "alternate") == "alternate"
    ]
    assert len(set(alternates)) == len(alternates)


def json_feed(feed: dict[str, Any]) -> dict[str, Any]:
    """The feed, which must be one by the specification of JSON Feed 1.1."""
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    _json_parts(feed, JSON_FEED, ("title", "items"))
    for item in feed["items"]:
        _json_parts(item, JSON_ITEM, ("id",))
        assert "content_html" in item or "content_text" in item
        for name in ("date_published", "date_modified"):
            assert name not in item or TIME.fullmatch(item[name])
    ids = [item["id"] for item in feed["items"]]
    assert len(set(ids)) == len(ids)
    return feed


def _json_parts(part: dict[str, Any], known: Mapping[str, type], required: tuple[str, ...]) -> None:
    for name, value in part.items():
        assert name.startswith("_") or isinstance(value, known[name]), name
    for name in required:
        assert name in part
    for name in ("url", "home_page_url", "feed_url", "next_url", "image"):
        assert name not in part or is_absolute(part[name]), name
    for author in part.get("authors", []):
        assert author.keys() & {"name", "url", "avatar"}
    assert all(isinstance(tag, str) for tag in part.get("tags", []))


def is_absolute(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in ("http", "https") and bool(parts.netloc) and address.isascii() and " " not in address
