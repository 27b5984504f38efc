from base64 import urlsafe_b64encode
from hashlib import blake2b
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import QueryError
from app.posts.cursor import Cursor, Key, decode_cursor, digest, encode_cursor

IDENTITY = digest({"sort": "-published_at"})
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def forged(*payload: Any) -> str:
    """A cursor whose checksum is right, whatever it holds."""
    raw = orjson.dumps(payload)
    return urlsafe_b64encode(blake2b(raw, digest_size=6).digest() + raw).decode().rstrip("=")


@given(st.one_of(texts, st.integers(-(2**53), 2**53)), texts, st.booleans(), st.booleans())
def test_cursor_comes_back_as_it_was(value: str | int, tie: str, backward: bool, inclusive: bool) -> None:
    cursor = Cursor(key=(value, tie), backward=backward, inclusive=inclusive)

    assert decode_cursor(encode_cursor(cursor, IDENTITY), IDENTITY) == cursor


def test_cursor_is_safe_in_an_address() -> None:
    key: Key = ("あ" * 200, "記事.md" * 80)
    text = encode_cursor(Cursor(key=key), IDENTITY)

    assert text.replace("-", "").replace("_", "").isalnum()
    assert text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "abc",
        "あ",
        "%%%",
        "A" * 4000,
        encode_cursor(Cursor(key=("a", "b")), IDENTITY)[1:],
        encode_cursor(Cursor(key=("a", "b")), IDENTITY)[:-1],
        forged(),
        forged("a", "b", False),
        forged("a", 1, False, False, IDENTITY),
        forged(None, "b", False, False, IDENTITY),
        forged(["a"], "b", False, False, IDENTITY),
        forged({"a": 1}, "b", False, False, IDENTITY),
        forged(1.5, "b", False, False, IDENTITY),
        forged(True, "b", False, False, IDENTITY),
        forged("a", "b", 1, False, IDENTITY),
        forged("a", "b", False, "x", IDENTITY),
        forged("a\0", "b", False, False, IDENTITY),
        forged("a", "b\0", False, False, IDENTITY),
    ],
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        decode_cursor(text, IDENTITY)

    assert (caught.value.reason, caught.value.parameter) == ("invalid_cursor", "cursor")


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_a_cursor(raw: bytes) -> None:
    with pytest.raises(QueryError):
        decode_cursor(urlsafe_b64encode(raw).decode(), IDENTITY)


@pytest.mark.parametrize("other", [{"sort": "title"}, {"sort": "-published_at", "tag": ["AI"]}])
def test_cursor_of_another_query_is_refused(other: dict[str, Any]) -> None:
    text = encode_cursor(Cursor(key=("a", "b")), IDENTITY)

    with pytest.raises(QueryError) as caught:
        decode_cursor(text, digest(other))

    assert caught.value.reason == "cursor_mismatch"


def test_order_of_the_identity_does_not_matter() -> None:
    text = encode_cursor(Cursor(key=("a", "b")), digest({"tag": ["AI"], "sort": "title"}))

    assert decode_cursor(text, digest({"sort": "title", "tag": ["AI"]})) == Cursor(key=("a", "b"))
