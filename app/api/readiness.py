"""Whether the service can do its work now."""

import asyncio
import math
from collections.abc import Callable

import anyio.to_thread
from sqlalchemy import Connection, Engine

from app.database import reading
from app.errors import DatabaseUnavailable

FRESH = 1.0  # seconds that an answer holds: whoever asks often asks the database no oftener
PATIENCE = 2.0  # seconds to wait for the database: whoever asks has a patience of their own


class Readiness:
    def __init__(self, engine: Engine, is_migrated: Callable[[Connection], bool]) -> None:
        self.is_taken = False  # the content folder
        self.is_ending = False
        self._engine = engine
        self._is_migrated = is_migrated
        self._asking: asyncio.Task[DatabaseUnavailable | None] | None = None
        self._asked_at = -math.inf

    async def check(self) -> None:
        """Raises DatabaseUnavailable."""
        if self.is_ending:
            raise DatabaseUnavailable("this process is ending", code="not_ready")
        failure = await self._failure()
        if failure is not None:
            raise DatabaseUnavailable(failure.detail, code=failure.reason)
        if not self.is_taken:
            raise DatabaseUnavailable("the content folder is still being taken", code="not_ready")

    async def _failure(self) -> DatabaseUnavailable | None:
        """What is wrong with the database, asked together with all who ask now."""
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked_at >= FRESH):
            self._asking = asyncio.create_task(anyio.to_thread.run_sync(self._ask))
            self._asked_at = now
        done, _ = await asyncio.wait([self._asking], timeout=PATIENCE)
        return self._asking.result() if done else DatabaseUnavailable("the database does not answer")

    def _ask(self) -> DatabaseUnavailable | None:
        try:
            with reading(self._engine) as connection:
                if self._is_migrated(connection):
                    return None
        except DatabaseUnavailable as error:
            return error
        return DatabaseUnavailable("the database is not migrated; run `honbun migrate`", code="not_ready")
