"""Query strings are read as FastAPI would read them, each once."""

import pytest
from fastapi.exceptions import RequestValidationError

from app.api.routes import LONGEST, read_query
from app.posts.filters import ListQuery
from app.posts.parameters import Query


def test_what_may_be_repeated_is_gathered_and_of_the_rest_the_last_counts() -> None:
    query = read_query(ListQuery, b"tag=a&limit=5&tag=%E5%80%A4&limit=6&q=x+y&front_matter.k=1&front_matter.k=2")

    assert query.tag == ("a", "値")
    assert query.limit == 6
    assert query.q == "x y"
    assert query.front_matter == (("k", "", ("1", "2")),)


def test_query_string_is_read_once_unless_it_is_long() -> None:
    long = b"q=" + b"x" * LONGEST

    assert read_query(ListQuery, b"tag=once") is read_query(ListQuery, b"tag=once")
    assert read_query(ListQuery, long) is not read_query(ListQuery, long)


@pytest.mark.parametrize(
    ("text", "location"),
    [
        (b"limit=0", ("query", "limit")),
        (b"limit=", ("query", "limit")),
        (b"tga=1", ("query",)),
        (b"tag=", ("query", "tag", 0)),
    ],
)
def test_error_says_where_it_is(text: bytes, location: tuple[str, ...]) -> None:
    for _ in range(2):  # an error is no answer to be remembered
        with pytest.raises(RequestValidationError) as caught:
            read_query(ListQuery, text)

        assert [error["loc"] for error in caught.value.errors()] == [location]


def test_bytes_that_are_no_utf_8_are_text_all_the_same() -> None:
    assert read_query(ListQuery, b"q=%FF\xff").q == "\ufffdÿ"


def test_trackers_are_left_out_of_every_query() -> None:
    assert read_query(Query, b"utm_source=x&fbclid=y&_=1") == Query()
