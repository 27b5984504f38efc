"""What is found out once stays until a commit or the clock changes what is visible."""

import tracemalloc
from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from app.database import reading
from app.posts import totals
from app.posts.detail import get_post
from app.posts.epochs import MOST, MOST_BYTES, Epochs, Items, Snapshot, Unhurried
from app.posts.filters import DetailQuery, ListQuery
from app.posts.lists import NEAR, list_posts
from app.posts.parameters import LONGEST
from tests.building import NOW, markdown
from tests.posts.recording import recorded
from tests.posts.samples import fill, found, listed, query_of, reader, show, take

LATER = NOW + timedelta(hours=1)


def total(engine: Engine, epochs: Epochs, text: str = "", now: datetime = NOW) -> tuple[int | None, bool]:
    """The total of a list, and whether it was counted for it."""
    with reading(engine) as connection, recorded(engine) as statements:
        page = list_posts(epochs.snapshot(connection, now), query_of(ListQuery, text), reader(now), show(now))
    return page.total, any("count(" in statement for statement in statements)


def test_posts_are_counted_once_for_all_pages_sorts_and_fields(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown(tags=["AI"]) for n in range(3)})
    epochs = Epochs()

    assert total(engine, epochs, "tag=AI") == (3, True)
    assert total(engine, epochs, "tag=AI&page=2&limit=1&sort=title&fields=slug") == (3, False)
    assert total(engine, epochs, "tag=AI&lang=en") == (0, True)
    assert total(engine, epochs, "tag=AI&total=false") == (None, False)


def test_search_by_relevance_counts_only_what_is_not_known_yet(engine: Engine) -> None:
    take(engine, {f"{n}.md": "株価" for n in range(3)})
    epochs = Epochs()
    counting, asking = [], reader(dialect=engine.dialect.name)
    for _ in range(2):
        with reading(engine) as connection, recorded(engine) as statements:
            page = list_posts(epochs.snapshot(connection, NOW), query_of(ListQuery, "q=株価"), asking, show())
        assert page.total == 3
        counting.append(any("total" in statement for statement in statements))

    assert counting == [True, False]


def test_commit_ends_an_epoch_also_where_nothing_visible_changed(engine: Engine) -> None:
    take(engine, {"a.md": "一"})
    epochs = Epochs()
    before = total(engine, epochs)
    take(engine, {"b.md": markdown(draft=True)})

    assert (before, total(engine, epochs)) == ((1, True), (1, True))
    assert total(engine, epochs, "status=draft") == (1, True)


def test_clock_ends_an_epoch_where_it_changes_what_is_visible(engine: Engine) -> None:
    take(engine, {"a.md": "一", "b.md": markdown(date=LATER.isoformat())})
    epochs = Epochs()

    assert total(engine, epochs) == (1, True)
    assert total(engine, epochs, now=LATER - timedelta(seconds=1)) == (1, False)
    assert total(engine, epochs, now=LATER) == (2, True)
    assert total(engine, epochs) == (1, True)  # a clock that was put back


@pytest.mark.parametrize(("text", "most"), [("", 1), ("updated_at__gte=2000-01-01", 2)])
def test_reader_in_a_hurry_is_told_a_total_that_is_known(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, text: str, most: int
) -> None:
    """Where there are more posts than are counted at once, or no index has all that is asked."""
    monkeypatch.setattr(totals, "COUNTED", most)
    take(engine, {"a.md": "一", "b.md": "二"})
    epochs, query = Epochs(), query_of(ListQuery, text)
    with reading(engine) as connection:
        hurried = epochs.snapshot(connection, NOW, hurried=True)
        with pytest.raises(Unhurried):
            list_posts(hurried, query, reader(), show())
        list_posts(epochs.snapshot(connection, NOW), query, reader(), show())

        assert list_posts(hurried, query, reader(), show()).total == 2


@pytest.mark.parametrize("text", ["", "tag=AI", "published_at__gte=2000-01-01", "sort=updated_at"])
def test_reader_in_a_hurry_is_told_the_total_of_few_posts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(totals, "COUNTED", 2)
    take(engine, {f"{name}.md": markdown(tags=["AI"]) for name in "ab"})
    with reading(engine) as connection:
        hurried = Epochs().snapshot(connection, NOW, hurried=True)

        assert list_posts(hurried, query_of(ListQuery, text), reader(), show()).total == 2


def test_post_is_told_in_a_hurry_but_not_its_neighbours_in_a_filter(engine: Engine) -> None:
    take(engine, {f"{name}.md": markdown(title=name, tags=["AI"]) for name in "abc"})
    epochs = Epochs()
    with reading(engine) as connection:
        epochs.snapshot(connection, NOW)
        hurried = epochs.snapshot(connection, NOW, hurried=True)
        post, _ = get_post(hurried, "b", query_of(DetailQuery), reader(), show(), any_status=False)
        with pytest.raises(Unhurried):
            get_post(hurried, "b", query_of(DetailQuery, "tag=AI"), reader(), show(), any_status=False)

    assert len(orjson.loads(orjson.dumps(post["related"]))) == 2


@pytest.mark.parametrize("sort", ["-published_at", "updated_at", "title"])
def test_numbered_pages_are_the_whole_list_in_whatever_order_they_are_asked_for(engine: Engine, sort: str) -> None:
    fill(engine, 23)
    whole = found(engine, sort=sort, limit=100)
    epochs = Epochs()

    def numbered(number: int) -> list[str]:
        with reading(engine) as connection:
            query = query_of(ListQuery, f"sort={sort}&limit=5&page={number}&fields=slug")
            page = listed(epochs.snapshot(connection, NOW), query, reader(), show())
        assert page.next == ({"page": str(number + 1)} if number < 5 else None)
        return [item["slug"] for item in page.items]

    for number in (3, 3, 4, 5, 6, 2, 1, 2, 3):
        assert numbered(number) == whole[(number - 1) * 5 : number * 5]
    take(engine, {"new.md": markdown(title="!", date="2026-01-15T11:59:00Z", updated="1990-01-01")})
    changed = found(engine, sort=sort, limit=100)
    assert numbered(3) == changed[10:15] != whole[10:15]


