"""How the cost of reads grows with the number of posts: one database for each size."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import func, select

from app import migrate
from app.database import open_engine, reading
from app.posts.cursor import Cursor, encode_cursor
from app.posts.filters import ListQuery
from app.posts.models import posts
from tests.benchmarks.load import Server, pinned
from tests.benchmarks.many import CATEGORIES, fill
from tests.journeys.serving import Server as Service
from tests.journeys.serving import serving

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SMALL, LARGE = 10_000, 1_000_000
FLAT = ("first page", "tag page", "deep cursor page")  # at most 1.5 times as long for a hundred times the posts
REMEMBERED = 100_000  # posts for which a worker's memory is measured


def measure(url_of: Callable[[str], str], folder: Path, sizes: Sequence[int], seconds: float) -> dict[str, Any]:
    """Milliseconds of processor time a request, by size; a worker's memory, in MiB, at 100 000 posts."""
    times, memory = {}, None
    for size in sizes:
        url = url_of(f"scale-{size}")
        store(url, size)
        times[size] = _times(url, folder, seconds)
        print(f"{size} posts:", times[size], flush=True)
        if size == REMEMBERED:
            memory = _memory(url, folder, seconds)
    growth = {name: round(times[LARGE][name] / times[SMALL][name], 2) for name in FLAT if {SMALL, LARGE} <= set(times)}
    return {"times": times, "growth": growth, "memory": memory}


def store(url: str, size: int) -> None:
    """Fills a database with so many posts, as far as it is not; they keep their numbers."""
    engine = open_engine(url)
    migrate.upgrade(engine)
    with reading(engine) as connection:
        stored = connection.execute(select(func.count()).select_from(posts)).scalar_one()
    fill(engine, stored, size, size)
    if engine.dialect.name == "postgresql" and stored < size:  # what autovacuum does in time
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _times(url: str, folder: Path, seconds: float) -> dict[str, float]:
    with pinned(0):
        service = serving(folder, DATABASE_URL=url, CACHE_BYTES="0")
    with service as running:
        server = Server(url=running.url, pid=running.process.pid)
        found = {}
        for name, path in _paths(running):
            server.load([path], 0.2, connections=1, ours=True)
            found[name] = round(1000 / server.load([path], seconds, connections=1, ours=True).rate, 3)
        return found


def _paths(service: Service) -> Iterator[tuple[str, str]]:
    """The reads whose cost is measured."""
    ask = service.client
    total = ask.get("/v1/posts").json()["total"]
    old = ask.get("/v1/posts", params={"sort": "published_at", "limit": 100}).json()["items"][-1]
    key = (old["published_at"], ask.get(old["url"]).json()["source"]["name"])
    yield "first page", "/v1/posts"
    yield "tag page", f"/v1/posts?tag={quote('tag 7')}"
    yield "deep cursor page", f"/v1/posts?cursor={encode_cursor(Cursor(key=key), ListQuery().identity)}"
    yield "detail", old["url"]
    yield "category + dates", f"/v1/posts?category={quote(CATEGORIES[0])}&published_at=2015"
    yield "first page by title", "/v1/posts?sort=title"
    yield "page by number, half way", f"/v1/posts?page={total // 40}"
    yield "first page and its count", f"/v1/posts?tag__not={quote('tag 7')}"


def _memory(url: str, folder: Path, seconds: float) -> float:
    """MiB of one worker with its default cache, after many different posts and lists were read."""
    with pinned(0):
        service = serving(folder, DATABASE_URL=url)
    with service as running:
        server = Server(url=running.url, pid=running.process.pid)
        paths = [f"/v1/posts/post-{number:07}" for number in range(0, REMEMBERED, 7)]
        server.load(paths, 4 * seconds, ours=True)
        server.load([f"/v1/posts?tag={quote(f'tag {number}')}&limit=100" for number in range(200)], seconds, ours=True)
        return round(server.memory(), 1)
