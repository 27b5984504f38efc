"""What can be wrong with a database and what it stands on, and what mends it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from sqlalchemy import ColumnElement, Connection, Engine, column, delete, exists, func, select, table
from sqlalchemy.exc import DatabaseError
from sqlmodel import SQLModel

from app import migrate
from app.database import reading, sqlite_module, writing
from app.documents.document import Context
from app.durability import durability_warnings, has_wal_reset_bug
from app.errors import DatabaseUnavailable
from app.posts.models import bodies, changes, content, posts
from app.posts.rerender import count_stale
from app.search import index

Status = Literal["ok", "warning", "error"]
LITTLE = 200 * 1024 * 1024  # bytes
_indexed = table("post_search", column("rowid"), column("pk"))
MEND = "honbun doctor --mend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing looked at; `hint` says what mends it where it is not well."""

    name: str
    status: Status
    detail: str
    hint: str | None = None


def examine(engine: Engine, context: Context) -> Iterator[Check]:
    """All checks, in the order in which they depend on each other; it ends early where the others cannot be made."""
    yield _libraries()
    yield from _server(engine)
    try:
        yield _reached(engine)
        with reading(engine) as connection:
            migrated = _migrated(connection)
            yield migrated
            if migrated.status != "ok":
                return
            yield from _durable(connection)
            for look in LOOKS:
                yield look(connection)
    except DatabaseUnavailable as error:
        yield Check(name="database", status="error", detail=error.detail, hint="look at HONBUN_DATABASE_URL")
        return
    yield _rendered(engine, context)


def mend(engine: Engine) -> None:
    """Removes rows that belong to no post and makes the search index anew, in one transaction."""
    with writing(engine) as connection:
        for child, condition in _orphans().items():
            connection.execute(delete(SQLModel.metadata.tables[child]).where(condition))
        index.rebuild(connection)


def _libraries() -> Check:
    """Whether each library is at least the version that this was made for: the floors leave known faults out."""
    old = []
    for text in requires("honbun") or []:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            old.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            old.append(f"{requirement.name} {found} is not {requirement.specifier}")
    if old:
        return Check(name="libraries", status="error", detail="; ".join(old), hint="uv sync")
    return Check(name="libraries", status="ok", detail="as new as they must be")


def _server(engine: Engine) -> Iterator[Check]:
    if engine.dialect.name != "sqlite":
        return
    number = sqlite_module().sqlite_version
    if has_wal_reset_bug(engine):
        yield Check(
            name="sqlite",
            status="warning",
            detail=f"SQLite {number} can lose what two processes write at once",
            hint="write with one process only, or use SQLite 3.51.3 or later (the wheel pysqlite3 has one)",
        )
    else:
        yield Check(name="sqlite", status="ok", detail=f"SQLite {number}")
    file = Path(engine.url.database or "")
    if file.parent.is_dir() and (free := shutil.disk_usage(file.parent).free) < LITTLE:
        detail = f"{free // 1024 // 1024} MiB are free in {file.parent.absolute()}"
        yield Check(name="disk", status="warning", detail=detail, hint="free some; writes are refused on a full disk")


def _reached(engine: Engine) -> Check:
    """Raises DatabaseUnavailable."""
    if engine.dialect.name == "sqlite" and not Path(engine.url.database or "").is_file():
        raise DatabaseUnavailable(f"there is no database {engine.url.database}; `honbun serve` makes one")
    with reading(engine) as connection:
        connection.execute(select(1))
    return Check(name="database", status="ok", detail=f"a {engine.dialect.name} database answers")


def _migrated(connection: Connection) -> Check:
    if migrate.is_migrated(connection):
        return Check(name="migrations", status="ok", detail="the schema is the one this version needs")
    hint = "honbun migrate; where that knows no way, a newer Honbun made this schema: install that"
    return Check(name="migrations", status="error", detail="the schema is not the one this version needs", hint=hint)


