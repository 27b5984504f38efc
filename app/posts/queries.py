"""From a filter to a condition in SQL. What is visible is decided here and nowhere else."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    column,
    exists,
    func,
    not_,
    or_,
    select,
)

from app.documents.dates import Period, parse_period
from app.documents.language import canonical
from app.documents.leaves import comparable
from app.documents.normalize import term_key
from app.errors import QueryError
from app.posts.filters import RANGES, FieldFilter, PostFilter, Status
from app.posts.models import UTCDateTime, aliases, field_values, posts, terms
from app.search import index
from app.search.query import parse

Q = TypeVar("Q", bound=PostFilter)
TAXONOMIES = ("category", "tag", "author")
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads, when and where: the clock, the site's zone, patterns of the front-matter keys withheld, the dialect.

    In a statement that is prepared the clock is a parameter.
    """

    now: Any  # datetime or NOW
    zone: ZoneInfo
    withheld: tuple[str, ...]
    dialect: str

    @property
    def prepared(self) -> "Reader":
        """The reader of statements that are prepared, whatever the time."""
        return replace(self, now=NOW)

    def is_private(self, path: str) -> bool:
        return leads_through(path, self.withheld)


NOW = bindparam("now", type_=UTCDateTime)


def leads_through(path: str, patterns: Iterable[str]) -> bool:
    """Whether a dotted path leads through a key that one of the patterns names."""
    return any(fnmatchcase(part, pattern) for part in path.split(".") for pattern in patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What a filter is asked of: the posts, or the rows of one term, which repeat what lists are sorted by.

    `table` has the dates, `draft` and `source_name`; `source` has the columns of `post` as well.
    """

    table: Table
    source: FromClause
    pk: ColumnElement[int]
    term: tuple[str, str] | None  # taxonomy and key

    @property
    def columns(self) -> Any:
        return self.table.c


POSTS = Rows(table=posts, source=posts, pk=posts.c.pk, term=None)
TERMS = Rows(table=terms, source=terms, pk=terms.c.post_pk, term=None)
# An outer join can only begin with the term, whose index has the order; no term is without its post.
_OF_TERM = terms.outerjoin(posts, posts.c.pk == terms.c.post_pk)


def rows_of(query: PostFilter) -> Rows:
    """The rows of a term that every post of the filter has, where there is one; else the posts."""
    for taxonomy in ("tag", "author", "category"):  # a tag is on fewer posts than a category
        any_of = _keys(getattr(query, taxonomy))
        keys = any_of if len(any_of) == 1 else _keys(getattr(query, f"{taxonomy}__all"))
        if keys:
            return Rows(table=terms, source=_OF_TERM, pk=terms.c.post_pk, term=(taxonomy, keys[0]))
    return POSTS


def _keys(names: Iterable[str]) -> list[str]:
    return sorted({comparable(term_key(name)) for name in names})


def visible(now: Any, rows: Rows = POSTS) -> ColumnElement[bool]:
    """Published: no draft, its instant has come and it has not expired."""
    return _has_status("published", now, rows)


def _has_status(status: Status, now: Any, rows: Rows) -> ColumnElement[bool]:
    columns = rows.columns
    is_draft, not_draft = columns.draft.is_(True), columns.draft.is_(False)
    expired = columns.expires_at <= now
    not_expired = or_(columns.expires_at.is_(None), columns.expires_at > now)
    conditions: dict[Status, ColumnElement[bool]] = {
        "draft": is_draft,
        "expired": and_(not_draft, expired),
        "scheduled": and_(not_draft, not_expired, columns.published_at > now),
        "published": and_(not_draft, not_expired, columns.published_at <= now),
    }
    return conditions[status]


def status_of(row: Any, now: datetime | str) -> Status:
    """The status of one row, by the rule of `visible`; its instants are of the kind of `now`, texts or not."""
    if row.draft:
        return "draft"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "scheduled" if row.published_at > now else "published"


def conditions(query: PostFilter, reader: Reader, rows: Rows = POSTS) -> ColumnElement[bool]:
    """All that a filter asks for, as one condition on the rows.

    Raises QueryError naming the parameter that cannot be answered.
    """
    return and_(
        *_term_conditions(query, rows),
        *_range_conditions(query, reader.zone, rows),  # first: of two bounds SQLite's index begins at the one before
        or_(*(_has_status(status, reader.now, rows) for status in sorted(query.statuses))),
        *_value_conditions(query, rows),
        *(_field_condition(field, reader, rows) for field in query.front_matter),
        *(() if query.q is None else (index.condition(parse(query.q), reader.dialect, rows.pk),)),
    )


def searched(query: Q, reader: Reader) -> tuple[Q, dict[str, Any]]:
    """A filter with the same statements, whatever is searched for; and what they must be given to answer this one.

    Raises QueryError.
    """
    if query.q is None:
        return query, {}
    sought = parse(query.q)
    return query.model_copy(update={"q": index.pattern(sought)}), index.parameters(sought, reader.dialect)


def keys_given(name: str, dialect: str) -> Select[int]:
    """The keys that a parameter of this name says, as `given_keys` makes it of them."""
    if dialect == "sqlite":
        return select(func.json_each(bindparam(name, type_=Text)).table_valued(column("value", Integer)).c.value)
    return select(func.unnest(bindparam(name, type_=ARRAY(Integer))))


def given_keys(pks: Iterable[int], dialect: str) -> Any:
    return orjson.dumps(list(pks)).decode() if dialect == "sqlite" else list(pks)


def _term_conditions(query: PostFilter, rows: Rows) -> Iterable[ColumnElement[bool]]:
    if rows.term is not None:
        yield terms.c.taxonomy == rows.term[0]
        yield terms.c.key == rows.term[1]
    for taxonomy in TAXONOMIES:
        any_of, all_of = _keys(getattr(query, taxonomy)), _keys(getattr(query, f"{taxonomy}__all"))
        for keys in filter(None, (any_of, *([key] for key in all_of))):
            if rows.term is None or [(taxonomy, key) for key in keys] != [rows.term]:
                yield _has_term(taxonomy, keys, rows)
        if none_of := _keys(getattr(query, f"{taxonomy}__not")):
            yield not_(_has_term(taxonomy, none_of, rows))


def _has_term(taxonomy: str, keys: list[str], rows: Rows) -> ColumnElement[bool]:
    other = terms.alias()
    wanted = and_(other.c.taxonomy == taxonomy, other.c.key.in_(keys))
    if rows.term is None:
        return rows.pk.in_(select(other.c.post_pk).where(wanted))
    # Asked of one row after the other, in their order. Without a bound on the last part of its key SQLite would ask
    # all posts of that term each time.
    return exists().where(other.c.post_pk == rows.pk, wanted, other.c.position >= 0)


def _range_conditions(query: PostFilter, zone: ZoneInfo, rows: Rows) -> Iterable[ColumnElement[bool]]:
    for name in ("published_at", "updated_at"):
        for operator in ("", *RANGES):
            period = query.period(f"{name}__{operator}" if operator else name, zone)
            if period is not None:
                yield _in_period(rows.columns[name], operator, period)
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


def _value_conditions(query: PostFilter, rows: Rows) -> Iterable[ColumnElement[bool]]:
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
        yield rows.pk.in_(select(aliases.c.post_pk).where(aliases.c.kind == "path", aliases.c.value.in_(values)))


def _field_condition(field: FieldFilter, reader: Reader, rows: Rows) -> ColumnElement[bool]:
    if reader.is_private(field.path):
        raise QueryError(f"{field.path} is private", parameter=field.parameter, code="private_field")
    if field.operator in RANGES:
        ranges = (_field_range(field, value, reader.zone) for value in field.values)
        return and_(*(_has_field(field.path, condition, rows) for condition in ranges))
    has = [_has_field(field.path, field_values.c.text == comparable(value), rows) for value in field.values]
    if field.operator == "not":
        return not_(or_(*has))
    return and_(*has) if field.operator == "all" else or_(*has)


def _has_field(path: str, condition: ColumnElement[bool], rows: Rows) -> ColumnElement[bool]:
    return rows.pk.in_(select(field_values.c.post_pk).where(field_values.c.path == comparable(path), condition))


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
