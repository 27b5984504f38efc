"""From a filter to SQL. What is visible is decided here and nowhere else."""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select, tuple_

from app.documents.dates import Period, parse_period
from app.documents.document import comparable
from app.documents.language import canonical
from app.documents.normalize import term_key
from app.errors import QueryError
from app.posts.cursor import Cursor, Key, invalid_cursor
from app.posts.filters import RANGES, FieldFilter, PostFilter, Status
from app.posts.models import AnySelect, UTCDateTime, aliases, field_values, posts, terms
from app.search import index
from app.search.query import parse

TAXONOMIES = ("category", "tag", "author")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
UNDATED = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # where drafts without a date stand in lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, when and where: the clock, the site's zone, the front-matter keys withheld, SQLAlchemy's dialect."""

    now: datetime
    zone: ZoneInfo
    is_private: Callable[[str], bool]
    dialect: str


def visible(now: datetime) -> ColumnElement[bool]:
    """Published: no draft, its instant has come and it has not expired."""
    return _has_status("published", now)


def _has_status(status: Status, now: datetime) -> ColumnElement[bool]:
    is_draft = posts.c.draft.is_(True)
    not_draft = posts.c.draft.is_(False)
    expired = posts.c.expires_at <= now
    not_expired = or_(posts.c.expires_at.is_(None), posts.c.expires_at > now)
    conditions: dict[Status, ColumnElement[bool]] = {
        "draft": is_draft,
        "expired": and_(not_draft, expired),
        "scheduled": and_(not_draft, not_expired, posts.c.published_at > now),
        "published": and_(not_draft, not_expired, posts.c.published_at <= now),
    }
    return conditions[status]


def status_of(row: Any, now: datetime) -> Status:
    """The status of one row, by the rule of `visible`."""
    if row.draft:
        return "draft"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "scheduled" if row.published_at > now else "published"


def conditions(query: PostFilter, reader: Reader) -> ColumnElement[bool]:
    """All that a filter asks for, as one condition on `post`.

    Raises QueryError naming the parameter that cannot be answered.
    """
    return and_(
        or_(*(_has_status(status, reader.now) for status in sorted(query.statuses))),
        *_term_conditions(query),
        *_range_conditions(query, reader.zone),
        *_value_conditions(query),
        *(_field_condition(field, reader) for field in query.front_matter),
        *(() if query.q is None else (index.condition(parse(query.q), reader.dialect, posts.c.pk),)),
    )


def _term_conditions(query: PostFilter) -> Iterable[ColumnElement[bool]]:
    for taxonomy in TAXONOMIES:
        if any_of := getattr(query, taxonomy):
            yield _has_term(taxonomy, any_of)
        for name in getattr(query, f"{taxonomy}__all"):
            yield _has_term(taxonomy, [name])
        if none_of := getattr(query, f"{taxonomy}__not"):
            yield not_(_has_term(taxonomy, none_of))


def _has_term(taxonomy: str, names: list[str]) -> ColumnElement[bool]:
    keys = sorted({comparable(term_key(name)) for name in names})
    return posts.c.pk.in_(select(terms.c.post_pk).where(terms.c.taxonomy == taxonomy, terms.c.key.in_(keys)))


def _range_conditions(query: PostFilter, zone: ZoneInfo) -> Iterable[ColumnElement[bool]]:
    for name in ("published_at", "updated_at"):
        for operator in ("", *RANGES):
            period = query.period(f"{name}__{operator}" if operator else name, zone)
            if period is not None:
                yield _in_period(posts.c[name], operator, period)
    for operator in ("", *RANGES):
        number = getattr(query, f"reading_time__{operator}" if operator else "reading_time")
        if number is not None:
            yield _compare(posts.c.reading_time, operator, number)


def _in_period(column: ColumnElement[Any], operator: str, period: Period) -> ColumnElement[bool]:
    """A partial date is a period: `gte` and `lt` take its start, `lte` and `gt` its end."""
    match operator:
        case "gte":
            return column >= period.start
        case "lt":
            return column < period.start
        case "lte":
            return column < period.end
        case "gt":
            return column >= period.end
        case _:
            return and_(column >= period.start, column < period.end)


def _compare(column: ColumnElement[Any], operator: str, value: float) -> ColumnElement[bool]:
    match operator:
        case "gte":
            return column >= value
        case "gt":
            return column > value
        case "lte":
            return column <= value
        case "lt":
            return column < value
        case _:
            return column == value


