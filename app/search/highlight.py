"""What matched, shown in the original texts: HTML with `<mark>` around it and everything else escaped."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from html import escape
from itertools import islice
from operator import itemgetter

from app.search.graphemes import boundary_after, boundary_before
from app.search.original import Original, Span
from app.search.query import Phrase, SearchQuery
from app.search.tokens import fold

PASSAGE = 120  # characters, about
_LEAD = 30  # characters shown before a match where its sentence has to be cut
_PIECE = 100_000  # characters of a body that are looked through at a time
# 。！？ with what closes after them, .!? before white space, the end of a line.
_SENTENCE_END = re.compile(r"[。！？｡]+[」』）〉》】”’]*|[.!?]+[)\]\"'”’]*(?=\s|\Z)|\n")

# What separates sentences for the search; all but the end of a line folds to 。
_UNIT_END = re.compile("[\n。｡\ufe12]")
_FOLDED_UNIT_END = re.compile("[\n。]")
_ENOUGH = 5  # units of a text with a phrase that are looked at: the best passage is among the best of them
_SPREAD = 200  # characters over which a phrase of several runs is looked for

Mark = tuple[int, Span]  # which phrase, and where


def highlights(query: SearchQuery, title: str, body: str) -> dict[str, str]:
    """The title whole, and of the body the passage that shows most of the query, in HTML.

    Where the body has no match, its beginning. A mark stands around whole characters as readers see them.
    """
    whole = (0, len(title))
    return {"title": _html(title, _marks(query, title, whole), whole), "body": _best_passage(query, body)}


def _best_passage(query: SearchQuery, body: str) -> str:
    """Of the first piece of a long body that has a match, else of its beginning."""
    for piece in _pieces(body):
        if marks := _some_marks(query, piece):
            return _passage(query, piece, marks)
    return _passage(query, body[:_PIECE], [])


def _pieces(body: str) -> Iterator[str]:
    """A long body cut at the ends of lines where there are any."""
    start = 0
    while start < len(body):
        end = start + _PIECE
        if end < len(body):
            end = body.rfind("\n", start, end) + 1 or boundary_after(body, end)
        yield body[start:end]
        start = end


def _some_marks(query: SearchQuery, text: str) -> list[Mark]:
    """Matches by their places. Folding is quick, so it tells the units that are worth the search for exact places."""
    units = _units(text)
    folded = _FOLDED_UNIT_END.split(fold(text))
    firsts = [phrase.runs[0] for phrase in query.required]
    worth = [sum(run in unit for run in firsts) for unit in folded]
    best_first = sorted(filter(worth.__getitem__, range(len(folded))), key=lambda unit: -worth[unit])
    found: set[Mark] = set()
    for number, phrase in enumerate(query.required):
        segments = ((unit, _end(units, unit, phrase)) for unit in best_first if phrase.runs[0] in folded[unit])
        holding = (segment for segment in segments if _may_hold(folded[slice(*segment)], phrase))
        marked = filter(None, (_marks_in(text, units, segment, {number: phrase}) for segment in holding))
        for marks in islice(marked, _ENOUGH):
            found.update(marks)
    return sorted(found, key=itemgetter(1))


def _units(text: str) -> list[int]:
    """Where the units of a text begin, and its end."""
    return [0, *(match.end() for match in _UNIT_END.finditer(text)), len(text)]


def _end(units: list[int], unit: int, phrase: Phrase) -> int:
    """The unit before which a phrase that begins in another one ends."""
    return unit + 1 if len(phrase.runs) == 1 else bisect_left(units, units[unit] + _SPREAD, unit + 1, len(units) - 1)


def _may_hold(folded: list[str], phrase: Phrase) -> bool:
    return all(any(run in unit for unit in folded) for run in phrase.runs)


def _marks_in(text: str, units: list[int], segment: Span, phrases: dict[int, Phrase]) -> list[Mark]:
    """The matches from one unit of a text to before another."""
    start, end = (units[unit] for unit in segment)
    original = Original.of(text[start:end])
    return [
        (number, (boundary_before(text, start + first), boundary_after(text, start + last)))
        for number, phrase in phrases.items()
        for first, last in original.spans_of(phrase)
    ]


def _marks(query: SearchQuery, text: str, shown: Span) -> list[Span]:
    """Where what is shown of a text matches."""
    units = _units(text)
    segment = bisect_right(units, shown[0], hi=len(units) - 1) - 1, bisect_left(units, shown[1])
    return _joined(sorted(span for _, span in _marks_in(text, units, segment, dict(enumerate(query.required)))))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap as one."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _html(text: str, spans: Iterable[Span], shown: Span) -> str:
    pieces: list[str] = []
    place, last = shown
    for start, end in spans:
        if start < last and end > place:
            marked = max(start, place), min(end, last)
            pieces += [escape(text[place : marked[0]]), f"<mark>{escape(text[slice(*marked)])}</mark>"]
            place = marked[1]
    return "".join([*pieces, escape(text[place:last])])


def _passage(query: SearchQuery, text: str, marks: list[Mark]) -> str:
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    if cuts[-1] != len(text):
        cuts.append(len(text))
    windows = dict.fromkeys(_window(text, cuts, span) for _, span in marks) or [_window(text, cuts, (0, 0))]
    starts = [span[0] for _, span in marks]

    def worth(window: Span) -> tuple[int, int, int]:
        inside = marks[bisect_left(starts, window[0]) : bisect_left(starts, window[1])]
        return len({number for number, _ in inside}), len(inside), -window[0]

    start, end = max(windows, key=worth)
    before, after = ("" if place in cuts else "…" for place in (start, end))
    shown = _html(text, _marks(query, text, (start, end)), (start, end)).replace("\n", " ").strip()
    return f"{before}{shown}{after}"


def _window(text: str, cuts: list[int], span: Span) -> Span:
    """About as many characters as a passage has, around a match: whole sentences, or a part of one too long."""
    first = bisect_right(cuts, span[0]) - 1
    last = first + 1
    if last == len(cuts):  # nothing stands there
        return cuts[first], cuts[first]
    while last + 1 < len(cuts) and cuts[last + 1] - cuts[first] <= PASSAGE:
        last += 1
    while first and cuts[last] - cuts[first - 1] <= PASSAGE:
        first -= 1
    start, end = cuts[first], cuts[last]
    if end - start <= PASSAGE:
        return start, end
    if span[1] - start > PASSAGE:
        start = boundary_before(text, max(start, span[0] - _LEAD))
    return start, boundary_after(text, min(end, start + PASSAGE))
