"""How a serving process ends: it says first that it is not ready, and it does not outlive its parent."""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType


def drain_at_sigterm(begin: Callable[[], None], seconds: float) -> None:
    """At SIGTERM calls `begin`, goes on serving for so long, and then hands the signal on; a second one does so at once.

    Whoever sends requests here learns from readiness that they belong elsewhere, before connections are refused.
    Call it in the event loop's thread, once the server has its own handler.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # a server in a thread is ended by whoever started it
    loop = asyncio.get_running_loop()
    end = signal.getsignal(signal.SIGTERM)
    if not callable(end):
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, end)
        begin()
        loop.call_soon_threadsafe(loop.call_later, seconds, end, number, frame)

    signal.signal(signal.SIGTERM, handle)


def end_with_parent() -> None:
    """A worker whose parent was killed ends as if told to; else it would keep the port from the next start."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        loop = asyncio.get_running_loop()

        def end() -> None:
            loop.remove_reader(parent.sentinel)
            os.kill(os.getpid(), signal.SIGTERM)

        loop.add_reader(parent.sentinel, end)
