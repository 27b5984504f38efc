"""Addresses that CommonMark does not link: bare ones in text, and targets with blanks in them.

A bare address is ASCII, as RFC 3986 writes it: what Japanese text puts right behind one never belongs to it. It needs
its scheme, so that `Swift.org` and `page.id` stay the words they are. Brackets end it, because `[^1]` behind an
address is a footnote; percent-escapes stay as written.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline.state_inline import StateInline

_SCHEME = re.compile(r"(?:^|[^a-z0-9.+-])(https?|mailto)$", re.IGNORECASE)
# No server takes longer ones; without an end, a text of nothing else would be read again for each of them.
_WEB = re.compile(r"://[A-Za-z0-9][A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]{0,8000}")
_MAIL = re.compile(r":[A-Za-z0-9._%+-]++@[A-Za-z0-9-]++(?:\.[A-Za-z0-9-]++)+(?:\?[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]*)?")
_NEVER_LAST = "?!.,:;*_~'\"&("


# What is behind the bracket must look like an address, or it is a remark: [注](これは 補足)
_BLANKS = re.compile(
    r"""(!?)\[([^\[\]\n]{0,500})\]\([ \t]{0,9}
        ([^\s()<>"']{1,500}(?:[ ]{1,3}[^\s()<>"']{1,500}){1,20})
        (?:[ \t]{1,9}"([^"\n]{0,500})")?[ \t]{0,9}\)""",
    re.VERBOSE,
)
_LOOKS_LIKE_ADDRESS = re.compile(r"https?:/|\.{0,2}/|#|.*\.[A-Za-z0-9]{1,5}$", re.DOTALL)


def addresses(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    md.inline.ruler.after("text", "bare_address", _bare_address)
    md.inline.ruler.after("image", "address_with_blanks", _address_with_blanks)


def _address_with_blanks(state: StateInline, silent: bool) -> bool:
    """`[図](images/fig 1.png)` and `![図](…)`, which kramdown takes."""
    if state.src[state.pos] not in "[!":
        return False
    found = _BLANKS.match(state.src, state.pos, state.posMax)
    if found is None or not _LOOKS_LIKE_ADDRESS.match(found[3]):
        return False
    address = state.md.normalizeLink(found[3])
    if not state.md.validateLink(address):
        return False
    if not silent:
        title = {"title": found[4]} if found[4] else {}
        if found[1]:
            token = state.push("image", "img", 0)
            token.attrs, token.content, token.children = {"src": address, "alt": "", **title}, found[2], []
            state.md.inline.parse(found[2], state.md, state.env, token.children)
        else:
            state.push("link_open", "a", 1).attrs = {"href": address, **title}
            end, state.pos, state.posMax = state.posMax, found.start(2), found.end(2)
            state.linkLevel += 1
            state.md.inline.tokenize(state)
            state.linkLevel -= 1
            state.posMax = end
            state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


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
