"""A full disk, a Postgres that is gone, one that takes no more connections: said while it lasts, and over when it is over."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.building import markdown
from tests.journeys.serving import PATIENCE, Server, serving
from tests.journeys.writing import faults
from tests.postgres import Postgres, own_postgres

pytestmark = pytest.mark.slow

LARGE = markdown("本文です。" * 20_000, title="大")  # 300 KB


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with own_postgres() as postgres:
        yield postgres


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A disk of so many MiB; a file `ballast` takes half of it, until it is removed."""
    with tempfile.TemporaryDirectory(prefix="honbun-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=777", "tmpfs", folder]
        if subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("this needs the right to mount a file system")
        disk = Path(folder)
        try:
            (disk / "ballast").write_bytes(bytes(size * 1024 * 1024 // 2))
            yield disk
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def check_problem(answer: httpx2.Response, code: str, detail: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json"), answer.text
    assert answer.headers["Retry-After"] == "1"
    assert (answer.json()["code"], answer.json()["detail"]) == (code, detail)


def fill(server: Server) -> httpx2.Response:
    """Writes until a write is refused; that answer."""
    for number in range(100):
        answer = server.client.put(f"/v1/posts/large-{number}", content=LARGE)
        if answer.status_code != 201:
            return answer
    raise AssertionError("the disk takes everything")


def check_full_disk(server: Server, disk: Path) -> None:
    first = server.client.put("/v1/posts/first", content=markdown(title="先の記事"))
    refused = fill(server)
    stored = server.client.get("/v1/sources").text.splitlines()
    shown = server.client.get("/v1/posts/first")
    ready = server.client.get("/readyz")
    (disk / "ballast").unlink()
    again = server.client.put("/v1/posts/later", content=LARGE)

    assert first.status_code == 201
    check_problem(refused, "database_unavailable", "the disk is full")
    assert (shown.status_code, ready.status_code) == (200, 200)
    assert again.status_code == 201
    assert len(server.client.get("/v1/sources").text.splitlines()) == len(stored) + 1


def test_sqlite_on_a_full_disk_refuses_writes_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(6) as disk, serving(tmp_path, DATABASE_URL=f"sqlite:///{disk}/honbun.db") as server:
        check_full_disk(server, disk)

        assert [check.name for check in faults(f"sqlite:///{disk}/honbun.db")] == ["disk"]


def test_postgres_on_a_full_disk_refuses_writes_until_there_is_room(tmp_path: Path) -> None:
    with small_disk(24) as disk, own_postgres() as postgres:  # one of its own: it cannot start without that disk
        postgres.own(disk)
        postgres.psql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        postgres.psql("CREATE DATABASE small TABLESPACE small")
        url = postgres.url.replace("/postgres?", "/small?")
        with serving(tmp_path, DATABASE_URL=url) as server:
            check_full_disk(server, disk)

            assert faults(url) == []


def test_upload_that_finds_no_room_for_its_body_is_refused_and_leaves_none_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = {"files": [{"name": f"p{number}.md", "content": LARGE} for number in range(45)]}
    with small_disk(24) as disk:
        monkeypatch.setenv("TMPDIR", str(disk))
        with serving(tmp_path) as server:
            as_json = server.client.post("/v1/ingest", json=upload)
            form = [("files", (f"{number}.md", LARGE * 5)) for number in range(9)]  # a smaller part stays in memory
            as_form = server.client.post("/v1/ingest", files=form)
            left = [path.name for path in disk.iterdir()]
            (disk / "ballast").unlink()
            again = server.client.post("/v1/ingest", json={"files": upload["files"][:4]})

    detail = "this machine has run out of room; nothing was kept"
    check_problem(as_json, "exhausted", detail)
    check_problem(as_form, "exhausted", detail)
    assert left == ["ballast"]
    assert (again.status_code, again.json()["created"]) == (200, 4)


def until(answer: Callable[[], httpx2.Response], status: int) -> httpx2.Response:
    deadline = time.monotonic() + PATIENCE
    while (found := answer()).status_code != status:
        assert time.monotonic() < deadline, found.text
        time.sleep(0.05)  # another process: there is nothing here to be told by
    return found


def test_lost_postgres_is_said_and_found_again(postgres: Postgres, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=postgres.url) as server:
        stored = server.client.put("/v1/posts/kabu", content=markdown(title="株価"))
        before = httpx2.get(f"{server.url}/v1/posts/kabu")
        for lose in (postgres.stop, postgres.kill):
            lose()
            unready = until(lambda: server.client.get("/readyz"), 503)
            answers = [
                httpx2.get(f"{server.url}/v1/posts/kabu"),
                server.client.get("/v1/posts/kabu"),
                server.client.get("/v1/sources"),
                server.client.put("/v1/posts/later", content=markdown(title="後")),
                server.client.post("/v1/ingest", json={"files": []}),
            ]
            alive = server.client.get("/healthz")
            postgres.start()
            until(lambda: server.client.get("/readyz"), 200)
            after = httpx2.get(f"{server.url}/v1/posts/kabu")
            again = server.client.put("/v1/posts/kabu", content=markdown(title="株価"))

            for answer in [unready, *answers]:
                check_problem(answer, "database_unavailable", "the database cannot be reached")
            assert alive.status_code == 200
            assert (stored.status_code, before.status_code, again.status_code) == (201, 200, 200)
            assert (after.content, after.headers["ETag"]) == (before.content, before.headers["ETag"])


def test_paused_postgres_is_lost_until_it_goes_on(postgres: Postgres, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=postgres.url, DATABASE_PATIENCE="1") as server:
        assert server.client.get("/v1/posts").status_code == 200
        postgres.pause()
        try:
            answers = [
                server.client.get("/v1/posts"),
                server.client.put("/v1/posts/later", content=markdown(title="後")),
                server.client.get("/readyz"),
            ]
            alive = server.client.get("/healthz")
        finally:
            postgres.resume()
        until(lambda: server.client.get("/readyz"), 200)
        again = server.client.put("/v1/posts/later", content=markdown(title="後"))

    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert answer.json()["code"] == "database_unavailable"
    assert (alive.status_code, again.status_code) == (200, 201)


def test_postgres_that_takes_no_more_connections_is_said_and_found_again(postgres: Postgres, tmp_path: Path) -> None:
    postgres.psql("CREATE ROLE honbun LOGIN")
    postgres.psql("CREATE DATABASE honbun OWNER honbun")
    url = postgres.url.replace("//postgres:@/postgres?", "//honbun:@/honbun?")
    with serving(tmp_path, DATABASE_URL=url) as server:
        postgres.psql("ALTER ROLE honbun CONNECTION LIMIT 0")
        postgres.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'honbun'")
        refused = server.client.get("/v1/posts")
        alive = server.client.get("/healthz")
        postgres.psql("ALTER ROLE honbun CONNECTION LIMIT -1")
        until(lambda: server.client.get("/readyz"), 200)
        served = server.client.put("/v1/posts/kabu", content=markdown(title="株価"))

    check_problem(refused, "database_unavailable", "the database cannot be reached")
    assert (alive.status_code, served.status_code) == (200, 201)