def test_page_far_on_is_not_for_who_is_in_a_hurry_until_it_is_known_where_it_begins(engine: Engine) -> None:
    fill(engine, NEAR + 10)
    query = query_of(ListQuery, f"limit=1&page={NEAR + 2}&fields=slug")
    epochs = Epochs()
    with reading(engine) as connection:
        snapshot = epochs.snapshot(connection, NOW)
        hurried = epochs.snapshot(connection, NOW, hurried=True)
        list_posts(snapshot, query_of(ListQuery, "limit=1&page=1&fields=slug"), reader(), show())
        with pytest.raises(Unhurried):
            list_posts(hurried, query, reader(), show())
        page = list_posts(snapshot, query, reader(), show())

        assert list_posts(hurried, query, reader(), show()) == page


class Forgetful(dict[Hashable, Any]):
    """What other threads clear after each look into it."""

    def __contains__(self, key: object) -> bool:
        return bool(self._then_cleared(super().__contains__(key)))

    def get(self, key: Hashable, default: Any = None) -> Any:
        return self._then_cleared(super().get(key, default))

    def _then_cleared(self, found: Any) -> Any:
        self.clear()
        return found


def test_what_is_known_is_told_though_another_thread_forgets_it_just_then(engine: Engine) -> None:
    with reading(engine) as connection:
        snapshot = Epochs().snapshot(connection, NOW)
        present = replace(snapshot, epoch=replace(snapshot.epoch, known=Forgetful(key=7)))

        assert present.once("key", lambda: 8) == 7
        assert present.once("key", lambda: 8) == 8


@pytest.mark.parametrize("text", ["", "&page=1", "&q=-none"])
def test_nothing_is_kept_for_a_long_query(engine: Engine, text: str) -> None:
    take(engine, {"a.md": markdown(tags=["AI"])})
    asking = reader(dialect=engine.dialect.name)
    kept = []
    for length in (LONGEST // 2, LONGEST):
        with reading(engine) as connection:
            snapshot = Epochs().snapshot(connection, NOW)
            query = query_of(ListQuery, f"tag=AI&tag={'x' * length}{text}")
            assert list_posts(snapshot, query, asking, show()).total == 1
        kept.append(len(snapshot.epoch.known) + len(snapshot.epoch.lasting) > 0)

    assert kept == [True, False]


def test_no_more_than_a_bound_is_kept(engine: Engine) -> None:
    with reading(engine) as connection:
        snapshot: Snapshot = Epochs().snapshot(connection, NOW)
        for number in range(MOST + 1):
            snapshot.once(number, lambda: None)

    assert len(snapshot.epoch.known) == 1


def shown(engine: Engine, epochs: Epochs, text: str = "", now: datetime = NOW) -> tuple[list[Any], bool]:
    """The items of a list, and whether they were read for it."""
    with reading(engine) as connection, recorded(engine) as statements:
        page = listed(epochs.snapshot(connection, now), query_of(ListQuery, text), reader(now), show(now))
    return page.items, any("excerpt_html" in statement for statement in statements)


def test_an_item_is_made_once_for_all_lists_until_something_changes(engine: Engine) -> None:
    posts = {f"{name}.md": markdown(title=name, date="2025-12-01", tags=["AI"]) for name in "abc"}
    take(engine, posts)
    epochs = Epochs()
    first, was_read = shown(engine, epochs)

    assert was_read
    assert [item["title"] for item in first] == ["c", "b", "a"]
    assert shown(engine, epochs) == (first, False)
    assert shown(engine, epochs, "tag=ai&sort=title&page=1") == (first[::-1], False)
    assert shown(engine, epochs, "fields=title")[0] == [{"title": item["title"]} for item in first]
    take(engine, posts | {"b.md": markdown(title="B", date="2025-12-01", tags=["AI"])})
    changed, was_read = shown(engine, epochs)
    assert was_read
    assert [item["title"] for item in changed] == ["c", "B", "a"]


def test_an_item_is_what_the_clock_makes_of_it(engine: Engine) -> None:
    take(engine, {"soon.md": markdown(date=LATER.isoformat()), "old.md": markdown(date="2025-12-01")})
    epochs = Epochs()
    statuses = [
        [item["status"] for item in shown(engine, epochs, "status=any", now)[0]] for now in (NOW, NOW, LATER, LATER)
    ]

    assert statuses == [["scheduled", "published"]] * 2 + [["published", "published"]] * 2


def test_items_are_right_where_few_are_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(engine, 20)
    whole, _ = shown(engine, Epochs())
    monkeypatch.setattr("app.posts.epochs.MOST_BYTES", 3 * len(orjson.dumps(whole[0])))
    epochs = Epochs()

    for text in ("", "limit=3", "limit=2", "", "page=2&limit=3"):
        limit = int(text[-1]) if text else 20
        start = 3 if "page" in text else 0
        assert shown(engine, epochs, text)[0] == whole[start : start + limit]


def test_items_take_no_more_memory_than_they_may_however_short_they_are() -> None:
    items = Items()
    tracemalloc.start()
    try:
        for pk in range(50_000):
            items.add(("slug",), pk, {"slug": f"{pk}"})
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert MOST_BYTES / 10 < taken < MOST_BYTES * 1.5
