"""The excerpt: the author's own, else the text before `<!--more-->`, else the first real paragraph."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from app.documents.fields import FrontMatter
from app.documents.liquid import Site, translate
from app.documents.markdown import Rendered, render_excerpt, text_of

MORE = re.compile(r"<!--[ \t]*(?:more|truncate)[ \t]*-->", re.IGNORECASE)  # Docusaurus has the other word
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    html: str
    text: str  # one line


def excerpt_of(body: str, front: FrontMatter, rendered: Rendered, site: Site, resolve: Callable[[str], str]) -> Excerpt:
    """Front matter's `excerpt` as Markdown, else what stands before the separator, else the first real paragraph.

    `body` has its Liquid translated already.
    """
    given = None if front.excerpt is None else translate(front.excerpt, site).text
    written = given if given is not None else _before_more(body, front.excerpt_separator)
    if written is None:
        return Excerpt(html=rendered.first_paragraph_html, text=text_of(rendered.first_paragraph_html))
    html, text = render_excerpt(written, definitions_of=body, resolve=resolve)
    return Excerpt(html=html, text=text)


def _before_more(body: str, separator: str | None) -> str | None:
    """The text before the separator, unless that stands in a code block or nothing stands before it."""
    open_fence: str | None = None
    position = 0
    for line in body.splitlines(keepends=True):
        fence = FENCE.match(line)
        if fence and open_fence is None:
            open_fence = fence[1]
        elif fence and open_fence and fence[1].startswith(open_fence) and line.strip() == fence[1]:
            open_fence = None
        elif open_fence is None and (found := _separator_at(line, separator)) is not None:
            return body[: position + found].strip() or None
        position += len(line)
    return None


def _separator_at(line: str, separator: str | None) -> int | None:
    if separator and separator.strip() and separator in line:
        return line.index(separator)
    more = MORE.search(line)
    return more.start() if more else None
