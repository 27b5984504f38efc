"""Text as it is searched: its normal form, and the tokens that stand for it in an index. The same for text and query.

A text is folded (NFKC, casefolded) and cut into runs. A run is either characters of scripts that are written without
spaces between words (Chinese, Japanese, Korean with its particles, Thai …; a symbol or emoji counts as one), or a word
of any other script. `+` and `#` straight after a word are a run of their own: `C` finds C, C++ and C#, and
`C++` only C++. Everything else separates. The normal form sets one space before, between and after the runs, so
that "stands in a text" is "is a substring of its normal form": ` bedrock の性能 2 倍 `, ` c ++ `.

Tokens are the words and signs, and of a spaceless run its overlapping pairs of characters and then its last character, so that
every character begins a token. A token's position is its place in the list.

Katakana and hiragana stay apart. Measured over three Japanese blogs (745 posts), with every katakana word that they hold
as a query: folded, words of two characters (スル, セル, コレ) would find 132 % more posts, nearly all of them wrong (する,
せる, これ); words of three 2 %, of more 1 %, of which some are right (オススメ, おすすめ). Hiragana of two characters would
find 7 % more. What is typed for a suggestion is folded: there a wrong title costs a glance.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from operator import add

from app.documents.cjk import is_wide

SEPARATOR = "z"  # a token that no text has: no phrase reaches over it
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MAX_WORD = 32  # bytes; longer words are hashed
_CODE = 4  # digits that stand for a character
_MAX_KNOWN = 20_000  # words of which the tokens are kept: some 3 MB

# Invisible, and between characters that belong together: soft hyphen, joiners, zero-width spaces, directions,
# variation selectors, byte order mark.
_IGNORABLE = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0000, 0xE0FFF)),
)
IGNORABLE = "".join(f"{chr(first)}-{chr(last)}" for first, last in _IGNORABLE)  # for a class of a regular expression
# One by one: most texts have none, and to look for runs of them takes three times as long.
_IGNORED = re.compile(f"[{IGNORABLE}]")
# Thai, Lao, Myanmar, Khmer and their neighbours are written without spaces, though their characters are not wide.
_SPACELESS = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19FF), (0x1A20, 0x1AAF)),
    *((0xA9E0, 0xA9FF), (0xAA60, 0xAADF)),
)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_SIGNS = "+#"
_RUN = re.compile("c[cm]*|w[wm]*|(?<=[wm])s+")
# Characters that most texts have none besides: European letters, punctuation and symbols, kana; and two ranges of `c` alone.
_USUAL = ((0x0000, 0x017F), (0x2000, 0x206F), (0x2190, 0x21FF), (0x2500, 0x266F), (0x3000, 0x30FF))
_USUAL_SPACELESS = "\u3400-\u9fff\uac00-\ud7a3"  # Han, Hangul


class _Kinds(dict[int, str]):
    """Code point -> `c` of a spaceless run, `w` of a word, `m` a mark, `s` a sign of what it follows, a space: separates."""

    def __missing__(self, code: int) -> str:
        kind = self[code] = _kind(code)
        return kind


def _kind(code: int) -> str:
    character = chr(code)
    if character in _SIGNS:
        return "s"
    category = unicodedata.category(character)
    is_spaceless = is_wide(character) or any(first <= code <= last for first, last in _SPACELESS)
    if category[0] in "LMN" or category == "Cn":  # unassigned: a later Unicode's ideographs and emoji
        if is_spaceless:
            return "c"
        return {"L": "w", "N": "w", "M": "m"}.get(category[0], " ")
    return "c" if category == "So" or code in _SKIN_TONES else " "


_KINDS = _Kinds()


def fold(text: str) -> str:
    """Forms that mean the same made one: NFKC and casefolded, without what is invisible."""
    if text.isascii():
        return text.lower()
    visible = _IGNORED.sub("", text)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())


def spans(folded: str) -> Iterator[tuple[int, int]]:
    """Start and end of each run of a folded text."""
    return (match.span() for match in _RUN.finditer(folded.translate(_KINDS)))


def runs(text: str) -> list[str]:
    return [spaceless or other for spaceless, other in _cut(fold(text))]


def _cut(folded: str) -> list[tuple[str, str]]:
    """The runs of a folded text in order: a spaceless one and nothing, or nothing and any other."""
    usual, run = _usual()
    if usual.fullmatch(folded):
        return run.findall(folded)
    kinds = folded.translate(_KINDS)
    found = (match.span() for match in _RUN.finditer(kinds))
    return [(folded[start:end], "") if kinds[start] == "c" else ("", folded[start:end]) for start, end in found]


@cache
def _usual() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What a text of usual characters alone matches, and one of its runs, in groups as `_cut` has them.

    To find a text's runs in it as it is takes a third of the time that it takes to look up each character's kind.
    """
    members = dict.fromkeys("cwms ", "")
    for first, last in _USUAL:
        for code in range(first, last + 1):
            members[_KINDS[code]] += re.escape(chr(code))
    members["c"] += _USUAL_SPACELESS
    c, w, m, s, _ = members.values()
    run = f"([{c}][{c}{m}]*)|([{w}][{w}{m}]*|(?<=[{w}{m}])[{s}]+)"
    return re.compile(f"[{''.join(members.values())}]*"), re.compile(run)


