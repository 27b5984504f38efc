"""Reads that are new to the service (no response cache) beside an afternoon's application, on the same posts."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import nsmallest
from itertools import product
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any
from urllib.parse import quote

import httpx2

from tests.benchmarks import corpus
from tests.benchmarks.hot import bare
from tests.benchmarks.load import Server, pinned
from tests.benchmarks.many import AUTHORS, CATEGORIES, tags_of
from tests.journeys.serving import HONBUN, ROOT, environment, free_port, serving

BATCH = 100
DETAILS = 1_000
WORDS = 20  # of each frequency
FEW = 4  # connections
TIMES = {  # the afternoon's, at least
    "detail": 4, "list": 8, "deep page": 8, "tag": 20, "category + dates": 20,
    "search 2 % ja": 100, "search 2 % en": 100, "search 10 % ja": 15, "search 10 % en": 15,
}  # fmt: skip
FIRST = datetime(2015, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """A folder of posts: their slugs, and words by how many posts hold them."""

    folder: Path
    slugs: list[str]
    words: Counter[str]

    def words_in(self, share: float, *, is_ascii: bool) -> list[str]:
        """The words of a script that stand in the numbers of posts nearest to a share of them."""
        wanted = share * len(self.slugs)
        of_script = (word for word in self.words if word.isascii() == is_ascii and len(word) > 2)
        return nsmallest(WORDS, of_script, key=lambda word: (abs(self.words[word] - wanted), word))


def corpus_in(folder: Path, count: int) -> Corpus:
    """The posts of a folder, written if there are none."""
    words = folder.with_suffix(".json")
    if words.exists():
        slugs = [slug_of(number) for number in range(count)]
        return Corpus(folder=folder, slugs=slugs, words=Counter(json.loads(words.read_text(encoding="utf-8"))))
    posts = write_corpus(folder, count)
    words.write_text(json.dumps(posts.words), encoding="utf-8")
    return posts


def slug_of(number: int) -> str:
    return f"post-{number:06}"


def write_corpus(folder: Path, count: int) -> Corpus:
    """Posts of about 2 000 characters, Japanese with English among it, dates in another order than their numbers."""
    folder.mkdir()
    slugs: list[str] = []
    words: Counter[str] = Counter()
    for number in range(count):
        row = corpus.row(number + 1, words)
        date = FIRST + timedelta(minutes=(number * 7919 % count) * (5_000_000 // count))
        front = {
            "layout": "post", "title": row.title, "date": f"{date:%Y-%m-%d %H:%M:%S} +00:00",
            "categories": [CATEGORIES[number % 12]], "tags": tags_of(number), "author": AUTHORS[number % 20],
            "excerpt": row.excerpt, "reading_time": 3,
        }  # fmt: skip
        lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in front.items() if name != "date"]
        body = "\n\n".join(f"## 見出し {place}\n\n{text}" for place, text in enumerate(row.text.split("\n"), 1))
        slugs.append(slug_of(number))
        text = "\n".join(["---", *lines, f"date: {front['date']}", "---", "", body, ""])
        (folder / f"{date:%Y-%m-%d}-{slugs[-1]}.md").write_text(text, encoding="utf-8")
    return Corpus(folder=folder, slugs=slugs, words=words)


def honbun(*arguments: str, **settings: str) -> float:
    """Seconds that a command of Honbun's takes."""
    started = perf_counter()
    subprocess.run([*HONBUN, *arguments], env=environment(**settings), check=True, cwd=ROOT, capture_output=True)
    return perf_counter() - started


@contextmanager
def afternoon(database: Path) -> Iterator[Server]:
    """The afternoon's application, with its posts in a file."""
    port = free_port()
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.afternoon:app", "--port", str(port), *options]
    with pinned(0):
        process = subprocess.Popen(command, cwd=ROOT, env=environment() | {"AFTERNOON_DB": str(database)})
    server = Server(url=f"http://127.0.0.1:{port}", pid=process.pid)
    try:
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=50)) as client:
            client.get(f"{server.url}/articles").raise_for_status()
        yield server
    finally:
        process.terminate()
        process.wait()


def fill_afternoon(server: Server, posts: Corpus) -> float:
    """Seconds that the application takes to store the posts in batches."""
    files = sorted(posts.folder.iterdir())
    started = perf_counter()
    with httpx2.Client(base_url=server.url, timeout=600) as client:
        for start in range(0, len(files), BATCH):
            parts = [("files", (file.name, file.read_bytes())) for file in files[start : start + BATCH]]
            client.post("/articles", files=parts).raise_for_status()
    return perf_counter() - started


