"""Position in a sorted list <-> opaque string.

A cursor is base64url of JSON with a checksum and a digest of the query it belongs to. It needs no secret:
whoever forges a well-formed one only names a position in a list that is public.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from app.errors import QueryError

Key = tuple[str | int, str]  # the sorted value and the tie-breaker


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The items after (or, when `backward`, before) `key` in the sort's order; with `inclusive` also the one there."""

    key: Key
    backward: bool = False
    inclusive: bool = False


def encode_cursor(cursor: Cursor, identity: str) -> str:
    payload = orjson.dumps([*cursor.key, cursor.backward, cursor.inclusive, identity])
    return urlsafe_b64encode(_checksum(payload) + payload).decode().rstrip("=")


def decode_cursor(text: str, identity: str) -> Cursor:
    """Raises QueryError for what is no cursor, and for a cursor of another query."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        checksum, payload = raw[:6], raw[6:]
        value, tie, backward, inclusive, owner = orjson.loads(payload)
    except (ValueError, TypeError) as error:
        raise invalid_cursor() from error
    types = (type(value), type(tie), type(backward), type(inclusive))
    is_ours = checksum == _checksum(payload) and types in ((str, str, bool, bool), (int, str, bool, bool))
    if not is_ours or "\0" in f"{value}{tie}":  # no database takes a NUL in a text
        raise invalid_cursor()
    if owner != identity:
        raise QueryError(
            "this cursor belongs to other filters or another sort",
            parameter="cursor",
            code="cursor_mismatch",
            hint="start again without a cursor",
        )
    return Cursor(key=(value, tie), backward=backward, inclusive=inclusive)


def invalid_cursor() -> QueryError:
    return QueryError(
        "this is no cursor of this service",
        parameter="cursor",
        code="invalid_cursor",
        hint="use next_cursor of the answer before",
    )


def _checksum(payload: bytes) -> bytes:
    return blake2b(payload, digest_size=6).digest()


def digest(query: dict[str, Any]) -> str:
    """What a cursor keeps of the query that it belongs to."""
    return blake2b(orjson.dumps(query, option=orjson.OPT_SORT_KEYS), digest_size=8).hexdigest()
