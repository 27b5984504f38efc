"""Posts in tables, as the writer finds and leaves them."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from app.database import reading, writing
from app.errors import NotFound
from app.posts.models import aliases, bodies, field_values, posts, taken, terms
from app.posts.store import (
    chunks,
    former_holder,
    new_ids,
    next_pk,
    note_taken,
    slug_holders,
    stored_as,
    stored_below,
    stored_under,
)
from tests.building import NOW, markdown
from tests.posts.samples import bulk, post_row, rows, take


def counts(engine: Engine) -> dict[str, int]:
    with reading(engine) as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (posts, bodies, terms, field_values, aliases)
        }


def test_chunks_are_of_a_size_and_lose_nothing() -> None:
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_posts_are_found_by_more_names_than_one_statement_takes(engine: Engine) -> None:
    with writing(engine) as connection:
        made = [post_row() for _ in range(1_100)]
        bulk(connection, made)
    names = {row["source_name"] for row in made}

    with reading(engine) as connection:
        assert stored_under(connection, [*names, "missing.md"]).keys() == names
        assert len(slug_holders(connection, [row["slug"] for row in made])) == 1_100


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("", ["a/あ.md", "a/😀.md", "a_.md", "b.md"]), ("a/", ["a/あ.md", "a/😀.md"]), ("a/あ", ["a/あ.md"]), ("%", [])],
)
def test_posts_below_a_prefix(engine: Engine, prefix: str, expected: list[str]) -> None:
    take(engine, dict.fromkeys(["a/あ.md", "a/😀.md", "a_.md", "b.md"], "本文"))

    with reading(engine) as connection:
        assert sorted(stored_below(connection, prefix)) == expected


def test_post_is_found_by_its_slug_as_it_is(engine: Engine) -> None:
    take(engine, {"a.md": markdown(slug="記事")})

    with reading(engine) as connection:
        assert stored_as(connection, "記事").source_name == "a.md"
        with pytest.raises(NotFound):
            stored_as(connection, "記")


def test_new_post_has_the_next_number(engine: Engine) -> None:
    with writing(engine) as connection:
        first = next_pk(connection)
        bulk(connection, [post_row(pk=41)])
        second = next_pk(connection)

    assert (first, second) == (1, 42)


def test_id_that_is_taken_is_passed_over(engine: Engine) -> None:
    with writing(engine) as connection:
        ids = new_ids(connection, ["a.md", "b.md"])
        bulk(connection, [post_row(id=ids["a.md"])])
        second = new_ids(connection, ["a.md", "b.md"])
        bulk(connection, [post_row(id=second["a.md"])])
        third = new_ids(connection, ["a.md"])

    assert second["b.md"] == ids["b.md"]
    assert len({ids["a.md"], second["a.md"], third["a.md"]}) == 3


def test_replaced_post_leaves_nothing_of_its_parts(engine: Engine) -> None:
    rich: dict[str, Any] = {
        "tags": ["a", "b"],
        "categories": ["c"],
        "aliases": ["/x", "/y"],
        "deep": {"x": [1, 2], "y": "z"},
    }
    take(engine, {"a.md": markdown(**rich)})
    before = counts(engine)
    take(engine, {"a.md": "平文"})

    assert before == {"post": 1, "body": 1, "term": 3, "field_value": 8, "alias": 2}
    assert counts(engine) == {"post": 1, "body": 1, "term": 0, "field_value": 0, "alias": 0}


def test_former_slugs_outlive_a_replacement(engine: Engine) -> None:
    for slug, text in (("x", "一"), ("y", "二"), ("y", "三")):
        take(engine, {"a.md": markdown(text, slug=slug)})

    with reading(engine) as connection:
        assert former_holder(connection, "x") == "y"


def test_what_was_taken_is_remembered_once(engine: Engine) -> None:
    with writing(engine) as connection:
        note_taken(connection, [("a.md", "1"), ("b.md", "2")])
        note_taken(connection, [("a.md", "3")])
        note_taken(connection, [])
        noted: Any = connection.execute(select(taken).order_by("name")).all()

    assert [tuple(row) for row in noted] == [("a.md", "3"), ("b.md", "2")]


def test_large_upload_is_stored_whole(engine: Engine) -> None:
    files = {f"{n:04}.md": f"記事{n}" for n in range(505)}
    take(engine, files)
    take(engine, {name: f"{text}改" for name, text in files.items()})

    stored = rows(engine)
    assert len(stored) == 505
    assert {row.excerpt for row in stored.values()} == {f"記事{n}改" for n in range(505)}
    assert {row.ingested_at for row in stored.values()} == {NOW}


@pytest.mark.parametrize(
    ("published", "shown"),
    [("2026-01-15T12:00:01Z", "2026-01-15T12:00:01Z"), ("2026-01-15T12:00:00Z", "2025-12-01T00:00:00Z")],
)
def test_day_of_publication_hides_a_post_until_then_and_is_not_its_date(
    engine: Engine, published: str, shown: str
) -> None:
    take(engine, {"a.md": markdown(title="題", date="2025-12-01", publishDate=published)})

    assert rows(engine)["a.md"].published_at == datetime.fromisoformat(shown)
    assert rows(engine)["a.md"].date == "2025-12-01T00:00:00+00:00"
