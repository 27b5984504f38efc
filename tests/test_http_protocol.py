import asyncio
import re
import socket
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http_protocol import MAX_ADDRESS, HttpProtocol


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


class Impatient(HttpProtocol):
    patience = 0.3


class Lost(Impatient):
    has_lost = threading.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.has_lost.set()


class Prepared:
    """Has answers ready for some paths; says of the others that they were asked for. `/slow` takes its time.

    To what came before byte for byte it answers by how often that was.
    """

    def __init__(self) -> None:
        self.known: dict[tuple[Hashable, ...], int] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(0.2)
        await echo(scope, receive, send)

    def ready(self, scope: Scope, request: tuple[Hashable, ...] | None) -> tuple[bytes, bytes] | None:
        if scope["path"] not in ("/ready", "/scheme"):
            return None
        if request is not None:
            self.known[request] = 0
        body = b"ready" if scope["path"] == "/ready" else scope["scheme"].ljust(5).encode()
        return b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", body

    def again(self, request: tuple[Hashable, ...]) -> tuple[bytes, bytes] | None:
        if request not in self.known:
            return None
        self.known[request] += 1
        return b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", b"again"


class Ending(HttpProtocol):
    last_call = 60.0
    has_begun = threading.Event()

    def shutdown(self) -> None:
        super().shutdown()
        self.has_begun.set()


@contextmanager
def served(protocol: type[HttpProtocol], app: ASGIApp = echo, **options: Any) -> Iterator[int]:
    with running(protocol, app, **options) as (_, port):
        yield port


@contextmanager
def running(protocol: type[HttpProtocol], app: ASGIApp = echo, **options: Any) -> Iterator[tuple[uvicorn.Server, int]]:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, http=protocol, lifespan="off", log_level="critical", **options)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
        thread.start()
        yield server, listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(HttpProtocol) as number:
        yield number


@pytest.fixture(scope="module")
def prepared() -> Iterator[int]:
    with served(HttpProtocol, Prepared(), proxy_headers=False) as number:
        yield number


@pytest.fixture(scope="module")
def impatient() -> Iterator[int]:
    with served(Impatient) as number:
        yield number


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


def until_closed(port: int, *chunks: bytes, pause: float = 0.0) -> bytes:
    """What the server says until it closes, while this side stays open; a refused chunk is the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, suppress(ConnectionError):
        for chunk in chunks:
            connection.sendall(chunk)
            time.sleep(pause)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer
    return b""


def test_head_that_does_not_end_in_time_is_cut_off(impatient: int) -> None:
    answer = until_closed(impatient, b"GET / HTTP/1.1\r\nhost: a\r\n")
    dripped = until_closed(impatient, b"GET / HTTP/1.1\r\n", *[b"x-a: b\r\n"] * 8, pause=0.1)

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"code":"request_timeout"' in answer
    assert dripped == b"" or dripped.startswith(b"HTTP/1.1 408 ")


def test_connection_that_says_nothing_is_closed(impatient: int) -> None:
    assert until_closed(impatient) == b""


def test_slow_body_is_none_of_the_protocols_business(impatient: int) -> None:
    head = b"POST / HTTP/1.1\r\n" + HEADERS + b"content-length: 8\r\n\r\n"

    assert until_closed(impatient, head, *[b"x"] * 8, pause=0.1).endswith(b"/||xxxxxxxx")


def test_next_request_on_a_connection_is_waited_for_anew(impatient: int) -> None:
    request = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    with socket.create_connection(("127.0.0.1", impatient), timeout=10) as connection:
        for _ in range(4):
            time.sleep(0.2)
            connection.sendall(request)
            answer = b""
            while not answer.endswith(b"/||"):
                answer += connection.recv(1000)


def test_answer_that_nobody_takes_is_dropped() -> None:
    body = b"x" * 20_000_000  # more than the sockets' buffers hold
    head = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % len(body)
    with served(Lost) as port, socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head + body)
        assert Lost.has_lost.wait(60)
        received = 0
        with suppress(ConnectionResetError):
            while piece := connection.recv(1 << 20):
                received += len(piece)

    assert received < len(body)


@pytest.mark.parametrize("chunk", [b"x-a: " + b"b" * 1000 + b"\r\n", b"x-a: b\r\n" * 100, b"x" * 1000])
def test_head_without_end_is_refused(port: int, chunk: bytes) -> None:
    answer = until_closed(port, b"GET / HTTP/1.1\r\n", *[chunk] * 600)

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


@pytest.mark.parametrize(
    "sent", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
)
def test_what_is_no_request_is_answered_with_a_problem(port: int, sent: bytes) -> None:
    head, _, body = until_closed(port, sent).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"content-type: application/problem+json" in head
    assert orjson.loads(body)["code"] == "bad_request"


def test_address_that_is_too_long_is_refused_as_such(port: int) -> None:
    longest = b"GET /" + b"a" * (MAX_ADDRESS - 1) + b" HTTP/1.1\r\n" + HEADERS + b"\r\n"
    head, _, body = until_closed(port, longest.replace(b"/", b"/a", 1)).partition(b"\r\n\r\n")

    assert exchange(port, longest).startswith(b"HTTP/1.1 200 ")
    assert head.startswith(b"HTTP/1.1 414 ")
    assert orjson.loads(body)["code"] == "address_too_long"


def get(path: str, headers: str = "", *, body: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: a\r\n{headers}\r\n{body}".encode()


LAST = get("/last", "connection: close\r\n")


def converse(port: int, *requests: bytes) -> bytes:
    """Sends a request when the one before was answered, at least in part; all that the server says until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        answer = b""
        for request in requests:
            connection.sendall(request)
            answer += connection.recv(65536)
        while piece := connection.recv(65536):
            answer += piece
        return answer


