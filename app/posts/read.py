"""What readers get: pages, single posts, terms, archives. Each function reads in the one snapshot it is given."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import Connection, CursorResult, func, select
from sqlalchemy.sql import ColumnElement

from app.documents.links import day_in
from app.errors import NotFound
from app.posts.cursor import Cursor, Key, decode_cursor, encode_cursor, invalid_cursor
from app.posts.fields import LINK, NEIGHBOURS, Shape, Show, columns_of, needs_bodies, show_post
from app.posts.filters import BEST, DetailQuery, ExportQuery, ListQuery, PostFilter, TermQuery
from app.posts.models import AnyRow, AnySelect, bodies, posts, terms
from app.posts.orders import best_of, count_of, neighbour_of, page_of
from app.posts.pages import Item, Page, Window, window_of
from app.posts.queries import Reader, visible
from app.posts.related import related_to
from app.search.highlight import highlights
from app.search.query import parse


def _from(statement: AnySelect, shape: Shape) -> AnySelect:
    return statement.join(bodies, bodies.c.post_pk == posts.c.pk) if needs_bodies(shape) else statement


def list_posts(connection: Connection, query: ListQuery, shape: Shape, reader: Reader, show: Show) -> Page:
    """One page of the posts that a filter lets through: one query, one more to count them, one more to highlight."""
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    columns = (*columns_of(shape), *((posts.c.pk, posts.c.title) if query.highlight else ()))
    columns = tuple(dict.fromkeys(columns))
    if query.order == "relevance":
        window = _best(connection, query, columns, shape, reader, cursor)
    else:
        offset = ((query.page or 1) - 1) * query.limit
        statement, order = page_of(
            columns, query, query.order, reader, cursor=cursor, limit=query.limit + 1, offset=offset
        )
        window = window_of(connection.execute(_from(statement, shape)), query, cursor, order.key)
    items = [show_post(row, shape, show) for row in window.rows]
    if query.highlight:
        _add_highlights(connection, query, items, window.rows)
    return Page(
        items=items,
        total=connection.execute(count_of(query, reader)).scalar_one() if query.total else None,
        limit=query.limit,
        next=window.next,
        previous=window.previous,
        page=query.page,
    )


def _best(  # noqa: PLR0913, PLR0917 - what a page of a list is made of
    connection: Connection,
    query: ListQuery,
    columns: Iterable[ColumnElement[Any]],
    shape: Shape,
    reader: Reader,
    cursor: Cursor | None,
) -> Window:
    """A page by relevance. Its cursor is an offset: scores shift with every change, and have no place to go on from."""
    start = ((query.page or 1) - 1) * query.limit if cursor is None else cursor.key[0]
    if not isinstance(start, int) or start < 0:
        raise invalid_cursor()
    limit = max(0, min(query.limit, BEST - start))
    statement = best_of(columns, query, reader, limit=limit + 1 if start + limit < BEST else limit, offset=start)
    rows = connection.execute(_from(statement, shape)).all() if limit else []

    def way(offset: int) -> dict[str, str]:
        if query.page is not None:
            return {"page": str(offset // query.limit + 1)}
        return {"cursor": encode_cursor(Cursor(key=(offset, "")), query.identity)}

    return Window(
        rows=list(rows[:limit]),
        next=way(start + query.limit) if len(rows) > limit else None,
        previous=way(max(0, start - query.limit)) if start else None,
    )


def _add_highlights(connection: Connection, query: ListQuery, items: list[Item], rows: list[Any]) -> None:
    """What matched, in the title and the best passage of the body."""
    words = parse(query.q or "")
    statement = select(bodies.c.post_pk, bodies.c.text).where(bodies.c.post_pk.in_([row.pk for row in rows]))
    texts = {row.post_pk: row.text for row in connection.execute(statement)}
    for item, row in zip(items, rows, strict=True):
        item["highlights"] = highlights(words, row.title, texts[row.pk])


def get_post(  # noqa: PLR0913, PLR0917 - what an answer is made of
    connection: Connection, slug: str, query: DetailQuery, shape: Shape, reader: Reader, show: Show, *, any_status: bool
) -> tuple[Item, AnyRow]:
    """One post whole with its neighbours, and its row. Raises NotFound."""
    columns = dict.fromkeys((*columns_of(shape), *OWN))
    statement = _from(select(*columns).where(posts.c.slug == slug), shape)
    if not any_status:
        statement = statement.where(visible(reader.now))
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no post {slug!r}")
    shown = show_post(row, shape, show)
    for name in shape:
        if name in NEIGHBOURS:
            shown[name] = _neighbour(connection, name, row, query, reader, show)
    return {name: shown[name] for name in shape}, row


OWN = (posts.c.pk, posts.c.id, posts.c.slug, posts.c.published_at, posts.c.sha256, posts.c.rendered_by)


def _neighbour(  # noqa: PLR0913, PLR0917 - what an answer is made of
    connection: Connection, name: str, row: AnyRow, query: PostFilter, reader: Reader, show: Show
) -> Item | list[Item] | None:
    shape: Shape = dict.fromkeys(LINK)
    if name == "related":
        return [show_post(post, shape, show) for post in related_to(connection, row.pk, columns_of(shape), reader)]
    if row.published_at is None:
        return None
    statement = neighbour_of(columns_of(shape), row, query, reader, older=name == "older")
    found = connection.execute(statement).one_or_none()
    return None if found is None else show_post(found, shape, show)


def source_of(connection: Connection, slug: str, reader: Reader, *, any_status: bool) -> AnyRow:
    """The bytes of a post's source, with what names it. Raises NotFound."""
    statement = select(bodies.c.source, *OWN).join(bodies, bodies.c.post_pk == posts.c.pk).where(posts.c.slug == slug)
    if not any_status:
        statement = statement.where(visible(reader.now))
    row = connection.execute(statement).one_or_none()
    if row is None:
        raise NotFound(f"there is no post {slug!r}")
    return row


