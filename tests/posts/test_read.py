"""What readers get, and that it costs a fixed number of queries however many posts there are."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

import orjson
import pytest
from sqlalchemy import Engine

from app import migrate
from app.database import open_engine, reading, writing
from app.errors import NotFound, QueryError
from app.posts.cursor import Cursor, digest, encode_cursor
from app.posts.detail import get_post, source_of
from app.posts.fields import NEIGHBOURS, WHOLE, Shape, show_post
from app.posts.filters import DetailQuery, ExportQuery, ListQuery, TermQuery
from app.posts.lists import list_posts
from app.posts.pages import Page
from app.posts.read import (
    TermCount,
    all_sources,
    count_periods,
    count_terms,
    export_posts,
    page_of_terms,
    visible_count,
)
from app.posts.store import preview_row
from tests.benchmarks import many
from tests.building import NOW, markdown
from tests.posts.recording import recorded, worked
from tests.posts.samples import bulk, document, fill, found, page, post_row, query_of, reader, seen, show, take

DETAIL: Shape = dict.fromkeys((*WHOLE, *NEIGHBOURS))


def detail(engine: Engine, slug: str, text: str = "", *, any_status: bool = False, **given: Any) -> Any:
    with seen(engine) as snapshot:
        query = query_of(DetailQuery, text)
        return get_post(snapshot, slug, query, reader(**given), show(), any_status=any_status)[0]


def plain(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def terms(engine: Engine, taxonomy: str = "tag") -> list[TermCount]:
    with reading(engine) as connection:
        return count_terms(connection, taxonomy, NOW)


class TestDetail:
    def test_post_is_shown_whole(self, engine: Engine) -> None:
        text = markdown(
            "本文。\n\n## 見出し\n\n![図](/a.png)\n", title="題", date="2025-12-01T09:00:00+09:00", tags=["AI", 2024],
            categories="本", author="山田", aliases=["/old.html"], series={"part": 1}, _secret=1, layout="post",
        )  # fmt: skip
        take(engine, {"kiji.ja.md": text})
        post = plain(detail(engine, "kiji"))

        expected = {
            "slug": "kiji", "url": "/v1/posts/kiji", "permalink": None, "title": "題", "layout": "post",
            "status": "published", "published_at": "2025-12-01T00:00:00Z", "date": "2025-12-01T09:00:00+09:00",
            "updated_at": "2025-12-01T00:00:00Z", "expires_at": None, "categories": ["本"], "tags": ["AI", "2024"],
            "author": "山田", "authors": ["山田"], "excerpt": "本文。", "lang": "ja", "cover": None,
            "aliases": ["/old.html"], "older": None, "newer": None, "related": [],
            "images": [{"src": "/a.png", "alt": "図"}],
        }  # fmt: skip
        assert expected == {name: post[name] for name in expected}
        assert set(post) == set(DETAIL)
        assert [heading["text"] for heading in post["toc"]] == ["見出し"]
        assert post["front_matter"]["series"] == {"part": 1}
        assert "_secret" not in post["front_matter"]
        assert post["source"]["name"] == "kiji.ja.md"

    @pytest.mark.parametrize("front", [{"draft": True}, {"date": "2026-02-01"}, {"expires_at": "2026-01-01"}])
    def test_post_that_is_not_visible_is_shown_to_the_trusted_alone(
        self, engine: Engine, front: dict[str, Any]
    ) -> None:
        take(engine, {"a.md": markdown(**front)})

        assert detail(engine, "a", any_status=True)["slug"] == "a"
        with pytest.raises(NotFound):
            detail(engine, "a")
        with reading(engine) as connection, pytest.raises(NotFound):
            source_of(connection, "a", reader(), any_status=False)

    def test_source_is_byte_for_byte(self, engine: Engine) -> None:
        content = b"\xef\xbb\xbf---\r\ntitle: x\r\n---\r\n\x00body"
        take(engine, {"a.md": content})
        with reading(engine) as connection:
            row = source_of(connection, "a", reader(), any_status=False)

        assert bytes(row.source) == content

    def test_neighbours_are_the_next_in_time(self, engine: Engine) -> None:
        files = {f"{n}.md": markdown(date="2025-12-01", tags=["奇"] if n % 2 else []) for n in range(5)}
        take(engine, files | {"draft.md": markdown(date="2025-12-01", draft=True)})

        assert neighbours(engine, "2") == ("1", "3")
        assert neighbours(engine, "0") == (None, "1")
        assert neighbours(engine, "4") == ("3", None)
        assert neighbours(engine, "3", "tag=奇") == ("1", None)
        assert neighbours(engine, "2", "tag=奇") == ("1", "3")

    def test_neighbours_walk_the_whole_list(self, engine: Engine) -> None:
        fill(engine, 20)
        whole = found(engine, limit=100)
        walked = [whole[0]]
        while (older := neighbours(engine, walked[-1])[0]) is not None:
            walked.append(older)

        assert walked == whole

    def test_hidden_post_has_neighbours_and_is_one_only_where_its_status_is_asked_for(self, engine: Engine) -> None:
        files = {f"{n}.md": markdown(date="2025-12-01", draft=n == 1) for n in range(3)}
        take(engine, files | {"later.md": markdown(date="2026-02-01"), "gone.md": markdown(expires_at="2026-01-01")})

        assert neighbours(engine, "1", any_status=True) == ("0", "2")
        assert neighbours(engine, "later", any_status=True) == ("2", None)
        assert neighbours(engine, "2") == ("0", None)
        assert neighbours(engine, "2", "status=any") == ("1", "gone")
        assert neighbours(engine, "2", "status=draft") == ("1", None)
        assert neighbours(engine, "2", "status=draft&status=scheduled") == ("1", "later")

    def test_draft_without_a_date_has_no_neighbours(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(draft=True), "b.md": "一"})
        post = plain(detail(engine, "a", any_status=True))

        assert (post["older"], post["newer"]) == (None, None)

    def test_preview_shows_what_would_be_stored(self, engine: Engine) -> None:
        text = markdown("本文。", title="題", date="2025-12-01", tags=["AI"], series={"part": 1})
        take(engine, {"a.md": text})
        stored = plain(detail(engine, "a"))
        preview = plain(show_row(preview_row(document("a.md", text), NOW)))

        assert preview == {name: stored[name] for name in WHOLE}

    def test_preview_makes_nothing_for_the_search(self) -> None:
        called: set[str] = set()
        seen = document("a.md", "本文。")

        def hear(frame: FrameType, _event: str, _argument: Any) -> None:
            called.add(frame.f_code.co_name)

        sys.setprofile(hear)
        preview_row(seen, NOW)
        sys.setprofile(None)

        assert "preview_row" in called
        assert called.isdisjoint({"entry_of", "keywords_of"})


def show_row(row: Any) -> Any:
    return show_post(row, dict.fromkeys(WHOLE), show())


def neighbours(engine: Engine, slug: str, text: str = "", *, any_status: bool = False) -> tuple[str | None, str | None]:
    post = plain(detail(engine, slug, text, any_status=any_status))
    older, newer = post["older"], post["newer"]
    return older and older["slug"], newer and newer["slug"]


class TestTerms:
    def test_spelling_of_most_posts_names_the_term(self, engine: Engine) -> None:
        take(engine, {f"{n}.md": markdown(tags=[tag]) for n, tag in enumerate(["AI", "ＡＩ", "AI", "ai", "投資"])})

        assert [(term.key, term.name, term.count) for term in terms(engine)] == [("ai", "AI", 4), ("投資", "投資", 1)]

    def test_post_counts_once_in_a_term_it_spells_twice(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(tags=["AI", "ai", "ＡＩ"])})

        assert [(term.name, term.count) for term in terms(engine)] == [("AI", 1)]
        assert plain(page(engine, fields="tags").items) == [{"tags": ["AI", "ai", "ＡＩ"]}]

    def test_terms_of_visible_posts_alone_are_counted(self, engine: Engine) -> None:
        hidden: list[dict[str, Any]] = [{"draft": True}, {"date": "2026-02-01"}, {"expires_at": "2026-01-01"}]
        take(engine, {f"{n}.md": markdown(tags=["AI"], **front) for n, front in enumerate(hidden)})

        assert terms(engine) == []

    def test_latest_instant_is_of_the_newest_post(self, engine: Engine) -> None:
        take(engine, {f"{d}.md": markdown(tags=["AI"], date=f"2025-12-0{d}") for d in (1, 3, 2)})

        assert [term.latest_at.day for term in terms(engine)] == [3]

    def test_ties_are_in_the_order_of_keys(self, engine: Engine) -> None:
        take(engine, {"a.md": markdown(categories=["い", "B", "a", "あ"])})

        assert [term.name for term in terms(engine, "category")] == ["a", "B", "あ", "い"]

    COUNTED: ClassVar = [TermCount(key=f"k{n}", name=f"k{n}", count=9 - n // 3, latest_at=NOW) for n in range(8)]

    @pytest.mark.parametrize("sort", ["-count", "name"])
    @pytest.mark.parametrize("limit", [1, 3, 8, 9])
    def test_pages_of_terms_are_all_terms(self, sort: str, limit: int) -> None:
        forward, last = self.walk(f"sort={sort}&limit={limit}", "next")
        backward, _ = self.walk(f"sort={sort}&limit={limit}", "previous", last.previous)

        assert [key for keys in forward for key in keys] == [f"k{n}" for n in range(8)]
        assert backward[::-1] == forward[:-1]
        assert last.total == 8

    def walk(self, text: str, way: str, step: dict[str, str] | None = None) -> tuple[list[list[str]], Page]:
        """The keys of each page on the way, and the last page."""
        pages: list[list[str]] = []
        given = dict(step or {})
        while True:
            shown, info = page_of_terms(self.COUNTED, query_of(TermQuery, text, **given))
            if way == "previous" and step is None:
                return pages, info
            pages.append([term.key for term in shown])
            following = info.next if way == "next" else info.previous
            if following is None:
                return pages, info
            given = dict(following)

    def test_emptied_page_of_terms_leads_back(self) -> None:
        _, info = page_of_terms(self.COUNTED, query_of(TermQuery, "limit=7"))
        shown, empty = page_of_terms(self.COUNTED[:7], query_of(TermQuery, **dict(info.next or {})))
        back, _ = page_of_terms(self.COUNTED[:7], query_of(TermQuery, **dict(empty.previous or {})))

        assert (shown, empty.next) == ([], None)
        assert back == self.COUNTED[:7]

    def test_numbered_page_of_terms(self) -> None:
        shown, info = page_of_terms(self.COUNTED, query_of(TermQuery, "page=2&limit=3&total=false"))

        assert shown == self.COUNTED[3:6]
        assert (info.next, info.previous, info.total, info.pages) == ({"page": "3"}, {"page": "1"}, None, None)

    def test_cursor_of_posts_is_none_of_terms(self) -> None:
        cursor = encode_cursor(Cursor(key=("2025", "a.md")), digest({"sort": "-count"}))

        with pytest.raises(QueryError) as caught:
            page_of_terms(self.COUNTED, query_of(TermQuery, cursor=cursor))

        assert caught.value.reason == "invalid_cursor"


class TestArchives:
    FILES: ClassVar = {
        "a.md": markdown(date="2025-12-31T23:30:00Z"),
        "b.md": markdown(date="2025-12-31T10:00:00Z"),
        "c.md": markdown(date="2024-02-01"),
        "zero.md": markdown(date="0001-01-01T00:00:00Z"),
        "draft.md": markdown(date="2020-01-01", draft=True),
    }

    @pytest.mark.parametrize(
        ("by", "zone", "expected"),
        [
            ("month", "UTC", [("2025-12", 2), ("2024-02", 1), ("0001-01", 1)]),
            ("month", "Asia/Tokyo", [("2026-01", 1), ("2025-12", 1), ("2024-02", 1), ("0001-01", 1)]),
            ("year", "America/New_York", [("2025", 2), ("2024", 1), ("0001", 1)]),
        ],
    )
    def test_periods_are_of_the_zone(self, engine: Engine, by: str, zone: str, expected: list[tuple[str, int]]) -> None:
        take(engine, self.FILES)
        with reading(engine) as connection:
            assert count_periods(connection, by, reader(zone=zone)) == expected

    def test_each_period_finds_as_many_posts_as_it_counts(self, engine: Engine) -> None:
        take(engine, self.FILES)
        with reading(engine) as connection:
            periods = count_periods(connection, "month", reader(zone="Asia/Tokyo"))

        for period, count in periods:
            assert len(found(engine, published_at=period, zone="Asia/Tokyo")) == count


def test_export_streams_every_visible_post(engine: Engine) -> None:
    fill(engine, 250)
    take(engine, {"draft.md": markdown(draft=True)})
    with reading(engine) as connection:
        shown = list(export_posts(connection, query_of(ExportQuery), dict.fromkeys(WHOLE), reader(), show()))

    assert [post["slug"] for post in shown[:100]] == found(engine, limit=100)
    assert len({post["slug"] for post in shown}) == 250


def test_sources_below_a_prefix_are_listed_by_name(engine: Engine) -> None:
    take(engine, {"a/い.md": "一", "a/あ.md": markdown(draft=True), "ab.md": "三", "b.md": "四"})
    with reading(engine) as connection:
        listed = {
            prefix: [row.source_name for row in all_sources(connection, prefix)] for prefix in ("", "a/", "a", "z")
        }

    assert listed == {
        "": ["a/あ.md", "a/い.md", "ab.md", "b.md"],
        "a/": ["a/あ.md", "a/い.md"],
        "a": ["a/あ.md", "a/い.md", "ab.md"],
        "z": [],
    }


class TestCost:
    """The number of statements does not grow with the number of posts."""

    @pytest.mark.parametrize("number", [1, 30])
    def test_list_takes_one_query_and_one_to_count(self, engine: Engine, number: int) -> None:
        fill(engine, number)
        with seen(engine) as snapshot, recorded(engine) as statements:
            list_posts(snapshot, query_of(ListQuery, "tag=a&front_matter.b=c"), reader(), show())

        assert len(statements) == 2

    def test_list_reads_no_bodies(self, engine: Engine) -> None:
        fill(engine, 3)
        with seen(engine) as snapshot, recorded(engine) as statements:
            list_posts(snapshot, query_of(ListQuery), reader(), show())

        assert "body" not in " ".join(statements)

    @pytest.mark.parametrize("number", [3, 30])
    def test_detail_takes_one_query_and_one_for_its_neighbours_and_for_keywords(
        self, engine: Engine, number: int
    ) -> None:
        fill(engine, number)
        slug = found(engine)[1]
        with seen(engine) as snapshot, recorded(engine) as statements:
            get_post(snapshot, slug, query_of(DetailQuery), reader(), show(), any_status=False)

        assert len(statements) == 3

    @pytest.mark.parametrize("number", [1, 30])
    def test_terms_archives_and_the_count_take_one_query_each(self, engine: Engine, number: int) -> None:
        take(engine, {f"{n}.md": markdown(tags=[f"t{n}"], date=str(NOW - timedelta(days=n))) for n in range(number)})
        with reading(engine) as connection, recorded(engine) as statements:
            count_terms(connection, "tag", NOW)
            count_periods(connection, "month", reader())
            total = visible_count(connection, NOW)

        assert len(statements) == 3
        assert total == number


@pytest.mark.parametrize(("first", "second"), [("投資", '東京都 "a phrase" -京都'), ("-投資", '-東京 -"a phrase"')])
@pytest.mark.parametrize("sort", ["relevance", "-published_at"])
def test_searches_for_other_words_are_the_same_statements(engine: Engine, sort: str, first: str, second: str) -> None:
    fill(engine, 5)
    sent = []
    for text in (first, second):
        with seen(engine) as snapshot, recorded(engine) as statements:
            list_posts(snapshot, ListQuery(q=text, sort=sort), reader(dialect=engine.dialect.name), show())
        sent.append(statements)

    assert sent[0] == sent[1] != []


def test_a_search_for_what_few_posts_hold_does_not_walk_them_all_on_sqlite(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'search.db'}")
    migrate.upgrade(engine)
    many.store(engine, [replace(made, text="蜃気楼") for made in many.documents(range(3), 1000)])
    steps = []
    for start, end in ((3, 50), (50, 1000)):
        many.fill(engine, start, end, 1000)
        with seen(engine, many.LAST) as snapshot, worked(snapshot.connection) as hundreds:
            found = list_posts(snapshot, ListQuery(q="蜃気楼"), reader(many.LAST), show(many.LAST))
            steps.append(hundreds())
    engine.dispose()

    assert found.total == 3
    assert steps[1] <= steps[0] + 2


def test_a_list_of_long_ago_does_not_walk_what_is_newer_on_sqlite(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'dates.db'}")
    migrate.upgrade(engine)
    query = query_of(ListQuery, "published_at__lt=2001&total=false")
    steps = []
    for newer in (0, 3000):
        with writing(engine) as connection:
            dates = (
                [datetime(2000, 1, 1, tzinfo=UTC)] if not newer else [NOW - timedelta(hours=n) for n in range(newer)]
            )
            bulk(connection, (post_row(published_at=date) for date in dates))
        with seen(engine) as snapshot, worked(snapshot.connection) as hundreds:
            found = list_posts(snapshot, query, reader(), show())
            steps.append(hundreds())
    engine.dispose()

    assert len(found.items) == 1
    assert steps[1] <= steps[0] + 2
