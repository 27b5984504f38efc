"""Limits on what a small source may grow into, counted while it is rendered.

A reference definition costs its bytes once and is written out at each use; footnotes, tables and unclosed HTML
elements multiply too. Each limit stops the work where it is passed, before the memory is spent.
"""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.parser_block import ParserBlock
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from app.documents.html_nesting import deepest
from app.documents.markdown_rules import BlockRuler
from app.errors import DocumentError, Finding

MIN_REFERENCE_BYTES = 100_000
MIN_OUTPUT_BYTES = 2_000_000
OUTPUT_PER_INPUT = 20
MIN_BLOCKS = 50_000
BLOCKS_PER_BYTE = 2
MAX_OPEN_TIMES_TAGS = 1_000_000


def exceeded(what: str) -> DocumentError:
    return DocumentError(
        Finding(code="render_budget", detail=what, hint="split the post, or repeat less of what is written once")
    )


class References(dict[str, Any]):
    """Link reference definitions by label; each look-up that finds one takes its bytes from the budget."""

    def __init__(self, input_bytes: int) -> None:
        super().__init__()
        self.left = max(MIN_REFERENCE_BYTES, input_bytes)

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, default)
        if found:
            self.left -= len(found["href"].encode()) + len(found["title"].encode())
            if self.left < 0:
                raise exceeded("link references would write out more than the source holds")
        return found


def budget(input_bytes: int) -> dict[str, Any]:
    """The environment that a parser and a renderer of this module need for a source of so many bytes."""
    return {
        "raw": [],
        "references": References(input_bytes),
        "output_left": max(MIN_OUTPUT_BYTES, OUTPUT_PER_INPUT * input_bytes),
        "blocks_left": max(MIN_BLOCKS, BLOCKS_PER_BYTE * input_bytes),
    }


class BudgetedState(StateBlock):
    def push(self, ttype: str, tag: str, nesting: Any) -> Token:
        """What the library does, counted; written out, because every block of every post passes here three times."""
        left = self.env["blocks_left"] = self.env["blocks_left"] - 1
        if left < 0:
            raise exceeded("the source makes too many blocks, such as table cells")
        if nesting < 0:
            self.level -= 1
        token = Token(ttype, tag, nesting)
        token.block, token.level = True, self.level
        if nesting > 0:
            self.level += 1
        self.tokens.append(token)
        return token


class BudgetedBlocks(ParserBlock):
    """The block parser with `BudgetedState`."""

    def __init__(self) -> None:
        super().__init__()
        self.ruler = BlockRuler(self.ruler)

    def parse(self, src: str, md: MarkdownIt, env: EnvType, outTokens: list[Token]) -> list[Token] | None:  # noqa: N803
        if not src:
            return None
        state = BudgetedState(src, md, env, outTokens)
        self.tokenize(state, state.line, state.lineMax)
        return state.tokens


class BudgetedRenderer(RendererHTML):
    """HTML out, counted fragment by fragment."""

    def render(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:
        return "".join(self._fragments(tokens, options, env))

    def renderInline(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> str:  # noqa: N802
        return "".join(self._fragments(tokens, options, env))

    def _closing(self, tokens: Sequence[Token], idx: int, _options: OptionsDict, _env: EnvType) -> str:
        """What `renderToken` makes of the tags that most posts consist of."""
        return "" if tokens[idx].hidden else f"</{tokens[idx].tag}>\n"

    paragraph_close = heading_close = _closing

    @staticmethod
    def renderAttrs(token: Token) -> str:  # noqa: N802
        return RendererHTML.renderAttrs(token) if token.attrs else ""

    def _fragments(self, tokens: Sequence[Token], options: OptionsDict, env: EnvType) -> list[str]:
        out: list[str] = []
        rules, left = self.rules, env["output_left"]
        for position, each in enumerate(tokens):
            siblings, index, token = tokens, position, each
            if token.type == "inline":
                if not token.children:
                    continue
                if len(token.children) > 1:
                    env["output_left"] = left
                    out += self._fragments(token.children, options, env)
                    left = env["output_left"]
                    continue
                siblings, index, token = token.children, 0, token.children[0]
            rule = rules.get(token.type) or self.renderToken
            fragment = rule(siblings, index, options, env)
            left -= len(fragment) if fragment.isascii() else len(fragment.encode())
            if left < 0:
                raise exceeded("the HTML would be many times as large as the source")
            out.append(fragment)
        env["output_left"] = left
        return out


def check_nesting(raw: Sequence[str], html: str) -> None:
    """Raise DocumentError where elements left open in raw HTML would be opened again in every paragraph after them.

    `raw` are the pieces of HTML that the author wrote, in order, `html` is everything.
    """
    if raw and deepest(raw) * html.count("<") > MAX_OPEN_TIMES_TAGS:
        raise exceeded("HTML elements are nested too deeply, or left open too often")
