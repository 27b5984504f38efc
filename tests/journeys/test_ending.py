"""SIGTERM: not ready first, then what was accepted is finished; and the next start gets the port."""

import json
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from tests.building import AUTH, KEY, markdown
from tests.journeys.serving import PATIENCE, Server, free_port, serving, started

BODY = markdown(title="株価").encode()


def begin_upload(server: Server) -> socket.socket:
    """A PUT whose body has not quite come; the server has asked for it."""
    connection = server.connect()
    head = f"PUT /v1/posts/kabu HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Type: text/markdown\r\n"
    connection.sendall(f"{head}Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode())
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(BODY[:-1])
    return connection


def status_of(server: Server, path: str) -> int:
    """By a new connection, as a load balancer asks."""
    return httpx2.get(server.url + path, timeout=PATIENCE).status_code


def await_refusal(server: Server) -> None:
    with suppress(httpx2.ConnectError):
        while True:
            status_of(server, "/healthz")


def test_sigterm_is_not_ready_first_then_finishes_what_was_accepted(tmp_path: Path) -> None:
    with serving(tmp_path, DRAIN_SECONDS="2") as server, begin_upload(server) as upload:
        server.process.send_signal(signal.SIGTERM)
        while (readiness := status_of(server, "/readyz")) == 200:
            pass
        served = status_of(server, "/v1/posts")
        await_refusal(server)
        upload.sendall(BODY[-1:])
        answer = upload.recv(100_000)

        assert (readiness, served) == (503, 200)
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert server.process.wait(PATIENCE) == 0


def test_upload_that_never_ends_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with serving(tmp_path, UPLOAD_PATIENCE="1") as server, begin_upload(server) as upload:
        server.process.send_signal(signal.SIGTERM)
        answer = upload.recv(100_000)

        assert answer.startswith(b"HTTP/1.1 408 ")
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_next_start_at_once_gets_the_port(tmp_path: Path, workers: str) -> None:
    port = free_port()
    with serving(tmp_path, port, WORKERS=workers, DRAIN_SECONDS="1") as first:
        first.process.send_signal(signal.SIGTERM)
        with started(tmp_path, port, WORKERS=workers) as second:
            assert first.process.wait(PATIENCE) == 0
            second.await_ready()
            assert second.client.put("/v1/posts/kabu", content=BODY).status_code == 201


@pytest.mark.slow
def test_workers_do_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port, WORKERS="2") as server:
        server.kill()
    with serving(tmp_path, port, WORKERS="2") as server:
        assert server.client.put("/v1/posts/kabu", content=BODY).status_code == 201


def test_port_of_another_program_is_named_and_left_to_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with started(tmp_path, port) as server:
            assert server.process.wait(PATIENCE) == 2
            last = server.log.read_text(encoding="utf-8").splitlines()[-1]

    assert last == f"honbun: HONBUN_PORT: 127.0.0.1:{port}: Address already in use"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_accepted_write_is_cut_off_in_25_rounds_of_sigterm(database_url: str, tmp_path: Path) -> None:
    """Each round ends a server in the middle of writes, a little later than the round before; two run at a time.

    The time counts from its first write on: on a busy machine there would be none before the end.
    """

    def end_while_writing(number: int) -> list[str]:
        name = f"p{number:02}"
        first = f"{name}-first"
        with serving(tmp_path, DATABASE_URL=database_url) as server:
            assert write(server, first).status_code == 201
            timer = threading.Timer(0.02 * number, server.process.send_signal, [signal.SIGTERM])
            timer.start()
            written = [first, *write_until_refused(server, name)]
            timer.join()
            assert server.process.wait(PATIENCE) == 0
        return written

    rounds = range(13) if database_url.startswith("sqlite") else range(13, 25)
    with ThreadPoolExecutor(2) as pool:
        acknowledged = [slug for written in pool.map(end_while_writing, rounds) for slug in written]
    with serving(tmp_path, DATABASE_URL=database_url) as server:
        stored = [json.loads(line)["slug"] for line in server.client.get("/v1/sources").iter_lines()]

    assert len(acknowledged) > 12
    assert stored == sorted(acknowledged)


def write_until_refused(server: Server, name: str) -> list[str]:
    """What was acknowledged; a request that found no server was not accepted, one that was cut off fails the test."""
    acknowledged: list[str] = []
    while True:
        slug = f"{name}-{len(acknowledged):04}"
        try:
            response = write(server, slug)
        except httpx2.ConnectError:
            return acknowledged
        assert response.status_code == 201
        acknowledged.append(slug)


def write(server: Server, slug: str) -> httpx2.Response:
    with httpx2.Client(base_url=server.url, headers=AUTH, timeout=PATIENCE) as client:
        return client.put(f"/v1/posts/{slug}", content=markdown(title=slug))
