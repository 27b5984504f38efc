"""The index on both databases finds exactly what the rule says."""

from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert

from app.database import writing
from app.posts.models import bodies, posts
from app.search import index
from app.search.query import SearchQuery, matches, parse
from app.search.row import SearchRow
from tests.search.searching import best, fields_of, found, post_row, search_row, store

FEW = "東京都投資まちーカガABab12é+# "  # few characters, so that they meet; separators and marks among them
TEXTS = st.text(st.sampled_from(FEW + "。-'\u3099\u0301㈱ﾃﾞ🎉👨\u200d한กา々𠮷\n"), max_size=25)
QUERIES = st.lists(
    st.tuples(
        st.sampled_from(("", "", "-")),
        st.sampled_from(("{}", "{}", '"{}"')),
        st.text(st.sampled_from(FEW + "\u0301"), max_size=6),
    ).map(lambda parts: parts[0] + parts[1].format(parts[2])),
    min_size=1,
    max_size=3,
).map(" ".join)


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    with writing(engine) as opened:
        yield opened


@given(
    rows=st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=3), TEXTS, TEXTS), min_size=1, max_size=5),
    queries=st.lists(QUERIES, min_size=1, max_size=8),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_index_finds_what_a_scan_finds(
    engine: Engine, rows: list[tuple[str, list[str], str, str]], queries: list[str]
) -> None:
    written = [search_row(pk, title, tags, excerpt, text) for pk, (title, tags, excerpt, text) in zip(count(1), rows)]
    with writing(engine) as connection:
        store(connection, written)
        try:
            for text in queries:
                query = parse(text)
                expected = [row.pk for row in written if matches(query, fields_of(row))]

                assert found(connection, query) == expected, text
                assert sorted(best(connection, text)) == expected, text
        finally:
            index.remove(connection, range(1, len(rows) + 1))
            connection.execute(delete(posts))


def test_phrases_never_cross_the_border_of_a_field(connection: Connection) -> None:
    store(connection, [search_row(1, "東京", ["都民", "big", "data"], "excerpt end", "text")])

    assert found(connection, '"big data"') == found(connection, "東京都") == found(connection, '"end text"') == []
    assert found(connection, '"東京 都民"') == found(connection, '"data excerpt"') == []
    assert found(connection, "data big 東京 text") == [1]


@pytest.mark.parametrize(
    "query",
    [
        '"', '""', "'", "''", "*", "a*", "^a", "NEAR(a b)", "a AND", "OR", "NOT a", "a OR", "title:a", "{title}:a", "(",
        "a:*", "a & b | !c", "<->", "a <-> b", "\\", "a\\", "%", "_", "--", "; DROP TABLE post", "-", "-*", '-"', "\x00",
        "\ud800", "\U0010ffff", "\ufdfa", "zpartial", "z", "🏽", "\u3099", "a" * 500, "あ" * 500, "a " * 250, "あ " * 20,
        " ".join("あいうえおかきくけこさしすせそ"), "-" * 500, '"' * 500,
    ],
)  # fmt: skip
def test_no_query_is_an_error_of_the_database(connection: Connection, query: str) -> None:
    row = search_row(1, "a b c", ["z"], "zpartial", "あいうえお")
    store(connection, [row])
    expected = [1] if matches(parse(query), fields_of(row)) else []

    assert found(connection, query) == best(connection, query) == expected


def test_a_query_of_punctuation_finds_nothing(connection: Connection) -> None:
    store(connection, [search_row(1, "!?")])

    assert found(connection, "!?") == best(connection, "!?") == found(connection, SearchQuery()) == []


def test_a_query_that_only_excludes_finds_the_rest(connection: Connection) -> None:
    store(connection, [search_row(1, "東京"), search_row(2, "大阪"), search_row(3, "京都")])

    assert found(connection, "-東京") == [2, 3]
    assert found(connection, "-東京 -大阪") == [3]
    assert best(connection, "-東京 -大阪") == [3]


def test_every_one_of_many_words_counts(connection: Connection) -> None:
    long = ["アイウエオカ", "キクケコサシ", "スセソタチツ", "テトナニヌネ", "ノハヒフヘホ", "マミムメモヤ"]
    short = ["投資", "東京", "京都", "ab", "c", "経済", "会合", "株価", "雇用"]
    everything = [*long, *short]
    lacking = [[word for word in everything if word != missing] for missing in everything]
    store(
        connection, [search_row(pk, text="。".join(words)) for pk, words in enumerate([everything, *lacking], start=1)]
    )

    assert found(connection, " ".join(everything)) == best(connection, " ".join(everything)) == [1]
    assert found(connection, f"{' '.join(long)} -ab -c") == []
    assert found(connection, f"{' '.join(everything[:-1])} -雇用") == [16]


