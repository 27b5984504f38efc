"""What matched, shown in the original texts: HTML with `<mark>` around it and everything else escaped."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from html import escape

from app.search.graphemes import boundary_after, boundary_before
from app.search.original import Original, Span
from app.search.query import SearchQuery

PASSAGE = 120  # characters, about
_LEAD = 30  # characters shown before a match where its sentence has to be cut
_PIECE = 100_000  # characters of a body that are looked through at a time
# 。！？ with what closes after them, .!? before white space, the end of a line.
_SENTENCE_END = re.compile(r"[。！？｡]+[」』）〉》】”’]*|[.!?]+[)\]\"'”’]*(?=\s|\Z)|\n")

Mark = tuple[int, Span]  # which phrase, and where


def highlights(query: SearchQuery, title: str, body: str) -> dict[str, str]:
    """The title whole, and of the body the passage that shows most of the query, in HTML.

    Where the body has no match, its beginning. A mark stands around whole characters as readers see them.
    """
    spans = _joined(span for _, span in _marks(query, title))
    return {"title": _html(title, spans, (0, len(title))), "body": _passage(*_matching_piece(query, body))}


def _matching_piece(query: SearchQuery, body: str) -> tuple[str, list[Mark]]:
    """The first piece of a long body that has a match, else its beginning."""
    for piece in _pieces(body):
        if marks := _marks(query, piece):
            return piece, marks
    return body[:_PIECE], []


def _pieces(body: str) -> Iterator[str]:
    """A long body cut at the ends of lines where there are any."""
    start = 0
    while start < len(body):
        end = start + _PIECE
        if end < len(body):
            end = body.rfind("\n", start, end) + 1 or boundary_after(body, end)
        yield body[start:end]
        start = end


def _marks(query: SearchQuery, text: str) -> list[Mark]:
    """The matches by their places."""
    original = Original.of(text)
    found = [
        (number, (boundary_before(text, start), boundary_after(text, end)))
        for number, phrase in enumerate(query.required)
        for start, end in original.spans_of(phrase)
    ]
    return sorted(found, key=lambda mark: mark[1])


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


def _passage(text: str, marks: list[Mark]) -> str:
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
    shown = _html(text, _joined(span for _, span in marks), (start, end)).replace("\n", " ").strip()
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
