"""A bare ASGI callable, the yardstick: `/N` answers N ready bytes of JSON, `/304` what a reader has already."""

from functools import cache
from typing import Any

from starlette.types import Receive, Scope, Send

HEADERS = [
    (b"content-type", b"application/json"),
    (b"etag", b'"0123456789abcdef"'),
    (b"cache-control", b"public, max-age=0, s-maxage=60, must-revalidate"),
    (b"vary", b"Accept-Encoding, Authorization"),
    (b"access-control-allow-origin", b"*"),
]


@cache
def ready(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    size = int(path[1:])
    if size == 304:
        headers, status, body = HEADERS[1:], 304, b""
    else:
        headers, status, body = [*HEADERS, (b"content-length", b"%d" % size)], 200, b"x" * size
    return (
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


async def app(scope: Scope, _receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        start, body = ready(scope["path"])
        await send(start)
        await send(body)
