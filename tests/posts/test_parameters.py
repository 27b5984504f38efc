"""What is common to the parameters of every read."""

from app.posts.filters import ListQuery
from app.posts.parameters import LONGEST, remembered
from tests.posts.samples import query_of


def test_what_is_made_of_a_short_query_is_remembered_and_of_a_long_one_is_not() -> None:
    made: list[ListQuery] = []
    make = remembered(made.append)
    for text in ("q=a", "q=a", f"q={'a' * LONGEST}", f"q={'a' * LONGEST}"):
        make(query_of(ListQuery, text))

    assert [query.is_long for query in made] == [False, True, True]
