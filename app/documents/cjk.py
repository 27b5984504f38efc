"""Chinese, Japanese and Korean text in Markdown: which runs of markers emphasise, which line breaks are no space.

Emphasis follows the CommonMark CJK-friendly amendments (github.com/tats-u/markdown-cjk-friendly, specification.md):
punctuation of these scripts, and any of their letters beside other punctuation, never keeps a marker from opening or
closing. Text without these scripts comes out exactly as CommonMark says.
"""

import unicodedata
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline.state_inline import Scanned, StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from app.documents.markdown_rules import InlineRuler

# Planes 2 and 3 and three blocks are wide even where a character is not assigned yet (UAX #11).
_ALWAYS_WIDE = ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFD))
# Wide since a later Unicode than 14, which the interpreter's tables may not know yet.
_WIDE_SINCE_14 = (
    *((0x2630, 0x2637), (0x268A, 0x268F), (0x2FFC, 0x2FFF), (0x31E4, 0x31E5), (0x31EF, 0x31EF), (0x4DC0, 0x4DFF)),
    *((0x16FF2, 0x16FF6), (0x187F8, 0x187FF), (0x18CFF, 0x18CFF), (0x18D09, 0x18D1E), (0x18D80, 0x18DF2)),
    *((0x1B132, 0x1B132), (0x1B155, 0x1B155), (0x1D300, 0x1D356), (0x1D360, 0x1D376)),
)
_HANGUL = (
    *((0x1100, 0x11FF), (0x302E, 0x302F), (0x3131, 0x318E), (0x3200, 0x321E), (0x3260, 0x327E), (0xA960, 0xA97C)),
    *((0xAC00, 0xD7A3), (0xD7B0, 0xD7C6), (0xD7CB, 0xD7FB), (0xFFA0, 0xFFBE), (0xFFC2, 0xFFC7), (0xFFCA, 0xFFCF)),
    *((0xFFD2, 0xFFD7), (0xFFDA, 0xFFDC)),
)
# Wide characters in these ranges are shown as emoji by default, except for the ones listed after them.
_EMOJI = (
    *((0x231A, 0x2E7F), (0x1F004, 0x1F004), (0x1F0CF, 0x1F0CF), (0x1F18E, 0x1F19A), (0x1F201, 0x1F201)),
    *((0x1F21A, 0x1F21A), (0x1F22F, 0x1F22F), (0x1F232, 0x1F236), (0x1F238, 0x1F23A), (0x1F250, 0x1F251)),
    (0x1F300, 0x1FAFF),
)
_NO_EMOJI = ((0x2329, 0x232A), (0x2630, 0x2637), (0x268A, 0x268F))

_QUOTES = frozenset("‘’“”")
_FULL_WIDTH_FORM = "\ufe01"


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


@lru_cache(maxsize=20_000)
def is_wide(character: str) -> bool:
    """Whether the East Asian width is W, F or H."""
    code = ord(character)
    if code < 0x1100:
        return False
    if unicodedata.category(character) == "Cn":  # Python calls unassigned characters wide
        return _within(code, _ALWAYS_WIDE) or _within(code, _WIDE_SINCE_14)
    return unicodedata.east_asian_width(character) in ("W", "F", "H") or _within(code, _WIDE_SINCE_14)


@lru_cache(maxsize=20_000)
def is_hangul(character: str) -> bool:
    return _within(ord(character), _HANGUL)


@lru_cache(maxsize=20_000)
def is_cjk(character: str) -> bool:
    """Whether this is a CJK character in the specification's sense: wide and no emoji by default, or Hangul."""
    if character < "\u1100":
        return False
    return is_hangul(character) or (is_wide(character) and not _is_emoji(ord(character)))


def _is_emoji(code: int) -> bool:
    return _within(code, _EMOJI) and not _within(code, _NO_EMOJI)


def _is_selector(character: str) -> bool:
    """A variation selector of general use; U+FE0F asks for an emoji and is none of these."""
    return "\ufe00" <= character <= "\ufe0e"


def _is_ideographic_selector(character: str) -> bool:
    return "\U000e0100" <= character <= "\U000e01ef"


@lru_cache(maxsize=20_000)
def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)


def _is_space(character: str) -> bool:
    return isWhiteSpace(ord(character))


def _before(source: str, start: int) -> tuple[str, bool]:
    """The character before a run of markers without its variation selector, and whether it is a CJK sequence."""
    last = source[start - 1] if start > 0 else " "
    if not _is_selector(last):
        return last, is_cjk(last) or _is_ideographic_selector(last)
    base = source[start - 2] if start > 1 else " "
    if _is_space(base):
        return last, False
    return base, is_cjk(base) or (last == _FULL_WIDTH_FORM and base in _QUOTES)


class CjkState(StateInline):
    """Inline state with the amended rules for `*`, `_` and `~`."""

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:  # noqa: N802, N803 - named by markdown-it-py
        source, end = self.src, start
        marker = source[start]
        while end < self.posMax and source[end] == marker:
            end += 1
        following = source[end] if end < self.posMax else " "
        preceding, after_cjk = _before(source, start)
        space_before, space_after = _is_space(preceding), _is_space(following)
        mark_before, mark_after = _is_punctuation(preceding), _is_punctuation(following)
        before_cjk = is_cjk(following)
        left = not space_after and (not mark_after or before_cjk or space_before or mark_before or after_cjk)
        right = not space_before and (not mark_before or after_cjk or space_after or mark_after or before_cjk)
        return Scanned(
            can_open=left and (canSplitWord or not right or mark_before),
            can_close=right and (canSplitWord or not left or mark_after),
            length=end - start,
        )


class CjkParserInline(ParserInline):
    """The inline parser with `CjkState`: the library's own class stays as it is for everyone else."""

    def __init__(self) -> None:
        super().__init__()
        self.ruler = InlineRuler(self.ruler)

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        if src and not self.terminator_re.search(src):  # text alone, as most lines of prose are
            text = Token("text", "", 0)
            text.content = src
            tokens.append(text)
            return tokens
        state = CjkState(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


def is_spaceless(left: str, right: str) -> bool:
    """Whether no space stands between two texts that a line break separates: wide on both sides, Hangul on neither."""
    last, first = _last_base(left), right[:1]
    return bool(last and first) and all(is_wide(side) and not is_hangul(side) for side in (last, first))


def _last_base(text: str) -> str:
    for character in reversed(text[-8:]):
        if not ("\ufe00" <= character <= "\ufe0f" or _is_ideographic_selector(character)):
            return character
    return ""


def join_lines(tokens: list[Token]) -> list[Token]:
    """The inline tokens without the soft breaks that Japanese and Chinese readers would see as a stray space.

    What counts are the rendered characters on both sides, through emphasis, links and code; images, footnote marks
    and raw tags have none. A hard break is the end of its line.
    """
    dropped: set[int] = set()
    before, pending = "", -1
    for index, token in enumerate(tokens):
        if token.type == "softbreak":
            pending = index
        elif token.type == "hardbreak" or (token.type == "html_inline" and token.content[:3].lower() == "<br"):
            before, pending = "", -1
        elif token.type in ("text", "code_inline") and token.content:
            if pending >= 0 and is_spaceless(before, token.content):
                dropped.add(pending)
            before, pending = token.content, -1
        elif token.type == "image" and token.children:
            token.children = join_lines(token.children)
    return [token for index, token in enumerate(tokens) if index not in dropped] if dropped else tokens
