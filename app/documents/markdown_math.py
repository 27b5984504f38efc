"""Mathematics between `$$`: left for the reader's page to typeset, in the delimiters that MathJax and KaTeX look for."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token

_INLINE = re.compile(r"\$\$((?:[^$\\]|\\[\s\S]|\$(?!\$))++)\$\$")


def mathematics(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    md.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.inline.ruler.before("escape", "math_inline", _inline)
    md.add_render_rule("math_block", _render_block)
    md.add_render_rule("math_inline", _render_inline)


def _inline(state: StateInline, silent: bool) -> bool:
    if not state.src.startswith("$$", state.pos):
        return False
    found = _INLINE.match(state.src, state.pos, state.posMax)
    if found is None or not found[1].strip():
        return False
    if not silent:
        state.push("math_inline", "", 0).content = found[1].strip()
    state.pos = found.end()
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block that `$$` opens at the start of a line and closes at the end of one."""
    at = state.bMarks[start] + state.tShift[start]
    if not state.src.startswith("$$", at) or state.is_code_block(start):
        return False
    closing = state.src.find("$$", at + 2, state.eMarks[end - 1])
    if closing < 0 or not state.src[at + 2 : closing].strip():
        return False
    last = next(line for line in range(start, end) if state.eMarks[line] >= closing)
    if state.src[closing + 2 : state.eMarks[last]].strip() or not _is_whole(state, start, last):
        return False
    if silent:
        return True
    token = state.push("math_block", "", 0)
    token.content = state.getLines(start, last + 1, state.blkIndent, False).strip()[2:-2].strip()
    token.map = [start, last + 1]
    state.line = last + 1
    return True


def _is_whole(state: StateBlock, start: int, last: int) -> bool:
    """Blank lines only between `$$` that stand alone on their lines; no line outdented out of its container."""
    alone = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].strip() == "$$"
    lines = range(start + 1, last + 1)
    return all(state.isEmpty(line) or state.sCount[line] >= state.blkIndent for line in lines) and (
        alone or not any(state.isEmpty(line) for line in lines)
    )


def _render_inline(_: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f'<span class="math math-inline">\\({escapeHtml(tokens[index].content)}\\)</span>'


def _render_block(_: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f'<p><span class="math math-display">\\[{escapeHtml(tokens[index].content)}\\]</span></p>\n'
