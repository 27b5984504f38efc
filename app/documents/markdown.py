"""Markdown in, sanitised HTML and what it shows out."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from markdown_it import MarkdownIt

from app.documents.html_text import Heading, Image, one_line, read, text_of
from app.documents.liquid import Left
from app.documents.markdown_budget import budget, check_nesting, exceeded
from app.documents.markdown_parser import extended, read_definitions
from app.documents.sanitize import CONTROL, sanitize
from app.errors import Finding

__all__ = ["RENDERER", "Heading", "Image", "Rendered", "render", "render_excerpt", "text_of"]

RENDERER = f"honbun-markdown/6+{version('markdown-it-py')}+{version('mdit-py-plugins')}+{version('nh3')}"
"""What rendered a post: changes whenever the same source may come out otherwise."""

_LINE_ENDINGS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A body rendered.

    `text` is what a reader sees, one line a block, code included; `prose` is the same without code blocks and the
    arrows back from footnotes. `first_paragraph_html` is the first paragraph of the post itself that is no picture,
    no list of links and no repetition of the title, without footnote marks and frames; empty if there is none.
    """

    html: str
    toc: tuple[Heading, ...]
    images: tuple[Image, ...]
    text: str
    prose: str
    first_paragraph_html: str
    addresses: tuple[tuple[str, int], ...]  # of links and images as written, percent-encoded, with their lines
    warnings: tuple[Finding, ...]


def render(
    body: str,
    *,
    title: str | None = None,
    resolve: Callable[[str], str] | None = None,
    literal: frozenset[str] = frozenset(),
    embed_hosts: Collection[str] = (),
) -> Rendered:
    """A body as HTML.

    `resolve` maps each link target and image source, percent-encoded, to what shall stand in the HTML. `literal` are
    the template constructs that are meant to be read; of others that show as text there is a warning. Frames of
    `embed_hosts` stay. Raises DocumentError with the code `render_budget` where the result would be out of proportion to the source.
    """
    source, warnings = _without_controls(body)
    left = Left(literal=literal)
    env = {**budget(len(source.encode())), "resolve": resolve, "left": left, "addresses": []}
    shown = read(_html(source, env, embed_hosts), title=title)
    return Rendered(
        html=shown.html,
        toc=tuple(shown.toc),
        images=tuple(shown.images),
        text=shown.text,
        prose=shown.prose,
        first_paragraph_html=shown.first_paragraph,
        addresses=tuple(env["addresses"]),
        warnings=(*warnings, *left.findings()),
    )


def render_excerpt(
    markdown: str, *, definitions_of: str = "", resolve: Callable[[str], str] | None = None
) -> tuple[str, str]:
    """An excerpt as HTML and as text on one line.

    Link reference definitions of the whole body are known in it; footnotes are left out, as their texts are elsewhere.
    """
    source, _ = _without_controls(markdown)
    env = {**budget(len(source.encode()) + len(definitions_of.encode())), "resolve": resolve, "footnotes_dropped": True}
    if "[" in source:
        definitions, _ = _without_controls(definitions_of)
        if "]:" in definitions:
            read_definitions(_parser(), definitions, env)
    html = _html(source, env)
    return html, one_line(read(html).text)


def _html(source: str, env: dict[str, Any], embed_hosts: Collection[str] = ()) -> str:
    try:
        html = _parser().render(source, env)
    except RecursionError:
        raise exceeded("the Markdown is nested too deeply") from None
    check_nesting(env["raw"], html)
    return sanitize(html, is_ours=not env["raw"], embed_hosts=embed_hosts)


@cache
def _parser() -> MarkdownIt:
    return extended()


def _without_controls(body: str) -> tuple[str, tuple[Finding, ...]]:
    source = _LINE_ENDINGS.sub("\n", body)
    found = CONTROL.findall(source)
    if not found:
        return source, ()
    first = source.index(found[0])
    finding = Finding(
        code="control_character",
        detail=f"{len(found)} control characters, the first U+{ord(found[0]):04X}, are left out of the HTML",
        line=source.count("\n", 0, first) + 1,
    )
    return CONTROL.sub("", source), (finding,)
