"""How many posts of a list have which value: one query for all facets that are counted over the same posts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Integer,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    type_coerce,
)

from app.documents.links import day_in
from app.posts.filters import HIDDEN, ListQuery
from app.posts.models import AnyRow, AnySelect, posts, terms
from app.posts.queries import TAXONOMIES, Reader, conditions, rows_of

MOST = 100  # values of a facet


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetValue:
    value: str
    count: int


def own_filter(facet: str) -> str:
    """The filter by which one of the facet's values is chosen."""
    return "published_at" if facet == "year" else facet


def count_facets(connection: Connection, query: ListQuery, reader: Reader) -> dict[str, list[FacetValue]]:
    """The values of each facet asked for, most first, then by value.

    A facet is counted over all filters but the one that chooses among its own values.
    """
    found: dict[str, list[FacetValue]] = {}
    for facets, others in _groups(query):
        rows = connection.execute(_counted(facets, others, reader)).all()
        names = _names(connection, rows, reader)
        for facet in facets:
            found[facet] = _most((_value(row, names, reader), row.posts) for row in rows if row.facet == facet)
    return {facet: found[facet] for facet in query.facets}


def _groups(query: ListQuery) -> Iterable[tuple[list[str], ListQuery]]:
    """Facets, and the filter they are counted over: one for all of those whose own filter is not in use."""
    unused = [facet for facet in query.facets if not getattr(query, own_filter(facet))]
    if unused:
        yield unused, query
    for facet in query.facets:
        if facet not in unused:
            own = own_filter(facet)
            yield [facet], query.model_copy(update={own: ListQuery.model_fields[own].default})


def _counted(facets: Iterable[str], query: ListQuery, reader: Reader) -> Any:
    """Rows of facet, key, count and, of a term, the first and the last of its spellings by code point."""
    rows = rows_of(query)
    needed = (rows.pk, *((posts.c.lang,) if "lang" in facets else ()), rows.columns.published_at)
    statement = select(*(column.label(column.key) for column in needed)).select_from(rows.source)
    found = statement.where(conditions(query, reader, rows)).cte("found")
    found = found.prefix_with("MATERIALIZED")  # several facets read it
    parts = []
    if taxonomies := [facet for facet in facets if facet in TAXONOMIES]:
        parts.append(_counted_terms(found if query.filters else None, taxonomies, reader))
    if "lang" in facets:
        parts.append(_counted_values("lang", found.c.lang))
    if "year" in facets:
        parts.append(_counted_years(found.c.published_at, reader))
    first, *others = parts
    return first.union_all(*others) if others else first


def _counted_terms(found: CTE | None, taxonomies: Iterable[str], reader: Reader) -> AnySelect:
    """The most frequent terms of the posts found, or of all, and as well those as frequent as the last of them."""
    is_asked = terms.c.taxonomy.in_(taxonomies)
    if found is None:
        uses = _uses((terms.c.taxonomy, terms.c.key), is_asked, reader).subquery()
    else:
        statement = select(terms.c.taxonomy, terms.c.key, func.count().label("posts"))
        # Asked of each term of an index; a join SQLite may begin with any of the two, and read one for each of the other.
        of_found = statement.where(is_asked, terms.c.post_pk.in_(select(found.c[0])))
        uses = of_found.group_by(terms.c.taxonomy, terms.c.key).subquery()
    place = func.rank().over(partition_by=uses.c.taxonomy, order_by=uses.c.posts.desc()).label("place")
    placed = select(uses, place).subquery()
    spelling = terms.alias()
    is_spelling = (spelling.c.taxonomy == placed.c.taxonomy) & (spelling.c.key == placed.c.key)
    first, last = (
        select(end(spelling.c.name)).where(is_spelling).scalar_subquery().label(name)
        for end, name in ((func.min, "first"), (func.max, "last"))
    )
    columns = (placed.c.taxonomy.label("facet"), placed.c.key, placed.c.posts, first, last)
    return select(*columns).where(placed.c.place <= MOST)


def _uses(columns: Iterable[ColumnElement[Any]], wanted: ColumnElement[bool], reader: Reader) -> AnySelect:
    """How many visible posts have these terms: counted in the index alone, less those of the few that are hidden."""
    hidden = select(posts.c.pk).where(conditions(HIDDEN, reader))
    every = select(*columns, func.count().label("posts")).where(wanted).group_by(*columns)
    of_hidden = select(*columns, -func.count()).where(wanted, terms.c.post_pk.in_(hidden)).group_by(*columns)
    both = every.union_all(of_hidden).subquery()
    *kept, uses = both.c
    total = cast(func.sum(uses), Integer)
    return select(*kept, total.label("posts")).group_by(*kept).having(total > 0)


def _counted_values(facet: str, value: ColumnElement[Any], shown: Callable[[Any], Any] = lambda key: key) -> AnySelect:
    counted = select(value.label("key"), func.count().label("posts")).where(value.is_not(None)).group_by(value)
    rows = counted.subquery()
    key = shown(rows.c.key)
    return select(literal(facet).label("facet"), key.label("key"), rows.c.posts, key.label("first"), key.label("last"))


def _counted_years(instant: ColumnElement[datetime], reader: Reader) -> AnySelect:
    """By an instant of each: the middle of the year; near its turn, where the zone decides, each instant itself."""
    if reader.dialect == "sqlite":
        text: ColumnElement[str] = type_coerce(instant, Text)
        is_near = func.substr(text, 6, 5).in_(("12-31", "01-01"))
        return _counted_values("year", case((is_near, text), else_=func.substr(text, 1, 4) + "-07-01T00:00:00Z"))
    is_near = func.date_part("doy", instant).in_((1, 365, 366))
    middle = func.date_trunc("year", instant) + timedelta(days=182)
    as_text = partial(func.to_char, type_=Text)
    return _counted_values(
        "year", case((is_near, instant), else_=middle), lambda key: as_text(key, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    )


def _names(connection: Connection, rows: Iterable[AnyRow], reader: Reader) -> dict[tuple[str, str], str]:
    """The spelling that most visible posts use, of the terms that have several."""
    wanted = [(row.facet, row.key) for row in rows if row.first != row.last]
    if not wanted:
        return {}
    columns = (terms.c.taxonomy, terms.c.key, terms.c.name)
    rows = connection.execute(_uses(columns, tuple_(terms.c.taxonomy, terms.c.key).in_(wanted), reader)).all()
    ordered = sorted(rows, key=lambda row: (-row.posts, row.name), reverse=True)  # the last of a key stays
    return {(row.taxonomy, row.key): row.name for row in ordered}


def _value(row: AnyRow, names: dict[tuple[str, str], str], reader: Reader) -> str:
    if row.facet != "year":
        return names.get((row.facet, row.key)) or str(row.first)
    return f"{day_in(reader.zone, datetime.fromisoformat(row.key)).year:04}"


def _most(counted: Iterable[tuple[str, int]]) -> list[FacetValue]:
    counts: dict[str, int] = {}
    for value, count in counted:
        counts[value] = counts.get(value, 0) + count
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [FacetValue(value=value, count=count) for value, count in ordered[:MOST]]
