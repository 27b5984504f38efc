"""JSON Lines as they are read from the database, in one snapshot that always ends with the answer."""

import logging
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import anyio.to_thread
import orjson
import zstandard
from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.api.caching import check_acceptable, encoding_for
from app.api.middleware import IS_HEAD
from app.api.service import Reading

MEDIA_TYPE = "application/jsonl"
log = logging.getLogger("honbun")
LONGEST = 600  # seconds that a stream may hold its snapshot of the database
PIECE = 64 * 1024  # bytes; a line alone would cost a change of thread each


class JsonLines(StreamingResponse):
    """What was opened for the stream is closed at its end, also where the reader went away or nothing was sent."""

    def __init__(self, pieces: Iterator[bytes], *, opened: ExitStack, headers: dict[str, str]) -> None:
        super().__init__(pieces, headers=headers, media_type=MEDIA_TYPE)
        self.opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with anyio.fail_after(LONGEST):
                await super().__call__(scope, receive, send)
        except TimeoutError:
            log.warning("a stream was broken off after %s seconds: its reader is too slow", LONGEST)
            raise
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.opened.close)


def stream(
    request: Request,
    reading: Reading,
    read: Callable[[Connection], Iterator[Any]],
    tags: Iterable[str] = (),
) -> JsonLines:
    """What `read` reads, a line each, encoded on the way.

    Raises NotAcceptable, what `read` raises before its first line, DatabaseUnavailable.
    """
    check_acceptable(request, MEDIA_TYPE)
    encoding = encoding_for(request)
    with ExitStack() as stack:
        stack.enter_context(reading.service.streams)
        snapshot, lifetime = stack.enter_context(reading.snapshot(limited=False))
        lines: Iterator[Any] = iter(()) if IS_HEAD in request.scope else read(snapshot.connection)
        if isinstance(lines, Generator):
            stack.callback(lines.close)  # before the transaction that it reads in
        headers = lifetime.headers(tags) | ({"Content-Encoding": encoding} if encoding else {})
        return JsonLines(_encoded(_pieces(lines), encoding), opened=stack.pop_all(), headers=headers)


def _pieces(lines: Iterable[Any]) -> Iterator[bytes]:
    piece = bytearray()
    for line in lines:
        piece += orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        if len(piece) >= PIECE:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


def _encoded(pieces: Iterator[bytes], encoding: str | None) -> Iterator[bytes]:
    if encoding is None:
        yield from pieces
        return
    packer: Any = zstandard.ZstdCompressor(level=3).compressobj() if encoding == "zstd" else zlib.compressobj(wbits=31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
