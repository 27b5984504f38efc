import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from app.http_protocol import RawAddressProtocol


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the raw query and the body."""
    if scope["type"] != "http":
        return
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message["body"]
    answer = scope["path"].encode() + b"|" + scope["query_string"] + b"|" + body
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})


@pytest.fixture
def port() -> Iterator[int]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(echo, http=RawAddressProtocol, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def exchange(port: int, *chunks: bytes) -> bytes:
    """Sends the chunks one by one; what the server says until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for chunk in chunks:
            connection.sendall(chunk)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


HEADERS = b"host: a\r\nconnection: close\r\n"


def test_raw_japanese_in_an_address_is_read_as_if_it_were_encoded(port: int) -> None:
    answer = exchange(port, "GET /記事?tag=投資&q=a%20b HTTP/1.1\r\n".encode() + HEADERS + b"\r\n")

    assert answer.endswith("/記事|tag=%E6%8A%95%E8%B3%87&q=a%20b|".encode())


def test_body_that_looks_like_a_request_is_left_alone(port: int) -> None:
    body = "GET /投資 HTTP/1.1\r\n".encode()
    head = b"POST / HTTP/1.1\r\n" + HEADERS + b"content-length: %d\r\n\r\n" % len(body)

    assert exchange(port, head, body).endswith(b"/||" + body)


@pytest.mark.parametrize("line", ["GET /投資", "GET /投 資 HTTP/1.1\r\n", "投資 / HTTP/1.1\r\n"])
def test_what_is_no_request_line_is_refused(port: int, line: str) -> None:
    answer = exchange(port, line.encode() + b"\r\n\r\n")

    assert b" 200 " not in answer.split(b"\r\n")[0]
