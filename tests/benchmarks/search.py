"""Whether the search finds exactly what a plain scan finds, and what it costs, on both databases.

`python -m tests.benchmarks.search CORPUS... [--keep FOLDER] [--database sqlite|postgresql]`

A corpus is a number of generated posts, or a folder of posts. 300 queries are drawn from its texts. Databases that are
kept are not filled again.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from statistics import quantiles
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, func, select

from app import migrate
from app.database import open_engine, reading
from app.documents.context import Context
from app.documents.document import Document, parse
from app.documents.normalize import sort_key
from app.documents.sources import Source
from app.posts.detail import get_post
from app.posts.facets import count_facets
from app.posts.filters import FACETS, DetailQuery, ListQuery
from app.posts.lists import list_posts
from app.posts.models import posts
from app.posts.orders import Order
from app.posts.suggest import suggest_posts, suggest_tags
from app.search import index
from app.search.highlight import highlights
from app.search.query import SearchQuery, matches
from app.search.query import parse as parse_query
from app.search.row import SearchRow
from app.search.tokens import normal_form, runs
from app.search.typed import Typed
from tests.benchmarks import corpus, many
from tests.benchmarks.table import databases_in
from tests.posts import samples

NOW = datetime(2026, 6, 1, tzinfo=UTC)
QUERIES = 300
BATCH = 500
DATABASES = ("sqlite", "postgresql")
BANDS = {"≤ 1 %": (0.004, 0.01), "10 %": (0.08, 0.12), "80 %": (0.7, 0.9)}
WORDS_A_BAND = 30
OF_BOTH = "".join(corpus.VOCABULARY)[:500], " ".join(corpus.VOCABULARY[:16])


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("corpus", nargs="+")
    arguments.add_argument("--keep", type=Path, help="where databases are kept")
    arguments.add_argument("--database", choices=DATABASES, action="append")
    given = arguments.parse_args()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="honbun-search-"))
    folder.mkdir(exist_ok=True)
    try:
        for name in given.corpus:
            compare(name, folder, given.database or DATABASES)
    finally:
        if not given.keep:
            shutil.rmtree(folder)


def compare(name: str, folder: Path, databases: Sequence[str]) -> None:
    sample, expected, count_bytes = scanned(name)
    size = sum(1 for _ in corpus.rows(name))
    print(f"\n{name}: {size} posts, {count_bytes / 1e6:.1f} MB of text, {len(expected)} queries", flush=True)
    orders: list[list[list[int]]] = []
    for database in databases:
        with ExitStack() as stack:
            url_of = stack.enter_context(databases_in(folder, database))
            engine = open_engine(url_of(f"search-{Path(name).name}"))
            stack.callback(engine.dispose)
            fill(engine, name, size, count_bytes)
            orders.append(check(engine, expected))
            if name.isdigit():
                measure(engine, int(name))
    print(f"the same posts in the same order on both: {all(order == orders[0] for order in orders)}")
    parsed = [query for query, _ in expected]
    times = [partial(highlights, query, row.title, row.text) for query, row in zip(parsed, sample, strict=False)]
    print(f"highlights of a post, p50/p99: {percentiles(times)} ms", flush=True)


def scanned(name: str) -> tuple[list[SearchRow], list[tuple[SearchQuery, set[int]]], int]:
    """Posts that queries were drawn from; each query with what a plain scan finds; bytes of all texts."""
    forms, count_bytes = [], 0
    sample: list[SearchRow] = []
    chance = Random(7)
    for number, row in enumerate(corpus.rows(name)):
        fields = (row.title, *row.tags, row.excerpt, row.text)
        forms.append("\n".join(map(normal_form, fields)))
        count_bytes += sum(len(field.encode()) for field in fields)
        if len(sample) < QUERIES:
            sample.append(row)
        elif (place := chance.randrange(number + 1)) < QUERIES:
            sample[place] = row
    queries = [parse_query(text) for text in islice(drawn(sample), QUERIES)]
    found = [{pk for pk, form in enumerate(forms, 1) if matches(query, [form])} for query in queries]
    return sample, list(zip(queries, found, strict=True)), count_bytes


def drawn(rows: Sequence[SearchRow]) -> Iterator[str]:
    """Queries that stand in the rows' texts: 1 to 8 characters, words, mixed scripts, phrases, many words, exclusions."""
    chance = Random(7)
    number = 0
    while True:
        row = rows[number % len(rows)]
        found = runs(chance.choice((row.title, row.excerpt, row.text))) or runs(row.title)
        place = chance.randrange(len(found))
        run, kind = found[place], number % 10
        number += 1
        if kind < 5:
            length = (1, 2, 3, 4, chance.randint(5, 8))[kind]
            start = chance.randrange(max(1, len(run) - length + 1))
            yield run if run.isascii() else run[start : start + length]
        elif kind == 5:
            yield f'"{" ".join(found[place : place + chance.randint(2, 4)])}"'
        elif kind == 6:
            yield f"{run} {chance.choice(found)}"
        elif kind == 7:
            yield next((word for word in found if word.isascii() and word.isalpha()), run)
        elif kind == 8:
            yield " ".join(chance.sample(found, min(16, len(found))))
        else:
            yield f"{run} -{chance.choice(found)[:2]}"


def fill(engine: Engine, name: str, size: int, count_bytes: int) -> None:
    """Stores the corpus as posts, where it is not there."""
    migrate.upgrade(engine)
    with reading(engine) as connection:
        stored = connection.execute(select(func.count()).select_from(posts)).scalar_one()
    started = perf_counter()
    rows = islice(corpus.rows(name), stored, None)
    template = parse(Source(name="2020-01-01-post.md", content=many.SOURCE.encode()), Context())
    while batch := [document(template, row, size) for row in islice(rows, BATCH)]:
        many.store(engine, batch)
    seconds = perf_counter() - started
    if engine.dialect.name == "postgresql":  # what autovacuum does in time; SQLite has nobody who would
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    share = index_size(engine) / count_bytes
    print(
        f"{engine.dialect.name}: {size - stored} stored in {seconds:.0f} s, index {share:.2f} of the text", flush=True
    )


