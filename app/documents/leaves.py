"""The leaves of a front matter, in the forms that filters compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from app.documents.dates import parse_date
from app.documents.nodes import Node, texts

MAX_INDEXED_TEXT = 512  # bytes; longer texts and paths are compared by their hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf of the front matter, in the forms that filters compare."""

    path: str
    text: str
    number: float | None
    instant: datetime | None


def leaves(nodes: dict[str, Node], zone: ZoneInfo) -> Iterator[Field]:
    """Every leaf of a front matter. A date without an offset is in this zone."""
    for path, text, value in texts(nodes):
        yield Field(path=comparable(path), text=comparable(text), number=as_number(value), instant=_instant(text, zone))


def comparable(text: str) -> str:
    """A text as filters compare it: itself, or its hash where an index could not hold it."""
    encoded = text.encode()
    return text if len(encoded) <= MAX_INDEXED_TEXT else f"sha256:{sha256(encoded).hexdigest()}"


def as_number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if abs(number) < 1e300 else None


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    if len(text) > 40 or not (text[:4].isdigit() and text[4:5] in "-/年"):
        return None
    try:
        return parse_date(text, zone=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
