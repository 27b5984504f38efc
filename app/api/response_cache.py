"""Answers to reads without a key, kept as they go out, in front of routing.

Right by construction: the application is asked with nothing but what the key holds; an answer names the content it
was made from, and is kept only while that is the content in force; when another comes into force, by a commit or by
the clock, all is forgotten.
"""

import asyncio
import re
from collections.abc import Callable, Container, Hashable
from datetime import datetime, timedelta
from functools import lru_cache
from sys import getsizeof
from typing import Final, NamedTuple, TypeAlias

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.caching import LONGEST, best_encoding, http_date, is_acceptable, is_known, seconds_to_flip
from app.api.entries import Entries, Entry, Header
from app.api.envelope import REQUEST_ID, identifier_of
from app.errors import DatabaseUnavailable
from app.posts.changes import State
from app.posts.watch import Watch

PREFIX: Final = "/v1"
READS: Final = frozenset(("GET", "HEAD"))
KEPT: Final = frozenset((200, 308))
CONDITIONS: Final = frozenset((b"if-none-match", b"if-modified-since"))
UNUSUAL: Final = frozenset((REQUEST_ID, b"content-length", b"transfer-encoding"))  # what takes more thought
HEEDED: Final = (b"accept", *CONDITIONS, *UNUSUAL)
Ready: TypeAlias = tuple[bytes, bytes]
S_MAXAGE = re.compile(rb"(?<=s-maxage=)\d+")
is_taken = lru_cache(maxsize=256)(is_acceptable)


class Key(NamedTuple):
    """All that an answer can depend on beside the content."""

    path: bytes
    query: bytes
    scheme: str
    host: bytes
    encoding: str | None
    origin: bytes | None

    def request(self, scope: Scope) -> Scope:
        """A request that knows nothing else."""
        headers = (
            (b"host", self.host),
            (b"accept-encoding", (self.encoding or "identity").encode()),
            (b"origin", self.origin),
        )
        named = [(REQUEST_ID, value) for name, value in scope["headers"] if name == REQUEST_ID]  # for the log
        return {**scope, "method": "GET", "headers": [*named, *(pair for pair in headers if pair[1] is not None)]}


class Question(NamedTuple):
    """What a request asks, and with which of the headers that choose among the forms of an answer."""

    key: Key
    headers: dict[bytes, bytes]

    @property
    def size(self) -> int:
        """Bytes of memory."""
        parts = (*self, *self.key, *self.headers, *self.headers.values())
        return getsizeof(self) + sum(map(getsizeof, parts))

    def takes(self, entry: Entry) -> bool:
        """Whether the reader takes the one form that there is of a read; problems go to everyone."""
        accept = self.headers.get(b"accept")
        return not accept or entry.status != 200 or is_taken(accept.decode("latin-1"), entry.media_type)


