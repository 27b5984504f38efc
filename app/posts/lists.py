"""Pages of lists: which posts they have, by one query that reads an index; their items, made once in an epoch.

One query more where some are new, one to count, one to highlight; each prepared once for all that ask alike.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Dialect, Integer, bindparam, select

from app.posts.cursor import Cursor, Key, decode_cursor, encode_cursor, invalid_cursor
from app.posts.epochs import MOST, Snapshot, Unhurried
from app.posts.fields import SUMMARY, Shape, Show, columns_of, needs_bodies, shape_of, show_post
from app.posts.filters import BEST, ListQuery
from app.posts.models import AnySelect, bodies, posts
from app.posts.orders import Order, Way, best_of, count_of, key_of, page_of
from app.posts.pages import Page, Window, window_of
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import TAXONOMIES, Reader, rows_of, searched
from app.search.highlight import highlights
from app.search.query import parse

NEAR = 1_000  # posts to step over
LIMIT, OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=BigInteger)


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """What is the same for all pages of a list."""

    shape: Shape
    page: Prepared
    order: Order  # by relevance, of equals
    keys: Prepared | None  # the page with no more than tells which posts it has; None where their items are not kept


def _list(query: ListQuery, way: Way | None, reader: Reader, dialect: Dialect, *, counted: bool = False) -> _List:
    kind, sought = searched(query, reader)
    found = _list_of_kind(kind, way, reader, dialect, counted=counted)
    keys = found.keys and found.keys.given(sought)
    return replace(found, page=found.page.given(sought), keys=keys) if sought else found


@remembered
def _list_of_kind(query: ListQuery, way: Way | None, reader: Reader, dialect: Dialect, *, counted: bool) -> _List:
    shape = shape_of(query.fields, query.include, SUMMARY, detail=False)
    columns = columns_of(shape, posts.c.pk, *((posts.c.title,) if query.highlight else ()))
    if query.order == "relevance":
        statement, order = best_of(columns, query, reader, counted=counted)
    else:
        statement, order = page_of(columns, query, query.order, reader, way)
    page = Prepared(with_bodies(statement, shape).limit(LIMIT).offset(OFFSET), dialect)
    if needs_bodies(shape) or query.highlight or query.order == "relevance":
        return _List(shape=shape, page=page, order=order, keys=None)
    rows = rows_of(query)
    narrow, _ = page_of((rows.pk.label("pk"), rows.columns.source_name), query, query.order, reader, way)
    return _List(shape=shape, page=page, order=order, keys=Prepared(narrow.limit(LIMIT).offset(OFFSET), dialect))


def _count(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    kind, sought = searched(query, reader)
    return _count_of_kind(kind, reader, dialect).given(sought)


@remembered
def _count_of_kind(query: ListQuery, reader: Reader, dialect: Dialect) -> Prepared:
    return Prepared(count_of(query, reader), dialect)


@remembered
def is_short(query: ListQuery) -> bool:
    """Whether a page takes well under a millisecond where its total is known.

    That is: read from an index in its order, without bodies.
    """
    time = query.order.removeprefix("-")
    terms = [taxonomy for taxonomy in query.filters if taxonomy in TAXONOMIES and len(getattr(query, taxonomy)) == 1]
    others = {name for name in query.filters if name.partition("__")[0] != time}.difference(terms)
    return (
        time in ("published_at", "updated_at")
        and len(terms) <= 1
        and not others
        and not query.facets
        and not needs_bodies(shape_of(query.fields, query.include, SUMMARY, detail=False))
    )


def with_bodies(statement: AnySelect, shape: Shape) -> AnySelect:
    return statement.join(bodies, bodies.c.post_pk == posts.c.pk) if needs_bodies(shape) else statement


def list_posts(snapshot: Snapshot, query: ListQuery, reader: Reader, show: Show) -> Page:
    """One page of the posts that a filter lets through. Raises QueryError, Unhurried."""
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    find = _best if query.order == "relevance" else _in_order
    items, window = find(snapshot, query, reader, show, cursor)
    if query.highlight:
        _add_highlights(snapshot.connection, query, items, window.rows)
    return Page(
        items=items,
        total=_total(snapshot, query.of_first_page, reader) if query.total else None,
        limit=query.limit,
        next=window.next,
        previous=window.previous,
        page=query.page,
    )


def _in_order(
    snapshot: Snapshot, query: ListQuery, reader: Reader, show: Show, cursor: Cursor | None
) -> tuple[list[Any], Window]:
    """A page in the order of a column.

    By its number it is found by stepping over all posts before it. So where it begins, and where the next one does, is
    remembered in the epoch: who reads on, or again, steps over none. Raises Unhurried.
    """
    kind = query.of_first_page
    steps = ((query.page or 1) - 1) * query.limit
    places = _places(snapshot, kind, reader) if query.page else {}
    key, way = places.get(steps), None
    if cursor is not None:
        key, way = cursor.key, Way(cursor.backward, cursor.inclusive)
    elif key is not None:
        way = Way(inclusive=True)
    elif snapshot.is_hurried and steps > NEAR:
        raise Unhurried
    prepared = _list(kind, way, reader.prepared, snapshot.connection.dialect)
    place = {} if key is None else prepared.order.place(key)
    offset = steps if key is None else 0

    def read(page: Prepared) -> list[Any]:
        return page.rows(snapshot.connection, now=reader.now, **place, limit=query.limit + 1, offset=offset)

    keys = prepared.keys if offset <= NEAR else None  # of two ways over many posts the second is as long
    rows = read(keys or prepared.page)
    if query.page:
        places |= {steps + number: key_of(rows[number]) for number in (0, query.limit) if number < len(rows)}
    window = window_of(rows, query, cursor, key_of)
    if prepared.keys is None:
        return [show_post(row, prepared.shape, show) for row in window.rows], window
    return _items(snapshot, window.rows, prepared.shape, show, lambda: read(prepared.page) if keys else rows), window


def _items(
    snapshot: Snapshot, rows: list[Any], shape: Shape, show: Show, read: Callable[[], list[Any]]
) -> list[orjson.Fragment]:
    """The items of these rows, as the epoch knows them; where it does not, all are made of what is read."""
    shown = tuple(shape)  # what needs no bodies is the same for every reader
    known = snapshot.epoch.items.of(shown)
    items = [known[row.pk] for row in rows if row.pk in known]
    if len(items) == len(rows):
        return items
    whole = {row.pk: row for row in read()}
    return [snapshot.epoch.items.add(shown, row.pk, show_post(whole[row.pk], shape, show)) for row in rows]


def _places(snapshot: Snapshot, kind: ListQuery, reader: Reader) -> dict[int, Key]:
    """Keys by how many posts of a list come before them, as far as they are known."""
    places: dict[int, Key] = snapshot.once(("places", kind, reader.withheld), dict, is_kept=not kind.is_long)
    if len(places) > MOST:
        places.clear()
    return places


def _total(snapshot: Snapshot, query: ListQuery, reader: Reader, counted: int | None = None) -> int:
    connection = snapshot.connection

    def count() -> int:
        if counted is not None:
            return counted
        ((found,),) = _count(query.of_posts, reader.prepared, connection.dialect).rows(connection, now=reader.now)
        return int(found)

    return snapshot.once(_total_key(query, reader), count, is_kept=not query.is_long)


def _total_key(query: ListQuery, reader: Reader) -> Hashable:
    return "total", query.of_posts, reader.withheld


def _best(
    snapshot: Snapshot, query: ListQuery, reader: Reader, show: Show, cursor: Cursor | None
) -> tuple[list[Any], Window]:
    """A page by relevance. Its cursor is an offset: scores shift with every change, and have no place to go on from."""
    kind = query.of_first_page
    start = ((query.page or 1) - 1) * query.limit if cursor is None else cursor.key[0]
    if not isinstance(start, int) or start < 0:
        raise invalid_cursor()
    limit = max(0, min(query.limit, BEST - start))
    wanted = limit + 1 if start + limit < BEST else limit
    is_unknown = not kind.is_long and _total_key(kind, reader) not in snapshot.epoch.known
    is_counted = query.total and start == 0 and is_unknown
    prepared = _list(kind, None, reader.prepared, snapshot.connection.dialect, counted=is_counted)
    rows = prepared.page.rows(snapshot.connection, now=reader.now, limit=wanted, offset=start) if limit else []
    if is_counted and rows:
        _total(snapshot, kind, reader, counted=rows[0].total)

    def way(offset: int) -> dict[str, str]:
        if query.page is not None:
            return {"page": str(offset // query.limit + 1)}
        return {"cursor": encode_cursor(Cursor(key=(offset, "")), query.identity)}

    return [show_post(row, prepared.shape, show) for row in rows[:limit]], Window(
        rows=rows[:limit],
        next=way(start + query.limit) if len(rows) > limit else None,
        previous=way(max(0, start - query.limit)) if start else None,
    )


def _add_highlights(connection: Connection, query: ListQuery, items: list[Any], rows: list[Any]) -> None:
    """What matched, in the title and the best passage of the body."""
    words = parse(query.q or "")
    statement = select(bodies.c.post_pk, bodies.c.text).where(bodies.c.post_pk.in_([row.pk for row in rows]))
    texts = {row.post_pk: row.text for row in connection.execute(statement)}
    for item, row in zip(items, rows, strict=True):
        item["highlights"] = highlights(words, row.title, texts[row.pk])
