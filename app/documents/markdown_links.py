"""Bare web addresses in text.

A bare address is ASCII, as RFC 3986 writes it: what Japanese text puts right behind one never belongs to it. It needs
its scheme, so that `Swift.org` and `page.id` stay the words they are. Brackets end it, because `[^1]` behind an
address is a footnote; percent-escapes stay as written.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline.state_inline import StateInline

_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?|mailto)$", re.IGNORECASE)
_WEB = re.compile(r"://[A-Za-z0-9][A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]*")
_MAIL = re.compile(r":[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+(?:\?[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]*)?")
_NEVER_LAST = "?!.,:;*_~'\"&("


def bare_addresses(md: MarkdownIt) -> None:
    """Add the rule to a parser."""
    md.inline.ruler.after("text", "bare_address", _bare_address)


def _bare_address(state: StateInline, silent: bool) -> bool:
    if silent or state.linkLevel > 0 or state.src[state.pos] != ":":
        return False
    scheme = _SCHEME.search(state.pending[-8:])
    if not scheme:
        return False
    rest = (_MAIL if scheme[1].lower() == "mailto" else _WEB).match(state.src, state.pos, state.posMax)
    if not rest:
        return False
    tail = _without_sentence(rest[0])
    _push_link(state, scheme[1], tail)
    state.pos += len(tail)
    return True


def _without_sentence(address: str) -> str:
    """Without the punctuation that ends the sentence, and from a parenthesis on that was opened before the address."""
    depth = 0
    for index, character in enumerate(address):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return address[:index].rstrip(_NEVER_LAST)
    return address.rstrip(_NEVER_LAST)


def _push_link(state: StateInline, scheme: str, tail: str) -> None:
    state.pending = state.pending[: -len(scheme)]
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": state.md.normalizeLink(scheme + tail)}
    opening.markup, opening.info = "linkify", "auto"
    state.push("text", "", 0).content = scheme + tail
    closing = state.push("link_close", "a", -1)
    closing.markup, closing.info = "linkify", "auto"
