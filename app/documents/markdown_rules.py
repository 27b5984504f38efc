"""Rulers that ask a rule only where its first character stands.

A parser spends most of its time on rules that cannot apply: twenty at each line and at each character of markup. So
indented code is only looked for where a line is indented, and what takes two lines only where a second one follows.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.parser_inline import RuleFuncInlineType
from markdown_it.ruler import Ruler
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_inline.state_inline import StateInline

F = TypeVar("F", bound=Callable[..., bool])

# What a rule's text begins with; a rule that is not named here is asked everywhere.
BLOCK_STARTS = {
    "abbreviation": "*",
    "attribute_line": "{",
    "blockquote": ">",
    "box": ":",
    "extension_block": "{",
    "fence": "`~",
    "footnote_def": "[",
    "heading": "#",
    "hr": "*-_",
    "html_block": "<",
    "list": "*+-0123456789",
    "markdown_inside": "<",
    "math_block": "$",
    "reference": "[",
}
_MAX_INDENT = 3  # of what is no code
_TAKES_INDENT = "code"
_TAKE_TWO_LINES = ("lheading", "table")
INLINE_STARTS = {
    "address_with_blanks": "![",
    "attribute_list": "{",
    "autolink": "<",
    "backticks": "`",
    "bare_address": ":",
    "embed": "@",
    "emphasis": "*_",
    "entity": "&",
    "escape": "\\",
    "extension_span": "{",
    "footnote_ref": "[",
    "html_inline": "<",
    "image": "!",
    "link": "[",
    "math_inline": "$",
    "newline": "\n",
    "ruby": "{",
    "sized_image": "!",
    "strikethrough": "~",
    "template": "{",
}


class _Ruler(Ruler[F]):
    """The rules of another ruler; each chain is one function that asks those that can begin with a character."""

    def __init__(self, other: Ruler[F], starts: Mapping[str, str]) -> None:
        super().__init__()
        self._starts = starts
        for rule in other.__rules__:
            self.push(rule.name, rule.fn, {"alt": rule.alt})

    def __compile__(self) -> None:
        super().__compile__()
        chains = self.__cache__ or {}
        self.__cache__ = {chain: [self._asking(rules)] for chain, rules in chains.items()}

    def _chosen(self, rules: list[F], *never: str) -> tuple[dict[str, tuple[F, ...]], tuple[F, ...]]:
        """The rules by what they may begin with, and those for any other character; without those of some names."""
        names = {rule.fn: rule.name for rule in self.__rules__}
        rules = [rule for rule in rules if names[rule] not in never]
        starts = {rule: self._starts.get(names[rule]) for rule in rules}
        by_character = {
            character: tuple(rule for rule in rules if character in (starts[rule] or character))
            for character in "".join(self._starts.values())
        }
        return by_character, tuple(rule for rule in rules if starts[rule] is None)

    def _asking(self, rules: list[F]) -> F:
        raise NotImplementedError


class BlockRuler(_Ruler[RuleFuncBlockType]):
    """Of a block parser."""

    def __init__(self, other: Ruler[RuleFuncBlockType]) -> None:
        super().__init__(other, BLOCK_STARTS)

    def _asking(self, rules: list[RuleFuncBlockType]) -> RuleFuncBlockType:
        indented = self._chosen(rules)
        alone = self._chosen(rules, _TAKES_INDENT, *_TAKE_TWO_LINES)
        followed = self._chosen(rules, _TAKES_INDENT)

        def ask(state: StateBlock, start: int, end: int, silent: bool) -> bool:
            at = state.bMarks[start] + state.tShift[start]
            if state.sCount[start] - state.blkIndent > _MAX_INDENT:
                by_character, others = indented
            elif start + 1 >= end or state.isEmpty(start + 1):
                by_character, others = alone
            else:
                by_character, others = followed
            for rule in by_character.get(state.src[at : at + 1], others):  # noqa: SIM110 - any() takes longer
                if rule(state, start, end, silent):
                    return True
            return False

        return ask


class InlineRuler(_Ruler[RuleFuncInlineType]):
    """Of an inline parser."""

    def __init__(self, other: Ruler[RuleFuncInlineType]) -> None:
        super().__init__(other, INLINE_STARTS)

    def _asking(self, rules: list[RuleFuncInlineType]) -> RuleFuncInlineType:
        by_character, others = self._chosen(rules)

        def ask(state: StateInline, silent: bool) -> bool:
            for rule in by_character.get(state.src[state.pos], others):  # noqa: SIM110 - any() takes longer
                if rule(state, silent):
                    return True
            return False

        return ask
