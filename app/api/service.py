"""What the routes work with: the engine, the settings, the clock."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, TypeVar

import anyio
from fastapi import Depends, Request, Response
from sqlalchemy import Connection, Engine, event

from app.api.auth import Principal, bootstrap_holder, holder_of, require, sent_key
from app.api.caching import Lifetime
from app.api.key_use import KeyUse
from app.api.overload import READS, Rates, Slots
from app.api.problems import Unauthorized, VersionNotReached
from app.api.readiness import Readiness
from app.database import Inline, reading
from app.documents.document import Context
from app.documents.links import Links
from app.documents.sources import Limits
from app.errors import DatabaseUnavailable, QueryError
from app.posts.changes import State, label_key
from app.posts.epochs import Epochs, Snapshot, Unhurried
from app.posts.fields import Show
from app.posts.filters import PostFilter
from app.posts.models import instant_text
from app.posts.queries import Reader
from app.posts.replica import Replica
from app.posts.watch import Watch
from app.rendering.pool import Renderers

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the service says of itself."""

    title: str
    description: str
    url: str | None
    lang: str | None


@dataclass(slots=True, kw_only=True)
class Service:
    """Everything a request needs beside itself; made once, at the start."""

    engine: Engine
    replica: Replica | None
    inline: Inline | None  # for short reads on the event loop, where the database is no server
    watch: Watch
    site: Site
    context: Context
    links: Links
    limits: Limits
    s_maxage: int
    public_source: bool
    private_front_matter: tuple[str, ...]
    bootstrap: str | None  # the digest of the key from the settings
    writers: anyio.CapacityLimiter
    renderers: Renderers
    readiness: Readiness
    key_use: KeyUse
    rates: Rates
    read_seconds: float  # that one read may take of the database's time
    streams: Slots  # each holds a connection to the database for as long as its reader reads
    waiters: Slots  # for a version that is not here yet
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    epochs: Epochs = field(default_factory=Epochs)

    def __post_init__(self) -> None:
        event.listen(self.engine, "engine_disposed", lambda _: self.epochs.forget())

    async def find(self, look: Callable[[Connection], T]) -> T:
        """What `look` finds in a moment: on the event loop where the way to a thread and back takes longer.

        Raises what `look` raises, DatabaseUnavailable.
        """
        if self.inline is not None:
            with suppress(DatabaseUnavailable), self.inline.reading() as connection:
                return look(connection)
        return await anyio.to_thread.run_sync(_look, self.engine, look)


def _look(engine: Engine, look: Callable[[Connection], T]) -> T:
    with reading(engine) as connection:
        return look(connection)


# Dependencies are coroutines, though they wait for nothing: FastAPI takes each that is none to a thread.
async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_service)]


async def _principal(request: Request, service: ServiceDep) -> Principal | None:
    now = service.clock()
    try:
        key = sent_key(request)
        if key is None:
            return None
        holder = bootstrap_holder(key, service.bootstrap)
        if holder is None:
            holder = await service.find(partial(holder_of, key=key, now=now))
    except Unauthorized:
        service.rates.count_failed_key(_address(request))
        raise
    service.key_use.note(holder, now)
    return holder


def _address(request: Request) -> str:
    """Whose request it is; behind a proxy that is trusted, what that says."""
    return request.client.host if request.client else ""


PrincipalDep = Annotated[Principal | None, Depends(_principal)]


