"""uvicorn's HTTP/1.1 with what it leaves open.

- Raw UTF-8 in an address, as `curl '…/v1/posts?tag=投資'` sends it: RFC 3986 wants such bytes percent-encoded, and the
  parser refuses them with a bare 400. Browsers encode them, people at a terminal do not; other servers take them. Only
  the bytes of the request line change, never where a request ends.
- Clients that are slow to send a head, send one without end, or do not read their answer: uvicorn waits for ever.
- More connections than may be: refused at once, with when to come again.
- Answers that are ready (`ready` of the application) go out at once, without a task and without building their head
  again; to a request that came before byte for byte (`again`) even without parsing it. That is most of the time that
  uvicorn takes for one.
- The end of the server: a connection that was accepted and asks its first question just then is answered, not closed.
- Whatever is refused here is a problem (RFC 9457) like everywhere else.
"""

import asyncio
import math
import re
from collections.abc import Hashable
from typing import Any, Protocol, TypeAlias
from urllib.parse import quote_from_bytes

import orjson
from uvicorn._types import HTTPScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

Answer: TypeAlias = tuple[bytes, bytes]
HEAD_END = b"\r\n\r\n"
REQUEST_LINE = re.compile(rb"([A-Z]{1,20} )([^ \r\n]*[\x80-\xff][^ \r\n]*)(?= HTTP/1\.[01]\r\n)")
KEPT = "".join(map(chr, range(0x21, 0x7F)))
LAST_CALL = 1.0  # seconds that a connection which was accepted has for its first request when the server ends
PATIENCE = 20.0  # seconds for a head to come, and for a client to take some of its answer
MAX_HEAD = 256 * 1024  # bytes of request line and headers
MAX_ADDRESS = 65_535  # bytes, percent-encoded; the parser takes no more
LONGEST = 1024  # bytes of a request that is worth remembering
REFUSALS = {  # status -> code, detail
    400: ("bad_request", "this is no HTTP/1.1 request"),
    408: ("request_timeout", "the request did not come in time"),
    414: ("address_too_long", f"an address is at most {MAX_ADDRESS} bytes, percent-encoded"),
    431: ("head_too_large", f"request line and headers are at most {MAX_HEAD} bytes"),
    503: ("overloaded", "there are too many connections"),
}


class Prepared(Protocol):
    """An application that has some answers ready: their head, but for what the server adds, and their body."""

    def ready(self, scope: HTTPScope, request: tuple[Hashable, ...] | None) -> Answer | None:
        """The answer to a request. It is remembered by `request`, where that says all of it."""

    def again(self, request: tuple[Hashable, ...]) -> Answer | None:
        """The answer to a request that was remembered."""


