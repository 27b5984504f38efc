"""A copy of a live SQLite database that is proved before it takes its place."""

import os
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from app.database import reading, sqlite_module
from app.errors import HonbunError

MAGIC = b"SQLite format 3\0"


class BackupFailed(HonbunError):
    code = "backup_failed"


def backup(engine: Engine, target: Path) -> int:
    """Writes the database as it is at one instant to `target`, while others go on reading and writing; its bytes.

    An older backup under that name is replaced once the new one is whole and on the disk.
    Raises BackupFailed, DatabaseUnavailable.
    """
    source = _database_file(engine)
    _check_target(source, target)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # readable by its owner only
    except OSError as error:
        raise BackupFailed(f"{target.parent} cannot be written: {error.strerror}") from error
    os.close(descriptor)
    partial = Path(name)
    try:
        _copy(engine, partial)
        _prove(partial)
        size = partial.stat().st_size
        _sync(partial)
        partial.replace(target)
        _sync(target.parent)
    except (OSError, sqlite_module().Error) as error:
        raise BackupFailed(f"the copy could not be made: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return size


def _database_file(engine: Engine) -> Path:
    if engine.dialect.name != "sqlite":
        raise BackupFailed(
            "this database is a Postgres, which has its own means", hint="pg_dump --format=custom --file=FILE"
        )
    file = Path(engine.url.database or "")
    if not file.is_file():
        raise BackupFailed(f"there is no database {file}")
    return file


def _check_target(source: Path, target: Path) -> None:
    if not target.parent.is_dir():
        raise BackupFailed(f"there is no folder {target.parent}")
    if not target.exists():
        return
    if not target.is_file() or target.samefile(source):
        raise BackupFailed(f"{target} is {'the database itself' if target.is_file() else 'no file'}")
    with target.open("rb") as file:
        if file.read(len(MAGIC)) not in (MAGIC, b""):
            raise BackupFailed(f"{target} exists and is no backup; it stays as it is")


def _copy(engine: Engine, partial: Path) -> None:
    """SQLite's online backup in one step: it reads one snapshot, whatever is committed meanwhile."""
    with reading(engine) as connection, closing(sqlite_module().connect(partial)) as copy:
        driver: Any = connection.connection.driver_connection
        driver.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no log beside it


def _prove(partial: Path) -> None:
    with closing(sqlite_module().connect(partial)) as copy:
        faults = [row[0] for row in copy.execute("PRAGMA integrity_check").fetchall() if row[0] != "ok"]
        faults += [f"a row of {row[0]} belongs to nothing" for row in copy.execute("PRAGMA foreign_key_check")]
    if faults:
        raise BackupFailed(f"the database is damaged: {faults[0]}", hint="honbun doctor")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
