"""How many posts a list has: counted once in an epoch, whatever is shown of them and in which order."""

from collections.abc import Hashable
from functools import lru_cache

from sqlalchemy import Dialect, func, select

from app.posts.epochs import Snapshot
from app.posts.filters import ListQuery
from app.posts.models import posts
from app.posts.orders import count_of
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import TAXONOMIES, Reader, searched

COUNTED = 20_000  # posts that an index counts in well under a millisecond


def total_of(snapshot: Snapshot, query: ListQuery, reader: Reader) -> int:
    """How many posts a list has. In a hurry it must be one that `is_short` holds of. Raises QueryError, Unhurried."""
    connection = snapshot.connection

    def count() -> int:
        ((found,),) = _count(query.of_posts, reader.prepared, connection.dialect).rows(connection, now=reader.now)
        return int(found)

    is_lasting = is_of_places(query)
    is_short = snapshot.is_hurried and is_lasting and highest_key(snapshot) <= COUNTED
    key = total_key(query, reader)
    return snapshot.once(key, count, is_kept=not query.is_long, is_short=is_short, is_lasting=is_lasting)


@remembered
def is_of_places(query: ListQuery) -> bool:
    """Whether a list asks for no more than terms and appearance: for what an index has whole, and no text changes."""
    return all(name in TAXONOMIES or name.partition("__")[0] == "published_at" for name in query.filters)


def highest_key(snapshot: Snapshot) -> int:
    """The highest key of a post: there are no more posts than that."""

    def find() -> int:
        ((key,),) = _highest(snapshot.connection.dialect).rows(snapshot.connection)
        return key or 0

    return snapshot.once("highest", find, is_short=True, is_lasting=True)


def total_key(query: ListQuery, reader: Reader) -> Hashable:
    """Under which an epoch has the total of a list, whose first page `query` is."""
    return "total", query.of_posts, reader.withheld


def _count(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    kind, sought = searched(query, reader)
    return _count_of_kind(kind, reader, dialect).given(sought)


@lru_cache(maxsize=8)
def _highest(dialect: Dialect) -> Prepared:
    return Prepared(select(func.max(posts.c.pk)), dialect)


@remembered
def _count_of_kind(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    return Prepared(count_of(query, reader), dialect)
