"""Uploads that end before their time, come too slowly or are too large, against a real server."""

import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import pytest

from tests.building import KEY
from tests.journeys.serving import PATIENCE, Server, serving

PART = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
KINDS = {
    "PUT": ("PUT /v1/posts/kabu", "text/markdown", ""),
    "raw": ("POST /v1/ingest?name=a.md", "text/markdown", ""),
    "render": ("POST /v1/render", "text/markdown", ""),
    "multipart": ("POST /v1/ingest", "multipart/form-data; boundary=b", PART),
    "zip": ("POST /v1/ingest", "application/zip", "PK\3\4"),
    "tar": ("POST /v1/ingest", "application/x-tar", ""),
    "gzip": ("POST /v1/ingest", "application/gzip", ""),
    "json": ("POST /v1/ingest", "application/json", '{"files": ['),
}
SPOOLED = ("multipart", "zip", "tar", "gzip", "json")  # in a temporary file, once they are large
kinds = pytest.mark.parametrize("kind", KINDS)


def head(kind: str, framing: str) -> bytes:
    request, content_type, _ = KINDS[kind]
    lines = (f"{request} HTTP/1.1", "Host: x", f"Authorization: Bearer {KEY}", f"Content-Type: {content_type}", framing)
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def answer(connection: socket.socket) -> bytes:
    """One answer whole; the connection may stay."""
    received = b""
    while not received.endswith(b"}") and (piece := connection.recv(65536)):
        received += piece
    return received


def until(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.02)  # another process: there is nothing here to be told by
    return found


def held(server: Server) -> list[str]:
    """What the server's process holds open: its files by their paths, pipes and the like by their kind, no sockets."""
    found = []
    for descriptor in Path(f"/proc/{server.process.pid}/fd").iterdir():
        try:
            found.append(str(descriptor.readlink()).partition(":")[0])
        except OSError:  # closed in between
            continue
    return sorted(each for each in found if each != "socket")


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_aborted_uploads_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ends in the middle; what can be larger than a mebibyte lies in a temporary file by then."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with serving(tmp_path) as server:
        server.client.put("/v1/posts/warm", content="# 題\n")
        server.client.close()
        before = held(server)
        for kind, is_reset in product(KINDS, (False, True)):
            with server.connect() as connection:
                connection.sendall(head(kind, "Content-Length: 2000000") + KINDS[kind][2].encode())
                connection.sendall(b"x" * 1_500_000)
                if kind in SPOOLED:
                    assert until(lambda: any(str(temporary) in each for each in held(server))), kind
                if is_reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        assert until(lambda: held(server) == before), held(server)
        assert list(temporary.iterdir()) == []


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes little, and that soon."""
    folder = tmp_path_factory.mktemp("strict")
    with serving(folder, MAX_FILE_BYTES="4000", MAX_UPLOAD_BYTES="4000", UPLOAD_PATIENCE="0.5") as server:
        yield server


@kinds
def test_body_that_says_it_is_too_large_is_413_before_it_comes(strict: Server, kind: str) -> None:
    with strict.connect() as connection:
        connection.sendall(head(kind, "Content-Length: 100000000"))
        received = answer(connection)

    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in received


@kinds
def test_body_that_does_not_say_how_large_it_is_is_413_at_the_limit(strict: Server, kind: str) -> None:
    with strict.connect() as connection:
        connection.sendall(head(kind, "Transfer-Encoding: chunked"))
        connection.sendall(chunk(KINDS[kind][2].encode() + b"x" * 2500) + chunk(b"x" * 2500))  # and no end
        received = answer(connection)

    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"too_large" in received


@kinds
def test_body_that_keeps_coming_but_slowly_is_cut_off(strict: Server, kind: str) -> None:
    """A byte at a time is never a pause as long as the patience, yet far below 8 KiB a second."""
    with strict.connect() as connection:
        connection.sendall(head(kind, "Transfer-Encoding: chunked") + chunk(KINDS[kind][2].encode() or b"x"))
        connection.settimeout(0.05)
        received, sent = b"", 0
        while not received:
            connection.sendall(chunk(b"x"))
            sent += 1
            try:
                received = connection.recv(65536)
            except TimeoutError:
                continue

    assert received.startswith(b"HTTP/1.1 408 ")
    assert sent < 200
