"""Pages of lists: which posts they have, by one query that reads an index; their items, made once in an epoch.

One query more where some are new, one to count, one to highlight; each prepared once for all that ask alike.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Dialect, Integer, bindparam, select

from app.posts.best import best_page
from app.posts.cursor import Cursor, Key, decode_cursor
from app.posts.epochs import MOST, Snapshot, Unhurried
from app.posts.fields import SUMMARY, Shape, Show, columns_of, needs_bodies, shape_of, show_post
from app.posts.filters import ListQuery
from app.posts.models import AnySelect, bodies, posts
from app.posts.orders import Order, Way, key_of, page_of
from app.posts.pages import Page, Window, window_of
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import TAXONOMIES, Reader, given_keys, keys_given, rows_of, searched
from app.posts.totals import total_of
from app.search.highlight import highlights
from app.search.query import parse

NEAR = 1_000  # posts to step over
LIMIT, OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=BigInteger)


@dataclass(frozen=True, slots=True, kw_only=True)
class _List:
    """What is the same for all pages of a list."""

    shape: Shape
    page: Prepared
    order: Order
    keys: Prepared | None  # the page with no more than tells which posts it has; None where their items are not kept


def _list(query: ListQuery, way: Way | None, reader: Reader, dialect: Dialect) -> _List:
    kind, sought = searched(query, reader)
    found = _list_of_kind(kind, way, reader, dialect)
    keys = found.keys and found.keys.given(sought)
    return replace(found, page=found.page.given(sought), keys=keys) if sought else found


@remembered
def _list_of_kind(query: ListQuery, way: Way | None, reader: Reader, dialect: Dialect) -> _List:
    shape = shape_of(query.fields, query.include, SUMMARY, detail=False)
    columns = columns_of(shape, posts.c.pk, *((posts.c.title,) if query.highlight else ()))
    statement, order = page_of(columns, query, query.order, reader, way)
    page = Prepared(with_bodies(statement, shape).limit(LIMIT).offset(OFFSET), dialect)
    if not _are_kept(shape, query):
        return _List(shape=shape, page=page, order=order, keys=None)
    rows = rows_of(query)
    narrow, _ = page_of((rows.pk.label("pk"), rows.columns.source_name), query, query.order, reader, way)
    return _List(shape=shape, page=page, order=order, keys=Prepared(narrow.limit(LIMIT).offset(OFFSET), dialect))


@remembered
def is_short(query: ListQuery) -> bool:
    """Whether a page may take well under a millisecond where its total is known.

    That is: read from an index in its order, or of a search, without bodies.
    """
    is_search = query.order == "relevance" and query.filters == {"q"} and not query.is_long and not query.highlight
    time = query.order.removeprefix("-")
    terms = [taxonomy for taxonomy in query.filters if taxonomy in TAXONOMIES and len(getattr(query, taxonomy)) == 1]
    others = {name for name in query.filters if name.partition("__")[0] != time}.difference(terms)
    return (
        (is_search or (time in ("published_at", "updated_at") and len(terms) <= 1 and not others))
        and not query.facets
        and not needs_bodies(shape_of(query.fields, query.include, SUMMARY, detail=False))
    )


def _are_kept(shape: Shape, query: ListQuery) -> bool:
    """Whether an item is the same in every list that shows these fields, and not large."""
    return not query.highlight and not needs_bodies(shape)


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
        total=total_of(snapshot, query.of_first_page, reader) if query.total else None,
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
    pks = [row.pk for row in window.rows]
    return _items(snapshot, pks, prepared.shape, show, lambda _: read(prepared.page) if keys else rows), window


def _items(
    snapshot: Snapshot, pks: list[int], shape: Shape, show: Show, read: Callable[[list[int]], list[Any]]
) -> list[orjson.Fragment]:
    """The items of these posts, as the epoch knows them, or else made of what is read; more may be read."""
    shown = tuple(shape)  # what needs no bodies is the same for every reader
    known = snapshot.epoch.items.of(shown)
    items = {pk: item for pk in pks if (item := known.get(pk)) is not None}  # asked once: others may forget all
    if unknown := [pk for pk in pks if pk not in items]:
        whole = {row.pk: row for row in read(unknown)}
        items |= {pk: snapshot.epoch.items.add(shown, pk, show_post(whole[pk], shape, show)) for pk in unknown}
    return [items[pk] for pk in pks]


def _places(snapshot: Snapshot, kind: ListQuery, reader: Reader) -> dict[int, Key]:
    """Keys by how many posts of a list come before them, as far as they are known."""
    places: dict[int, Key] = snapshot.once(("places", kind, reader.withheld), dict, is_kept=not kind.is_long)
    if len(places) > MOST:
        places.clear()
    return places


def _best(
    snapshot: Snapshot, query: ListQuery, reader: Reader, show: Show, cursor: Cursor | None
) -> tuple[list[Any], Window]:
    """A page by relevance. Raises Unhurried."""
    window = best_page(snapshot, query, reader, cursor)
    shape, page = _whole(query, snapshot.connection.dialect)

    def read(pks: Collection[int]) -> list[Any]:
        return page.rows(snapshot.connection, pks=given_keys(pks, reader.dialect))

    if _are_kept(shape, query):
        return _items(snapshot, window.rows, shape, show, read), window
    whole = {row.pk: row for row in read(window.rows)}
    rows = [whole[pk] for pk in window.rows]
    return [show_post(row, shape, show) for row in rows], replace(window, rows=rows)


def _whole(query: ListQuery, dialect: Dialect) -> tuple[Shape, Prepared]:
    """The posts of some keys with all that a list shows of them, whatever is searched for."""
    make = _whole_of.__wrapped__ if query.is_long else _whole_of
    return make(query.fields, query.include, query.highlight, dialect)


@lru_cache(maxsize=1000)
def _whole_of(
    fields: tuple[str, ...], include: tuple[str, ...], is_highlighted: bool, dialect: Dialect
) -> tuple[Shape, Prepared]:
    shape = shape_of(fields, include, SUMMARY, detail=False)
    columns = columns_of(shape, posts.c.pk, *((posts.c.title,) if is_highlighted else ()))
    statement = select(*columns).where(posts.c.pk.in_(keys_given("pks", dialect.name)))
    return shape, Prepared(with_bodies(statement, shape), dialect)


def _add_highlights(connection: Connection, query: ListQuery, items: list[Any], rows: list[Any]) -> None:
    """What matched, in the title and the best passage of the body."""
    words = parse(query.q or "")
    statement = select(bodies.c.post_pk, bodies.c.text).where(bodies.c.post_pk.in_([row.pk for row in rows]))
    texts = {row.post_pk: row.text for row in connection.execute(statement)}
    for item, row in zip(items, rows, strict=True):
        item["highlights"] = highlights(words, row.title, texts[row.pk])