class ResponseCache:
    """An application behind its own cache.

    `origins` are those that CORS tells apart, `streams` the paths whose answers are not held in memory, and `read`
    says what the application would answer, where that takes no time worth speaking of.
    """

    def __init__(  # noqa: PLR0913 - what an answer can depend on
        self,
        app: ASGIApp,
        watch: Watch,
        *,
        capacity: int,
        s_maxage: int,
        origins: Container[bytes],
        streams: Container[str],
        read: Callable[[Scope], Response | None] | None = None,
    ) -> None:
        self.app = app
        self.watch = watch
        self.entries: Entries[Key, Entry] = Entries(capacity - capacity // 8)
        self._questions: Entries[tuple[Hashable, ...], Question] = Entries(capacity // 8)
        self._s_maxage = s_maxage
        self._origins = origins
        self._streams = streams
        self._read = read
        self._state: State | None = None
        self._capped_from: datetime | None = None
        self._content = b"", b""  # the version and the last modification, as answers name them
        self._flights: dict[Key, asyncio.Task[Entry]] = {}

    def ready(self, scope: Scope, request: tuple[Hashable, ...] | None = None) -> Ready | None:
        """Head and body of the answer to a request, where it is kept or soon made and goes out as it is; else ask as usual.

        What the request asks is remembered by `request`, if given.
        """
        question = self._question(scope)
        if question is None or scope["method"] != "GET" or not UNUSUAL.isdisjoint(question.headers):
            return None
        if not self._is_lasting():
            return None
        entry = self.entries.get(question.key) or self._made(question.key, scope)
        answer = self._form(question, entry)
        if answer is not None and request is not None:
            self._questions.add(request, question)
        return answer

    def again(self, request: tuple[Hashable, ...]) -> Ready | None:
        """The same for a request whose question is remembered: it is asked of what is kept now."""
        question = self._questions.get(request)
        if question is None or not self._is_lasting():
            return None
        return self._form(question, self.entries.get(question.key))

    def _form(self, question: Question, entry: Entry | None) -> Ready | None:
        if entry is None or not entry.head or not question.takes(entry):
            return None
        return (entry.bare_head, b"") if self._is_known(question, entry) else (entry.head, entry.body)

    def _is_lasting(self) -> bool:
        """Whether it is known what is in force, and no change by the clock is so near that it shortens the lifetime."""
        state = self.watch.glance()
        if state is None:
            return False
        if state is not self._state:
            self._adopt(state)
        return self._capped_from is None or self.watch.clock() < self._capped_from

    def _made(self, key: Key, scope: Scope) -> Entry | None:
        """An answer that nobody need wait for."""
        response = None if self._read is None else self._read(key.request(scope))
        if response is None:
            return None
        self.entries.counts.misses += 1
        body = bytes(memoryview(response.body))  # a copy: what orjson makes holds four kilobytes more than its length
        return self._kept(key, Entry.of(response.status_code, response.raw_headers, body))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_read = scope["type"] == "http" and scope["method"] in READS
        if not is_read or not await self._is_answered(scope, send):
            await self.app(scope, receive, send)

    async def _is_answered(self, scope: Scope, send: Send) -> bool:
        """Whether an answer went out; false where the application is to be asked itself."""
        question = self._question(scope)
        if question is None:
            return False
        try:
            state = self.watch.glance() or await self.watch.read()
        except DatabaseUnavailable:  # the application says it better
            return False
        if state is not self._state:
            self._adopt(state)
        entry = self.entries.get(question.key) or await self._answer(question.key, scope)
        if entry is None or not question.takes(entry):
            return False
        if self._is_known(question, entry):
            status, kept, body = 304, entry.bare_headers, b""
        else:
            status, kept, body = entry.status, entry.headers, entry.body
        if state.next_flip is not None:
            kept = self._capped(kept, state)
        if REQUEST_ID in question.headers and entry.status in KEPT:
            identifier = identifier_of(question.headers[REQUEST_ID].decode("latin-1"))
            kept = [*kept, (REQUEST_ID, identifier.encode())]
        await send({"type": "http.response.start", "status": status, "headers": kept})
        await send({"type": "http.response.body", "body": body if scope["method"] == "GET" else b""})
        return True

    def _is_known(self, question: Question, entry: Entry) -> bool:
        """Whether the reader's copy is still right."""
        if entry.etag is None or CONDITIONS.isdisjoint(question.headers):
            return False
        if question.headers.get(b"if-none-match") == entry.etag:
            return True
        state = self._state if entry.content == self._content else None
        headers = {name.decode(): value.decode("latin-1") for name, value in question.headers.items()}
        return is_known(headers, entry.etag.decode("latin-1"), state)

    def _capped(self, headers: list[Header], state: State) -> list[Header]:
        """The headers with a shared lifetime that ends where the clock changes what is visible."""
        seconds = seconds_to_flip(state, self.watch.clock())
        if seconds >= self._s_maxage:
            return headers

        def shorter(match: re.Match[bytes]) -> bytes:
            return b"%d" % min(int(match[0]), seconds)

        return [
            (name, S_MAXAGE.sub(shorter, value)) if name == b"cache-control" else (name, value)
            for name, value in headers
        ]

    def _question(self, scope: Scope) -> Question | None:
        """None for what is never kept."""
        headers = dict(scope["headers"])
        if len(headers) < len(scope["headers"]) and _repeats_condition(scope["headers"]):
            return None
        path = scope["path"]
        host = headers.get(b"host")
        if b"authorization" in headers or host is None or not path.startswith(PREFIX) or path in self._streams:
            return None
        accepted = headers.get(b"accept-encoding", b"")
        if len(accepted) > LONGEST or len(headers.get(b"accept", b"")) > LONGEST:
            return None
        origin = headers.get(b"origin")
        key = Key(
            scope.get("raw_path") or path.encode(),
            scope["query_string"],
            scope["scheme"],
            host,
            best_encoding(accepted.decode("latin-1")) if accepted else None,
            origin if origin in self._origins else None,
        )
        return Question(key, {name: headers[name] for name in HEEDED if name in headers})

    def _adopt(self, state: State) -> None:
        """Forgets all where another content is in force; answers under way are for those who wait for them."""
        self._state = state
        self._capped_from = state.next_flip and state.next_flip - timedelta(seconds=self._s_maxage)
        content = state.label.encode(), http_date(state.changed_at).encode()
        if content != self._content:
            self._content = content
            self._flights = {}
            self.entries.clear()

    async def _answer(self, key: Key, scope: Scope) -> Entry | None:
        """The application's answer, asked for once by all who want the same; none where that failed for another."""
        flights = self._flights
        flight = flights.get(key)
        if flight is None:
            self.entries.counts.misses += 1
            flight = flights[key] = asyncio.create_task(self._ask(key, scope))
            flight.add_done_callback(lambda _: flights.pop(key))
            return await asyncio.shield(flight)
        await asyncio.wait([flight])
        failed = flight.cancelled() or flight.exception() is not None or flight.result().status not in KEPT
        return None if failed else flight.result()

    async def _ask(self, key: Key, scope: Scope) -> Entry:
        """The application's answer."""
        start: Message = {}
        body = bytearray()

        async def gather(message: Message) -> None:
            start.update(message) if message["type"] == "http.response.start" else body.extend(message["body"])

        await self.app(key.request(scope), _no_body, gather)
        headers = list(start["headers"])
        if start["status"] in KEPT:
            headers = [pair for pair in headers if pair[0] != REQUEST_ID]
        return self._kept(key, Entry.of(start["status"], headers, bytes(body)))

    def _kept(self, key: Key, entry: Entry) -> Entry:
        """The entry, kept where it shows the content that is in force by now."""
        if entry.status in KEPT and entry.content == self._content:
            self.entries.add(key, entry)
        return entry


def _repeats_condition(headers: list[Header]) -> bool:
    """Whether the application is to say which of a condition's lines counts."""
    names = [name for name, _ in headers if name in CONDITIONS]
    return len(names) > len(set(names))


async def _no_body() -> Message:
    return {"type": "http.disconnect"}
