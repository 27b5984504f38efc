"""How a process hears of commits that others made: SQLite's data version, Postgres' notifications."""

import asyncio
import logging
import os
from contextlib import suppress
from time import monotonic
from typing import Any
from uuid import uuid4

import anyio.to_thread
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from app.database import alone, reading
from app.errors import DatabaseUnavailable
from app.posts.changes import CHANNEL
from app.posts.models import content

BEAT = 0.4  # seconds between two heartbeats
TRUST = 1.0  # seconds; a listener that has not heard a heartbeat sent since then counts as down
RETRY = 1.0  # seconds until a listener that was lost is connected again
log = logging.getLogger("honbun")


class SqliteSignal:
    """`PRAGMA data_version` (2 µs) on a connection of its own that never writes: it moves with each commit of others."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._version: object = None

    def moved(self) -> bool:
        module = self._engine.dialect.loaded_dbapi
        try:
            if self._connection is None:
                self._connection = alone(self._engine)
            version = self._connection.execute("PRAGMA data_version").fetchone()
        except (module.Error, SQLAlchemyError):  # locked, unreadable, gone: who reads next says so
            return True
        before, self._version = self._version, version
        return bool(version != before)

    async def run(self) -> None:
        """Sees to it that the file is still the one that was opened: someone may have put another in its place."""
        path = str(self._engine.url.database)
        opened = _inode(path)
        while True:
            await asyncio.sleep(RETRY)
            if _inode(path) != opened:
                opened = _inode(path)
                self.close()
                self._engine.dispose()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._version = None


def _inode(path: str) -> tuple[int, int] | None:
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - there is nothing else to do with the path
        return found.st_dev, found.st_ino
    return None


class PostgresSignal:
    """Notifications, trusted while the listener hears this process's own heartbeats.

    A heartbeat goes out where the writes go out, through the engine. So it is heard only where a notification of a
    commit would be: not behind a pooler that keeps no session, and not on another database.
    """

    def __init__(self, engine: Engine, url: str) -> None:
        self._engine = engine
        self._url = url
        self._beat = f"{CHANNEL}_{uuid4().hex}"
        self._trusted_until = 0.0
        self._has_moved = True
        self._version: object = None

    def moved(self) -> bool:
        has_moved, self._has_moved = self._has_moved, False
        return has_moved or monotonic() > self._trusted_until

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen_always())
            tasks.create_task(self._beat_always())

    def close(self) -> None:
        self._trusted_until = 0.0

    async def _listen_always(self) -> None:
        while True:
            try:
                await self._listen()
            except (self._engine.dialect.loaded_dbapi.Error, OSError) as error:
                log.warning("the listener is down, versions are read at each request: %s", _first_line(error))
            self._trusted_until = 0.0
            await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        from app.postgres import connect_listener  # noqa: PLC0415 - loaded where there is one

        async with await connect_listener(self._url) as connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            await connection.execute(f"LISTEN {self._beat}".encode())
            self._has_moved = True  # what was committed before was not heard of
            async for notice in connection.notifies():
                if notice.channel == self._beat:
                    self._trusted_until = float(notice.payload) + TRUST
                else:
                    self._has_moved = True

    async def _beat_always(self) -> None:
        while True:
            sending = asyncio.create_task(anyio.to_thread.run_sync(self._send))
            try:
                version = await asyncio.shield(sending)
                if version != self._version:  # also what came without a notification, such as a restored dump
                    self._version, self._has_moved = version, True
            except (DatabaseUnavailable, DBAPIError):
                pass  # then it is not heard, which says enough
            except asyncio.CancelledError:
                await asyncio.wait([sending])  # the thread ends before the engine does
                raise
            await asyncio.sleep(BEAT)

    def _send(self) -> tuple[Any, ...]:
        beat = func.pg_notify(self._beat, repr(monotonic()))
        with reading(self._engine) as connection:
            return tuple(connection.execute(select(content.c.version, content.c.visible_at, beat)).one()[:2])


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def signal_of(engine: Engine, listen_url: str) -> SqliteSignal | PostgresSignal:
    """The signal for this database; `listen_url` is where Postgres is reached past any pooler."""
    return SqliteSignal(engine) if engine.dialect.name == "sqlite" else PostgresSignal(engine, listen_url)
