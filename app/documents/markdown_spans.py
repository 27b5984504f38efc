"""Spans beyond CommonMark: templates left as text, Zenn's embeds and image sizes, ruby in braces."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token

from app.documents.liquid import CONSTRUCT

_EMBED = re.compile(r"@\[([a-z]{2,20})\]\(([^()\s<>]{1,500})\)")
_SIZED = re.compile(
    r"!\[([^\[\]\n]{0,500})\]\([ \t]{0,9}([^\s()<>]{1,1000})[ \t]{1,9}=(\d{1,5})?x(\d{1,5})?[ \t]{0,9}\)"
)
_HAN = "々〆〇ヶ㐀-䶿一-鿿豈-﫿\U00020000-\U000323af"
_KANA = "ぁ-ゖァ-ヺー・"
# Both sides are Japanese, or the braces are somebody's programme.
_RUBY = re.compile(rf"\{{([{_HAN}{_KANA}]{{1,30}})((?:[|｜][{_KANA}{_HAN}]{{1,30}}){{1,30}})\}}")
# Zenn names what it embeds by the service's own identifiers.
_EMBEDDED = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "speakerdeck": "https://speakerdeck.com/player/{}",
    "slideshare": "https://www.slideshare.net/slideshow/embed_code/key/{}",
}


def spans(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    md.inline.ruler.before("escape", "template", _template)
    md.inline.ruler.before("link", "embed", _embed)
    md.inline.ruler.before("link", "sized_image", _sized_image)
    md.inline.ruler.before("link", "ruby", _ruby)
    md.add_render_rule("template", _render_template)


def _template(state: StateInline, silent: bool) -> bool:
    """Liquid and shortcodes: text, whatever Markdown or HTML would make of what is in them."""
    if not state.src.startswith(("{{", "{%"), state.pos):
        return False
    found = CONSTRUCT.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("template", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _render_template(_: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return escapeHtml(tokens[index].content)


def _embed(state: StateInline, silent: bool) -> bool:
    """`@[youtube](id)` and `@[card](address)`: a link to what would be embedded."""
    found = _EMBED.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "@" else None
    if found is None:
        return False
    if not silent:
        kind, what = found.groups()
        is_address = what.startswith(("http://", "https://"))
        address = what if is_address else _EMBEDDED[kind].format(quote(what)) if kind in _EMBEDDED else ""
        opening = state.push("link_open", "a", 1) if address else None
        if opening:
            opening.attrs = {"href": state.md.normalizeLink(address)}
        state.push("text", "", 0).content = address or what
        if opening:
            state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


def _sized_image(state: StateInline, silent: bool) -> bool:
    """`![代替](a.png =250x)` and `=250x100`."""
    found = _SIZED.match(state.src, state.pos, state.posMax) if state.src.startswith("![", state.pos) else None
    address = state.md.normalizeLink(found[2]) if found else ""
    if found is None or not state.md.validateLink(address):
        return False
    if not silent:
        token = state.push("image", "img", 0)
        token.attrs = {"src": address, "alt": ""}
        token.attrs |= {
            name: value for name, value in zip(("width", "height"), found.groups()[2:], strict=True) if value
        }
        token.content = found[1]
        token.children = []
        state.md.inline.parse(found[1], state.md, state.env, token.children)
    state.pos = found.end()
    return True


def _ruby(state: StateInline, silent: bool) -> bool:
    """`{漢字|かんじ}`, and `{東京|とう|きょう}` with a reading for each character."""
    found = _RUBY.match(state.src, state.pos, state.posMax) if state.src[state.pos] == "{" else None
    if found is None:
        return False
    base, readings = found[1], re.split("[|｜]", found[2])[1:]
    pairs = list(zip(base, readings, strict=True)) if len(base) == len(readings) else [(base, "".join(readings))]
    if not silent:
        state.push("ruby_open", "ruby", 1)
        for text, reading in pairs:
            state.push("text", "", 0).content = text
            state.push("rt_open", "rt", 1)
            state.push("text", "", 0).content = reading
            state.push("rt_close", "rt", -1)
        state.push("ruby_close", "ruby", -1)
    state.pos = found.end()
    return True
