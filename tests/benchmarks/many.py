"""Many stored posts in little time: one parsed document, varied and written through the product's own store."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

from sqlalchemy import Engine

from app.database import writing
from app.documents.document import Context, Document, parse
from app.documents.leaves import Field
from app.documents.sources import Source
from app.posts.changes import Turn
from app.posts.options import Options
from app.posts.records import records_of
from app.posts.store import insert_posts, new_ids, next_pk, row_of
from app.posts.writing import Written, history_of

FIRST = datetime(2000, 1, 1, tzinfo=UTC)
LAST = datetime(2025, 12, 31, tzinfo=UTC)
BATCH = 2_000
OPTIONS = Options(author="benchmark", via="cli")
TAGS = 200
CATEGORIES = [f"category {number}" for number in range(12)]
AUTHORS = [f"author {number}" for number in range(20)]
EXCERPT = "この記事では、索引と検索の遅延を測る。A careful reader will notice how each response carries validators."
SOURCE = f"""---
layout: post
title: 索引を測る
date: 2020-01-01 09:00 +09:00
categories: [design]
tags: [sqlite]
author: 佐藤 葵
excerpt: {EXCERPT}
reading_time: 5
---
{EXCERPT}
"""


def tags_of(number: int) -> tuple[str, ...]:
    """Two to five tags, the first far more frequent than the last: as the logarithm falls."""
    places = (number * 7919 + step * 104_729 for step in range(2 + number % 4))
    return tuple(dict.fromkeys(f"tag {int(TAGS ** (place % 1000 / 1000)) - 1}" for place in places))


def documents(numbers: range, total: int) -> Iterator[Document]:
    """The posts of these numbers, of a blog with `total` of them; dates in another order than the numbers."""
    document = parse(Source(name="2020-01-01-post.md", content=SOURCE.encode()), Context())
    step = (LAST - FIRST) / total
    for number in numbers:
        date = (FIRST + (number * 7919 % total) * step).replace(microsecond=0)
        title = f"索引を測る（{number}）"
        yield replace(
            document,
            name=f"posts/{date:%Y-%m-%d}-post-{number:07}.md",
            slug=f"post-{number:07}",
            title=title,
            title_key=title,
            date=date,
            updated=date + timedelta(days=number % 5),
            categories=(CATEGORIES[number * 31 % 12],),
            tags=tags_of(number),
            authors=(AUTHORS[number * 17 % 20],),
            fields=(Field(path="layout", text="post", number=None, instant=None),),
        )


def fill(engine: Engine, start: int, end: int, total: int) -> None:
    """Stores the posts from number `start` to before `end`."""
    for first in range(start, end, BATCH):
        store(engine, list(documents(range(first, min(first + BATCH, end)), total)))


def store(engine: Engine, made: Sequence[Document]) -> None:
    """Stores new posts in one transaction."""
    with writing(engine) as connection:
        turn = Turn(connection, LAST)
        pks = count(next_pk(connection))
        ids = new_ids(connection, [document.name for document in made])
        written = [_written(document, next(pks), ids[document.name], engine.dialect.name) for document in made]
        insert_posts(connection, written)
        stored = [SimpleNamespace(**row) for row, _ in written]
        turn.note([history_of("created", row, row.sha256, OPTIONS) for row in stored], after=stored)
        turn.end()


def _written(document: Document, pk: int, id: str, dialect: str) -> Written:  # noqa: A002 - its name
    records = records_of(dialect, document)
    own = {"pk": pk, "id": id, "slug": document.slug, "slug_wanted": document.slug}
    return row_of(records.post, records.dates, own, now=LAST, before=None), records
