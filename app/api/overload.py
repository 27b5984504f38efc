"""What keeps the service up when more is asked of it than it can do: bounded queues, bounded patience, bounded rates."""

import asyncio
import ipaddress
import math
import threading
import time
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.problems import Overloaded, RequestTimeout, TooManyRequests, problem_of

if TYPE_CHECKING:
    from limits.strategies import RateLimiter

READS = ("GET", "HEAD", "OPTIONS")
ALWAYS = ("/healthz",)  # alive is alive, however busy
SLOWEST = 8 * 1024  # bytes a second that an upload may be slow in the long run


class Slots:
    """So many at once; who comes to a full house is refused at once."""

    def __init__(self, total: int, of: str) -> None:
        self._free = threading.BoundedSemaphore(total)
        self._of = of

    def __enter__(self) -> None:
        if not self._free.acquire(blocking=False):
            raise Overloaded(f"there are too many {self._of} at once")

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._free.release()


class Admission:
    """Takes so many reads and so many writes at once, and bodies that keep coming."""

    def __init__(self, app: ASGIApp, *, reads: int, writes: int, patience: float) -> None:
        self.app = app
        self.reads = Slots(reads, "reads")
        self.writes = Slots(writes, "writes")
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self.app(scope, receive, send)
            return
        slots = self.reads if scope["method"] in READS else self.writes
        try:
            slots.__enter__()
        except Overloaded as error:
            await problem_of(error)(scope, receive, send)
            return
        try:
            await self.app(scope, _in_time(receive, self.patience), send)
        finally:
            slots.__exit__(None, None, None)


def _in_time(receive: Receive, patience: float) -> Receive:
    """A body that neither stops for so long nor, in the long run, comes slower than SLOWEST; else RequestTimeout."""
    loop = asyncio.get_running_loop()
    started: float | None = None
    size = 0
    is_whole = False

    async def receive_in_time() -> Message:
        nonlocal started, size, is_whole
        if is_whole:
            return await receive()  # who waits for a disconnect may wait for long
        now = loop.time()
        started = now if started is None else started
        try:
            async with asyncio.timeout(min(patience, started + patience + size / SLOWEST - now)):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimeout("the body did not come in time") from error
        size += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        return message

    return receive_in_time


class Rates:
    """How often within a minute one key and one address may write, and one address may send a wrong key; 0: as it likes.

    Each process counts for itself.
    """

    def __init__(self, *, writes: int, failed_keys: int) -> None:
        self._writes = writes
        self._failed_keys = failed_keys

    def count_write(self, key: str, address: str) -> None:
        """Raises TooManyRequests."""
        self._count(self._writes, "writes by this key", key)
        self._count(self._writes, "writes from this address", network(address))

    def count_failed_key(self, address: str) -> None:
        """Raises TooManyRequests. A right key is let through all the same: others may share the address."""
        self._count(self._failed_keys, "wrong keys from this address", network(address))

    @cached_property
    def _limiter(self) -> "RateLimiter":
        from limits.storage import MemoryStorage  # noqa: PLC0415 - it takes a while to load, and the first write waits
        from limits.strategies import SlidingWindowCounterRateLimiter  # noqa: PLC0415

        return SlidingWindowCounterRateLimiter(MemoryStorage())

    def _count(self, most: int, of: str, whose: str) -> None:
        if not most:
            return
        from limits import RateLimitItemPerMinute  # noqa: PLC0415

        limit = RateLimitItemPerMinute(most)
        if not self._limiter.hit(limit, of, whose):
            reset = self._limiter.get_window_stats(limit, of, whose).reset_time
            raise TooManyRequests(
                f"there were more than {most} {of} within a minute", retry_after=max(1, math.ceil(reset - time.time()))
            )


def network(address: str) -> str:
    """What one client is: an IPv4 address, or the /64 of an IPv6 address, of which everyone has many."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))
