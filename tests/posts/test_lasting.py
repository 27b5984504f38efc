"""What is known of other posts outlives changes of texts, and nothing else does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select, update

from app.database import reading, writing
from app.posts.detail import get_post
from app.posts.epochs import Epochs
from app.posts.filters import DetailQuery, ListQuery
from app.posts.ingest import delete_one
from app.posts.lists import list_posts
from app.posts.models import content, posts
from app.posts.writing import PORTION
from tests.building import NOW, markdown
from tests.posts.recording import recorded
from tests.posts.samples import links, options, query_of, reader, show, take

LISTS = ("", "tag=AI", "category=経済", "published_at__gte=2026-01-02", "q=株価", "updated_at__gt=2026-01-15T12:00:00Z")
NAMES = "abcd"


def front(name: str, **changed: Any) -> dict[str, Any]:
    date = f"2026-01-0{NAMES.index(name) + 1}"
    own = {"title": f"半導体 {name}", "date": date, "excerpt": f"要約 {name}", "rank": 1}
    return own | {"tags": ["AI"], "categories": ["経済"]} | changed


def told(engine: Engine, epochs: Epochs, now: Any = NOW) -> Iterator[Any]:
    """All details and the totals of some lists."""
    asking = reader(now, dialect=engine.dialect.name)
    with reading(engine) as connection:
        snapshot = epochs.snapshot(connection, now)
        everything = list_posts(snapshot, query_of(ListQuery, "fields=slug&limit=100"), asking, show(now))
        for item in orjson.loads(orjson.dumps(everything.items)):
            post, _ = get_post(snapshot, item["slug"], DetailQuery(), asking, show(now), any_status=False)
            yield orjson.loads(orjson.dumps(post))
        for text in LISTS:
            yield list_posts(snapshot, query_of(ListQuery, text), asking, show(now)).total


@pytest.fixture
def filled(engine: Engine) -> Engine:
    take(engine, {f"{name}.md": markdown(**front(name)) for name in NAMES})
    return engine


CHANGES: tuple[dict[str, Any], ...] = (
    {"title": "株価"},
    {"tags": ["AI", "半導体"]},
    {"tags": []},
    {"categories": ["技術"]},
    {"date": "2026-01-09"},
    {"date": (NOW + timedelta(hours=1)).isoformat()},
    {"draft": True},
    {"expires_at": (NOW + timedelta(hours=1)).isoformat()},
    {"excerpt": "決算と 株価"},
    {"slug": "other"},
    {"permalink": "/other/"},
    {"rank": 2},
    {"reading_time": 7},
    {"lang": "en"},
    {"excerpt": ""},
)


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_every_change_is_told_after_changes_of_texts(filled: Engine, change: dict[str, Any]) -> None:
    epochs = Epochs()
    first = list(told(filled, epochs))
    steps = [
        markdown("株価です。\n", **front("b")),
        markdown(**front("b", **change)),
        markdown("円安です。\n", **front("b", **change)),
    ]
    for number, step in enumerate(steps):
        take(filled, {"b.md": step}, now=NOW + timedelta(seconds=number))

        assert list(told(filled, epochs)) == list(told(filled, Epochs()))
    take(filled, {"b.md": markdown(**front("b")), "c.md": markdown("株価です。\n", **front("c"))})
    later = NOW + timedelta(hours=2)

    assert list(told(filled, epochs)) == list(told(filled, Epochs()))
    assert list(told(filled, epochs, later)) == list(told(filled, Epochs(), later))
    assert len(first) == len(NAMES) + len(LISTS)


def test_posts_that_come_and_go_are_told(filled: Engine) -> None:
    epochs = Epochs()
    for files in ({"e.md": markdown(tags=["AI"])}, {"a.md": markdown("円安です。\n", **front("a"))}):
        list(told(filled, epochs))
        take(filled, files)

        assert list(told(filled, epochs)) == list(told(filled, Epochs()))
    delete_one(filled, "b", options=options(), now=NOW, guard=lambda _: None)

    assert list(told(filled, epochs)) == list(told(filled, Epochs()))


@pytest.mark.parametrize("other", [{"e.md": markdown(tags=["AI"])}, {"a.md": markdown(**front("a", title="株価"))}])
def test_change_of_a_text_beside_another_change_is_not_of_texts_alone(filled: Engine, other: dict[str, str]) -> None:
    """Whichever of them is written last: posts that are there come after new ones, a portion after the other."""
    many = {f"z{number:03}.md": markdown(f"文 {number} です。\n", title="z", excerpt="z") for number in range(PORTION)}
    take(filled, many)
    epochs = Epochs()
    list(told(filled, epochs))
    take(filled, {**other, **{name: f"{text}円安です。\n" for name, text in many.items()}})

    assert list(told(filled, epochs)) == list(told(filled, Epochs()))


def test_clock_that_changes_what_is_visible_between_changes_of_texts_is_heeded(filled: Engine) -> None:
    later = NOW + timedelta(hours=2)
    take(filled, {"b.md": markdown(**front("b", date=(NOW + timedelta(hours=1)).isoformat()))})
    epochs = Epochs()
    list(told(filled, epochs))
    take(filled, {"c.md": markdown("円安です。\n", **front("c"))}, now=later)

    assert list(told(filled, epochs, later)) == list(told(filled, Epochs(), later))


def test_change_of_a_text_leaves_what_is_known_of_other_posts(filled: Engine) -> None:
    epochs = Epochs()
    before = list(told(filled, epochs))
    for name in "bc":
        take(filled, {f"{name}.md": markdown("円安です。\n", **front(name))})
    with recorded(filled) as statements:
        after = list(told(filled, epochs))

    assert not [statement for statement in statements if "keyword" in statement]
    assert len([statement for statement in statements if "count(" in statement]) == len(LISTS) - 4
    assert [post["html"] for post in after[:4]] != [post["html"] for post in before[:4]]


def test_writer_that_does_not_count_changes_of_texts_changes_everything(filled: Engine) -> None:
    """Such as one of an earlier version, beside this one for a while."""
    epochs = Epochs()
    list(told(filled, epochs))
    with writing(filled) as connection:
        connection.execute(update(posts).where(posts.c.slug == "b").values(title="別の題"))
        connection.execute(update(content).values(version=content.c.version + 1))
    take(filled, {"c.md": markdown("円安です。\n", **front("c"))})

    assert list(told(filled, epochs)) == list(told(filled, Epochs()))


def test_language_told_from_a_text_changes_addresses_that_hold_it(filled: Engine) -> None:
    epochs, by_language = Epochs(), replace(show(), links=links(template="https://example.jp/{lang}/{slug}"))

    def newer_than_a(epochs: Epochs) -> Any:
        with reading(filled) as connection:
            snapshot = epochs.snapshot(connection, NOW)
            asking = reader(dialect=filled.dialect.name)
            post, _ = get_post(snapshot, "a", DetailQuery(), asking, by_language, any_status=False)
        return orjson.loads(orjson.dumps(post["newer"]))["permalink"]

    before = newer_than_a(epochs)
    take(filled, {"b.md": markdown("반도체 " * 30, **front("b"))})

    assert (before, newer_than_a(epochs)) == ("https://example.jp/ja/b", "https://example.jp/ko/b")


def test_dump_restored_and_changed_on_is_another_database(filled: Engine) -> None:
    """Though it comes to as many versions, and to as many changes of texts."""
    epochs = Epochs()
    with reading(filled) as connection:
        dump = connection.execute(select(content)).one()._asdict()
    take(filled, {"e.md": markdown(tags=["AI"], date="2026-01-05")})
    list(told(filled, epochs))
    delete_one(filled, "e", options=options(), now=NOW, guard=lambda _: None)
    with writing(filled) as connection:
        connection.execute(update(content).values(**dump))
    take(filled, {"f.md": markdown(tags=["AI"], date="2026-01-06")})
    take(filled, {"c.md": markdown("円安です。\n", **front("c"))}, now=NOW + timedelta(seconds=1))

    assert list(told(filled, epochs)) == list(told(filled, Epochs()))
