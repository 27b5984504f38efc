"""The best posts of a search, ranked once in an epoch as far as somebody has read on.

Where the posts are not many and few of them are found, that takes no longer than to read a list.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, Integer, bindparam, select

from app.posts.cursor import Cursor, encode_cursor, invalid_cursor
from app.posts.epochs import Snapshot, Unhurried
from app.posts.filters import BEST, HIDDEN, ListQuery
from app.posts.models import posts
from app.posts.orders import best_of
from app.posts.pages import Window
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import Reader, conditions, given_keys, searched
from app.posts.totals import highest_key, total_key
from app.search.query import parse

FEW = 500  # posts that are looked up among those found in well under a millisecond
QUICK = 1_200  # posts that are ranked in a millisecond: the way to a thread and back takes longer
SMALL = 10_000  # posts; what SQLite's index has of words that stand in all of them is read in a millisecond
SHORT = 8  # tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranking:
    """The keys of the best posts, the best first: `depth` of them, or all there are."""

    pks: Sequence[int]
    depth: int

    def reaches(self, depth: int) -> bool:
        return self.depth >= depth or len(self.pks) < self.depth


_UNTRIED = _Ranking(pks=(), depth=0)


def best_page(snapshot: Snapshot, query: ListQuery, reader: Reader, cursor: Cursor | None) -> Window:
    """The keys of the posts of a page. Raises QueryError, Unhurried.

    Its cursor is an offset: scores shift with every change, and have no place to go on from.
    """
    start = ((query.page or 1) - 1) * query.limit if cursor is None else cursor.key[0]
    if not isinstance(start, int) or start < 0:
        raise invalid_cursor()
    limit = max(0, min(query.limit, BEST - start))
    end = min(start + limit + 1, BEST)
    ranked = _ranked(snapshot, query, reader, BEST if start else end) if limit else ()
    found = list(ranked[start:end])

    def way(offset: int) -> dict[str, str]:
        if query.page is not None:
            return {"page": str(offset // query.limit + 1)}
        return {"cursor": encode_cursor(Cursor(key=(offset, "")), query.identity)}

    return Window(
        rows=found[:limit],
        next=way(start + query.limit) if len(found) > limit else None,
        previous=way(max(0, start - query.limit)) if start else None,
    )


def _ranked(snapshot: Snapshot, query: ListQuery, reader: Reader, depth: int) -> Sequence[int]:
    """The keys of the `depth` best posts, and perhaps more. Raises QueryError, Unhurried."""
    kind = query.of_first_page
    key = "best", kind.of_posts, reader.withheld
    known: _Ranking | None = snapshot.epoch.known.get(key)
    if known is not None and known.reaches(depth):
        return known.pks
    hidden = _hidden(snapshot, kind, reader)
    if snapshot.is_hurried and (known is not None or hidden is None or not _is_quick(snapshot, kind)):
        raise Unhurried
    is_counted = query.total or snapshot.is_hurried
    prepared = _statement(kind, reader.prepared, snapshot.connection.dialect, is_counted, hidden is not None)
    given: dict[str, Any] = {} if hidden is None else {"hidden": given_keys(hidden, reader.dialect)}
    if snapshot.is_hurried:
        given["search_most"] = QUICK + len(hidden or ()) + 1
    rows = prepared.rows(snapshot.connection, now=reader.now, limit=depth, **given)
    total = rows[0].total if rows and is_counted else 0
    is_tried = not snapshot.is_hurried or total <= QUICK
    ranking = _Ranking(pks=array("i", (row.pk for row in rows)), depth=depth) if is_tried else _UNTRIED
    if not kind.is_long:
        snapshot.keep(key, ranking)
        if is_counted and is_tried:
            snapshot.keep(total_key(kind, reader), total)
    if not is_tried:
        raise Unhurried
    return ranking.pks


def _is_quick(snapshot: Snapshot, query: ListQuery) -> bool:
    """Whether SQLite's index tells at once which posts are found, or that they are many."""
    sought = parse(query.q or "")
    if not sought.required or sought.excluded or any(phrase.is_open for phrase in sought.required):
        return (
            False  # many that are not wanted may be read before one that is, and of the beginning of a word all words
        )
    tokens = sum(len(phrase.tokens) for phrase in sought.required)
    return tokens <= SHORT and highest_key(snapshot) <= SMALL


def _hidden(snapshot: Snapshot, query: ListQuery, reader: Reader) -> Sequence[int] | None:
    """The posts that are not visible, where they are few and nothing else keeps a post from being found.

    SQLite, which has to look for each post in a large table, needs not ask then whether those it finds are visible.
    """

    def find() -> Sequence[int] | None:
        rows = _few_hidden(reader.prepared, snapshot.connection.dialect).rows(snapshot.connection, now=reader.now)
        return array("i", (row.pk for row in rows)) if len(rows) <= FEW else None

    if reader.dialect != "sqlite" or query.filters != {"q"}:
        return None
    return snapshot.once("hidden", find, is_short=True, is_lasting=True)


def _statement(query: ListQuery, reader: Reader, dialect: Dialect, is_counted: bool, is_known: bool) -> Prepared:
    kind, sought = searched(query.of_posts, reader)
    return _statement_of_kind(kind, reader, dialect, is_counted, is_known).given(sought)


@remembered
def _statement_of_kind(
    query: ListQuery, reader: Reader, dialect: Dialect, is_counted: bool, is_known: bool
) -> Prepared:
    statement = best_of([posts.c.pk], query, reader, counted=is_counted, hidden=is_known)
    return Prepared(statement.limit(bindparam("limit", type_=Integer)), dialect)


@lru_cache(maxsize=8)
def _few_hidden(reader: Reader, dialect: Dialect) -> Prepared:
    return Prepared(select(posts.c.pk).where(conditions(HIDDEN, reader)).limit(FEW + 1), dialect)