def test_better_fields_come_first_however_often_a_word_stands_in_the_next(connection: Connection) -> None:
    rows = [
        search_row(1, text="投資" * 300 + "。"),
        search_row(2, excerpt="投資" * 50),
        search_row(3, tags=["投資"]),
        search_row(4, title="投資", text="あ" * 5000),
        search_row(5, text=f"投資。{'あ' * 500}"),
    ]
    store(connection, [*rows, *(search_row(pk, "ほか") for pk in range(6, 20))])

    assert best(connection, "投資") == [4, 3, 2, 1, 5]
    assert best(connection, "資") == [4, 3, 2, 1, 5]


def test_better_fields_come_first_among_many(connection: Connection) -> None:
    store(connection, [*(search_row(pk, text="投資") for pk in range(4, 400)), search_row(1, excerpt="投資")])
    store(connection, [search_row(2, tags=["投資"]), search_row(3, "投資")])

    assert best(connection, "投資")[:4] == [3, 2, 1, 399]


def test_equal_scores_are_left_to_date_and_name(connection: Connection) -> None:
    store(connection, [search_row(pk, "同じ題") for pk in (1, 2, 3)])

    assert best(connection, "同じ") == [3, 2, 1]


def test_a_post_written_again_is_found_by_its_new_text_only(connection: Connection) -> None:
    store(connection, [search_row(1, "古い"), search_row(2, "古い")])
    index.write(connection, [search_row(1, "新しい")])

    assert (found(connection, "古い"), found(connection, "新しい")) == ([2], [1])


def test_a_removed_post_is_not_found(connection: Connection) -> None:
    store(connection, [search_row(1, "東京"), search_row(2, "東京")])
    index.remove(connection, [1, 99])

    assert found(connection, "東京") == [2]


def test_writing_and_removing_nothing_is_nothing(connection: Connection) -> None:
    index.write(connection, [])
    index.remove(connection, [])

    assert found(connection, "a") == []


def test_index_is_rebuilt_from_the_stored_posts(connection: Connection) -> None:
    rows = [post_row(pk, title=f"題{pk}", tags='["東京", "big data"]', excerpt="抜粋") for pk in range(1, 450)]
    nothing = {"toc": "[]", "images": "[]", "front_matter": "{}", "aliases": "[]", "source": b""}
    connection.execute(insert(posts), rows)
    connection.execute(
        insert(bodies),
        [
            {"post_pk": row["pk"], "html": "", "text": "本文", "word_count": 0, "character_count": 0} | nothing
            for row in rows
        ],
    )
    index.rebuild(connection)

    assert found(connection, "題449") == [449]
    assert len(found(connection, '本文 抜粋 "big data"')) == 449


def long_text(distinct: int) -> str:
    """A text with this many distinct words, and Japanese at its end."""
    return (
        " ".join(f"word{number}" for number in range(distinct)) + "。最後に蜃気楼を見た。" + "投資する" * 400 + "終わる"
    )


@pytest.mark.parametrize(
    ("distinct", "is_partial"), [pytest.param(20_000, False, id="positions"), pytest.param(90_000, True, id="1 MB")]
)
def test_a_post_beyond_postgres_limits_is_found_exactly(
    connection: Connection, distinct: int, is_partial: bool
) -> None:
    row = search_row(1, "長い", ["long"], "", long_text(distinct))
    store(connection, [row, search_row(2, "蜃気楼")])

    found_in_long = {
        f"word{distinct - 1}": True,
        f'"word{distinct - 2} word{distinct - 1}"': True,
        f'"word{distinct - 1} word{distinct - 2}"': False,
        f"word{distinct}": False,
        "蜃気楼": True,
        "蜃": True,
        "終わる": True,
        "する終": True,
        "終する": False,
        "見つ": False,
        "-蜃": False,
        "-見つ": True,
        "長い -蜃気楼": False,
        "長い -見つ": True,
    }
    for query, expected in found_in_long.items():
        assert (1 in found(connection, query)) is expected, query
        assert (1 in best(connection, query)) is expected, query
    if connection.dialect.name == "postgresql":
        assert connection.exec_driver_sql("SELECT is_partial FROM post_search WHERE pk = 1").scalar_one() is is_partial


def test_a_large_import_is_one_piece_in_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        pytest.skip("Postgres has no pieces")
    store(connection, [search_row(pk, text=" ".join(f"{pk}x{word}" for word in range(3_000))) for pk in range(1, 60)])

    assert connection.exec_driver_sql("SELECT count(DISTINCT segid) FROM post_search_idx").scalar_one() == 1


def test_words_longer_than_any_index_takes_are_found_whole(connection: Connection) -> None:
    word = "a" * 40_000
    store(
        connection, [search_row(1, text=f"{word} {word}b"), SearchRow(pk=2, title="a", tags=(), excerpt="", text="a")]
    )

    assert found(connection, "a" * 400) == []
    assert found(connection, "a") == [2]
