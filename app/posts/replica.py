"""A streaming replica of Postgres, for reads; the primary does what the replica cannot."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
from sqlalchemy import Connection, func, select

from app.database import open_engine, reading
from app.errors import DatabaseUnavailable
from app.posts.models import content

RETRY = 1.0  # seconds until a replica that was lost is looked at again; no reader does that
PATIENCE = 2.0  # seconds that it has to say that it is there: the primary can be asked instead
log = logging.getLogger("honbun")
_IS_REPLICA = select(func.pg_is_in_recovery(), content.c.version)  # another of its databases has no content to read


class AskPrimary(Exception):
    """The replica cannot answer this read: it is behind what was promised, is lost, or took the snapshot away."""


class Replica:
    """A database at this URL of libpq; it counts as away until a look finds it, and again from its next failure on."""

    def __init__(self, url: str, *, patience: float = PATIENCE) -> None:
        self.engine = open_engine(url, patience=min(patience, PATIENCE))
        self.is_there: bool | None = None  # not known yet
        self._turn = anyio.CapacityLimiter(1)  # a look may hang, and must not take a reader's thread
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, *, seconds: float) -> Iterator[Connection]:
        """As `app.database.reading`. Raises AskPrimary in the place of DatabaseUnavailable; TooSlow."""
        try:
            with reading(self.engine, seconds=seconds) as connection:
                yield connection
        except DatabaseUnavailable as error:
            if not _is_conflict(error):
                self._note(error.detail)
            raise AskPrimary from error

    async def run(self) -> None:
        """Looks for the replica while it is away, until it is cancelled."""
        while True:
            if not self.is_there:
                looking = asyncio.create_task(anyio.to_thread.run_sync(self._look, limiter=self._turn))
                try:
                    await asyncio.shield(looking)
                except asyncio.CancelledError:
                    await asyncio.wait([looking])  # the thread ends before the engine does
                    raise
            await asyncio.sleep(RETRY)

    def fault(self) -> str | None:
        """What keeps it from being used now."""
        try:
            with reading(self.engine) as connection:
                is_replica = connection.execute(_IS_REPLICA).one()[0]
        except DatabaseUnavailable as error:
            return error.detail
        return None if is_replica else "it is a server of its own"

    def _look(self) -> None:
        self._note(self.fault())

    def _note(self, fault: str | None) -> None:
        """Says once what has changed."""
        is_there = fault is None
        with self._lock:
            before, self.is_there = self.is_there, is_there
        if before == is_there:
            return
        if is_there:
            log.info("reads go to the replica")
        else:
            log.warning("reads go to the primary, the replica cannot be used: %s", fault)


def _is_conflict(error: DatabaseUnavailable) -> bool:
    """Whether it is what the replica had to replay that ended the read; the next one may go well."""
    state = getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) or ""
    return str(state).startswith("40")
