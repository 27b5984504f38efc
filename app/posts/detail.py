"""Single posts: whole, with their neighbours; and their sources. Each statement is prepared once for all that ask alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Connection, Dialect, bindparam, literal, select, union_all

from app.errors import NotFound
from app.posts.epochs import Snapshot, kept_json
from app.posts.fields import LINK, NEIGHBOURS, WHOLE, Shape, Show, columns_of, shape_of, show_post
from app.posts.filters import DetailQuery
from app.posts.lists import with_bodies
from app.posts.models import AnySelect, bodies, posts
from app.posts.orders import Order, Way, page_of
from app.posts.pages import Item
from app.posts.parameters import remembered
from app.posts.prepared import Prepared
from app.posts.queries import Reader, searched, visible
from app.posts.related import related_to

OWN = (posts.c.pk, posts.c.id, posts.c.slug, posts.c.published_at, posts.c.sha256, posts.c.rendered_by)
IN_TIME = "-published_at"
NEIGHBOUR: Shape = dict.fromkeys(LINK)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """What is the same for all posts."""

    shape: Shape
    own: Prepared
    neighbours: Prepared | None
    order: Order


@remembered
def _detail(query: DetailQuery, reader: Reader, dialect: Dialect, *, any_status: bool) -> _Detail:
    shape = shape_of(query.fields, query.include, (*WHOLE, *NEIGHBOURS), detail=True)
    own = with_bodies(_by_slug(select(*columns_of(shape, *OWN)), reader, any_status=any_status), shape)
    older, order = page_of(columns_of(NEIGHBOUR), query, IN_TIME, reader, Way())
    newer, _ = page_of(columns_of(NEIGHBOUR), query, IN_TIME, reader, Way(backward=True))
    ways = {"older": older, "newer": newer}
    nearest = [
        select(literal(name).label("name"), *way.limit(1).subquery().c) for name, way in ways.items() if name in shape
    ]
    neighbours = Prepared(select(union_all(*nearest).subquery()), dialect) if nearest else None
    return _Detail(shape=shape, own=Prepared(own, dialect), neighbours=neighbours, order=order)


def _by_slug(statement: AnySelect, reader: Reader, *, any_status: bool) -> AnySelect:
    statement = statement.where(posts.c.slug == bindparam("slug", type_=posts.c.slug.type))
    return statement if any_status else statement.where(visible(reader.now))


def get_post(  # noqa: PLR0913 - what an answer is made of
    snapshot: Snapshot, slug: str, query: DetailQuery, reader: Reader, show: Show, *, any_status: bool
) -> tuple[Item, Any]:
    """One post whole with its neighbours, and its row. Raises NotFound, QueryError, Unhurried."""
    connection = snapshot.connection
    is_timeless = query.min_version is None and not query.wait  # then what was found out for it still holds
    plain = query if is_timeless else query.model_copy(update={"min_version": None, "wait": 0})
    kind, sought = searched(plain, reader)
    prepared = _detail(kind, reader.prepared, connection.dialect, any_status=any_status)
    row = _only(prepared.own.rows(connection, slug=slug, now=reader.now), slug)
    shown = show_post(row, prepared.shape, show)

    def links() -> dict[str, Any]:
        found: dict[str, Any] = dict.fromkeys(("older", "newer"))
        found |= {
            post.name: show_post(post, NEIGHBOUR, show)
            for post in _neighbours(connection, prepared, row, reader, sought)
        }
        if "related" in prepared.shape:
            found["related"] = [show_post(post, NEIGHBOUR, show) for post in related_to(snapshot, row.pk, reader)]
        return {name: orjson.Fragment(kept_json(value)) for name, value in found.items()}

    if prepared.neighbours or "related" in prepared.shape:
        key = (plain, reader.withheld, row.pk)
        is_plain = not query.filters
        shown |= snapshot.once(key, links, is_kept=not plain.is_long, is_short=is_plain, is_lasting=is_plain)
    return {name: shown[name] for name in prepared.shape}, row


def _neighbours(
    connection: Connection, prepared: _Detail, row: Any, reader: Reader, sought: Mapping[str, Any]
) -> list[Any]:
    """The neighbours' rows with their names; none of a post without a place."""
    if prepared.neighbours is None or row.published_at is None:
        return []
    place = prepared.order.place((row.published_at, row.source_name))
    return prepared.neighbours.rows(connection, now=reader.now, **place, **sought)


def source_of(connection: Connection, slug: str, reader: Reader, *, any_status: bool) -> Any:
    """The bytes of a post's source, with what names it. Raises NotFound."""
    prepared = _source(reader.prepared, connection.dialect, any_status=any_status)
    return _only(prepared.rows(connection, slug=slug, now=reader.now), slug)


@lru_cache(maxsize=8)
def _source(reader: Reader, dialect: Dialect, *, any_status: bool) -> Prepared:
    statement = select(bodies.c.source, *OWN).join(bodies, bodies.c.post_pk == posts.c.pk)
    return Prepared(_by_slug(statement, reader, any_status=any_status), dialect)


def _only(rows: list[Any], slug: str) -> Any:
    if not rows:
        raise NotFound(f"there is no post {slug!r}")
    return rows[0]
