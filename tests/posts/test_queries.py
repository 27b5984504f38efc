"""Paging: every order is total, and a cursor stays right while posts come and go."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, select, update

from app import migrate
from app.database import open_engine, reading, writing
from app.errors import QueryError
from app.posts.cursor import Cursor, encode_cursor
from app.posts.filters import ListQuery
from app.posts.models import posts
from app.posts.pages import Page
from app.posts.queries import status_of
from tests.building import NOW
from tests.posts.samples import bulk, fill, found, on, page, post_row, rows

SORTS = ("-published_at", "published_at", "-updated_at", "updated_at", "title", "-title")
TITLES = ("あいう", "アイウ", "今日", "Zebra", "apple", "Apple", "😀", "ﾊﾝｶｸ", "", "半角")


def walk(
    engine: Engine,
    sort: str,
    limit: int,
    between: Callable[[list[str]], None] = lambda _: None,
    *,
    start: str | None = None,
    way: str = "next",
) -> list[str]:
    """The slugs of a whole list, page by page; `between` hears what was seen after each page."""
    seen: list[str] = []
    parameters: dict[str, Any] = {"sort": sort, "limit": limit, "total": False}
    if start is not None:
        parameters["cursor"] = start
    while True:
        shown = page(engine, **parameters)
        names = [item["slug"] for item in shown.items]
        seen = seen + names if way == "next" else names + seen
        step = shown.next if way == "next" else shown.previous
        if step is None:
            return seen
        parameters |= step
        between(seen)


def end_of(sort: str) -> str:
    """A cursor that stands behind the last post; `previous` leads back from there."""
    query = ListQuery.model_validate({"sort": sort})
    last = ("\U0010ffff", "\U0010ffff") if "title" in sort else ("9999-12-31T23:59:59+00:00", "\U0010ffff")
    first = ("", "") if "title" in sort else ("0001-01-01T00:00:00+00:00", "")
    return encode_cursor(Cursor(key=first if sort.startswith("-") else last, backward=True), query.identity)


def in_order(engine: Engine, sort: str) -> list[str]:
    """What the order should be, sorted by Python: by value, then by source name, by code point."""
    column = {"title": "title_key"}.get(sort.lstrip("-"), sort.lstrip("-"))
    shown = [row for row in rows(engine).values() if status_of(row, NOW) == "published"]
    ordered = sorted(shown, key=lambda row: (getattr(row, column), row.source_name), reverse=sort.startswith("-"))
    return [row.slug for row in ordered]


def varied(number: int, random: Random) -> Iterator[dict[str, Any]]:
    """Posts with many ties in every column that lists are sorted by."""
    for _ in range(number):
        instant = NOW - timedelta(hours=random.randrange(number // 3 + 1))
        title = f"{random.choice(TITLES)}{random.randrange(9)}"
        yield post_row(published_at=instant, updated_at=instant + timedelta(days=random.randrange(4)), title=title)


class Coming:
    """Between pages, adds posts anywhere in the list and removes some of those it added."""

    def __init__(self, engine: Engine, random: Random) -> None:
        self.engine = engine
        self.random = random
        self.added: list[int] = []
        self.slugs: set[str] = set()

    def __call__(self, _seen: list[str]) -> None:
        with writing(self.engine) as connection:
            new = list(varied(3, self.random))
            for row in new:
                row["published_at"] = row["updated_at"] = NOW - timedelta(hours=self.random.randrange(7000))
            bulk(connection, new)
            self.added += [row["pk"] for row in new]
            self.slugs |= {row["slug"] for row in new}
            gone = self.random.sample(self.added, len(self.added) // 3)
            connection.execute(delete(posts).where(posts.c.pk.in_(gone)))
            self.added = [pk for pk in self.added if pk not in gone]


@pytest.mark.parametrize("sort", SORTS)
def test_list_stays_whole_while_posts_come_and_go(engine: Engine, sort: str) -> None:
    random = Random(sort)
    with writing(engine) as connection:
        bulk(connection, varied(2_000, random))
    whole = in_order(engine, sort)
    coming = Coming(engine, random)

    forward = walk(engine, sort, 97, coming)
    backward = walk(engine, sort, 97, coming, start=end_of(sort), way="previous")

    assert [slug for slug in forward if slug not in coming.slugs] == whole
    assert [slug for slug in backward if slug not in coming.slugs] == whole
    assert len(set(forward)) == len(forward)
    assert len(set(backward)) == len(backward)


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["-published_at", "updated_at", "title"])
def test_long_list_stays_whole_while_posts_come_and_go(engine: Engine, sort: str) -> None:
    random = Random(sort)
    with writing(engine) as connection:
        bulk(connection, varied(20_000, random))
    whole = in_order(engine, sort)
    coming = Coming(engine, random)

    forward = walk(engine, sort, 100, coming)
    backward = walk(engine, sort, 100, coming, start=end_of(sort), way="previous")

    assert [slug for slug in forward if slug not in coming.slugs] == whole
    assert [slug for slug in backward if slug not in coming.slugs] == whole
    assert len(set(forward)) == len(forward)
    assert len(set(backward)) == len(backward)


@pytest.mark.parametrize("way", ["next", "previous"])
def test_walk_goes_on_though_the_post_that_the_cursor_names_is_removed(engine: Engine, way: str) -> None:
    with writing(engine) as connection:
        bulk(connection, varied(60, Random(1)))
    whole = in_order(engine, "-published_at")
    start = end_of("-published_at") if way == "previous" else None
    removed: list[str] = []

    def remove(seen: list[str]) -> None:
        edge = seen[-1] if way == "next" else seen[0]
        removed.append(edge)
        with writing(engine) as connection:
            connection.execute(delete(posts).where(posts.c.slug == edge))

    seen = walk(engine, "-published_at", 7, remove, start=start, way=way)

    assert seen == whole
    assert len(removed) == 8


@pytest.fixture(params=["sqlite", "postgres"], scope="module")
def shared_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for many examples, each in an empty table."""
    url = (
        f"sqlite:///{tmp_path_factory.mktemp('shared') / 'honbun.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    engine = open_engine(url)
    migrate.upgrade(engine)
    yield engine
    engine.dispose()


example_posts: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        hours=st.integers(-2, 3),
        days=st.integers(0, 2),
        title=st.sampled_from(TITLES),
        draft=st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(example_posts, st.sampled_from(SORTS), st.integers(1, 9))
def test_pages_together_are_the_list(shared_engine: Engine, made: list[dict[str, Any]], sort: str, limit: int) -> None:
    with writing(shared_engine) as connection:
        connection.execute(delete(posts))
        if made:
            bulk(connection, (example_row(**post) for post in made))
    whole = in_order(shared_engine, sort)

    assert walk(shared_engine, sort, limit) == whole
    assert walk(shared_engine, sort, limit, start=end_of(sort), way="previous") == whole
    assert numbered(shared_engine, sort, limit) == whole


def example_row(*, hours: int, days: int, title: str, draft: bool) -> dict[str, Any]:
    instant = NOW - timedelta(hours=hours)
    return post_row(published_at=instant, updated_at=instant + timedelta(days=days), title=title, draft=draft)


def numbered(engine: Engine, sort: str, limit: int) -> list[str]:
    """The slugs of a whole list by page number."""
    seen: list[str] = []
    number: str | None = "1"
    while number is not None:
        shown = page(engine, sort=sort, limit=limit, page=number)
        seen += [item["slug"] for item in shown.items]
        number = None if shown.next is None else shown.next["page"]
    return seen


class TestEdges:
    """Where a list begins and ends."""

    @pytest.fixture(autouse=True)
    def _posts(self, engine: Engine) -> None:
        with writing(engine) as connection:
            bulk(connection, (post_row(slug=f"p{n}", published_at=NOW - timedelta(hours=n)) for n in range(1, 8)))

    def at(self, engine: Engine, step: dict[str, str] | None) -> Page:
        return page(engine, limit=3, **on(step))

    def names(self, shown: Page) -> list[str]:
        return [item["slug"] for item in shown.items]

    def test_first_page_has_no_previous_and_last_no_next(self, engine: Engine) -> None:
        first = page(engine, limit=3)
        second = self.at(engine, first.next)
        last = self.at(engine, second.next)

        assert (first.previous, last.next) == (None, None)
        assert [self.names(p) for p in (first, second, last)] == [["p1", "p2", "p3"], ["p4", "p5", "p6"], ["p7"]]

    def test_previous_of_next_is_the_same_page(self, engine: Engine) -> None:
        first = page(engine, limit=3)
        back = self.at(engine, self.at(engine, first.next).previous)

        assert self.names(back) == self.names(first)
        assert back.previous is None

    def test_page_that_was_emptied_leads_back_to_the_last_one_left(self, engine: Engine) -> None:
        step = page(engine, limit=6).next
        self.remove(engine, "p7")

        empty = self.at(engine, step)
        back = self.at(engine, empty.previous)

        assert (self.names(empty), empty.next) == ([], None)
        assert self.names(back) == ["p4", "p5", "p6"]

    def test_page_that_was_emptied_leads_on_to_the_first_one_left(self, engine: Engine) -> None:
        step = self.at(engine, page(engine, limit=3).next).previous
        self.remove(engine, "p1", "p2", "p3")

        empty = self.at(engine, step)
        on = self.at(engine, empty.next)

        assert (self.names(empty), empty.previous) == ([], None)
        assert self.names(on) == ["p4", "p5", "p6"]

    def test_way_back_from_an_emptied_page_can_be_gone_again(self, engine: Engine) -> None:
        step = page(engine, limit=6).next
        self.remove(engine, "p7")
        back = self.at(engine, self.at(engine, step).previous)
        self.remove(engine, "p4", "p5", "p6")

        again = self.at(engine, back.next)

        assert self.names(self.at(engine, again.previous)) == ["p1", "p2", "p3"]

    def test_page_past_the_end_is_empty(self, engine: Engine) -> None:
        past = page(engine, limit=3, page=9)

        assert (self.names(past), past.next, past.total, past.pages) == ([], None, 7, 3)

    def test_total_is_left_out_on_request(self, engine: Engine) -> None:
        assert page(engine, total=True).total == 7
        assert page(engine, total=False).total is None

    def remove(self, engine: Engine, *slugs: str) -> None:
        with writing(engine) as connection:
            connection.execute(delete(posts).where(posts.c.slug.in_(slugs)))


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("-published_at", "yesterday"),
        ("-published_at", "2025-01-01T00:00:00"),
        ("published_at", "0001-01-01T00:00:00+14:00"),
        ("updated_at", 5),
        ("title", 5),
    ],
)
def test_cursor_whose_key_is_none_of_the_order_is_refused(engine: Engine, sort: str, value: str | int) -> None:
    identity = ListQuery.model_validate({"sort": sort}).identity
    cursor = encode_cursor(Cursor(key=(value, "a.md")), identity)

    with pytest.raises(QueryError) as caught:
        page(engine, sort=sort, cursor=cursor)

    assert caught.value.reason == "invalid_cursor"


