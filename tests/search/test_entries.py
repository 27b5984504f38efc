from app.search.entries import PARTIAL, entry_of
from tests.search.searching import search_row


def test_entry_of_sqlite_separates_tags_so_that_no_phrase_crosses() -> None:
    entry = entry_of("sqlite", search_row(1, "Title", ["one", "two"], "", "text"))

    assert entry.values["tags"] == "wone z wtwo"
    assert entry.tags == ("one", "two")


def test_entry_of_postgres_counts_mentions_by_field_and_says_where_it_is_partial() -> None:
    small = entry_of("postgresql", search_row(1, "word", [], "", "word word"))
    large = entry_of("postgresql", search_row(1, "", [], "", " ".join(f"word{number}" for number in range(90_000))))

    assert (small.values["tokens_vector"], small.values["is_partial"]) == ("wword:1A,2D,3D", False)
    assert large.values["is_partial"]
    assert large.values["tokens_vector"].endswith(f" {PARTIAL}")
