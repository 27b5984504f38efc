"""Clients that are slow, stalled or too many cost no more than they may."""

import socket
from contextlib import ExitStack
from pathlib import Path

from tests.building import KEY, markdown
from tests.journeys.serving import Server, serving

HEAD = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"


def answer(server: Server, sent: bytes) -> bytes:
    """What comes until the server closes the connection."""
    with server.connect() as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
        return received


def is_alive(connection: socket.socket) -> bool:
    connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while b"}" not in received and (piece := connection.recv(1000)):
        received += piece
    return received.endswith(b'{"status":"ok"}')


def test_stalled_uploads_are_cut_off_whatever_their_form(tmp_path: Path) -> None:
    with serving(tmp_path, UPLOAD_PATIENCE="0.5") as server:
        for request in (
            f"PUT /v1/posts/kabu {HEAD}Content-Type: text/markdown\r\nContent-Length: 100\r\n\r\n# begun",
            f"POST /v1/ingest {HEAD}Content-Type: application/zip\r\nContent-Length: 100\r\n\r\nPK",
            f'POST /v1/ingest {HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{{"fil',
            f"POST /v1/ingest {HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100\r\n\r\n--b\r\n",
            f"POST /v1/render {HEAD}Content-Type: text/markdown\r\nContent-Length: 100\r\n\r\n",
        ):
            received = answer(server, request.encode())

            assert received.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), request
            assert b'"code":"request_timeout"' in received
            assert b"connection: close\r\n" in received
        assert server.client.get("/v1/posts").json()["total"] == 0
        assert server.client.put("/v1/posts/kabu", content=markdown(title="株価")).status_code == 201


def test_one_connection_too_many_is_refused_and_the_others_are_served(tmp_path: Path) -> None:
    with serving(tmp_path, MAX_CONNECTIONS="3") as server, ExitStack() as stack:
        server.client.close()
        open_ones = [stack.enter_context(server.connect()) for _ in range(3)]
        for connection in open_ones:
            assert is_alive(connection)
        refused = answer(server, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        served = is_alive(open_ones[0])

    assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 1\r\n" in refused
    assert b'"code":"overloaded"' in refused
    assert served