def _value_conditions(query: PostFilter) -> Iterable[ColumnElement[bool]]:
    if query.lang:
        yield posts.c.lang.in_([canonical(tag) or tag for tag in query.lang])
    if query.layout:
        yield posts.c.layout.in_(query.layout)
    if query.id:
        yield posts.c.id.in_(query.id)
    if query.slug:
        yield posts.c.slug.in_([unicodedata.normalize("NFC", slug) for slug in query.slug])
    if query.alias:
        values = [comparable(value) for value in query.alias]
        yield posts.c.pk.in_(select(aliases.c.post_pk).where(aliases.c.kind == "path", aliases.c.value.in_(values)))


def _field_condition(field: FieldFilter, reader: Reader) -> ColumnElement[bool]:
    if reader.is_private(field.path):
        raise QueryError(f"{field.path} is private", parameter=field.parameter, code="private_field")
    if field.operator in RANGES:
        return and_(*(_has_field(field.path, _field_range(field, value, reader.zone)) for value in field.values))
    has = [_has_field(field.path, field_values.c.text == comparable(value)) for value in field.values]
    if field.operator == "not":
        return not_(or_(*has))
    return and_(*has) if field.operator == "all" else or_(*has)


def _has_field(path: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return posts.c.pk.in_(select(field_values.c.post_pk).where(field_values.c.path == comparable(path), condition))


def _field_range(field: FieldFilter, value: str, zone: ZoneInfo) -> ColumnElement[bool]:
    """Numbers compare with numbers and dates with dates; `2025` is either."""
    readings: list[ColumnElement[bool]] = []
    if NUMBER.fullmatch(value.strip()):
        readings.append(_compare(field_values.c.number, field.operator, float(value)))
    try:
        readings.append(_in_period(field_values.c.instant, field.operator, parse_period(value, zone=zone)))
    except (ValueError, OverflowError) as error:
        if not readings:
            raise QueryError(
                f"{value[:100]!r} is neither a number nor a date",
                parameter=field.parameter,
                hint="ranges compare numbers and dates",
            ) from error
    return or_(*readings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A total order: a column, then the source name by code point, both in the sort's direction."""

    column: ColumnElement[Any]
    descending: bool
    is_time: bool

    @classmethod
    def of(cls, sort: str, statuses: Iterable[Status]) -> "Order":
        name = sort.removeprefix("-")
        column: ColumnElement[Any] = posts.c["title_key" if name == "title" else name]
        if name == "published_at" and "draft" in statuses:
            column = func.coalesce(column, literal(UNDATED, UTCDateTime))
        return cls(column=column, descending=sort.startswith("-"), is_time=name != "title")

    def sorted(self, statement: AnySelect, *, backward: bool = False) -> AnySelect:
        if self.descending != backward:
            return statement.order_by(self.column.desc(), posts.c.source_name.desc())
        return statement.order_by(self.column, posts.c.source_name)

    def after(self, cursor: Cursor) -> ColumnElement[bool]:
        """The posts that a cursor points to.

        Raises QueryError where its key is none of this order's.
        """
        value, name = cursor.key
        position = tuple_(self.column, posts.c.source_name)
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
    order: Order,
    reader: Reader,
    *,
    cursor: Cursor | None,
    limit: int | None,
    offset: int = 0,
) -> AnySelect:
    """The posts of one page, in the order's direction or, for a backward cursor, against it."""
    backward = cursor is not None and cursor.backward
    statement: AnySelect = select(*columns, order.column.label("sort_value")).where(conditions(query, reader))
    if cursor is not None:
        statement = statement.where(order.after(cursor))
    statement = order.sorted(statement, backward=backward).limit(limit)
    return statement.offset(offset) if offset else statement


def best_of(
    columns: Iterable[ColumnElement[Any]], query: PostFilter, reader: Reader, *, limit: int, offset: int
) -> AnySelect:
    """The posts that a search finds, the best first; equals by time, then by source name."""
    ranked = index.rank(parse(query.q or ""), reader.dialect, posts.c.pk)
    rest = query.model_copy(update={"q": None})
    newest = Order.of("-published_at", query.statuses)
    statement: AnySelect = select(*columns).join(ranked, ranked.c.pk == posts.c.pk).where(conditions(rest, reader))
    statement = newest.sorted(statement.order_by(ranked.c.score.desc()))
    return statement.limit(limit).offset(offset)


def count_of(query: PostFilter, reader: Reader) -> Select[int]:
    return select(func.count()).select_from(posts).where(conditions(query, reader))


def neighbour_of(
    columns: Iterable[ColumnElement[Any]], row: Any, query: PostFilter, reader: Reader, *, older: bool
) -> AnySelect:
    """The next post in time among those of the filter; the post itself need not be one of them."""
    order = Order.of("-published_at", ("published",))
    here = Cursor(key=(row.published_at.isoformat(), row.source_name), backward=not older)
    statement: AnySelect = select(*columns).where(conditions(query, reader), order.after(here))
    return order.sorted(statement, backward=not older).limit(1)