class HttpProtocol(HttpToolsProtocol):
    """One connection. `limit_concurrency` of the configuration is one more than the connections that may be."""

    url = b""  # of the request that is being read
    last_call = LAST_CALL
    patience = PATIENCE
    awaited_since: float | None = None  # when the wait for a head began; None while a request is answered
    is_ending = False
    in_head = False
    is_head_complete = False  # just now
    head_bytes = 0
    in_message = False
    request: bytes | None = None  # what was just received, where it is a request and nothing else
    unread = 0  # bytes of an answer that were not yet taken when last looked at
    watch: asyncio.TimerHandle | None = None
    prepared: Prepared | None = None  # the application, where it has answers ready
    is_trusted = False  # a proxy that says which scheme its client used

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        app: Any = self.app
        if isinstance(app, ProxyHeadersMiddleware):  # of what it changes, an answer can depend on the scheme alone
            self.is_trusted = self.client is not None and self.client[0] in app.trusted_hosts
            app = app.app
        self.prepared = app if hasattr(app, "again") else None
        self.awaited_since = self.loop.time()
        self.watch = self.loop.call_later(self.patience, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.watch is not None:
            self.watch.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        if self.cycle is None:
            self.is_ending = True
            self.loop.call_later(self.last_call, super().shutdown)
        else:
            super().shutdown()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None and len(self.connections) >= (self.limit_concurrency or math.inf):
            self._refuse(503)
            return
        self.request = data if self._may_be_request(data) else None
        if self.request and self.prepared and (answer := self.prepared.again((self.is_trusted, self.scheme, data))):
            self._write(answer)
            self.on_response_complete()
            return
        in_body = self.cycle is not None and self.cycle.more_body
        if not in_body and not data.isascii():
            data = REQUEST_LINE.sub(_encoded, data, count=1) if REQUEST_LINE.match(data) else data
        super().data_received(data)
        if self.in_head:
            self.head_bytes += len(data)
            if self.head_bytes > MAX_HEAD:
                self._refuse(431)

    def _may_be_request(self, data: bytes) -> bool:
        """Whether this is the start of a request on a connection that waits for one, and may be all of it."""
        is_waiting = self.cycle is not None and self.cycle.response_complete and not self.in_message
        is_usual = not self.is_ending and not self.flow.write_paused
        return is_waiting and is_usual and len(data) <= LONGEST and data.endswith(HEAD_END)

    def on_message_begin(self) -> None:
        self.in_message = True
        self.in_head = True
        self.head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.in_head = False
        self.awaited_since = None
        self.is_head_complete = True
        super().on_headers_complete()
        self.is_head_complete = False

    def on_message_complete(self) -> None:
        self.in_message = False
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        cycle.keep_alive = cycle.keep_alive and not self.is_ending
        # One that waited for another's answer goes the usual way: here each would be answered inside the one before.
        is_usual = cycle.keep_alive and not self.flow.write_paused
        answer = self._ready(cycle.scope) if app is self.app and self.is_head_complete and is_usual else None
        if answer is None:
            super()._start_asgi_task(cycle, app)
            return
        cycle.response_started = cycle.response_complete = True
        cycle.more_body = False
        self._write(answer)
        self.on_response_complete()

    def _ready(self, scope: HTTPScope) -> Answer | None:
        if self.prepared is None:
            return None
        if self.is_trusted:
            scheme = dict(scope["headers"]).get(b"x-forwarded-proto", b"").strip()
            scope["scheme"] = scheme.decode() if scheme in (b"http", b"https") else scope["scheme"]
        given = self.request or b""
        # One request: only the last line is empty, and all end as they should.
        is_whole = given.count(HEAD_END) == 1 and given.count(b"\n") == given.count(b"\r\n")
        return self.prepared.ready(scope, (self.is_trusted, self.scheme, given) if is_whole else None)

    def _write(self, answer: Answer) -> None:
        head, body = answer
        server = [b"%b: %b\r\n" % header for header in self.server_state.default_headers]
        self.transport.write(b"".join([head, *server, b"\r\n", body]))

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete:  # else the next request is here already
            self.awaited_since = self.loop.time()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._refuse(414 if len(self.url) > MAX_ADDRESS else 400)

    def _look(self) -> None:
        """Ends a connection that waits in vain; one look for many requests, as most connections are well."""
        unread = self.transport.get_write_buffer_size()
        if unread and unread == self.unread:
            self.transport.abort()
            return
        self.unread = unread
        self.watch = self.loop.call_later(self.patience, self._look)
        if self.awaited_since is not None and self.loop.time() - self.awaited_since >= self.patience:
            self._refuse(408) if self.in_head else self.transport.close()

    def _refuse(self, status: int) -> None:
        if self.transport.is_closing():
            return
        code, detail = REFUSALS[status]
        problem = {
            "type": f"urn:honbun:problem:{code}",
            "title": STATUS_LINE[status].split(b" ", 2)[2].strip().decode(),
            "status": status,
            "detail": detail,
            "code": code,
            "errors": [{"code": code, "detail": detail}],
            "request_id": "",
        }
        body = orjson.dumps(problem)
        headers = [
            *self.server_state.default_headers,
            (b"content-type", b"application/problem+json"),
            (b"content-length", b"%d" % len(body)),
            (b"cache-control", b"no-store"),
            (b"access-control-allow-origin", b"*"),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
            *([(b"retry-after", b"1")] if status == 503 else []),
        ]
        head = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"".join((STATUS_LINE[status], head, b"\r\n", body)))
        self.transport.close()


def _encoded(line: re.Match[bytes]) -> bytes:
    return line[1] + quote_from_bytes(line[2], safe=KEPT).encode()