def normal_form(text: str) -> str:
    """The runs of a text, each between single spaces; nothing where there is none."""
    found = runs(text)
    return f" {' '.join(found)} " if found else ""


def is_spaceless(run: str) -> bool:
    """Whether a run, or a token of one, is of a script without spaces; its tokens may begin with a mark."""
    return _KINDS[ord(run[0])] in "cm"


def tokens(text: str) -> list[str]:
    """The tokens of a text in order; a token's position is its index."""
    return [token for run in runs(text) for token in tokens_of(run)]


def tokens_of(run: str) -> list[str]:
    return [*map(add, run, run[1:]), run[-1]] if is_spaceless(run) else [run]


def encoded_tokens(text: str) -> list[str]:
    """The tokens of a text in order, each as `encode` gives it."""
    return encoded(text).split()


def encoded(text: str) -> str:
    """The same with a space between two of them, made without a look at each: most of what it takes to write a post."""
    return " ".join(
        [
            spaceless.translate(_ENDS_AND_STARTS)[_CODE + 1 :] if spaceless else _WORDS[other]
            for spaceless, other in _cut(fold(text))
        ]
    )


def encode(token: str) -> str:
    """A token in `[0-9a-z]`, which no database's tokenizer cuts or folds; different tokens differ.

    A spaceless token begins with the code of its first character, so that one character is a prefix search. No
    result is longer than 65 bytes or equal to SEPARATOR.
    """
    if is_spaceless(token):
        return "c" + "".join(map(_CODES.__getitem__, token))
    return _encode_word(token)


def _encode_word(word: str) -> str:
    encoded = word.encode(errors="surrogatepass")
    if len(encoded) > _MAX_WORD:
        return "h" + blake2b(encoded, digest_size=16).hexdigest()
    return f"w{word}" if word.isascii() and word.isalnum() else f"x{encoded.hex()}"


class _Codes(dict[str, str]):
    """Character -> `_CODE` digits to the base of 36, enough for any code point."""

    def __missing__(self, character: str) -> str:
        rest, digits = ord(character), ""
        for _ in range(_CODE):
            rest, digit = divmod(rest, 36)
            digits = _DIGITS[digit] + digits
        self[character] = digits
        return digits


class _EndsAndStarts(dict[int, str]):
    """Code point -> the end of the token that began with the character before, and the start of the next token."""

    def __missing__(self, code: int) -> str:
        digits = _CODES[chr(code)]
        joint = self[code] = f"{digits} c{digits}"
        return joint


class _Words(dict[str, str]):
    """Word -> its token: a text has few that no other has. Forgotten when they are many."""

    def __missing__(self, word: str) -> str:
        if len(self) >= _MAX_KNOWN:
            self.clear()
        token = self[word] = _encode_word(word)
        return token


_CODES, _ENDS_AND_STARTS, _WORDS = _Codes(), _EndsAndStarts(), _Words()
