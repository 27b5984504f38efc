"""How the databases find lists: by an index that holds them in their order, never by reading or sorting all posts."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from app import migrate
from app.database import open_engine, reading
from app.driver import fetch
from app.posts.cursor import decode_cursor
from app.posts.filters import ListQuery
from app.posts.models import AnySelect, posts
from app.posts.orders import Way, best_of, count_of, page_of
from app.posts.prepared import Prepared
from tests.benchmarks.many import fill
from tests.posts.samples import on, page, query_of, reader

POSTS = 3_000
FILTERS = ["", "category=category 3", "tag=tag 7", "author=author 11"]
DATE_SORTS = ["-published_at", "published_at", "-updated_at", "updated_at"]


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('plans') / 'plans.db'}")
    else:
        engine = open_engine(request.getfixturevalue("postgres_url"))
        migrate.downgrade(engine)
    migrate.upgrade(engine)
    fill(engine, 0, POSTS, POSTS)
    if engine.dialect.name == "postgresql":  # what autovacuum does in time
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            # These tests commit asynchronously, and a commit whose log is not written yet is not marked as visible to all.
            connection.exec_driver_sql("SET synchronous_commit = on")
            connection.exec_driver_sql("CHECKPOINT")
            connection.exec_driver_sql("VACUUM ANALYZE")
    yield engine
    engine.dispose()


def plan(connection: Connection, statement: AnySelect) -> list[str]:
    """The steps by which the database would answer."""
    compiled = statement.compile(connection, compile_kwargs={"literal_binds": True})
    if connection.dialect.name == "sqlite":
        return [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {compiled}")]


def is_large(step: str) -> bool:
    """Whether a step reads a whole table or index, or sorts what it read."""
    return any(sign in step for sign in ("SCAN", "TEMP B-TREE", "Seq Scan", "Sort", "Hash"))


def list_plan(engine: Engine, text: str, **parameters: Any) -> list[str]:
    query = query_of(ListQuery, text, **parameters)
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    columns = (posts.c.slug, posts.c.title)
    with reading(engine) as connection:
        way = None if cursor is None else Way(cursor.backward)
        statement, order = page_of(columns, query, query.order, reader(), way)
        place = order.place(cursor.key) if cursor else {}
        return plan(connection, statement.params(place).limit(21))


@pytest.mark.parametrize("sort", DATE_SORTS)
@pytest.mark.parametrize("text", FILTERS)
def test_list_by_date_of_all_or_of_a_term_is_read_in_its_order(filled: Engine, text: str, sort: str) -> None:
    first = list_plan(filled, text, sort=sort)
    cursor = on(page(filled, text, sort=sort, limit=10).next)
    later = list_plan(filled, text, sort=sort, **cursor)

    assert [step for step in (*first, *later) if is_large(step)] == []
    assert any("post" in step for step in first)


@pytest.mark.parametrize("sort", DATE_SORTS)
@pytest.mark.parametrize("text", FILTERS)
def test_page_begins_at_its_cursor_either_way(filled: Engine, text: str, sort: str) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("its planner knows how many rows are left, and sorts where they are few")
    first = page(filled, text, sort=sort, limit=10)
    second = page(filled, text, sort=sort, limit=10, **on(first.next))
    plans = [list_plan(filled, text, sort=sort, **way) for way in ({}, on(first.next), on(second.previous))]

    assert [step for steps in plans for step in steps if is_large(step)] == []
    assert ["source_name)" in " ".join(steps) for steps in plans] == [False, True, True]


def test_list_by_title_is_read_in_its_order(filled: Engine) -> None:
    assert [step for step in list_plan(filled, "", sort="title") if is_large(step)] == []


@pytest.mark.parametrize(
    "text",
    [
        "tag=tag 7&published_at__gte=2010&published_at__lt=2012",
        "tag=tag 7&category=category 3",
        "tag__all=tag 7&tag__all=tag 0",
        "category=category 3&tag__not=tag 0",
        "author=author 11&lang=ja&reading_time__gte=2",
    ],
)
def test_list_of_a_term_is_read_in_its_order_whatever_else_is_asked(filled: Engine, text: str) -> None:
    steps = list_plan(filled, text)

    assert [step for step in steps if "SCAN" in step or "Seq Scan on post" in step or "TEMP B-TREE" in step] == []


def test_other_terms_are_looked_up_post_by_post(filled: Engine) -> None:
    if filled.dialect.name == "postgresql":
        pytest.skip("its planner knows how large terms are, and chooses")
    steps = list_plan(filled, "tag=tag 7&category=category 3")

    assert [step for step in steps if "term_1" in step and "post_pk=?" not in step] == []


def test_count_of_a_term_reads_the_index_alone(filled: Engine) -> None:
    with reading(filled) as connection:
        steps = plan(connection, count_of(query_of(ListQuery, "tag=tag 7"), reader()))

    assert [step for step in steps if " post" in step] == []
    assert any("ix_term_published_at" in step for step in steps)


def test_a_search_by_relevance_looks_up_the_posts_it_found(filled: Engine) -> None:
    dialect = filled.dialect.name
    with reading(filled) as connection:
        statement = best_of([posts.c.title], ListQuery(q="1234"), reader(dialect=dialect))
        prepared = Prepared(statement.limit(21), connection.dialect)
        values = prepared._values if prepared._order is None else [prepared._values[name] for name in prepared._order]
        explain = "EXPLAIN QUERY PLAN" if dialect == "sqlite" else "EXPLAIN"
        steps = [row[-1] for row in fetch(connection, f"{explain} {prepared._sql}", values)]

    keys = "INTEGER PRIMARY KEY" if dialect == "sqlite" else "pk_post"
    assert [step for step in steps if "ix_post_draft" in step or "Seq Scan on post" in step] == []
    assert any(keys in step for step in steps)