def test_cursor_of_another_filter_is_refused(engine: Engine) -> None:
    fill(engine, 3)
    step = page(engine, limit=1).next

    with pytest.raises(QueryError) as caught:
        page(engine, limit=1, lang="ja", **on(step))

    assert caught.value.reason == "cursor_mismatch"


def test_cursor_goes_with_another_limit(engine: Engine) -> None:
    fill(engine, 9)
    step = page(engine, limit=2).next

    assert len(page(engine, limit=7, **on(step)).items) == 7


def test_drafts_without_a_date_stand_first_among_the_newest(engine: Engine) -> None:
    with writing(engine) as connection:
        made = [
            post_row(slug="dated", published_at=NOW - timedelta(days=1)),
            post_row(slug="draft-b", source_name="b.md", draft=True, published_at=None, updated_at=NOW),
            post_row(slug="draft-a", source_name="a.md", draft=True, published_at=None, updated_at=NOW),
        ]
        bulk(connection, made)

    assert found(engine, status="any") == ["draft-b", "draft-a", "dated"]
    assert found(engine, status="any", sort="published_at") == ["dated", "draft-a", "draft-b"]
    step = page(engine, status="any", limit=1).next
    assert found(engine, status="any", **on(step)) == ["draft-a", "dated"]


def test_titles_are_sorted_with_katakana_among_hiragana(engine: Engine) -> None:
    titles = ["zebra", "ア", "い", "Apple", "あ", "イ", "東京"]
    with writing(engine) as connection:
        bulk(connection, (post_row(slug=title, title=title, source_name=f"{n}.md") for n, title in enumerate(titles)))

    assert found(engine, sort="title") == ["Apple", "zebra", "ア", "あ", "い", "イ", "東京"]


