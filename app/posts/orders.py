"""Lists in a total order: one page, the best, the neighbours of a post, how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, true, tuple_
from sqlalchemy.sql.visitors import iterate

from app.posts.cursor import Cursor, Key, invalid_cursor
from app.posts.filters import PostFilter, Status
from app.posts.models import AnySelect, UTCDateTime, posts
from app.posts.queries import POSTS, Reader, Rows, conditions, rows_of
from app.search import index
from app.search.query import parse

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
UNDATED = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # where drafts without a date stand in lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A total order: a column, then the source name by code point, both in the sort's direction."""

    column: ColumnElement[Any]
    tie: ColumnElement[str]
    descending: bool
    is_time: bool

    @classmethod
    def of(cls, sort: str, statuses: Iterable[Status], rows: Rows = POSTS) -> "Order":
        name = sort.removeprefix("-")
        column: ColumnElement[Any] = posts.c.title_key if name == "title" else rows.columns[name]
        if name == "published_at" and "draft" in statuses:
            column = func.coalesce(column, literal(UNDATED, UTCDateTime))
        return cls(
            column=column, tie=rows.columns.source_name, descending=sort.startswith("-"), is_time=name != "title"
        )

    def sorted(self, statement: AnySelect, *, backward: bool = False) -> AnySelect:
        if self.descending != backward:
            return statement.order_by(self.column.desc(), self.tie.desc())
        return statement.order_by(self.column, self.tie)

    def everything(self) -> ColumnElement[bool]:
        """True of every post: without a bound of its own SQLite takes the order's index for worse than another."""
        return self.column >= BEGINNING if self.column.key == "updated_at" else true()

    def after(self, cursor: Cursor) -> ColumnElement[bool]:
        """The posts that a cursor points to.

        Raises QueryError where its key is none of this order's.
        """
        value, name = cursor.key
        position = tuple_(self.column, self.tie)
        bound = tuple_(literal(self._value(value), self.column.type), literal(name))
        if self.descending != cursor.backward:
            return position <= bound if cursor.inclusive else position < bound
        return position >= bound if cursor.inclusive else position > bound

    def _value(self, value: str | int) -> str | datetime:
        if not isinstance(value, str):
            raise invalid_cursor()
        if not self.is_time:
            return value
        try:
            instant = datetime.fromisoformat(value)
            in_utc = instant.astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise invalid_cursor() from error
        if instant.tzinfo is None:
            raise invalid_cursor()
        return in_utc

    def key(self, row: Any) -> Key:
        value = row.sort_value
        return (value.isoformat() if self.is_time else value, row.source_name)


def page_of(  # noqa: PLR0913 - what a page of a list is made of
    columns: Iterable[ColumnElement[Any]],
    query: PostFilter,
    sort: str,
    reader: Reader,
    *,
    cursor: Cursor | None,
    limit: int | None,
    offset: int = 0,
) -> tuple[AnySelect, Order]:
    """The posts of one page, in the order's direction or, for a backward cursor, against it."""
    rows = rows_of(query)
    order = Order.of(sort, query.statuses, rows)
    backward = cursor is not None and cursor.backward
    statement: AnySelect = select(*columns, order.column.label("sort_value")).select_from(rows.source)
    statement = statement.where(conditions(query, reader, rows), order.everything())
    if cursor is not None:
        statement = statement.where(order.after(cursor))
    statement = order.sorted(statement, backward=backward).limit(limit)
    return (statement.offset(offset) if offset else statement), order


def best_of(
    columns: Iterable[ColumnElement[Any]], query: PostFilter, reader: Reader, *, limit: int, offset: int
) -> AnySelect:
    """The posts that a search finds, the best first; equals by time, then by source name."""
    ranked = index.rank(parse(query.q or ""), reader.dialect, posts.c.pk)
    rest = query.model_copy(update={"q": None})
    newest = Order.of("-published_at", query.statuses)
    found = ranked.join(posts, posts.c.pk == ranked.c.pk)
    statement: AnySelect = select(*columns).select_from(found).where(conditions(rest, reader))
    # Else SQLite walks all posts by date, looking for each among those found.
    statement = statement.with_hint(posts, "NOT INDEXED", "sqlite")
    statement = newest.sorted(statement.order_by(ranked.c.score.desc()))
    return statement.limit(limit).offset(offset)


def count_of(query: PostFilter, reader: Reader) -> Select[int]:
    rows = rows_of(query)
    wanted = conditions(query, reader, rows)
    is_of_posts = any(getattr(part, "table", None) is posts for part in iterate(wanted))
    return select(func.count()).select_from(rows.source if is_of_posts else rows.table).where(wanted)


def neighbour_of(
    columns: Iterable[ColumnElement[Any]], row: Any, query: PostFilter, reader: Reader, *, older: bool
) -> AnySelect:
    """The next post in time among those of the filter; the post itself need not be one of them."""
    here = Cursor(key=(row.published_at.isoformat(), row.source_name), backward=not older)
    statement, _ = page_of(columns, query, "-published_at", reader, cursor=here, limit=1)
    return statement