class Scope:
    """A dependency: the key's holder, who must have this scope. It acts before the body is read."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request, service: ServiceDep, principal: PrincipalDep) -> Principal:
        holder = principal
        if holder is None or not holder.may(self.scope):
            holder = await anyio.to_thread.run_sync(require, holder, self.scope, service.engine, service.bootstrap)
        if request.method not in READS:
            service.rates.count_write(holder.key or holder.name, _address(request))
        return holder


WriterDep = Annotated[Principal, Depends(Scope("write"))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One request's view: the clock stands still, and what the reader may see is decided.

    Where it has a `replica`, that is what it reads; else the primary.
    """

    service: Service
    principal: Principal | None
    now: datetime
    replica: Replica | None = None

    @property
    def is_trusted(self) -> bool:
        """Whether drafts and private fields may be shown."""
        return self.principal is not None and self.principal.may("read")

    @property
    def withheld(self) -> tuple[str, ...]:
        """Patterns of the front-matter keys that this reader may neither see nor filter by."""
        return () if self.is_trusted else self.service.private_front_matter

    @property
    def reader(self) -> Reader:
        dialect = self.service.engine.dialect.name
        return Reader(now=self.now, zone=self.service.links.zone, withheld=self.withheld, dialect=dialect)

    @property
    def show(self) -> Show:
        return Show(now=instant_text(self.now), links=self.service.links, withheld=self.withheld)

    @contextmanager
    def snapshot(self, *, hurried: bool = False, limited: bool = True) -> Iterator[tuple[Snapshot, Lifetime]]:
        """A connection whose reads are all of one instant, and the lifetime of what is read.

        Whoever is in a hurry reads on the event loop. What is not limited is read from the primary, since a replica
        ends long reads as it likes. Raises Unhurried, DatabaseUnavailable, TooSlow; AskPrimary from a replica.
        """
        service = self.service
        seconds = service.read_seconds if limited else None
        if hurried and service.inline is not None:
            opened = service.inline.reading()
        elif self.replica is not None and seconds is not None:
            opened = self.replica.reading(seconds=seconds)
        else:
            opened = reading(service.engine, seconds=seconds)
        at_least = 0 if self.replica is None else service.watch.promised
        with opened as connection:
            snapshot = service.epochs.snapshot(connection, self.now, hurried=hurried, at_least=at_least)
            if service.replica is not None:
                service.watch.promise(snapshot.epoch.version[0])
            yield snapshot, self.lifetime(snapshot.epoch.state)

    async def answer(self, read: Callable[[bool], Response], *, is_short: bool) -> Response:
        """What `read` answers; it is told whether to hurry.

        A short read from SQLite takes less than the way to a thread and back, and holds up nobody; what turns out
        to take longer, or fails, is left to a thread after all, as is everything that waits for a server.
        """
        if is_short and self.service.inline is not None:
            try:
                return read(True)
            except (Unhurried, DatabaseUnavailable):
                pass
        return await anyio.to_thread.run_sync(read, False)

    def lifetime(self, state: State) -> Lifetime:
        return Lifetime(
            state=state, now=self.now, s_maxage=self.service.s_maxage, is_private=self.principal is not None
        )

    def check_status(self, query: PostFilter) -> None:
        """Raises Unauthorized or Forbidden where the filter asks for what is not published."""
        if query.statuses != {"published"}:
            self.require("read")

    def require(self, scope: str) -> None:
        """Raises Unauthorized or Forbidden where the reader has no key with this scope."""
        require(self.principal, scope, self.service.engine, self.service.bootstrap)


async def wanted_version(request: Request, service: ServiceDep) -> None:
    """Waits, as long as the reader says, until the version it has seen elsewhere is here."""
    wanted = request.query_params.get("min_version")
    if wanted is None:
        return
    try:
        key = label_key(wanted)
    except ValueError:
        raise QueryError(
            "this is no version of this service", parameter="min_version", code="invalid_version"
        ) from None
    deadline = asyncio.get_running_loop().time() + _patience(request)
    with service.waiters:
        await _reached(service, key, wanted, deadline)


async def _reached(service: Service, key: tuple[int, int], wanted: str, deadline: float) -> None:
    while label_key((await service.watch.state()).label) < key:
        if asyncio.get_running_loop().time() >= deadline:
            raise VersionNotReached(f"version {wanted} is not here yet")
        await asyncio.sleep(0.05)


def _patience(request: Request) -> float:
    """Seconds to wait. Raises QueryError."""
    try:
        seconds = float(request.query_params.get("wait", "0"))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 30:  # also for nan
        raise QueryError("wait is a number of seconds from 0 to 30", parameter="wait")
    return seconds


async def _reading(
    service: ServiceDep, principal: PrincipalDep, _: Annotated[None, Depends(wanted_version)]
) -> Reading:
    return Reading(service=service, principal=principal, now=service.clock())


ReadingDep = Annotated[Reading, Depends(_reading)]


async def reading_of(request: Request) -> Reading:
    """The view that a request has. Raises Unauthorized."""
    service = await _service(request)
    return await _reading(service, await _principal(request, service), None)
