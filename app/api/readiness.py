"""Whether the service can do its work now."""

import asyncio
import math
from collections.abc import Callable

import anyio.to_thread
from sqlalchemy import Connection, Engine

from app.database import reading
from app.errors import DatabaseUnavailable

FRESH = 1.0  # seconds that an answer holds: whoever asks often asks the database no oftener


class Readiness:
    def __init__(self, engine: Engine, is_migrated: Callable[[Connection], bool]) -> None:
        self.is_taken = False  # the content folder
        self.is_ending = False
        self._engine = engine
        self._is_migrated = is_migrated
        self._lock = asyncio.Lock()
        self._asked_at = -math.inf
        self._failure: DatabaseUnavailable | None = None

    async def check(self) -> None:
        """Raises DatabaseUnavailable."""
        if self.is_ending:
            raise DatabaseUnavailable("this process is ending", code="not_ready")
        async with self._lock:
            if (now := asyncio.get_running_loop().time()) - self._asked_at >= FRESH:
                self._failure = await anyio.to_thread.run_sync(self._ask)
                self._asked_at = now
        if self._failure is not None:
            raise DatabaseUnavailable(self._failure.detail, code=self._failure.reason)
        if not self.is_taken:
            raise DatabaseUnavailable("the content folder is still being taken", code="not_ready")

    def _ask(self) -> DatabaseUnavailable | None:
        try:
            with reading(self._engine) as connection:
                if self._is_migrated(connection):
                    return None
        except DatabaseUnavailable as error:
            return error
        return DatabaseUnavailable("the database is not migrated; run `honbun migrate`", code="not_ready")
