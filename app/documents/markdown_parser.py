"""The Markdown parsers: CommonMark with our emphasis, and that with everything that posts use.

Parsers are built once and only read afterwards, so that threads can share them; what belongs to one rendering
lives in the environment that `markdown_budget.budget` makes.
"""

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_core import ParserCore
from markdown_it.rules_core.state_core import StateCore
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

from app.documents.cjk import CjkParserInline, join_lines
from app.documents.markdown_budget import BudgetedBlocks, BudgetedRenderer, budget
from app.documents.markdown_links import bare_addresses
from app.documents.raw_html import close_block, escape_unclosed, resolve_addresses

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
    footnote_plugin(md, inline=False)  # `^[` is more often a regular expression than a footnote
    md.inline.ruler.at("footnote_ref", _footnote_mark)
    deflist_plugin(md)
    bare_addresses(md)
    for rule in (_blocks, _inlines):
        md.core.ruler.push(rule.__name__.strip("_"), rule)
    md.render("*a*", budget(3))  # the rulers put their rules together at the first use, and not safely among threads
    return md


def _footnote_mark(state: StateInline, silent: bool) -> bool:
    """The plugin's rule for labels of a sane length: its own search for the end of a label is quadratic."""
    return bool(_FOOTNOTE_MARK.match(state.src, state.pos, state.posMax)) and footnote_ref(state, silent)


def _blocks(state: StateCore) -> None:
    resolve = state.env.get("resolve")
    for token in state.tokens:
        if token.type == "fence":
            token.info = _language(token.info)
        elif token.type in ("th_open", "td_open") and token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}
        elif token.type == "html_block":
            token.content = close_block(token.content)
            _resolve_raw(token, resolve)
            state.env["raw"].append(token.content)


def _language(info: str) -> str:
    """The language alone: `ruby:app.rb`, `rust,ignore` and `js {1,3}` name more than that."""
    return re.split(r"[:,{\s]", info.strip(), maxsplit=1)[0]


def _inlines(state: StateCore) -> None:
    env = state.env
    for token in state.tokens:
        if token.type == "inline" and token.children:
            escape_unclosed(token.children)
            token.children = join_lines(token.children)
            if env.get("footnotes_dropped"):
                token.children = [child for child in token.children if child.type not in _FOOTNOTES]
            _gather(token.children, env)
    if env.get("footnotes_dropped"):
        state.tokens = _without_footnotes(state.tokens)


_FOOTNOTES = frozenset(("footnote_ref", "footnote_anchor"))


def _without_footnotes(tokens: list[Token]) -> list[Token]:
    types = [token.type for token in tokens]
    return tokens[: types.index("footnote_block_open")] if "footnote_block_open" in types else tokens


def _gather(children: list[Token], env: EnvType) -> None:
    resolve = env.get("resolve")
    for child in children:
        if child.type == "html_inline":
            _resolve_raw(child, resolve)
            env["raw"].append(child.content)
        elif resolve and child.type in ("link_open", "image"):
            name = "href" if child.type == "link_open" else "src"
            child.attrs[name] = resolve(str(child.attrs[name]))


def _resolve_raw(token: Token, resolve: Any) -> None:
    if resolve:
        token.content = resolve_addresses(token.content, resolve)


def read_definitions(md: MarkdownIt, body: str, env: EnvType) -> None:
    """Fill the environment with the link reference and footnote definitions of a body; nothing is rendered."""
    md.block.parse(body, md, env, [])
