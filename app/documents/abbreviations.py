"""Abbreviations as kramdown and PHP Markdown Extra define them; each use becomes an `<abbr>` with its meaning."""

import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_core.state_core import StateCore
from markdown_it.token import Token

_DEFINITION = re.compile(r"\*\[([^\]\n]{1,100})\]:[ \t]*(.*)")
_MAX_ABBREVIATIONS = 200  # each word of a post is compared with all of them
_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


def abbreviations(md: MarkdownIt) -> None:
    """Add the rules to a parser."""
    md.block.ruler.before("fence", "abbreviation", _definition, _INTERRUPTS)
    md.core.ruler.after("inline", "abbreviations", _abbreviations)
    md.add_render_rule("abbreviation", _render_abbreviation)


def _definition(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """`*[HTML]: Hyper Text Markup Language`."""
    at = state.bMarks[start] + state.tShift[start]
    if state.is_code_block(start) or not state.src.startswith("*[", at):
        return False
    found = _DEFINITION.fullmatch(state.src[at : state.eMarks[start]])
    if found is None:
        return False
    if not silent:
        known = state.env.setdefault("abbreviations", {})
        if len(known) < _MAX_ABBREVIATIONS:
            known[found[1]] = found[2].strip()
        state.line = start + 1
    return True


def _abbreviations(state: StateCore) -> None:
    known: dict[str, str] = state.env.get("abbreviations", {})
    if not known:
        return
    labels = "|".join(map(re.escape, sorted(known, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{labels})(?![A-Za-z0-9_])")
    opened = {label: f'<abbr title="{escapeHtml(text)}">' if text else "<abbr>" for label, text in known.items()}
    for token in state.tokens:
        if token.children:
            token.children = [part for child in token.children for part in _abbreviated(child, pattern, opened)]


def _abbreviated(child: Token, pattern: re.Pattern[str], opened: dict[str, str]) -> list[Token]:
    if child.type != "text" or not (found := list(pattern.finditer(child.content))):
        return [child]
    parts: list[Token] = []
    at = 0
    for match in found:
        parts += (
            *_text(child, child.content[at : match.start()]),
            Token("abbreviation", "", 0, content=opened[match[0]], level=child.level),
            *_text(child, match[0]),
            Token("abbreviation", "", 0, content="</abbr>", level=child.level),
        )
        at = match.end()
    return [*parts, *_text(child, child.content[at:])]


def _text(like: Token, content: str) -> list[Token]:
    return [Token("text", "", 0, content=content, level=like.level)] if content else []


def _render_abbreviation(_: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return tokens[index].content
