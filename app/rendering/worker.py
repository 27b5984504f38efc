"""A render process: tasks in on standard input, one answer a source on standard output, until the input ends.

It knows documents only: no settings, no database, no secrets. Whoever started it ends it: at a deadline by killing it,
otherwise by closing its input, which also happens where the parent dies.
"""

import gc
import os
import pickle
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from app.documents.context import Context
from app.documents.document import Document
from app.documents.sources import Source
from app.rendering.tasks import READY, Answer, Task, read, whole

TIRED = 0.6  # a process that once held such a part of its memory is replaced, so that the memory returns


def main(niceness: int, memory: int) -> None:
    """`memory` is how many bytes of data the process may have, where the system can see to that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is sent to a whole group is the parent's to act upon
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not stand between the answers
    if hasattr(os, "nice"):
        os.nice(niceness)
    _limit_memory(memory)
    tasks: SimpleQueue[Task] = SimpleQueue()
    Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    read(Source(name="warm.md", content=b"*a*"), Context(), whole)  # what is made at the first use is made now
    gc.freeze()  # what is loaded by now stays: looking through it again and again is in vain
    _say(READY, answers)
    while True:
        task = tasks.get()
        finish = partial(_finish, task.finish)
        for source in task.sources:
            _give_way()
            _end_in(task.seconds + 1)
            parsed = read(source, task.contexts.of(source.name), finish)
            _end_in(0)
            _say(Answer(parsed=parsed, is_tired=_peak() > TIRED * memory), answers)


def _finish(finish: Callable[[Document], Any], document: Document) -> Any:
    _give_way()
    return finish(document)


def _give_way() -> None:
    """Lets go first who else waits for this core, a server above all.

    A kernel looks round every four milliseconds, and a file takes less: readers would wait for all of it.
    """
    if hasattr(os, "sched_yield"):
        os.sched_yield()


def _say(answer: Any, answers: BinaryIO) -> None:
    pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()


def _listen(stdin: BinaryIO, tasks: "SimpleQueue[Task]") -> None:
    """Takes tasks in; ends the process, whatever it is doing, where the input ends."""
    try:
        while True:
            tasks.put(pickle.load(stdin))  # noqa: S301 - from the parent
    finally:
        os._exit(0)


if sys.platform == "win32":

    def _end_in(seconds: float) -> None:
        """The parent's deadline has to do: there is no alarm that interrupts a library."""

    def _limit_memory(_memory: int) -> None:
        """There is no such limit."""

    def _peak() -> int:
        return 0

else:
    import resource

    def _end_in(seconds: float) -> None:
        """Ends the process by a signal that no library can hold up, should the parent be gone; 0 calls it off."""
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _limit_memory(memory: int) -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))

    def _peak() -> int:
        """The most memory that this process ever had, in bytes."""
        if sys.platform == "linux":  # whose ru_maxrss begins with what the parent had, whatever is run in its place
            status = Path("/proc/self/status").read_text(encoding="ascii")
            return int(status.partition("VmHWM:")[2].split()[0]) * 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