def export_posts(
    connection: Connection, query: ExportQuery, shape: Shape, reader: Reader, show: Show
) -> Iterator[Item]:
    """Every post of a filter, read as it is sent, all of one snapshot; a reader who leaves ends the database's work."""
    statement, _ = page_of(columns_of(shape), query, query.sort, reader, cursor=None, limit=None)
    rows = connection.execution_options(yield_per=100).execute(_from(statement, shape))
    return _shown(rows, shape, show)


def _shown(rows: CursorResult[Any], shape: Shape, show: Show) -> Iterator[Item]:
    with rows:  # closed also when the iterator is left half way
        for row in rows:
            yield show_post(row, shape, show)


@dataclass(frozen=True, slots=True, kw_only=True)
class TermCount:
    """A term in the spelling that most posts use."""

    key: str
    name: str
    count: int
    latest_at: datetime


def count_terms(connection: Connection, taxonomy: str, now: datetime) -> list[TermCount]:
    """The terms of the visible posts, most used first, then by key."""
    uses = func.count(terms.c.post_pk.distinct())
    latest: ColumnElement[datetime] = func.max(posts.c.published_at)
    statement = (
        select(terms.c.key, terms.c.name, uses, latest)
        .join(posts, posts.c.pk == terms.c.post_pk)
        .where(terms.c.taxonomy == taxonomy, visible(now))
        .group_by(terms.c.key, terms.c.name)
    )
    spellings: dict[str, list[tuple[int, str, datetime]]] = {}
    for key, name, count, latest_at in connection.execute(statement):
        spellings.setdefault(key, []).append((count, name, latest_at))
    counted = [
        TermCount(
            key=key,
            name=min(found, key=lambda spelling: (-spelling[0], spelling[1]))[1],
            count=sum(count for count, _, _ in found),
            latest_at=max(latest_at for _, _, latest_at in found),
        )
        for key, found in spellings.items()
    ]
    return sorted(counted, key=_by_count)


def _by_count(term: TermCount) -> tuple[int, str]:
    return -term.count, term.key


def _by_name(term: TermCount) -> tuple[int, str]:
    return 0, term.key


def page_of_terms(found: list[TermCount], query: TermQuery) -> tuple[list[TermCount], Page]:
    """One page of the terms, in the query's order; the page's own items are left to who shows them."""
    key = _by_count if query.sort == "-count" else _by_name
    ordered = sorted(found, key=key)
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    if cursor is None:
        start = ((query.page or 1) - 1) * query.limit
        candidates = ordered[start:]
    else:
        candidates = _terms_after(ordered, cursor, key)
    window = window_of(candidates[: query.limit + 1], query, cursor, key)
    page = Page(
        items=[],
        total=len(ordered) if query.total else None,
        limit=query.limit,
        next=window.next,
        previous=window.previous,
        page=query.page,
    )
    return window.rows, page


def _terms_after(ordered: list[TermCount], cursor: Cursor, key: Callable[[TermCount], Key]) -> list[TermCount]:
    """The terms that a cursor points to, nearest first."""
    if not isinstance(cursor.key[0], int):
        raise invalid_cursor()
    ways = {(False, False): gt, (False, True): ge, (True, False): lt, (True, True): le}
    stands_there = ways[cursor.backward, cursor.inclusive]
    found = [term for term in ordered if stands_there(key(term), cursor.key)]
    return found[::-1] if cursor.backward else found


def count_periods(connection: Connection, by: str, reader: Reader) -> list[tuple[str, int]]:
    """Years or months of the site's zone with the number of visible posts, newest first."""
    length = 4 if by == "year" else 7
    counts: dict[str, int] = {}
    for instant, count in connection.execute(
        select(posts.c.published_at, func.count()).where(visible(reader.now)).group_by(posts.c.published_at)
    ):
        period = day_in(reader.zone, instant).isoformat()[:length]
        counts[period] = counts.get(period, 0) + count
    return sorted(counts.items(), reverse=True)


def visible_count(connection: Connection, now: datetime) -> int:
    return int(connection.execute(select(func.count()).select_from(posts).where(visible(now))).scalar_one())


def visible_addresses(connection: Connection, reader: Reader, show: Show, size: int, part: int) -> Iterator[Item]:
    """Url, permalink and last change of the visible posts, the oldest first, so that only the last part grows."""
    shape: Shape = dict.fromkeys(("url", "permalink", "updated_at"))
    statement, _ = page_of(
        columns_of(shape), PostFilter(), "published_at", reader, cursor=None, limit=size, offset=size * (part - 1)
    )
    return _shown(connection.execution_options(yield_per=1000).execute(statement), shape, show)


def all_sources(connection: Connection, prefix: str) -> Iterator[AnyRow]:
    """Name, hash, slug and what the status depends on, of every stored post below a prefix, by name."""
    statement = (
        select(
            posts.c.source_name,
            posts.c.sha256,
            posts.c.slug,
            posts.c.draft,
            posts.c.published_at,
            posts.c.expires_at,
        )
        .where(posts.c.source_name >= prefix, posts.c.source_name < prefix + "\U0010ffff")
        .order_by(posts.c.source_name)
    )
    with connection.execution_options(yield_per=1000).execute(statement) as rows:
        yield from rows
