"""The index, whichever database holds it. What is written here belongs into the transaction that writes the post."""

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from types import ModuleType
from typing import Any

from sqlalchemy import CTE, ColumnElement, Connection, Select, column, false, literal, select, table

from app.search import postgres, sqlite, tag_index
from app.search.entries import Entry, entry_of
from app.search.query import SearchQuery
from app.search.row import SearchRow
from app.search.typed import Typed

_CHUNK = 200
_DATABASES: dict[str, ModuleType] = {"sqlite": sqlite, "postgresql": postgres}
_posts = table("post", column("pk"), column("title"), column("tags"), column("excerpt"))
_bodies = table("body", column("post_pk"), column("text"))


def is_index_table(name: str | None) -> bool:
    """Whether a table is the index or one of those that FTS5 keeps beside it; no model describes them."""
    return name is not None and (name == "post_search" or name.startswith("post_search_"))


def create(connection: Connection) -> None:
    """The empty index."""
    _DATABASES[connection.dialect.name].create(connection)
    tag_index.create(connection)


def drop(connection: Connection) -> None:
    _DATABASES[connection.dialect.name].drop(connection)
    tag_index.drop(connection)


def write(connection: Connection, rows: Iterable[SearchRow]) -> None:
    """Indexes new posts, and anew the ones that are there."""
    dialect = connection.dialect.name
    insert(connection, ((row.pk, entry_of(dialect, row)) for row in rows))


def insert(connection: Connection, entries: Iterable[tuple[int, Entry]]) -> None:
    """Indexes posts by what `entry_of` made of them for this database, each beside its key."""
    iterator = iter(entries)
    while chunk := list(islice(iterator, _CHUNK)):
        _DATABASES[connection.dialect.name].write(connection, [{"pk": pk, **entry.values} for pk, entry in chunk])
        tag_index.write(connection, (name for _, entry in chunk for name in entry.tags))


def remove(connection: Connection, pks: Iterable[int]) -> None:
    """Forgets posts; one that is not there is no error."""
    iterator = iter(pks)
    while chunk := list(islice(iterator, _CHUNK)):
        _DATABASES[connection.dialect.name].remove(connection, chunk)


def rebuild(connection: Connection) -> None:
    """Makes the index anew from the stored posts: wanted when the rules of tokens change."""
    drop(connection)
    create(connection)
    write(connection, _stored_rows(connection))


def _stored_rows(connection: Connection) -> Iterator[SearchRow]:
    statement = select(_posts, _bodies.c.text).join(_bodies, _bodies.c.post_pk == _posts.c.pk).order_by(_posts.c.pk)
    last = 0
    # By the page: no cursor stays open over what is written between.
    while page := connection.execute(statement.where(_posts.c.pk > last).limit(_CHUNK)).all():
        for pk, title, tags, excerpt, text in page:
            yield SearchRow(pk=pk, title=title, tags=tuple(json.loads(tags)), excerpt=excerpt, text=text)
        last = page[-1].pk


def condition(query: SearchQuery, dialect: str, pk: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a query finds the post whose key is `pk`; `dialect` is the connection's `dialect.name`."""
    database = _DATABASES[dialect]
    if query.required:
        found: ColumnElement[bool] = database.among(pk, database.found(query))
        return found
    return pk.not_in(database.unwanted(query)) if query.excluded else false()


def pattern(query: SearchQuery) -> str:
    """A query whose `condition` and `rank` differ from this one's in their parameters only."""
    return "a" if query.required else "-a" if query.excluded else ""


def parameters(query: SearchQuery, dialect: str) -> dict[str, Any]:
    """What a query asks of the statements made for its pattern; a statement need not have all of it."""
    return dict(_DATABASES[dialect].parameters(query))


def titled(dialect: str, pk: ColumnElement[Any]) -> ColumnElement[bool]:
    """That the title of the post whose key is `pk` holds what `typed_parameters` say."""
    database = _DATABASES[dialect]
    found: ColumnElement[bool] = database.among(pk, database.titled())
    return found


def typed_parameters(typed: Typed, dialect: str) -> dict[str, Any]:
    """What is typed, which is not nothing."""
    return dict(_DATABASES[dialect].typed_parameters(typed.phrases))


def rank(query: SearchQuery, dialect: str, pk: ColumnElement[Any]) -> CTE:
    """The posts that a query finds, with columns `pk` and `score`: join it, order by `score` descending.

    Equal scores are left to the caller's order. Where nothing is required, all score alike.
    """
    ranked: Select[tuple[int, float]]
    if query.required:
        ranked = _DATABASES[dialect].ranked(query)
    else:
        ranked = select(pk.label("pk"), literal(0.0).label("score")).where(condition(query, dialect, pk))
    # Without the word the planners ask the index once for each post.
    return ranked.cte("ranked").prefix_with("MATERIALIZED")
