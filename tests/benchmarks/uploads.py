"""What others notice of uploads that take long: milliseconds of a liveness check and of a list, while they go on."""

import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import quantiles
from threading import Event, Thread
from time import perf_counter
from typing import Any

import httpx2

from tests.benchmarks.cold import Corpus
from tests.building import AUTH
from tests.journeys.serving import Server, serving

FILES = 2_000
PACE = 0.005  # seconds between two checks
HEAVY = ("*a* _b_ [c](d) <b>e</b> " * 80_000).encode()  # what one file may bring, and more than may be rendered
PATHS = ("/healthz", "/v1/posts")
WANTED = 100  # milliseconds at most, at p99


def measure(posts: Corpus, folder: Path, url: str) -> dict[str, dict[str, Any]]:
    archive = _archive(posts)
    uploads = {
        "heaviest file": (HEAVY, "text/markdown"),
        f"{FILES} files": (archive, "application/zip"),
        f"{FILES} unchanged": (archive, "application/zip"),
    }
    with serving(folder, DATABASE_URL=url) as service:
        return {
            name: _beside(service, partial(_send, service, content, kind)) for name, (content, kind) in uploads.items()
        }


def _archive(posts: Corpus) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(posts.folder.iterdir())[:FILES]:
            archive.write(file, f"upload/{file.name}")
    return packed.getvalue()


def _send(service: Server, content: bytes, kind: str) -> None:
    answer = service.client.post(
        "/v1/ingest", params={"name": "heavy.md"}, content=content, headers=AUTH | {"Content-Type": kind}, timeout=300
    )
    if answer.status_code != (422 if content is HEAVY else 200):
        raise SystemExit(f"{answer.status_code}: {answer.text[:500]}")


def _beside(service: Server, upload: Callable[[], object]) -> dict[str, Any]:
    ended = Event()
    times: dict[str, list[float]] = {path: [] for path in PATHS}
    watchers = [Thread(target=_watch, args=(service.url + path, ended, times[path])) for path in PATHS]
    for watcher in watchers:
        watcher.start()
    started = perf_counter()
    try:
        upload()
    finally:
        seconds = perf_counter() - started
        ended.set()
        for watcher in watchers:
            watcher.join()
    found = {f"{path} p99 ms": round(quantiles(values, n=100)[98] * 1000, 1) for path, values in times.items()}
    return {"seconds": round(seconds, 1), **found, "wanted": WANTED}


def _watch(url: str, ended: Event, times: list[float]) -> None:
    with httpx2.Client(timeout=60) as client:
        while not ended.wait(PACE):
            started = perf_counter()
            client.get(url).raise_for_status()
            times.append(perf_counter() - started)
