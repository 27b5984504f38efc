"""Many write at once and many read meanwhile: no update is lost, none is refused for want of a turn, none seen by half."""

import json
import multiprocessing
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.database import open_engine
from app.documents.document import Context
from app.documents.sources import Batch, Source
from app.posts.ingest import Options, ingest
from tests.building import AUTH, markdown
from tests.journeys.serving import PATIENCE, Server, serving
from tests.journeys.writing import faults

CLIENTS = 64
ROUNDS = 4
PROCESSES = 16
EACH = 5  # posts that a process writes


def at_once(count: int, do: Callable[[int], Any]) -> list[Any]:
    """What each of so many threads gets that begin in the same instant."""
    start = threading.Barrier(count)

    def begin(number: int) -> Any:
        start.wait(PATIENCE)
        return do(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(begin, range(count)))


def test_of_64_clients_that_match_one_etag_one_wins_and_no_update_is_lost(database_url: str, tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=database_url) as server:
        body = "本文。"
        etag = server.client.put("/v1/posts/kabu", content=markdown(body)).headers["ETag"]
        for number in range(ROUNDS):

            def put(client: int, body: str = body, etag: str = etag, number: int = number) -> httpx2.Response:
                content = markdown(f"{body} r{number}c{client}")
                return server.client.put("/v1/posts/kabu", content=content, headers={"If-Match": etag})

            answers = at_once(CLIENTS, put)
            winners = [client for client, answer in enumerate(answers) if answer.status_code == 200]

            assert len(winners) == 1
            assert {answer.status_code for answer in answers} == {200, 412}
            body += f" r{number}c{winners[0]}"
            etag = answers[winners[0]].headers["ETag"]
        source = server.client.get("/v1/posts/kabu/source").text
        changes = server.client.get("/v1/changes?sort=version").json()["items"]

    assert source == markdown(body)
    assert [change["version"] for change in changes] == [str(number + 1) for number in range(ROUNDS + 1)]


def _write_some(url: str, writer: int, start: Any) -> None:
    """What a process of its own does; its exit status tells whether all went well."""
    engine = open_engine(url)
    start.wait(PATIENCE)
    for number in range(EACH):
        source = Source(name=f"w{writer}-{number}.md", content=markdown(title=f"記事 {writer}").encode())
        report = ingest(
            engine,
            Batch(sources=[source]),
            context=Context(),
            options=Options(author="w", via="cli"),
            now=datetime.now(UTC),
        )
        assert [result.action for result in report.results] == ["created"]
    engine.dispose()


@pytest.mark.slow
def test_16_processes_write_to_one_database_and_none_finds_it_locked(database_url: str) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    start = context.Barrier(PROCESSES)
    processes = [context.Process(target=_write_some, args=(database_url, n, start)) for n in range(PROCESSES)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(PATIENCE)
    engine = open_engine(database_url)
    with engine.connect() as connection:
        versions = connection.exec_driver_sql("SELECT version FROM change ORDER BY pk").scalars().all()
    engine.dispose()

    assert [process.exitcode for process in processes] == [0] * PROCESSES
    assert versions == list(range(1, PROCESSES * EACH + 1))
    assert faults(database_url) == []


def test_one_upload_sent_by_many_at_once_is_stored_once(database_url: str, tmp_path: Path) -> None:
    files = [{"name": f"p{number}.md", "content": markdown(title=f"記事 {number}")} for number in range(20)]
    with serving(tmp_path, DATABASE_URL=database_url) as server:
        answers = at_once(8, lambda _: server.client.post("/v1/ingest", json={"files": files}))
        again = server.client.post("/v1/ingest", json={"files": files}).json()
        history = server.client.get("/v1/changes?limit=100").json()

    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.json()["created"] for answer in answers) == [0] * 7 + [20]
    assert {answer.json()["version"] for answer in answers} == {again["version"]} == {"1"}
    assert (again["unchanged"], history["total"]) == (20, 20)


READS: dict[str, Callable[[httpx2.Response], Counter[str]]] = {
    "/v1/posts?fields=front_matter": lambda answer: Counter(
        post["front_matter"]["number"] for post in answer.json()["items"]
    ),
    "/v1/posts?q=本文&fields=front_matter": lambda answer: Counter(
        post["front_matter"]["number"] for post in answer.json()["items"]
    ),
    "/v1/export.jsonl?fields=front_matter": lambda answer: Counter(
        json.loads(line)["front_matter"]["number"] for line in answer.text.splitlines()
    ),
    "/v1/tags": lambda answer: Counter({tag["name"]: tag["count"] for tag in answer.json()["items"]}),
    "/v1/feed.atom": lambda answer: Counter(re.findall(r"<title>記事 (\d+)</title>", answer.text)),
}


def upload_pair(server: Server, number: int) -> None:
    text = markdown(title=f"記事 {number}", number=str(number), tags=[str(number)])
    files = [{"name": name, "content": text} for name in ("left.md", "right.md")]
    assert server.client.post("/v1/ingest", json={"files": files}).status_code == 200


@pytest.mark.slow
def test_reader_never_sees_half_of_a_change_nor_goes_back(database_url: str, tmp_path: Path) -> None:
    """Two posts that always change together have one number in every answer, whoever reads and in whatever form."""

    def read(path: str, headers: dict[str, str]) -> int:
        last = 0
        with httpx2.Client(base_url=server.url, headers=headers, timeout=PATIENCE) as client:
            while True:
                is_last = is_over.is_set()
                answer = client.get(path)
                seen = READS[path](answer)
                assert list(seen.values()) == [2], (path, answer.text)
                number = int(next(iter(seen)))
                assert number >= last
                if is_last:
                    return number
                last = number

    is_over = threading.Event()
    with serving(tmp_path, DATABASE_URL=database_url) as server:
        upload_pair(server, 0)
        with ThreadPoolExecutor(2 * len(READS)) as pool, _set_at_the_end(is_over):
            readers = [pool.submit(read, path, headers) for path in READS for headers in ({}, AUTH)]
            for number in range(1, 31):
                upload_pair(server, number)
        last = {reader.result() for reader in readers}

    assert last == {30}


@contextmanager
def _set_at_the_end(event: threading.Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()
