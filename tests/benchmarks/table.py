"""All figures of Honbun in one run: `python -m tests.benchmarks.table [--count N] [--json FILE] [--chart FILE.svg]`.

Rates are shares of a bare ASGI callable that answers as many bytes, measured before and after each row; cold reads
and ingestion stand beside an afternoon's application (`afternoon.py`) with the same posts. The server has one core,
the load another. It takes about 15 minutes, most of them to store a million posts; `--sizes 1000,10000` takes fewer.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks import cold, hot, scale, search, writes
from tests.benchmarks.chart import chart
from tests.benchmarks.load import Server, pinned
from tests.journeys.serving import serving

PARTS = ("ingest", "cold", "hot", "writes", "scale")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="posts, but for the growth")
    parser.add_argument("--seconds", type=float, default=3, help="of each load")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--sizes", default=",".join(map(str, scale.SIZES)), help="numbers of posts to grow through")
    parser.add_argument("--parts", default=",".join(PARTS), help="which to measure")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--chart", type=Path, help="where to draw the growth")
    given = parser.parse_args()
    parts = set(given.parts.split(","))
    found: dict[str, Any] = {"database": given.database, "posts": given.count}
    with tempfile.TemporaryDirectory(prefix="honbun-benchmark-") as folder:
        if parts - {"scale"}:
            found |= small(Path(folder), given, parts)
        if "scale" in parts:
            sizes = sorted(map(int, given.sizes.split(",")))
            with search.DATABASES[given.database]() as url:
                found["scale"] = scale.measure(url, Path(folder), sizes, given.seconds)
            if given.chart:
                title = f"A read without the response cache, {given.database}"
                given.chart.write_text(chart(title, found["scale"]["times"]), encoding="utf-8")
    print_table(found)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def small(folder: Path, given: argparse.Namespace, parts: set[str]) -> dict[str, Any]:
    """What is measured with some thousand posts."""
    found: dict[str, Any] = {}
    posts = cold.write_corpus(folder / "posts", given.count)
    with search.DATABASES[given.database]() as url, cold.afternoon(folder) as other:
        cold.honbun("migrate", DATABASE_URL=url)
        first, again = (cold.honbun("ingest", str(posts.folder), DATABASE_URL=url) for _ in range(2))
        batches = cold.fill_afternoon(other, posts)
        found["ingest"] = {"seconds": first, "afternoon's seconds": batches, "times": first / batches}
        found["ingest again"] = {"seconds": again, "times the first": again / first}
        if "cold" in parts:
            found["cold"] = cold.measure(posts, other, folder, given.seconds, DATABASE_URL=url)
        if "hot" in parts:
            with pinned(0):
                service = serving(folder, DATABASE_URL=url)
            with service as running:
                server = Server(url=running.url, pid=running.process.pid)
                found["hot"] = hot.measure(server, round(given.seconds))
        if "writes" in parts:
            found["writes"] = writes.measure(posts, folder, url, given.seconds)
    return found


def print_table(found: dict[str, Any]) -> None:
    for part, rows in found.items():
        if not isinstance(rows, dict):
            print(f"{part}: {rows}")
            continue
        print(f"\n{part}")
        for name, row in rows.items():
            shown = row if not isinstance(row, dict) else ", ".join(f"{key} {value}" for key, value in row.items())
            print(f"  {name:28} {shown}")


if __name__ == "__main__":
    main()
