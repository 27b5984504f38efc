"""Reads that repeat, as shares of a bare ASGI callable that answers as many bytes.

    python -m tests.benchmarks.hot URL_OF_A_SERVICE PID [SECONDS] > hot.json

Each row is measured between two rows of the callable. `rate` compares requests a second; `work` compares requests a
second of the server's own processor time, which holds on a busy machine as well.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote

import httpx2

from tests.benchmarks.load import Server, pinned
from tests.journeys.serving import ROOT, free_port

BARE_304 = 304  # the callable's path for it
ROWS = ("hot detail", "hot list", "hot tag", "hot search", "hot facets", "hot feed", "hot 304")


@contextmanager
def bare() -> Iterator[Server]:
    """The callable under uvicorn, as the service runs."""
    port = free_port()
    options = [
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
        "--no-server-header",
    ]
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.bare:app", "--port", str(port), *options]
    with pinned(0):
        process = subprocess.Popen(command, cwd=ROOT)
    try:
        url = f"http://127.0.0.1:{port}"
        with httpx2.Client(transport=httpx2.HTTPTransport(retries=20)) as client:
            client.get(f"{url}/1")
        yield Server(url=url, pid=process.pid)
    finally:
        process.terminate()
        process.wait()


def paths(client: httpx2.Client) -> dict[str, str]:
    """What is measured, by name, for whatever posts the service has."""
    post = client.get("/v1/posts", params={"limit": 1}).json()["items"][0]
    term = client.get("/v1/tags", params={"limit": 1}).json()["items"][0]
    return {
        "hot detail": post["url"],
        "hot list": "/v1/posts",
        "hot tag": term["url"],
        "hot search": f"/v1/posts?q={quote(post['title'].split()[0])}",
        "hot facets": "/v1/posts?facets=tag,category,year",
        "hot feed": "/v1/feed.json",
    }


def measure(service: Server, seconds: float = 3, wanted: Sequence[str] = ROWS) -> dict[str, dict[str, float]]:
    """Shares of the callable, by row; a 304 is the list's, beside a callable that answers 304."""
    rows = {}
    with bare() as yardstick, httpx2.Client(base_url=service.url, headers={"Accept-Encoding": "identity"}) as client:
        asked = paths(client)
        for name, path in asked.items():
            if name in wanted:
                rows[name] = _row(yardstick, service, len(client.get(path).content), path, seconds)
                print(f"  {name:20}", rows[name], flush=True)
        if "hot 304" in wanted:
            known = f"If-None-Match: {client.get(asked['hot list']).headers['ETag']}"
            rows["hot 304"] = _row(yardstick, service, BARE_304, asked["hot list"], seconds, known)
    return rows


def _row(yardstick: Server, service: Server, size: int, path: str, seconds: float, *headers: str) -> dict[str, float]:
    before = yardstick.load([f"/{size}"], seconds)
    hot = service.load([path], seconds, *headers)
    after = yardstick.load([f"/{size}"], seconds)
    return {
        "bytes": size,
        "rate": round(hot.rate / ((before.rate + after.rate) / 2), 3),
        "work": round(hot.work / ((before.work + after.work) / 2), 3),
        "requests a second": round(hot.rate),
    }


if __name__ == "__main__":
    url, pid, *rest = sys.argv[1:]
    print(json.dumps(measure(Server(url=url, pid=int(pid)), float(rest[0]) if rest else 3), indent=2))