def test_ties_break_by_code_point(engine: Engine) -> None:
    names = ["B.md", "a.md", "あ.md", "ｱ.md", "😀.md", "_.md", "é.md"]
    with writing(engine) as connection:
        bulk(connection, (post_row(slug=name, source_name=name) for name in names))

    assert found(engine, sort="published_at") == sorted(names)
    assert found(engine) == sorted(names, reverse=True)


class TestStatus:
    CASES: ClassVar[dict[str, tuple[dict[str, Any], str]]] = {
        "past": ({"published_at": NOW - timedelta(days=1)}, "published"),
        "now": ({"published_at": NOW}, "published"),
        "next second": ({"published_at": NOW + timedelta(seconds=1)}, "scheduled"),
        "draft": ({"draft": True}, "draft"),
        "future draft": ({"draft": True, "published_at": NOW + timedelta(days=1)}, "draft"),
        "expired draft": ({"draft": True, "expires_at": NOW - timedelta(days=1)}, "draft"),
        "expires now": ({"expires_at": NOW}, "expired"),
        "expires next second": ({"expires_at": NOW + timedelta(seconds=1)}, "published"),
        "expired before it is published": (
            {"published_at": NOW + timedelta(days=1), "expires_at": NOW - timedelta(days=1)},
            "expired",
        ),
        "scheduled with an end": (
            {"published_at": NOW + timedelta(days=1), "expires_at": NOW + timedelta(days=2)},
            "scheduled",
        ),
    }

    @pytest.mark.parametrize("case", CASES)
    def test_status_is_one_rule_in_lists_and_in_rows(self, engine: Engine, case: str) -> None:
        given_values, status = self.CASES[case]
        with writing(engine) as connection:
            bulk(connection, [post_row(slug="kiji", **given_values)])

        lists = [name for name in ("published", "scheduled", "draft", "expired") if found(engine, status=name)]

        assert lists == [status]
        with reading(engine) as connection:
            assert status_of(self.only(connection), NOW) == status
        assert (found(engine) == ["kiji"]) is (status == "published")
        assert found(engine, status="any") == ["kiji"]

    def only(self, connection: Connection) -> Any:
        return connection.execute(select(posts)).one()

    def test_fraction_of_a_second_changes_no_status(self, engine: Engine) -> None:
        with writing(engine) as connection:
            bulk(connection, [post_row(slug="kiji", published_at=NOW)])

        assert found(engine, now=NOW - timedelta(microseconds=1)) == []
        assert found(engine, now=NOW + timedelta(microseconds=1)) == ["kiji"]


def test_moved_post_is_seen_where_it_stands_when_its_page_is_read(engine: Engine) -> None:
    fill(engine, 6)
    first = page(engine, limit=3)
    last = found(engine, sort="published_at", limit=1)[0]
    with writing(engine) as connection:
        moved = datetime(2026, 1, 15, 11, 59, tzinfo=UTC)
        connection.execute(update(posts).where(posts.c.slug == last).values(published_at=moved))

    assert last not in found(engine, **on(first.next))
    assert found(engine, limit=1) == [last]
