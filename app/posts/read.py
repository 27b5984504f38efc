"""What readers get beside lists and single posts: exports, terms, archives, sources."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import Connection, CursorResult, func, select
from sqlalchemy.sql import ColumnElement

from app.documents.links import day_in
from app.posts.cursor import Cursor, Key, decode_cursor, invalid_cursor
from app.posts.fields import Shape, Show, columns_of, show_post
from app.posts.filters import ExportQuery, PostFilter, TermQuery
from app.posts.lists import with_bodies
from app.posts.models import AnyRow, posts, terms
from app.posts.orders import page_of
from app.posts.pages import Item, Page, window_of
from app.posts.queries import TERMS, Reader, visible


def export_posts(
    connection: Connection, query: ExportQuery, shape: Shape, reader: Reader, show: Show
) -> Iterator[Item]:
    """Every post of a filter, read as it is sent, all of one snapshot; a reader who leaves ends the database's work."""
    statement, _ = page_of(columns_of(shape), query, query.sort, reader)
    rows = connection.execution_options(yield_per=100).execute(with_bodies(statement, shape))
    return _shown(rows, shape, show)


def _shown(rows: CursorResult[Any], shape: Shape, show: Show) -> Iterator[Item]:
    with rows:  # closed also when the iterator is left half way
        for row in rows:
            yield show_post(row, shape, show)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermCount:
    """A term in the spelling that most posts use."""

    key: str
    name: str
    count: int
    latest_at: datetime


def count_terms(connection: Connection, taxonomy: str, now: datetime) -> list[TermCount]:
    """The terms of the visible posts, most used first, then by key."""
    uses = func.count(terms.c.post_pk.distinct())
    latest: ColumnElement[datetime] = func.max(terms.c.published_at)
    statement = (
        select(terms.c.key, terms.c.name, uses, latest)
        .where(terms.c.taxonomy == taxonomy, visible(now, TERMS))
        .group_by(terms.c.key, terms.c.name)
    )
    spellings: dict[str, list[tuple[int, str, datetime]]] = {}
    for key, name, count, latest_at in connection.execute(statement):
        spellings.setdefault(key, []).append((count, name, latest_at))
    counted = [
        TermCount(
            key=key,
            name=min(found, key=lambda spelling: (-spelling[0], spelling[1]))[1],
            count=sum(count for count, _, _ in found),
            latest_at=max(latest_at for _, _, latest_at in found),
        )
        for key, found in spellings.items()
    ]
    return sorted(counted, key=_by_count)


def _by_count(term: TermCount) -> tuple[int, str]:
    return -term.count, term.key


def _by_name(term: TermCount) -> tuple[int, str]:
    return 0, term.key


def page_of_terms(found: list[TermCount], query: TermQuery) -> tuple[list[TermCount], Page]:
    """One page of the terms, in the query's order; the page's own items are left to who shows them."""
    key = _by_count if query.sort == "-count" else _by_name
    ordered = sorted(found, key=key)
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    if cursor is None:
        start = ((query.page or 1) - 1) * query.limit
        candidates = ordered[start:]
    else:
        candidates = _terms_after(ordered, cursor, key)
    window = window_of(candidates[: query.limit + 1], query, cursor, key)
    page = Page(
        items=[],
        total=len(ordered) if query.total else None,
        limit=query.limit,
        next=window.next,
        previous=window.previous,
        page=query.page,
    )
    return window.rows, page


def _terms_after(ordered: list[TermCount], cursor: Cursor, key: Callable[[TermCount], Key]) -> list[TermCount]:
    """The terms that a cursor points to, nearest first."""
    if not isinstance(cursor.key[0], int):
        raise invalid_cursor()
    ways = {(False, False): gt, (False, True): ge, (True, False): lt, (True, True): le}
    stands_there = ways[cursor.backward, cursor.inclusive]
    found = [term for term in ordered if stands_there(key(term), cursor.key)]
    return found[::-1] if cursor.backward else found


def count_periods(connection: Connection, by: str, reader: Reader) -> list[tuple[str, int]]:
    """Years or months of the site's zone with the number of visible posts, newest first."""
    length = 4 if by == "year" else 7
    counts: dict[str, int] = {}
    for instant, count in connection.execute(
        select(posts.c.published_at, func.count()).where(visible(reader.now)).group_by(posts.c.published_at)
    ):
        period = day_in(reader.zone, instant).isoformat()[:length]
        counts[period] = counts.get(period, 0) + count
    return sorted(counts.items(), reverse=True)


def visible_count(connection: Connection, now: datetime) -> int:
    return int(connection.execute(select(func.count()).select_from(posts).where(visible(now))).scalar_one())


def visible_addresses(connection: Connection, reader: Reader, show: Show, size: int, part: int) -> Iterator[Item]:
    """Url, permalink and last change of the visible posts, the oldest first, so that only the last part grows."""
    shape: Shape = dict.fromkeys(("url", "permalink", "updated_at"))
    statement, _ = page_of(columns_of(shape), PostFilter(), "published_at", reader)
    statement = statement.limit(size).offset(size * (part - 1))
    return _shown(connection.execution_options(yield_per=1000).execute(statement), shape, show)


def all_sources(connection: Connection, prefix: str) -> Iterator[AnyRow]:
    """Name, hash, slug and what the status depends on, of every stored post below a prefix, by name."""
    statement = (
        select(
            posts.c.source_name,
            posts.c.sha256,
            posts.c.slug,
            posts.c.draft,
            posts.c.published_at,
            posts.c.expires_at,
        )
        .where(posts.c.source_name >= prefix, posts.c.source_name < prefix + "\U0010ffff")
        .order_by(posts.c.source_name)
    )
    with connection.execution_options(yield_per=1000).execute(statement) as rows:
        yield from rows
