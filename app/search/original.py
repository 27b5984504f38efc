"""Where in an original text the runs of its normal form stand; NFKC and casefolding change lengths."""

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from app.search.query import Phrase
from app.search.tokens import IGNORABLE, fold, spans

Span = tuple[int, int]  # start and end in the original text
_IGNORED = re.compile(f"[{IGNORABLE}]")
_MAX_SPANS = 200  # of a phrase in a text; more than anyone reads


class _Joining(dict[int, str]):
    """Code point -> `j` where a character is folded together with the one before it, else `s`."""

    def __missing__(self, code: int) -> str:
        joining = self[code] = "j" if _joins(chr(code)) else "s"
        return joining


def _joins(character: str) -> bool:
    if _IGNORED.match(character):
        return True
    first = unicodedata.normalize("NFKD", character)[0]
    is_jamo = "\u1160" <= first <= "\u11ff"  # vowels and final consonants compose with what stands before
    return is_jamo or unicodedata.category(first)[0] == "M"


_JOINING = _Joining()
_UNIT = re.compile("sj*|j+")
_fold_unit = lru_cache(maxsize=20_000)(fold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A text with the places of its runs, to find phrases where they were written."""

    normal_form: str
    run_starts: tuple[int, ...]  # of each run, in the normal form
    folded_starts: tuple[int, ...]  # of each run, in the folded text
    starts: Sequence[int]  # of each folded character's origin, in the original text
    ends: Sequence[int]

    @classmethod
    def of(cls, text: str) -> "Original":
        folded, starts, ends = _folded(text)
        found = list(spans(folded))
        runs = [folded[start:end] for start, end in found]
        return cls(
            normal_form=f" {' '.join(runs)} " if runs else "",
            run_starts=tuple(accumulate((len(run) + 1 for run in runs[:-1]), initial=1)) if runs else (),
            folded_starts=tuple(start for start, _ in found),
            starts=starts,
            ends=ends,
        )

    def spans_of(self, phrase: Phrase) -> Iterator[Span]:
        """Every place where a phrase stands, overlapping ones too, in order."""
        needle = phrase.needle
        inner = needle.strip(" ")
        lead = needle.index(inner)
        start = self.normal_form.find(needle)
        for _ in range(_MAX_SPANS):
            if start < 0:
                return
            first = start + lead
            yield self.starts[self._folded_place(first)], self.ends[self._folded_place(first + len(inner) - 1)]
            start = self.normal_form.find(needle, start + 1)

    def _folded_place(self, place: int) -> int:
        run = bisect_right(self.run_starts, place) - 1
        return self.folded_starts[run] + place - self.run_starts[run]


def _folded(text: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """A text folded, and of each folded character where in the text its origin starts and ends."""
    folded = fold(text)
    joining = text.translate(_JOINING)
    if len(folded) == len(text) and "j" not in joining:  # no character is left out, so each became one
        return folded, range(len(text)), range(1, len(text) + 1)
    pieces: list[str] = []
    starts, ends = array("L"), array("L")
    for unit in _UNIT.finditer(joining):
        start, end = unit.span()
        piece = _fold_unit(text[start:end])
        pieces.append(piece)
        for _ in piece:
            starts.append(start)
            ends.append(end)
    return "".join(pieces), starts, ends
