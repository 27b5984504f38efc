"""Where a text may be cut without cutting what a reader takes for one character (close to UAX #29)."""

import re
import unicodedata

from app.search.tokens import IGNORABLE

_JOINER = "\u200d"
# Marks that Python's `re` has no class for are looked up; these are the rest of what extends a character.
_EXTENDING = re.compile(f"[{IGNORABLE}\U0001f3fb-\U0001f3ff\uff9e\uff9f\u1160-\u11ff]")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")


def is_boundary(text: str, index: int) -> bool:
    """Whether a reader sees the end of a character before `index`."""
    if not 0 < index < len(text):
        return True
    before, after = text[index - 1], text[index]
    if _EXTENDING.match(after) or _is_mark(after) or before == _JOINER:
        return False
    if _FLAG.match(before) and _FLAG.match(after):
        return _flags_before(text, index) % 2 == 0
    return (before, after) != ("\r", "\n")


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def _flags_before(text: str, index: int) -> int:
    start = index
    while start and _FLAG.match(text[start - 1]):
        start -= 1
    return index - start


def boundary_before(text: str, index: int) -> int:
    while not is_boundary(text, index):
        index -= 1
    return index


def boundary_after(text: str, index: int) -> int:
    while not is_boundary(text, index):
        index += 1
    return index
