"""What concerns every request, as plain ASGI: CORS, HEAD wherever there is GET, what was written, errors nobody caught."""

import logging
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.overload import READS
from app.api.problems import Problem
from app.posts.watch import Watch

EXPOSED = "ETag, Link, Location, Retry-After, Honbun-Version"
METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
REQUEST_HEADERS = "Authorization, Content-Type, Accept, If-Match, If-None-Match, If-Modified-Since"
IS_HEAD = "honbun.head"  # in the scope: the body is not going to be sent, so a stream need not be read
log = logging.getLogger("honbun")


class Head:
    """HEAD is GET without the body (RFC 9110, 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET", IS_HEAD: True}, receive, without_body)


class Forgetting:
    """Whoever is told that something was written finds it in the next answer."""

    def __init__(self, app: ASGIApp, *, watch: Watch) -> None:
        self.app = app
        self.watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def forgetting(message: Message) -> None:
            self.watch.forget()
            await send(message)

        is_read = scope["type"] != "http" or scope["method"] in READS
        await self.app(scope, receive, send if is_read else forgetting)


class Unexpected:
    """Outermost but for the headers that every answer carries: what nobody caught is logged and answered 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await Problem(500, "internal_error", "something went wrong here; it is in the log")(scope, receive, send)


class Cors:
    """Cross-origin reads, without credentials.

    With `*` the header is the same on every answer, Origin or not: a cache may then keep one copy for all.
    """

    def __init__(self, app: ASGIApp, *, origins: Sequence[str]) -> None:
        self.app = app
        self.any_origin = "*" in origins
        self.origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Headers(scope=scope)
        origin = request.get("origin")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.add_to(MutableHeaders(scope=message), origin)
            await send(message)

        if scope["method"] == "OPTIONS" and origin and "access-control-request-method" in request:
            await _preflight(with_headers)
        else:
            await self.app(scope, receive, with_headers)

    def add_to(self, headers: MutableHeaders, origin: str | None) -> None:
        """What a browser is told of an answer to a request from this origin."""
        if self.any_origin:
            headers["Access-Control-Allow-Origin"] = "*"
        else:
            headers.add_vary_header("Origin")
            if origin not in self.origins:
                return
            headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = EXPOSED


async def _preflight(send: Send) -> None:
    headers = {
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": REQUEST_HEADERS,
        "access-control-max-age": "86400",
        "vary": "Access-Control-Request-Method, Access-Control-Request-Headers",
    }
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 204, "headers": raw})
    await send({"type": "http.response.body", "body": b""})
