"""The envelope that every list comes in, and its Link header (RFC 8288)."""

from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from app.posts.pages import Page
from app.posts.parameters import IGNORED

PAGING = ("cursor", "page")


def kept_parameters(request: Request) -> list[tuple[str, str]]:
    """The parameters that the other pages of a list have too."""
    return [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in PAGING and not IGNORED.match(name)
    ]


def address_of(path: str, parameters: list[tuple[str, str]]) -> str:
    query = urlencode(parameters)
    return f"{path}?{query}" if query else path


def envelope(request: Request, page: Page, version: str, path: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The JSON of the list at `path`, and its headers."""
    kept = kept_parameters(request)
    first = address_of(path, kept)

    def address(parameters: dict[str, str] | None) -> str | None:
        return None if parameters is None else f"{first}{'&' if kept else '?'}{urlencode(parameters)}"

    links = {"first": first, "previous": address(page.previous), "next": address(page.next)}
    body: dict[str, Any] = {
        "items": page.items,
        "total": page.total,
        "limit": page.limit,
        "next": links["next"],
        "previous": links["previous"],
        "next_cursor": page.next.get("cursor") if page.next else None,
        "version": version,
    }
    if page.page is not None:
        body |= {"page": page.page, "pages": page.pages}
    relations = {"previous": "prev"}
    header = ", ".join(f'<{url}>; rel="{relations.get(name, name)}"' for name, url in links.items() if url is not None)
    return body, {"Link": header}
