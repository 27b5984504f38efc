"""What of a database can lose writes: known faults of versions, and settings."""

from sqlalchemy import Connection, Engine

from app.database import sqlite_module

LOSSES = {
    "fsync": "a power failure can destroy the database",
    "full_page_writes": "a power failure can destroy the database",
    "synchronous_commit": "acknowledged writes can be lost in a crash",
}


def version_warning(engine: Engine, processes: int) -> str | None:
    """A known fault of the SQLite in use, where several processes would write: the WAL-reset bug."""
    if processes < 2 or not has_wal_reset_bug(engine):
        return None
    number = sqlite_module().sqlite_version
    return f"SQLite {number} can corrupt a database that several processes write; use one worker, or Postgres"


def has_wal_reset_bug(engine: Engine) -> bool:
    """Whether this SQLite can lose what two connections write while the log starts again (sqlite.org/wal.html)."""
    if engine.dialect.name != "sqlite":
        return False
    version = sqlite_module().sqlite_version_info
    return not (version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0))


def durability_warnings(connection: Connection) -> list[str]:
    """What in a Postgres server's configuration can lose acknowledged writes. SQLite's is ours."""
    if connection.dialect.name != "postgresql":
        return []
    off = [
        name
        for name in ("fsync", "full_page_writes", "synchronous_commit")
        if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off"
    ]
    return [f"Postgres runs with {name} = off: {LOSSES[name]}" for name in off]
