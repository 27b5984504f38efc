"""Writing: one durable PUT beside what the database and the parser take by themselves; readers beside writers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from time import perf_counter
from typing import Any

from sqlalchemy import text

from app.database import open_engine, writing
from app.documents.document import Context, parse
from app.documents.sources import Source
from tests.benchmarks.cold import Corpus
from tests.benchmarks.load import Server, pinned
from tests.building import AUTH
from tests.journeys.serving import Server as Service
from tests.journeys.serving import serving

PUTS = 100
PACE = 1 / 20  # seconds from one write to the next
MARKDOWN = {"Content-Type": "text/markdown"}


def measure(posts: Corpus, folder: Path, url: str, seconds: float) -> dict[str, Any]:
    """Milliseconds of a PUT and of its parts; and what readers notice of 20 writes a second."""
    with pinned(0):
        service = serving(folder, DATABASE_URL=url)
    with service as running:
        found = put(running, posts, url)
        server = Server(url=running.url, pid=running.process.pid)
        details = [f"/v1/posts/{slug}" for slug in posts.slugs[:1000]]
        for name, paths in (("hot list", ["/v1/posts"]), ("1000 details", details)):
            server.load(paths, 1, ours=True)
            quiet = server.load(paths, seconds, ours=True)
            with writer(running, posts):
                busy = server.load(paths, seconds, ours=True)
            found |= {f"{name}: p99 ms quiet": round(quiet.p99, 2), f"{name}: p99 ms beside writes": round(busy.p99, 2)}
            found |= {f"{name}: rate beside writes": round(busy.rate / quiet.rate, 2)}
    return found


def put(service: Service, posts: Corpus, url: str) -> dict[str, float]:
    content = min(posts.folder.iterdir()).read_bytes()
    own, parsing = commits(url), parses(content)
    times = [_put(service, content, number) for number in range(PUTS)]
    return {
        "PUT ms": round(median(times) * 1000, 2),
        "commit ms": round(own * 1000, 2),
        "parse ms": round(parsing * 1000, 2),
        "PUT times commit + parse": round(median(times) / (own + parsing), 2),
    }


def _put(service: Service, content: bytes, number: int) -> float:
    started = perf_counter()
    changed = content + f"\n{number}\n".encode()
    service.client.put("/v1/posts/put", content=changed, headers=AUTH | MARKDOWN).raise_for_status()
    return perf_counter() - started


def commits(url: str) -> float:
    """Seconds that the database takes to commit one row by itself."""
    engine = open_engine(url)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE commits (number integer)"))
    times = []
    for number in range(PUTS):
        started = perf_counter()
        with writing(engine) as connection:
            connection.execute(text("INSERT INTO commits VALUES (:number)"), {"number": number})
        times.append(perf_counter() - started)
    with writing(engine) as connection:
        connection.execute(text("DROP TABLE commits"))
    engine.dispose()
    return median(times)


def parses(content: bytes) -> float:
    """Seconds that it takes to understand and render a file."""
    source = Source(name="2020-01-01-put.md", content=content)
    times = []
    for _ in range(20):
        started = perf_counter()
        parse(source, Context())
        times.append(perf_counter() - started)
    return median(times)


@contextmanager
def writer(service: Service, posts: Corpus) -> Iterator[None]:
    """Writes a post that is there, at a pace, until the block ends."""
    content = min(posts.folder.iterdir()).read_bytes()
    ended = Event()

    def write() -> None:
        number = PUTS
        while not ended.wait(PACE):
            _put(service, content, number)
            number += 1

    thread = Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