def _durable(connection: Connection) -> Iterator[Check]:
    for warning in durability_warnings(connection):
        yield Check(name="durability", status="warning", detail=warning, hint="turn it on in postgresql.conf")


def _whole(connection: Connection) -> Check:
    """SQLite's own look at its file; Postgres has none that needs no extension."""
    if connection.dialect.name != "sqlite":
        return Check(name="integrity", status="ok", detail="Postgres looks after its own; pg_amcheck looks closer")
    try:
        found = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars().all()
    except DatabaseError as error:
        found = [str(error.orig)]
    if found == ["ok"]:
        return Check(name="integrity", status="ok", detail="integrity_check finds nothing")
    return Check(name="integrity", status="error", detail="; ".join(found), hint="restore the last backup")


def _versioned(connection: Connection) -> Check:
    rows = connection.execute(select(content.c.version)).scalars().all()
    newest = connection.execute(select(func.coalesce(func.max(changes.c.version), 0))).scalar_one()
    if len(rows) == 1 and rows[0] >= newest:
        return Check(name="version", status="ok", detail=f"the content has version {rows[0]}")
    detail = f"the version row says {list(rows)}, the history {newest}"
    return Check(name="version", status="error", detail=detail, hint="restore the last backup")


def _complete(connection: Connection) -> Check:
    body = exists().where(bodies.c.post_pk == posts.c.pk)
    if bare := connection.execute(select(posts.c.source_name).where(~body)).scalars().all():
        detail = f"{len(bare)} posts have no body, {bare[0]} first"
        return Check(name="posts", status="error", detail=detail, hint="ingest their files again")
    count = connection.execute(select(func.count()).select_from(posts)).scalar_one()
    return Check(name="posts", status="ok", detail=f"{count} posts, each with its body")


def _orphans() -> dict[str, ColumnElement[bool]]:
    """Table -> which of its rows belong to no post."""
    children = [child for child in SQLModel.metadata.sorted_tables if "post_pk" in child.c]
    return {child.name: ~exists().where(posts.c.pk == child.c.post_pk) for child in children}


def _owned(connection: Connection) -> Check:
    counts = {
        name: connection.execute(
            select(func.count()).select_from(SQLModel.metadata.tables[name]).where(condition)
        ).scalar_one()
        for name, condition in _orphans().items()
    }
    if orphans := {name: count for name, count in counts.items() if count}:
        detail = "; ".join(f"{count} rows of {name} belong to no post" for name, count in orphans.items())
        return Check(name="orphans", status="error", detail=detail, hint=MEND)
    return Check(name="orphans", status="ok", detail="every row belongs to a post")


def _found(connection: Connection) -> Check:
    """Whether the index holds each post and nothing else."""
    key = _indexed.c.rowid if connection.dialect.name == "sqlite" else _indexed.c.pk
    try:
        missing = connection.execute(
            select(func.count()).select_from(posts).where(posts.c.pk.not_in(select(key)))
        ).scalar_one()
        left = connection.execute(
            select(func.count()).select_from(_indexed).where(key.not_in(select(posts.c.pk)))
        ).scalar_one()
    except DatabaseError as error:
        return Check(name="search", status="error", detail=f"the index cannot be read: {error.orig}", hint=MEND)
    if missing or left:
        detail = f"the index lacks {missing} posts and holds {left} that are gone"
        return Check(name="search", status="error", detail=detail, hint=MEND)
    return Check(name="search", status="ok", detail="the index holds each post")


def _rendered(engine: Engine, context: Context) -> Check:
    if stale := count_stale(engine, context):
        detail = f"{stale} posts were rendered by another version or with other settings"
        return Check(name="rendering", status="warning", detail=detail, hint="honbun rerender")
    return Check(name="rendering", status="ok", detail="every post is rendered as it would be today")


LOOKS: tuple[Callable[[Connection], Check], ...] = (_whole, _versioned, _complete, _owned, _found)
