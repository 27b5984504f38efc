"""What is written through one process is in the others' next answers, whether they hear of it or not."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import httpx2
import psycopg.conninfo
import pytest

from app.posts.signals import TRUST
from tests.building import AUTH, markdown
from tests.journeys.serving import PATIENCE, Server, serving

READERS = httpx2.Client(headers={"Connection": "close"}, timeout=PATIENCE)  # any worker may take the next connection
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


def write(server: Server, slug: str) -> str:
    """Stores a post; the version that it has now."""
    response = server.client.put(f"/v1/posts/{slug}", content=markdown(title=slug), headers=AUTH)
    assert response.status_code == 201, response.text
    return response.headers["Honbun-Version"]


def version(server: Server) -> str:
    """The version of the list that readers without a key get."""
    return READERS.get(f"{server.url}/v1/posts").headers["Honbun-Version"]


@on_sqlite
def test_commit_is_in_the_next_answer_of_another_process_on_sqlite(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=database_url) as one, serving(tmp_path, DATABASE_URL=database_url) as other:
        for number in range(20):
            writer, reader = (one, other) if number % 2 else (other, one)
            reader_had = version(reader)
            written = write(writer, f"p{number}")

            assert version(reader) == version(writer) == written != reader_had


@on_sqlite
def test_request_that_is_repeated_on_one_connection_is_answered_anew(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        one, other = (stack.enter_context(serving(tmp_path, DATABASE_URL=database_url)) for _ in range(2))
        reader = stack.enter_context(httpx2.Client(base_url=one.url, timeout=PATIENCE))  # keeps its connection
        for number in range(10):
            written = write(one if number % 2 else other, f"p{number}")
            for _ in range(4):
                answer = reader.get("/v1/posts")
                assert (answer.headers["Honbun-Version"], answer.json()["total"]) == (written, number + 1)
            known = {"If-None-Match": answer.headers["ETag"]}
            assert [reader.get("/v1/posts", headers=known).status_code for _ in range(4)] == [304] * 4


@pytest.mark.slow
def test_workers_of_one_service_all_have_what_one_of_them_took(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=database_url, WORKERS="2") as server:
        for number in range(5):
            written = write(server, f"p{number}")
            wait = f"?min_version={written}&wait=30" if database_url.startswith("postgres") else ""
            for _ in range(10):  # each on a connection of its own, which either may take
                assert READERS.get(f"{server.url}/v1/posts{wait}").json()["total"] == number + 1


class Wire(socketserver.ThreadingTCPServer):
    """Between a listener and Postgres; it can be cut, and it can fall silent."""

    daemon_threads = True

    def __init__(self, url: str) -> None:
        super().__init__(("127.0.0.1", 0), Both)
        self.parts = psycopg.conninfo.conninfo_to_dict(url)
        self.is_cut = self.is_silent = False
        self.open: list[socket.socket] = []

    def connected(self) -> socket.socket:
        """A connection to Postgres."""
        host, port = str(self.parts.get("host", "localhost")), str(self.parts.get("port", 5432))
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        local = socket.socket(socket.AF_UNIX)
        local.connect(f"{host}/.s.PGSQL.{port}")
        return local

    @property
    def url(self) -> str:
        user, password = (quote(str(self.parts.get(name) or ""), safe="") for name in ("user", "password"))
        return f"postgresql://{user}:{password}@127.0.0.1:{self.server_address[1]}/{self.parts['dbname']}"

    def cut(self) -> None:
        self.is_cut = True
        for connection in self.open:
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)


class Both(socketserver.BaseRequestHandler):
    """Carries bytes both ways."""

    server: Wire

    def handle(self) -> None:
        if self.server.is_cut:
            return
        postgres = self.server.connected()
        self.server.open += [self.request, postgres]
        back = threading.Thread(target=self._carry, args=(postgres, self.request), daemon=True)
        back.start()
        self._carry(self.request, postgres)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                if not self.server.is_silent:
                    target.sendall(piece)
        except OSError:
            pass
        finally:
            for end in (source, target):
                end.close()


@contextmanager
def wire(url: str) -> Iterator[Wire]:
    with Wire(url) as between:
        threading.Thread(target=between.serve_forever, daemon=True).start()
        yield between
        between.shutdown()


def hears(writer: Server, reader: Server, slug: str) -> None:
    """Waits until the reader has a commit of the writer."""
    written, deadline = write(writer, slug), monotonic() + PATIENCE
    while version(reader) != written:
        assert monotonic() < deadline
        sleep(0.01)  # another process: there is nothing here to be told by


@on_postgres
def test_reader_whose_listener_is_silenced_is_never_stale(database_url: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        between = stack.enter_context(wire(database_url))
        writer = stack.enter_context(serving(tmp_path, DATABASE_URL=database_url))
        reader = stack.enter_context(serving(tmp_path, DATABASE_URL=database_url, DATABASE_LISTEN_URL=between.url))
        for number in range(5):
            hears(writer, reader, f"heard-{number}")
        between.is_silent = True
        sleep(TRUST)  # the silence has to last before it is one
        for number in range(5):
            assert write(writer, f"silent-{number}") == version(reader)
        between.cut()
        for number in range(5):
            assert write(writer, f"cut-{number}") == version(reader)


@pytest.mark.slow
@on_postgres
def test_reader_that_never_had_a_listener_is_never_stale(database_url: str, tmp_path: Path) -> None:
    nowhere = "postgresql://honbun:secret@127.0.0.1:1/honbun"
    with (
        serving(tmp_path, DATABASE_URL=database_url) as writer,
        serving(tmp_path, DATABASE_URL=database_url, DATABASE_LISTEN_URL=nowhere) as reader,
    ):
        for number in range(10):
            assert version(reader) == version(reader)
            assert write(writer, f"p{number}") == version(reader)
        assert not any("secret" in line for line in reader.said)
