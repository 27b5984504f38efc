"""Ids for headings, as GitHub makes them."""

import re
import unicodedata
from functools import lru_cache

from app.documents.dom_names import unclobbering

_EMPTY = "section"
_FOOTNOTE_ID = re.compile(r"fn(?:ref)?[0-9]")
_KEPT = frozenset(("Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"))


class HeadingIds:
    """Hands out ids that are unique in one post."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._next: dict[str, int] = {}

    def id_for(self, text: str) -> str:
        """Lower case, letters, digits, `_` and `-` of any script, white space as `-`; then `-1`, `-2` … until unique."""
        base = heading_slug(text)
        candidate, number = unclobbering(base), self._next.get(base, 0)
        while candidate in self._taken:
            number += 1
            candidate = f"{base}-{number}"
        self._next[base] = number
        self._taken.add(candidate)
        return candidate


def heading_slug(text: str) -> str:
    characters = unicodedata.normalize("NFC", text.strip()).lower()
    slug = "".join(map(_in_slug, unicodedata.normalize("NFC", characters))) or _EMPTY
    return f"user-content-{slug}" if _FOOTNOTE_ID.match(slug) else slug


@lru_cache(maxsize=20_000)
def _in_slug(character: str) -> str:
    if character == "-" or character.isspace():
        return "-"
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return ""  # variation selectors are marks, but nobody can type them into an address
    return character if unicodedata.category(character) in _KEPT else ""
