"""HTML that the author wrote among Markdown: what keeps it from eating the text behind it, and its addresses.

Nothing here makes it safe; that is the sanitiser's work, afterwards.
"""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape

from markdown_it.token import Token

from app.documents.html_names import SWALLOWING

# A browser, and the sanitiser, read everything behind these as their content until they are closed.
_SWALLOWING_TAG = re.compile(rf"<(/?)({'|'.join(sorted(SWALLOWING))})(?=[\s/>])", re.IGNORECASE)
_PLAINTEXT = re.compile(r"<(?=/?plaintext[\s/>])", re.IGNORECASE)
_ADDRESSED = re.compile(r"""<(?:a|img)\s(?:"[^"]*"|'[^']*'|[^'">])*+>""", re.IGNORECASE)
_ADDRESS = re.compile(r"""(?<=\s)(href|src)\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+)""", re.IGNORECASE)


def escape_unclosed(children: list[Token]) -> None:
    """Show as text the inline tags that would swallow the rest of the post, such as a `<title>` in a sentence."""
    closed_later: set[str] = set()
    for token in reversed(children):
        found = _SWALLOWING_TAG.match(token.content) if token.type == "html_inline" else None
        if not found:
            continue
        name = found[2].lower()
        if found[1] and name != "plaintext":
            closed_later.add(name)
        elif name not in closed_later:
            token.type = "text"


def close_block(html: str) -> str:
    """A block of HTML with an end tag for each element that would swallow what comes after the block."""
    if not _SWALLOWING_TAG.search(html):
        return html
    html = _PLAINTEXT.sub("&lt;", html)
    left_open = {found[2].lower(): not found[1] for found in _SWALLOWING_TAG.finditer(html)}
    return html.rstrip("\n") + "".join(f"</{name}>" for name, is_open in left_open.items() if is_open) + "\n"


def addresses(html: str) -> Iterator[str]:
    """What the links and images of a piece of HTML name."""
    for tag in _ADDRESSED.finditer(html):
        yield from (unescape(found[2].strip(chr(34) + chr(39))) for found in _ADDRESS.finditer(tag[0]))


def resolve_addresses(html: str, resolve: Callable[[str], str]) -> str:
    """HTML with what `resolve` makes of each `href` of a link and `src` of an image."""

    def address(found: re.Match[str]) -> str:
        return f'{found[1]}="{escape(resolve(unescape(found[2].strip(chr(34) + chr(39)))))}"'

    return _ADDRESSED.sub(lambda tag: _ADDRESS.sub(address, tag[0]), html)
