"""Related posts: those that share what is rare, found without reading all that there are."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, delete, insert, select, text

from app.database import reading, writing
from app.posts import keywords as keyword_rows
from app.posts.detail import get_post
from app.posts.fields import LINK
from app.posts.filters import DetailQuery
from app.posts.models import keywords
from tests.building import NOW, markdown
from tests.posts.recording import recorded
from tests.posts.samples import bulk, post_row, reader, seen, show, take


def related(engine: Engine, slug: str, *, now: Any = NOW, any_status: bool = False) -> list[str]:
    with seen(engine, now) as snapshot:
        query = DetailQuery(fields=("related",))
        post, _ = get_post(snapshot, slug, query, reader(now), show(now), any_status=any_status)
    return [found["slug"] for found in orjson.loads(orjson.dumps(post["related"]))]


def test_more_shared_tags_relate_more_and_nothing_shared_not_at_all(engine: Engine) -> None:
    tags = {"a": ["AI", "投資"], "both": ["ＡＩ", "投資"], "one": ["ai"], "none": ["料理"], "bare": []}
    take(engine, {f"{name}.md": markdown(title=name, date="2025-12-01", tags=named) for name, named in tags.items()})

    assert related(engine, "a") == ["both", "one"]
    assert related(engine, "none") == []
    assert related(engine, "bare") == []


def test_rare_tag_relates_more_than_a_common_one(engine: Engine) -> None:
    files = {f"common{n}.md": markdown(title="x", date="2025-12-02", tags=["日記"]) for n in range(9)}
    files["a.md"] = markdown(title="y", date="2025-12-01", tags=["日記", "鉱物"])
    files["rare.md"] = markdown(title="z", date="2020-01-01", tags=["鉱物"])
    take(engine, files)

    assert related(engine, "a") == ["rare", "common8", "common7", "common6", "common5"]


def test_shared_words_of_title_tags_and_excerpt_relate(engine: Engine) -> None:
    files = {
        "a.md": markdown("ここでは充電の速さを比べます。\n", title="電気自動車の選び方", date="2025-12-01"),
        "title.md": markdown("短い。\n", title="これからの電気自動車", date="2025-12-01"),
        "excerpt.md": markdown("充電には時間がかかります。\n", title="待つこと", date="2025-12-01"),
        "tag.md": markdown("長い。\n", title="道", tags=["電気自動車"], date="2025-11-01"),
        "other.md": markdown("ここではありません。\n", title="選び", date="2025-12-01"),
    }
    files |= {f"{n}.md": markdown(f"話{n}。\n", title=f"話 {n}", date="2025-12-01") for n in range(6)}
    take(engine, files)

    assert related(engine, "a") == ["title", "tag", "excerpt"]


def test_word_that_most_posts_have_relates_none(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown(title=f"週刊ニュース {'abc'[n]}x", date="2025-12-01") for n in range(3)})

    assert related(engine, "0") == []


def test_equals_come_by_time_then_by_source_name(engine: Engine) -> None:
    dates = {"a": "2025-12-01", "old": "2025-01-01", "い": "2025-06-01", "あ": "2025-06-01", "new": "2025-12-24"}
    take(engine, {f"{name}.md": markdown(date=date, tags=["AI"]) for name, date in dates.items()})

    assert related(engine, "a") == ["new", "い", "あ", "old"]


@pytest.mark.parametrize("numbers", [range(10, 22), range(21, 9, -1)], ids=["up", "down"])
def test_of_many_of_one_instant_the_last_by_source_name_relate(engine: Engine, numbers: range) -> None:
    take(engine, {"a.md": markdown(date="2025-12-01", tags=["一", "二"])})
    for number in numbers:  # whichever was stored first
        take(engine, {f"{number}.md": markdown(date="2025-11-01", tags=["一二"[number % 2]])})
    take(engine, {"new.md": markdown(date="2025-11-02", tags=["一"])})
    take(engine, {"old.md": markdown(date="2025-10-01", tags=["二"])})

    assert related(engine, "a") == ["new", "21", "20", "19", "18"]


def test_of_many_equals_the_newest_relate_whatever_they_share(engine: Engine) -> None:
    files = {"a.md": markdown(date="2025-12-01", tags=["一", "二"])}
    files |= {f"{day}.md": markdown(date=f"2025-11-{day}", tags=["一二"[day % 2]]) for day in range(11, 29)}
    take(engine, files)

    assert related(engine, "a") == ["28", "27", "26", "25", "24"]


def test_hidden_posts_relate_to_none_and_weigh_nothing(engine: Engine) -> None:
    shown = {
        "a.md": markdown(title="x", date="2025-12-01", tags=["一", "二"]),
        "b.md": markdown(title="y", date="2025-12-01", tags=["一"]),
        "c.md": markdown(title="z", date="2025-12-02", tags=["二"]),
    }
    take(engine, shown)
    before = related(engine, "a")
    hidden: Iterable[dict[str, Any]] = ({"draft": True}, {"date": "2026-02-01"}, {"expires_at": "2026-01-01"})
    take(engine, {f"{n}.md": markdown(tags=["二"], **front) for n, front in enumerate(hidden)})

    assert before == ["c", "b"]
    assert related(engine, "a") == before
    assert related(engine, "0", any_status=True) == ["c", "a"]


def test_post_relates_from_its_publication_until_its_expiry(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date="2025-12-01", tags=["AI"])})
    take(engine, {"b.md": markdown(date="2026-01-20", expires_at="2026-01-25", tags=["AI"])})

    assert [related(engine, "a", now=NOW + timedelta(days=days)) for days in (0, 6, 12)] == [[], ["b"], []]


def test_changed_post_relates_by_what_it_says_now_and_a_removed_one_no_more(engine: Engine) -> None:
    take(engine, {f"{name}.md": markdown(date="2025-12-01", tags=["AI"]) for name in "abc"})
    take(engine, {"b.md": markdown(date="2025-12-01", tags=["料理"])})
    after_change = related(engine, "a")
    take(engine, {"a.md": markdown(date="2025-12-01", tags=["AI"])}, prune_below="", prune_max=9)

    assert after_change == ["c"]
    assert related(engine, "a") == []
    with reading(engine) as connection:
        assert len(connection.execute(select(keywords.c.post_pk).distinct()).all()) == 1


def test_rows_made_anew_are_those_that_were_written(engine: Engine) -> None:
    fronts: Iterable[dict[str, Any]] = ({"draft": True}, {"date": "2026-02-01"}, {"expires_at": "2026-03-01"})
    take(engine, {f"{n}.md": markdown(title="電気の話", tags=["AI"], **front) for n, front in enumerate(fronts)})
    every = select(keywords).order_by(*keywords.c)
    with writing(engine) as connection:
        written = connection.execute(every).all()
        connection.execute(delete(keywords))
        keyword_rows.fill(connection)

        assert connection.execute(every).all() == written
        assert len(written) == 12


def filled(engine: Engine, number: int) -> None:
    """Posts of which four in five have a tag, and each one of ten others; as many words in each title."""
    with writing(engine) as connection:
        made = [
            post_row(
                published_at=NOW - timedelta(minutes=n + 1),
                title=f"話題{n % 7} 毎日の記録と電気自動車",
                tags=f'[{"" if n % 5 == 0 else chr(34) + "日記" + chr(34) + ", "}"t{n % 10}"]',
            )
            for n in range(number)
        ]
        bulk(connection, made)
        connection.execute(insert(keywords), [row for post in made for row in keyword_rows.keyword_rows(post)])


def steps(engine: Engine, slug: str) -> int:
    """How many thousands of steps SQLite takes to find the related posts."""
    taken = 0

    def count() -> int:
        nonlocal taken
        taken += 1
        return 0

    with seen(engine) as snapshot:
        driver = snapshot.connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(count, 1_000)
        query = DetailQuery(fields=("related",))
        get_post(snapshot, slug, query, reader(), show(), any_status=False)
        driver.set_progress_handler(None, 0)
    return taken


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_work_does_not_grow_with_the_posts_that_share_a_tag(engine: Engine) -> None:
    filled(engine, 4_500)
    with reading(engine) as connection:
        slug = connection.execute(text("SELECT slug FROM post ORDER BY pk LIMIT 1 OFFSET 1")).scalar_one()
    before = steps(engine, slug)
    filled(engine, 6_000)

    assert before > 0
    assert steps(engine, slug) <= before + 2


@pytest.mark.parametrize("number", [20, 2_000])
def test_number_of_queries_and_of_posts_found_does_not_grow(engine: Engine, number: int) -> None:
    filled(engine, number)
    with reading(engine) as connection:
        slug = connection.execute(text("SELECT slug FROM post ORDER BY pk LIMIT 1")).scalar_one()
    with seen(engine) as snapshot, recorded(engine) as statements:
        get_post(snapshot, slug, DetailQuery(fields=("related",)), reader(), show(), any_status=False)
        first = len(statements)
        get_post(snapshot, slug, DetailQuery(fields=("related", "id")), reader(), show(), any_status=False)

    assert first == 5
    assert len(statements) - first == 3  # of its keywords all is known
    assert len(related(engine, slug)) == (1 if number == 20 else 5)
    assert list(LINK) == ["id", "slug", "url", "permalink", "title"]
