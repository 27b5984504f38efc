"""The Markdown parsers: CommonMark with our emphasis, and that with everything that posts use.

Parsers are built once and only read afterwards, so that threads can share them; what belongs to one rendering
lives in the environment that `markdown_budget.budget` makes.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.parser_core import ParserCore
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core.state_core import StateCore
from markdown_it.rules_core.text_join import text_join
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from app.documents.abbreviations import abbreviations
from app.documents.cjk import CjkParserInline, join_lines
from app.documents.kramdown import kramdown
from app.documents.liquid import Left
from app.documents.markdown_blocks import blocks
from app.documents.markdown_budget import BudgetedBlocks, BudgetedRenderer, budget
from app.documents.markdown_links import addresses as more_addresses
from app.documents.markdown_math import mathematics
from app.documents.markdown_spans import spans
from app.documents.raw_html import addresses, close_block, escape_unclosed, resolve_addresses

_FOOTNOTE_MARK = re.compile(r"\[\^[^\s\]]{1,200}\]")


def commonmark() -> MarkdownIt:
    """CommonMark alone, with the emphasis of `app.documents.cjk` and the budgets."""
    md = MarkdownIt("commonmark", renderer_cls=BudgetedRenderer)
    md.inline, md.block, md.core = CjkParserInline(), BudgetedBlocks(), ParserCore()
    return md.configure("commonmark")


def extended() -> MarkdownIt:
    """What posts are rendered with, before the sanitiser."""
    md = commonmark()
    md.options["tasklists"] = True
    md.enable(["table", "strikethrough"])
    md.core.ruler.disable("normalize")  # what is rendered has one kind of line ending and no NUL already
    md.core.ruler.at("text_join", _text_join)
    footnote_plugin(md, inline=False)  # `^[` is more often a regular expression than a footnote
    md.inline.ruler.at("footnote_ref", _footnote_mark)
    md.add_render_rule("footnote_caption", _footnote_number)
    deflist_plugin(md)
    for extension in (more_addresses, kramdown, abbreviations, mathematics, blocks, spans):
        extension(md)
    for rule in (_blocks, _inlines):
        md.core.ruler.push(rule.__name__.strip("_"), rule)
    md.render("*a*", budget(3))  # the rulers put their rules together at the first use, and not safely among threads
    return md


def _footnote_mark(state: StateInline, silent: bool) -> bool:
    """The plugin's rule for labels of a sane length: its own search for the end of a label is quadratic."""
    return bool(_FOOTNOTE_MARK.match(state.src, state.pos, state.posMax)) and footnote_ref(state, silent)


def _footnote_number(_renderer: RendererProtocol, tokens: Sequence[Token], index: int, *_: object) -> str:
    """The number alone, as kramdown and goldmark have it; brackets are a matter of style."""
    return str(tokens[index].meta["id"] + 1)


def _blocks(state: StateCore) -> None:
    for token in state.tokens:
        if token.type == "fence":
            token.info = _language(token.info)
        elif token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs["align"] = str(token.attrs.pop("style")).removeprefix("text-align:")
        elif token.type == "html_block":
            token.content = close_block(token.content)
            _note_raw(token, state.env, token.map[0] + 1 if token.map else 1)
            _resolve_raw(token, state.env.get("resolve"))
            state.env["raw"].append(token.content)


def _language(info: str) -> str:
    """The language alone: `ruby:app.rb`, `rust,ignore` and `js {1,3}` name more than that."""
    return re.split(r"[:,{\s]", info.strip(), maxsplit=1)[0]


def _is_text(inline: Token) -> bool:
    """Whether a line of prose holds text alone, as most do."""
    children = inline.children
    return children is not None and len(children) == 1 and children[0].type == "text"


def _text_join(state: StateCore) -> None:
    """The library's rule, for the lines that may have something to join."""
    tokens = state.tokens
    state.tokens = [token for token in tokens if token.type == "inline" and not _is_text(token)]
    text_join(state)
    state.tokens = tokens


def _inlines(state: StateCore) -> None:
    env = state.env
    line = 1
    for token in state.tokens:
        line = token.map[0] + 1 if token.map else line
        if token.type == "inline" and token.children and not _is_text(token):
            escape_unclosed(token.children)
            if env.get("footnotes_dropped"):
                token.children = [child for child in token.children if child.type not in _FOOTNOTES]
            _gather(token.children, env, line)
            token.children = join_lines(token.children)
    if env.get("footnotes_dropped"):
        state.tokens = _without_footnotes(state.tokens)


_FOOTNOTES = frozenset(("footnote_ref", "footnote_anchor"))


def _without_footnotes(tokens: list[Token]) -> list[Token]:
    types = [token.type for token in tokens]
    return tokens[: types.index("footnote_block_open")] if "footnote_block_open" in types else tokens


def _gather(children: list[Token], env: EnvType, line: int) -> None:
    """Resolve addresses and note what is left of templates; `line` is where the first of the children stands."""
    resolve, left = env.get("resolve"), env.get("left", Left())
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            line += 1
        elif child.type == "template":
            left.note_all(child.content, line)
            line += child.content.count("\n")
        elif child.type == "html_inline":
            _note_raw(child, env, line)
            _resolve_raw(child, resolve)
            env["raw"].append(child.content)
            line += child.content.count("\n")
        elif child.type in ("link_open", "image"):
            name = "href" if child.type == "link_open" else "src"
            address = str(child.attrs[name])
            env.get("addresses", []).append((address, line))
            if "%7B" in address:
                left.note_all(unquote(address), line)
            child.attrs[name] = resolve(address) if resolve else address


def _note_raw(token: Token, env: EnvType, line: int) -> None:
    env.get("left", Left()).note_all(token.content, line)
    env.get("addresses", []).extend((address, line) for address in addresses(token.content))


def _resolve_raw(token: Token, resolve: Any) -> None:
    if resolve:
        token.content = resolve_addresses(token.content, resolve)


def read_definitions(md: MarkdownIt, body: str, env: EnvType) -> None:
    """Fill the environment with the link reference and footnote definitions of a body; nothing is rendered."""
    md.block.parse(body, md, env, [])
