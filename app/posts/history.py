"""Who changed what, when, and which version it made."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import BigInteger, ColumnElement, Connection, func, literal, select

from app.errors import QueryError
from app.posts.changes import label_key
from app.posts.cursor import Cursor, decode_cursor, digest, invalid_cursor
from app.posts.models import AnyRow, changes, instant_text
from app.posts.pages import Page, window_of
from app.posts.parameters import MAX_INTEGER, Paged, Query

Kind = Literal["created", "updated", "renamed", "deleted"]


class HistoryQuery(Query, Paged):
    since: str | None = Field(default=None, max_length=100, description="Only what came after this version")
    id: str | None = Field(default=None, max_length=36, description="Of the post with this id")
    name: str | None = Field(default=None, max_length=1024, description="Of this source name")
    author: str | None = Field(default=None, max_length=2000, description="By the key with this name")
    kind: Kind | None = None
    sort: Literal["-version", "version"] = "-version"

    @property
    def identity(self) -> str:
        return digest(self.model_dump(include={"since", "id", "name", "author", "kind", "sort"}))


def list_changes(connection: Connection, query: HistoryQuery) -> Page:
    """A page of the history. Raises QueryError."""
    conditions = _conditions(query)
    cursor = None if query.cursor is None else decode_cursor(query.cursor, query.identity)
    backward = cursor is not None and cursor.backward
    descending = (query.sort == "-version") != backward
    statement = select(changes).where(*conditions)
    if cursor is not None:
        statement = statement.where(_beyond(cursor, descending=descending))
    elif query.page is not None:
        statement = statement.offset(literal((query.page - 1) * query.limit, BigInteger))
    order = changes.c.pk.desc() if descending else changes.c.pk
    found = connection.execute(statement.order_by(order).limit(query.limit + 1)).all()
    window = window_of(found, query, cursor, lambda row: (row.pk, ""))
    total = None
    if query.total:
        total = connection.execute(select(func.count()).select_from(changes).where(*conditions)).scalar_one()
    return Page(
        items=[_shown(row) for row in window.rows],
        total=total,
        limit=query.limit,
        next=window.next,
        previous=window.previous,
        page=query.page,
    )


def _conditions(query: HistoryQuery) -> list[ColumnElement[bool]]:
    columns: Mapping[str, Any] = {
        "id": changes.c.post_id,
        "name": changes.c.source_name,
        "author": changes.c.author,
        "kind": changes.c.kind,
    }
    conditions: list[ColumnElement[bool]] = [
        column == value for name, column in columns.items() if (value := getattr(query, name)) is not None
    ]
    if query.since is not None:
        conditions.append(changes.c.version > _version(query.since))
    return conditions


def _version(label: str) -> int:
    try:
        version, _ = label_key(label)
    except ValueError:
        version = -1
    if not 0 <= version <= MAX_INTEGER:
        raise QueryError("this is no version of this service", parameter="since", code="invalid_version")
    return version


def _beyond(cursor: Cursor, *, descending: bool) -> ColumnElement[bool]:
    position = cursor.key[0]
    if not isinstance(position, int) or abs(position) > 2**62:
        raise invalid_cursor()
    if descending:
        return changes.c.pk <= position if cursor.inclusive else changes.c.pk < position
    return changes.c.pk >= position if cursor.inclusive else changes.c.pk > position


def _shown(row: AnyRow) -> dict[str, Any]:
    return {
        "version": str(row.version),
        "at": instant_text(row.at),
        "kind": row.kind,
        "id": row.post_id,
        "name": row.source_name,
        "author": row.author,
        "via": row.via,
        "sha256": row.sha256,
    }
