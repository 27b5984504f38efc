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
    """The items after (or, when `backward`, before) `key` in the sort's order."""

    key: Key
    backward: bool = False


def encode_cursor(cursor: Cursor, identity: dict[str, Any]) -> str:
    payload = orjson.dumps([*cursor.key, int(cursor.backward), _digest(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS))])
    return urlsafe_b64encode(blake2b(payload, digest_size=6).digest() + payload).decode().rstrip("=")


def decode_cursor(text: str, identity: dict[str, Any]) -> Cursor:
    """Raises QueryError for what is no cursor, and for a cursor of another query."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        checksum, payload = raw[:6], raw[6:]
        value, tie, backward, digest = orjson.loads(payload)
    except (ValueError, TypeError) as error:
        raise _invalid() from error
    if blake2b(payload, digest_size=6).digest() != checksum or not isinstance(tie, str):
        raise _invalid()
    if digest != _digest(orjson.dumps(identity, option=orjson.OPT_SORT_KEYS)):
        raise QueryError(
            "this cursor belongs to other filters or another sort",
            parameter="cursor",
            code="cursor_mismatch",
            hint="start again without a cursor",
        )
    return Cursor(key=(value, tie), backward=bool(backward))


def _invalid() -> QueryError:
    return QueryError(
        "this is no cursor of this service",
        parameter="cursor",
        code="invalid_cursor",
        hint="use next_cursor of the answer before",
    )


def _digest(identity: bytes) -> str:
    return blake2b(identity, digest_size=8).hexdigest()