def document(template: Document, row: SearchRow, size: int) -> Document:
    """A post with these texts; dates over ten years, in another order than the keys."""
    date = NOW - timedelta(minutes=1 + row.pk * 7919 % size * (5_000_000 // size))
    return replace(
        template,
        name=f"posts/{date:%Y-%m-%d}-post-{row.pk:07}.md",
        slug=f"post-{row.pk:07}",
        title=row.title,
        title_key=sort_key(row.title),
        date=date,
        updated=date,
        categories=(many.CATEGORIES[row.pk * 31 % 12],),
        tags=row.tags,
        authors=(many.AUTHORS[row.pk * 17 % 20],),
        excerpt=row.excerpt,
        text=row.text,
    )


def index_size(engine: Engine) -> int:
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            return int(connection.execute(select(func.pg_total_relation_size("post_search"))).scalar_one())
        sizes = ("SELECT sum(length(block)) FROM post_search_data", "SELECT sum(length(sz)) FROM post_search_docsize")
        return sum(int(connection.exec_driver_sql(size).scalar_one()) for size in sizes)


def check(engine: Engine, expected: Sequence[tuple[SearchQuery, set[int]]]) -> list[list[int]]:
    """What each query finds, the newest first; says where it is not what the scan found."""
    misses = false_hits = 0
    found: list[list[int]] = []
    with reading(engine) as connection:
        for query, right in expected:
            statement = select(posts.c.pk).where(index.condition(query, engine.dialect.name, posts.c.pk))
            newest = Order.of("-published_at", ["published"]).sorted(statement)
            found.append(list(connection.execute(newest).scalars()))
            misses += len(right.difference(found[-1]))
            false_hits += len(set(found[-1]) - right)
    print(f"{engine.dialect.name}: misses {misses}, false hits {false_hits}", flush=True)
    return found


def measure(engine: Engine, size: int) -> None:
    seen: Counter[str] = Counter()
    for pk in range(1, size + 1):
        corpus.row(pk, seen)
    chance = Random(3)
    for band, (low, high) in BANDS.items():
        words = sorted(word for word, count in seen.items() if low <= count / size <= high)
        measure_words(engine, band, chance.sample(words, min(WORDS_A_BAND, len(words))))
    measure_words(engine, "one character", chance.sample(sorted(set("".join(corpus.VOCABULARY[:500]))), WORDS_A_BAND))
    measure_words(engine, "500 characters, 16 words", OF_BOTH)
    typed = [
        *(word[:length] for word in chance.sample(corpus.VOCABULARY, WORDS_A_BAND) for length in (1, 2, 3)),
        "の",
        "1",
    ]
    say(engine, "suggestions", [partial(suggest, engine, text) for text in typed])
    filters: list[dict[str, Any]] = [
        {},
        {"tag": (corpus.VOCABULARY[0],)},
        {"published_at__gte": "2024"},
        {"q": corpus.VOCABULARY[300]},
    ]
    say(engine, "five facets", [partial(facets, engine, **filter_) for filter_ in filters])
    slugs = [f"post-{pk:07}" for pk in chance.sample(range(1, size + 1), WORDS_A_BAND)]
    say(engine, "related posts", [partial(related, engine, slug) for slug in slugs])


def measure_words(engine: Engine, band: str, words: Sequence[str]) -> None:
    total = sum(page(engine, word) for word in words) // len(words)
    for what, given in (("first page", {"sort": "-published_at", "total": False}), ("by relevance, with total", {})):
        works = [partial(page, engine, word, **given) for word in words]
        say(engine, f"{band} ({len(words)} queries, {total} posts each), {what}", works)


def page(engine: Engine, text: str, **given: Any) -> int:
    with samples.seen(engine, NOW) as snapshot:
        query = ListQuery(q=text, **given)
        return (
            list_posts(snapshot, query, samples.reader(NOW, "UTC", engine.dialect.name), samples.show(NOW)).total or 0
        )


def suggest(engine: Engine, text: str) -> None:
    reader, typed = samples.reader(NOW, "UTC", engine.dialect.name), Typed.of(text)
    with reading(engine) as connection:
        suggest_tags(connection, typed, 10, reader)
        suggest_posts(connection, typed, 10, reader, samples.show(NOW))


def facets(engine: Engine, **given: Any) -> None:
    with reading(engine) as connection:
        count_facets(connection, ListQuery(facets=FACETS, **given), samples.reader(NOW, "UTC", engine.dialect.name))


def related(engine: Engine, slug: str) -> None:
    with samples.seen(engine, NOW) as snapshot:
        reader = samples.reader(NOW, "UTC", engine.dialect.name)
        get_post(snapshot, slug, DetailQuery(fields=("related",)), reader, samples.show(NOW), any_status=False)


def say(engine: Engine, what: str, works: Sequence[Callable[[], object]]) -> None:
    print(f"{engine.dialect.name}: {what}, p50/p99: {percentiles([*works] * 3)} ms", flush=True)


def percentiles(works: Sequence[Callable[[], object]]) -> str:
    """The milliseconds that half of these take, and 99 in a hundred."""
    times = []
    for work in works:
        started = perf_counter()
        work()
        times.append((perf_counter() - started) * 1000)
    hundredths = quantiles(times, n=100, method="inclusive")
    return f"{hundredths[49]:.1f}/{hundredths[98]:.1f}"


if __name__ == "__main__":
    main()
