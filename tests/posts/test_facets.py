"""Facets cost a fixed number of queries however many posts and values there are."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app import migrate
from app.database import open_engine, reading
from app.posts.facets import FacetValue, count_facets
from app.posts.filters import FACETS, ListQuery
from tests.benchmarks import many
from tests.building import NOW, markdown
from tests.posts.recording import recorded, worked
from tests.posts.samples import query_of, reader, take

ASKED = f"facets={','.join(FACETS)}"


def posts(number: int) -> dict[str, str]:
    """A term in two spellings, and one of each post's own."""
    return {
        f"{n}.md": markdown(date=str(NOW - timedelta(days=n)), tags=[("AI", "ai")[n % 2], f"t{n}"], lang="ja")
        for n in range(number)
    }


@pytest.mark.parametrize(
    ("text", "queries"),
    [("", 2), ("category=a", 2), ("tag=ai", 3), ("tag=ai&published_at=2026&lang=ja&author=a&category=b", 5)],
)
def test_number_of_queries_does_not_grow_with_the_posts(engine: Engine, text: str, queries: int) -> None:
    counted = []
    for number in (3, 40):
        take(engine, posts(number))
        with reading(engine) as connection, recorded(engine) as statements:
            count_facets(connection, query_of(ListQuery, f"{ASKED}&{text}"), reader(dialect=engine.dialect.name))
        counted.append(len(statements))

    assert counted == [queries, queries]


def test_no_facets_cost_nothing(engine: Engine) -> None:
    with reading(engine) as connection, recorded(engine) as statements:
        found = count_facets(connection, query_of(ListQuery, ""), reader(dialect=engine.dialect.name))

    assert (found, statements) == ({}, [])


def test_posts_hidden_by_the_clock_count_only_while_they_show(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date="2026-01-20", expires_at="2026-01-25", tags=["AI"])})
    counts = []
    for days in (0, 6, 12):
        with reading(engine) as connection:
            query = query_of(ListQuery, "facets=tag")
            now = NOW + timedelta(days=days)
            counts.append(count_facets(connection, query, reader(now, dialect=engine.dialect.name))["tag"])

    assert counts == [[], [FacetValue(value="AI", count=1)], []]


def test_work_grows_as_the_posts_do_on_sqlite(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'facets.db'}")
    migrate.upgrade(engine)
    steps = []
    for number in (200, 800):
        many.store(engine, [replace(made, tags=("a",)) for made in many.documents(range(number // 2, number), number)])
        with reading(engine) as connection, worked(connection) as hundreds:
            count_facets(connection, query_of(ListQuery, f"{ASKED}&tag=a"), reader(many.LAST))
            steps.append(hundreds())
    engine.dispose()

    assert steps[1] < 8 * steps[0]
