"""Which content is in force, known without asking the database wherever that can be trusted."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import anyio
import anyio.to_thread
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.database import Inline, reading
from app.errors import DatabaseUnavailable
from app.posts.changes import State, read_state
from app.posts.signals import signal_of


class Signal(Protocol):
    """Tells of commits, whoever made them: this process, another one, another machine."""

    def moved(self) -> bool:
        """Whether something may have been committed since the last call; true also where nobody can tell."""

    async def run(self) -> None:
        """What must go on beside the requests, until it is cancelled."""

    def close(self) -> None: ...


class Watch:
    """The present state of the content.

    A commit of this process is seen at once, and one of another process as soon as the signal tells of it. Where
    the signal cannot tell, every look reads the database: never stale, only slower. SQLite is read at once, so that
    nobody waits for a thread after a commit.

    `promised` is the newest version that the database was seen to have: no reader may be given an older one.
    """

    def __init__(
        self, engine: Engine, inline: Inline | None, *, listen_url: str, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._inline = inline
        self.clock = clock
        self.signal: Signal = signal_of(engine, listen_url)
        self._state: State | None = None
        self._commits = 0  # that were heard of; a reading begun before one of them is not kept
        self._reading: asyncio.Task[State] | None = None  # not begun yet: it serves whoever asks until then
        self._turn = anyio.CapacityLimiter(1)
        self.promised = 0
        self._lock = threading.Lock()

    def promise(self, version: int) -> None:
        """Somebody is shown this version."""
        with self._lock:
            self.promised = max(self.promised, version)

    def glance(self) -> State | None:
        """The state, where it is known without asking a server; a matter of microseconds."""
        if self.signal.moved():
            self.forget()
        elif self._state is not None and self._state.next_flip is not None and self._state.next_flip <= self.clock():
            self._state = None
        if self._state is None and self._inline is not None:
            # Whatever goes wrong, who reads in a thread hears of it.
            with suppress(DatabaseUnavailable, SQLAlchemyError), self._inline.reading() as connection:
                self._state = read_state(connection, self.clock())
        return self._state

    def forget(self) -> None:
        """Something was committed."""
        self._commits += 1
        self._state = None

    async def state(self) -> State:
        """The state in force. Raises DatabaseUnavailable."""
        return self.glance() or await self.read()

    async def read(self) -> State:
        """The state as the database has it after this call. Raises DatabaseUnavailable."""
        task = self._reading
        if task is None or task.done():
            task = self._reading = asyncio.create_task(self._read())
        return await asyncio.shield(task)

    async def _read(self) -> State:
        commits, state = await anyio.to_thread.run_sync(self._read_now, limiter=self._turn)
        if commits == self._commits:
            self._state = state
        return state

    def _read_now(self) -> tuple[int, State]:
        self._reading = None  # who asks from now on needs a later snapshot
        commits, promised = self._commits, self.promised
        with reading(self._engine) as connection:
            state = read_state(connection, self.clock())
        if state.version < promised:  # a dump was restored: there is no such version any more
            self.promised = state.version
        self.promise(state.version)
        return commits, state