def test_ready_answer_goes_out_past_the_application(prepared: int) -> None:
    answer = converse(prepared, get("/ready"), get("/other"), get("/ready"), LAST)
    first = answer.partition(b"ready")[0].split(b"\r\n")

    assert first[0] == b"HTTP/1.1 200 OK"
    assert {line.partition(b":")[0] for line in first[1:] if line} == {b"content-length", b"date", b"server"}
    assert re.findall(rb"\r\n\r\n(.*?)(?=HTTP|$)", answer) == [b"ready", b"/other||", b"ready", b"/last||"]


def test_request_that_comes_again_on_a_connection_is_answered_without_being_read_again() -> None:
    app = Prepared()
    with served(HttpProtocol, app, proxy_headers=False) as port:
        answer = converse(port, *[get("/ready")] * 4, get("/other"), LAST)
        other = converse(port, get("/ready"), get("/ready"), get("/ready", "accept: */*\r\n"), LAST)

    parts = re.findall(rb"\r\n\r\n(.*?)(?=HTTP|$)", answer)
    assert parts == [b"ready", b"ready", b"again", b"again", b"/other||", b"/last||"]
    assert re.findall(rb"\r\n\r\n(.*?)(?=HTTP|$)", other) == [b"ready", b"again", b"ready", b"/last||"]
    assert app.known == {(False, "http", get("/ready")): 3, (False, "http", get("/ready", "accept: */*\r\n")): 0}


def test_connection_that_is_done_is_closed_as_soon_after_a_repeated_answer_as_after_any() -> None:
    app = Prepared()
    with served(HttpProtocol, app, proxy_headers=False, timeout_keep_alive=1) as port:
        answer = converse(port, *[get("/ready")] * 3)  # until the server closes, long before its patience ends

    assert answer.endswith(b"again")
    assert app.known == {(False, "http", get("/ready")): 1}


@pytest.mark.parametrize(
    "chunks",
    [
        [get("/ready"), get("/ready") + get("/ready")],  # two requests
        [get("/ready"), get("/ready")[:20], get("/ready")[20:]],  # the end of one
        [get("/ready"), b"GET /ready HTTP/1.1\nhost: a\n\n" + get("/ready")],
        [get("/ready"), b"GET /ready HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 1024 + b"\r\n\r\n"],
        [b"POST /other HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n\r\n\r\n"],
        [get("/ready", "connection: close\r\n")],
    ],
)
def test_only_what_is_one_whole_request_is_remembered(chunks: list[bytes]) -> None:
    app = Prepared()
    with served(HttpProtocol, app) as port, socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        for chunk in chunks:
            connection.sendall(chunk)
            connection.settimeout(0.05)
            with suppress(TimeoutError):  # no answer to half a request
                connection.recv(65536)

    assert app.known == {}


def test_request_is_remembered_apart_for_a_trusted_proxy() -> None:
    repeated = get("/scheme", "x-forwarded-proto: https\r\n")
    app = Prepared()
    for trusted in ("127.0.0.1", "10.0.0.1"):
        with served(HttpProtocol, app, forwarded_allow_ips=trusted) as port:
            converse(port, repeated, repeated, repeated, LAST)

    assert app.known == {(True, "http", repeated): 1, (False, "http", repeated): 1}


def test_pipelined_requests_are_answered_in_order(prepared: int) -> None:
    many = 1500
    answer = converse(prepared, get("/ready") + get("/slow") + get("/ready") * many + LAST)
    found = re.findall(rb"\r\n\r\n(.*?)(?=HTTP|$)", answer)

    assert found[:2] == [b"ready", b"/slow||"]
    assert found[2:-1] == [b"/ready||"] * many
    assert found[-1] == b"/last||"


def test_connection_that_ends_is_told_so_by_the_usual_way(prepared: int) -> None:
    answer = converse(prepared, get("/ready", "connection: close\r\n"))

    assert b"connection: close" in answer
    assert answer.endswith(b"/ready||")


def test_raw_japanese_is_read_after_a_ready_answer_too(prepared: int) -> None:
    answer = converse(prepared, get("/ready"), "GET /記事 HTTP/1.1\r\n".encode() + HEADERS + b"\r\n")

    assert answer.endswith("/記事||".encode())


@pytest.mark.parametrize("path", [b"/ready", b"/other"])
def test_first_request_of_a_connection_is_answered_though_the_server_ends(path: bytes) -> None:
    with (
        running(Ending, Prepared()) as (server, port),
        socket.create_connection(("127.0.0.1", port), timeout=60) as connection,
    ):
        exchange(port, b"GET / HTTP/1.1\r\n" + HEADERS + b"\r\n")  # connections are accepted in their order
        Ending.has_begun.clear()
        server.should_exit = True
        assert Ending.has_begun.wait(60)
        connection.sendall(b"GET " + path + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        answer = b""
        while piece := connection.recv(65536):  # until the server closes, at once
            answer += piece

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.1", b"https"), ("10.0.0.1", b"http ")])
def test_ready_answer_is_for_the_scheme_that_a_trusted_proxy_names(trusted: str, scheme: bytes) -> None:
    with served(HttpProtocol, Prepared(), forwarded_allow_ips=trusted) as port:
        answer = converse(port, get("/scheme", "x-forwarded-proto: https\r\n"), LAST)

    assert re.findall(rb"\r\n\r\n(.*?)(?=HTTP|$)", answer) == [scheme, b"/last||"]