def store(posts: Corpus, other: Server, url: str) -> dict[str, Any] | None:
    """Stores the posts with Honbun, twice, and with the afternoon's application; None where they are there already."""
    with httpx2.Client(base_url=other.url) as client:
        if client.get("/articles").json()["total"]:
            return None
    honbun("migrate", DATABASE_URL=url)
    first, again = (honbun("ingest", str(posts.folder), DATABASE_URL=url) for _ in range(2))
    batches = fill_afternoon(other, posts)
    return {
        "first": {"seconds": round(first, 1), "times the afternoon's": round(first / batches, 2), "wanted": 0.5},
        "unchanged": {"seconds": round(again, 2), "times the first": round(again / first, 3), "wanted": 0.05},
    }


def rows_of(posts: Corpus) -> dict[str, tuple[list[str], list[str]]]:
    """What is asked of Honbun and of the afternoon's application, by the row's name."""
    some = Random(7).sample(posts.slugs, min(DETAILS, len(posts.slugs)))
    deep = max(1, len(posts.slugs) // 20 * 4 // 5)
    tag, category = quote("tag 7"), quote(CATEGORIES[0])
    dates = "published_at__gte=2019-01-01&published_at__lt=2021-01-01"
    rows: dict[str, tuple[list[str], list[str]]] = {
        "detail": ([f"/v1/posts/{slug}" for slug in some], [f"/articles/{slug}" for slug in some]),
        "list": (["/v1/posts"], ["/articles"]),
        "tag": ([f"/v1/posts?tag={tag}"], [f"/articles?tag={tag}"]),
        "category + dates": (
            [f"/v1/posts?category={category}&{dates}"],
            [f"/articles?category={category}&since=2019-01-01&until=2021-01-01"],
        ),
        "deep page": ([f"/v1/posts?page={deep}"], [f"/articles?page={deep}"]),
    }
    for share in (0.02, 0.1):
        for script, is_ascii in (("ja", False), ("en", True)):
            words = posts.words_in(share, is_ascii=is_ascii)
            # Each search is asked for once: what is between words makes it another one, and finds the same.
            new = [
                f"/v1/posts?q={quote(word + mark)}"
                for mark in map("".join, product(".,;:!?", repeat=4))
                for word in words
            ]
            rows[f"search {share * 100:.0f} % {script}"] = (new, [f"/articles?q={quote(word)}" for word in words])
    return rows


def measure(
    posts: Corpus, other: Server, folder: Path, seconds: float, wanted: Sequence[str], **settings: str
) -> dict[str, dict[str, Any]]:
    """Each row as a share of the bare callable, and how many times what the afternoon's application does."""
    rows = {}
    with ExitStack() as stack:
        with pinned(0):
            service = stack.enter_context(serving(folder, None, **({"CACHE_BYTES": "0"} | settings)))
        yardstick = stack.enter_context(bare())
        cold = Server(url=service.url, pid=service.process.pid)
        for name, (ours, theirs) in rows_of(posts).items():
            if name not in wanted:
                continue
            size = sum(len(service.client.get(path).content) for path in ours[:20]) // len(ours[:20])
            rows[name] = _row(name, [f"/{size}"], ours, theirs, (yardstick, cold, other), seconds)
            print(f"  {name:20}", rows[name], flush=True)
    return rows


def _row(  # noqa: PLR0917 - two servers and their yardstick, each with what it is asked
    name: str,
    size: Sequence[str],
    ours: Sequence[str],
    theirs: Sequence[str],
    servers: tuple[Server, Server, Server],
    seconds: float,
) -> dict[str, Any]:
    yardstick, cold, other = servers
    for server, paths in ((cold, ours), (other, theirs)):
        # Statements prepared, pages in memory; the last paths first, of those that are asked for once.
        server.load(paths[::-1], 1, connections=FEW, ours=True)
    before = yardstick.load(size, seconds)
    afternoons = other.load(theirs, seconds, connections=FEW, ours=True)  # it takes seconds for some, and they count
    honbuns = cold.load(ours, seconds)
    after = yardstick.load(size, seconds)
    callable_rate = (before.rate + after.rate) / 2
    return {
        "share": round(honbuns.rate / callable_rate, 4),
        "afternoon": round(afternoons.rate / callable_rate, 4),
        "times": round(honbuns.rate / afternoons.rate, 1),
        "wanted": TIMES[name],
        "requests a second": round(honbuns.rate),
        "p99 ms": round(honbuns.p99, 1),
    }
