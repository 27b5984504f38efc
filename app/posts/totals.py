"""How many posts a list has: counted once in an epoch, whatever is shown of them and in which order."""

from collections.abc import Hashable

from sqlalchemy import Dialect

from app.posts.epochs import Snapshot
from app.posts.filters import ListQuery
from app.posts.orders import count_of
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import Reader, searched


def total_of(snapshot: Snapshot, query: ListQuery, reader: Reader) -> int:
    """Raises QueryError, Unhurried."""
    connection = snapshot.connection

    def count() -> int:
        ((found,),) = _count(query.of_posts, reader.prepared, connection.dialect).rows(connection, now=reader.now)
        return int(found)

    return snapshot.once(total_key(query, reader), count, is_kept=not query.is_long)


def total_key(query: ListQuery, reader: Reader) -> Hashable:
    """Under which an epoch has the total of a list, whose first page `query` is."""
    return "total", query.of_posts, reader.withheld


def _count(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    kind, sought = searched(query, reader)
    return _count_of_kind(kind, reader, dialect).given(sought)


@remembered
def _count_of_kind(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    return Prepared(count_of(query, reader), dialect)
