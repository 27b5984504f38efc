"""When keys were last used: noted in passing, written from time to time, never while somebody waits for it."""

import asyncio
import logging
import threading
from datetime import datetime, timedelta

import anyio.to_thread
from sqlalchemy import Engine, bindparam, update

from app.api.auth import Principal
from app.database import writing
from app.errors import DatabaseUnavailable
from app.posts.models import api_keys

EVERY = 5.0  # seconds between two writes
FRESH = timedelta(minutes=1)  # a use so soon after the one that is written is not worth another
log = logging.getLogger("honbun")


class KeyUse:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._uses: dict[str, datetime] = {}

    def note(self, principal: Principal, now: datetime) -> None:
        last = principal.last_used_at
        if principal.key is not None and (last is None or now - last >= FRESH):
            with self._lock:
                self._uses[principal.key] = now

    def write(self) -> None:
        """Writes what was noted; it stays noted where the database cannot be written."""
        with self._lock:
            uses, self._uses = self._uses, {}
        if not uses:
            return
        statement = update(api_keys).where(api_keys.c.id == bindparam("key")).values(last_used_at=bindparam("used"))
        try:
            with writing(self._engine) as connection:
                connection.execute(statement, [{"key": key, "used": used} for key, used in uses.items()])
        except DatabaseUnavailable as error:
            log.warning("the last use of %s keys is not written yet: %s", len(uses), error.detail)
            with self._lock:
                self._uses = uses | self._uses

    async def run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            if self._uses:
                await anyio.to_thread.run_sync(self.write)
