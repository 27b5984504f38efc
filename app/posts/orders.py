"""Lists in a total order: their posts from any place on, the best of a search, how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, true, tuple_
from sqlalchemy.sql.visitors import iterate

from app.posts.cursor import Key, invalid_cursor
from app.posts.filters import PostFilter, Status
from app.posts.models import AnySelect, ShownInstant, UTCDateTime, posts
from app.posts.queries import POSTS, Reader, Rows, conditions, keys_given, rows_of
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
        least = {"updated_at": BEGINNING, "title_key": ""}.get(self.column.key or "")
        return true() if least is None else self.column >= least

    def after(self, way: "Way") -> ColumnElement[bool]:
        """The posts after a place, or before it: where it is, the parameters of `place` say."""
        position = tuple_(self.column, self.tie)
        bound = tuple_(bindparam("value", type_=self.column.type), bindparam("tie", type_=self.tie.type))
        if self.descending != way.backward:
            return position <= bound if way.inclusive else position < bound
        return position >= bound if way.inclusive else position > bound

    def place(self, key: Key) -> dict[str, Any]:
        """Where a cursor's key stands, as the parameters that `after` asks for.

        Raises QueryError for a key that is none of this order's.
        """
        value, tie = key
        if not isinstance(value, str):
            raise invalid_cursor()
        return {"value": _instant(value) if self.is_time else value, "tie": tie}

    @property
    def shown(self) -> ColumnElement[str]:
        """What the key of a row is made of, beside its source name."""
        column = ShownInstant(self.column) if self.is_time else self.column
        return column.label("sort_value")


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        in_utc = instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise invalid_cursor() from error
    if instant.tzinfo is None:
        raise invalid_cursor()
    return in_utc


def key_of(row: Any) -> Key:
    """Where a row stands in the order it was read in."""
    return row.sort_value, row.source_name


class Way(NamedTuple):
    """From a place on in the order or back; with what stands there, or without."""

    backward: bool = False
    inclusive: bool = False


def page_of(
    columns: Iterable[ColumnElement[Any]], query: PostFilter, sort: str, reader: Reader, way: Way | None = None
) -> tuple[AnySelect, Order]:
    """The posts of a list in its order, or against it where the way leads back; from a place on where there is a way."""
    rows = rows_of(query)
    order = Order.of(sort, query.statuses, rows)
    statement: AnySelect = select(*columns, order.shown).select_from(rows.source)
    if way is not None:  # first: of two bounds SQLite's index takes the one that comes before the other
        statement = statement.where(order.after(way))
    statement = statement.where(conditions(query, reader, rows), order.everything())
    return order.sorted(statement, backward=way is not None and way.backward), order


def best_of(
    columns: Iterable[ColumnElement[Any]],
    query: PostFilter,
    reader: Reader,
    *,
    counted: bool = False,
    hidden: bool = False,
) -> AnySelect:
    """The posts that a search finds, the best first; equals in the order given, by time and then by source name.

    Where they are to be counted, each row has how many they are as its `total`: finding them twice takes twice as long.
    With `hidden`, a parameter of this name has the keys of all that are found and are no posts of this list.
    """
    ranked = index.rank(parse(query.q or ""), reader.dialect, posts.c.pk)
    rest = conditions(query.model_copy(update={"q": None}), reader)
    newest = Order.of("-published_at", query.statuses)

    if hidden:
        among = select(func.count()).where(ranked.c.pk.not_in(keys_given("hidden", reader.dialect)))
    else:
        among = select(func.count()).select_from(posts).where(posts.c.pk.in_(select(ranked.c.pk)), rest)
    # Without the hints SQLite walks all posts by date, looking for each among those found.
    total = among.with_hint(posts, "NOT INDEXED", "sqlite").scalar_subquery().label("total")
    statement: AnySelect = select(*columns, *((total,) if counted else ()))
    statement = statement.join_from(posts, ranked, ranked.c.pk == posts.c.pk).where(rest)
    statement = statement.with_hint(posts, "NOT INDEXED", "sqlite")
    return newest.sorted(statement.order_by(ranked.c.score.desc()))


def count_of(query: PostFilter, reader: Reader) -> Select[int]:
    rows = rows_of(query)
    wanted = conditions(query, reader, rows)
    is_of_posts = any(getattr(part, "table", None) is posts for part in iterate(wanted))
    return select(func.count()).select_from(rows.source if is_of_posts else rows.table).where(wanted)
