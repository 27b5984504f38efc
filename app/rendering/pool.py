"""Render processes and their supervisor: each file has a deadline, and only the file that ends a process fails."""

import os
import pickle
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from app.documents.context import Context, Contexts
from app.documents.document import Document
from app.documents.sources import Source
from app.errors import DocumentError, Finding, RendererUnavailable
from app.rendering.tasks import READY, Answer, Parsed, Task, finish_each, whole

T = TypeVar("T")
SECONDS = 3.5  # that one file may take
START_SECONDS = 30.0  # that a process may take until it is ready, on a machine that is short of everything
MEMORY = 180 * 2**20  # bytes of data a process may have; it starts with some 40 MiB
IDLE_SECONDS = 60.0  # after which a process that has nothing to do is ended
BATCH_BYTES = 64 * 1024
BATCH_FILES = 16
_TICK = 0.1  # seconds between two looks at the deadlines
_AWAKE = 1.0  # seconds that these looks go on when there is no work
_KEPT = ("LANG", "LC_ALL", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZDIR")  # of the environment: no secrets


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Process:
    """One render process. `due` is when it must have answered; `is_overdue` is set where it was killed for that."""

    def __init__(self, niceness: int, memory: int) -> None:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        self.popen = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-P", "-m", "app.rendering.worker", str(niceness), str(memory)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.stdin = cast("IO[bytes]", self.popen.stdin)
        self.stdout = cast("IO[bytes]", self.popen.stdout)
        self.is_ready = False
        self.due: float | None = None
        self.is_overdue = False
        self.idle_since = time.monotonic()

    def send(self, task: Task) -> None:
        pickle.dump(task, self.stdin, pickle.HIGHEST_PROTOCOL)
        self.stdin.flush()

    def receive(self) -> Any:
        return pickle.load(self.stdout)  # noqa: S301 - from a process of our own

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()
        self.stdout.close()
        with suppress(OSError):  # what it did not read any more
            self.stdin.close()


class Renderers:
    """Parses in processes that are started when there is work and ended when there has been none for long.

    Safe to share among threads; at most `size` files are parsed at one time, and others wait for their turn. Less than
    `worthwhile` bytes in all are parsed in this very process, before another could have started.
    """

    def __init__(  # noqa: PLR0913 - each by name, each with a default
        self,
        *,
        size: int = 1,
        seconds: float = SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        niceness: int = 0,
        memory: int = MEMORY,
        worthwhile: int = 0,
    ) -> None:
        self.size = size
        self.seconds = seconds
        self.idle_seconds = idle_seconds
        self.niceness = niceness
        self.memory = memory
        self.worthwhile = worthwhile
        self._turns = threading.BoundedSemaphore(size)
        self._changed = threading.Condition()
        self._free: list[_Process] = []
        self._busy: set[_Process] = set()
        self._watch: threading.Thread | None = None
        self._is_asleep = False  # the watch, for long
        self._is_closed = False

    def close(self) -> None:
        """Ends all processes. A file that is still being parsed fails."""
        with self._changed:
            self._is_closed = True
            for process in self._busy:
                process.popen.kill()  # whoever waits for it ends it
            while self._free:
                self._free.pop().end()
            self._changed.notify()

    def parse(self, source: Source, context: Context) -> Document:
        """What a source means in a context.

        Raises DocumentError, with the code `render_budget` where it took too long or ended its process.
        """
        (parsed,) = self._parse_batch((source,), Contexts(plain=context, sites={}), whole)
        if isinstance(parsed, Finding):
            raise DocumentError(parsed)
        return parsed

    def parse_each(self, sources: Iterable[Source], contexts: Contexts) -> Iterator[Parsed]:
        """What each source came to, in order, on all processes; sources are taken in as they are needed."""
        return self.finish_each(sources, contexts, whole)

    def finish_each(
        self, sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T]
    ) -> Iterator[T | Finding]:
        """What `finish`, which a process can import, makes of each document where it was parsed."""
        batches = _batches(sources)
        first, second = next(batches, ()), next(batches, ())
        if not second and sum(source.size for source in first) < self.worthwhile:
            yield from finish_each(first, contexts, finish)
            return
        if not second:  # no thread has anything to wait for
            yield from self._parse_batch(first, contexts, finish) if first else ()
            return
        threads = ThreadPoolExecutor(self.size, "render")
        waiting: deque[Future[list[T | Finding]]] = deque()
        try:
            for batch in chain((first, second), batches):
                waiting.append(threads.submit(self._parse_batch, batch, contexts, finish))
                if len(waiting) > 2 * self.size:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)

    def _parse_batch(
        self, sources: tuple[Source, ...], contexts: Contexts, finish: Callable[[Document], T]
    ) -> list[T | Finding]:
        parsed: list[T | Finding] = []
        with self._turns:
            while len(parsed) < len(sources):
                rest = sources[len(parsed) :]
                parsed += self._parse_some(Task(sources=rest, contexts=contexts, finish=finish, seconds=self.seconds))
        return parsed

    def _parse_some(self, task: Task) -> list[Any]:
        """Parses until all are done or the process ends; then the last result is that of the file which ended it."""
        parsed: list[Any] = []
        process = self._take()
        is_fit = False
        try:
            process.send(task)
            for _ in task.sources:
                process.due = time.monotonic() + self.seconds
                answer: Answer = process.receive()
                parsed.append(answer.parsed)
                if answer.is_tired or process.is_overdue:
                    return parsed
            is_fit = True
        except (EOFError, OSError, pickle.UnpicklingError):
            parsed.append(self._fault(process))
        finally:
            self._give_back(process, is_fit=is_fit)
        return parsed

    def _fault(self, process: _Process) -> Finding:
        """Why a process gave no answer."""
        reason = (
            f"takes longer than {self.seconds:g} seconds" if process.is_overdue else "ended the process that did it"
        )
        return Finding(code="render_budget", detail=f"rendering it {reason}", hint="split the post, or simplify it")

    def _take(self) -> _Process:
        """A process that is ready. Raises RendererUnavailable."""
        with self._changed:
            process = next((free for free in reversed(self._free) if free.popen.poll() is None), None)
            for dead in [free for free in self._free if free.popen.poll() is not None]:
                self._free.remove(dead)
                dead.end()
            if process is None:
                process = self._started()
            else:
                self._free.remove(process)
            process.due = time.monotonic() + START_SECONDS
            self._busy.add(process)
            self._see_to_watch()
        if not process.is_ready:
            try:
                process.is_ready = process.receive() == READY
            except (EOFError, OSError, pickle.UnpicklingError) as error:
                self._give_back(process, is_fit=False)
                raise RendererUnavailable("the renderer does not start") from error
        return process

    def _started(self) -> _Process:
        try:
            return _Process(self.niceness, self.memory)
        except OSError as error:  # no memory or no process left
            raise RendererUnavailable("no renderer can be started") from error

    def _give_back(self, process: _Process, *, is_fit: bool) -> None:
        with self._changed:
            self._busy.discard(process)
            process.due = None
            process.idle_since = time.monotonic()
            if is_fit and not process.is_overdue:
                self._free.append(process)
            else:
                process.end()
            is_standing = not self._is_closed and not self.worthwhile  # a command is soon at its end
            if process.is_overdue and not self._free and is_standing:
                # Another such file may come: it shall not wait for a start as well.
                with suppress(RendererUnavailable):
                    self._free.append(self._started())

    def _see_to_watch(self) -> None:
        """Starts the thread that looks at the deadlines, or wakes it; the lock is held."""
        if self._watch is None:
            self._watch = threading.Thread(target=self._look_after, name="render-watch", daemon=True)
            self._watch.start()
        if self._is_asleep:  # to wake it takes longer than to send a small file
            self._changed.notify()

    def _look_after(self) -> None:
        """Kills what is past its deadline and ends what is idle, as long as there are processes."""
        with self._changed:
            while self._free or self._busy:
                now = time.monotonic()
                for process in self._busy:
                    if process.due is not None and now > process.due:
                        process.is_overdue = True
                        process.popen.kill()
                for process in [free for free in self._free if now > free.idle_since + self.idle_seconds]:
                    self._free.remove(process)
                    process.end()
                self._is_asleep = not self._busy and all(now > free.idle_since + _AWAKE for free in self._free)
                self._changed.wait(self._until_idle(now) if self._is_asleep else _TICK)
            self._watch = None

    def _until_idle(self, now: float) -> float:
        return max(_TICK, min((free.idle_since + self.idle_seconds - now for free in self._free), default=_TICK))


@contextmanager
def all_cores(seconds: float) -> Iterator[Renderers]:
    """Renderers for a command that takes many files, or few; a file may take `seconds`. As many processes as there are processors."""
    renderers = Renderers(size=cores(), seconds=seconds, worthwhile=BATCH_BYTES)
    try:
        yield renderers
    finally:
        renderers.close()


def _batches(sources: Iterable[Source]) -> Iterator[tuple[Source, ...]]:
    """Sources by the number and by bytes: few enough that all processes have work, many enough to pay for the way."""
    batch: list[Source] = []
    size = 0
    for source in sources:
        batch.append(source.whole())
        size += source.size
        if len(batch) == BATCH_FILES or size >= BATCH_BYTES:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)
