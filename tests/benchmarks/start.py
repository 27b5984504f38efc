"""How long a start takes, in times of importing FastAPI and SQLModel: the help, and the first answer of a service."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

import httpx2

from tests.journeys.serving import HONBUN, ROOT, environment, free_port

ROUNDS = 5
IMPORT = (sys.executable, "-c", "import fastapi, sqlmodel")


def measure(url: str, folder: Path) -> dict[str, Any]:
    """Each measured in turn, so that all see the same machine; for a database that is filled."""
    rounds = [(_run(*IMPORT), _run(*HONBUN, "--help"), _first_answer(url, folder)) for _ in range(ROUNDS)]
    imported, helped, answered = map(median, zip(*rounds, strict=True))
    return {
        "help": {"times": round(helped / imported, 2), "wanted": 0.3, "ms": round(helped * 1000)},
        "first answer": {"times": round(answered / imported, 2), "wanted": 2, "ms": round(answered * 1000)},
        "import": {"ms": round(imported * 1000)},
    }


def _run(*command: str) -> float:
    started = perf_counter()
    subprocess.run(command, env=environment(), check=True, cwd=ROOT, capture_output=True)
    return perf_counter() - started


def _first_answer(url: str, folder: Path) -> float:
    port = free_port()
    settings = environment(DATABASE_URL=url, CONTENT_DIR="")
    started = perf_counter()
    with (folder / "start.log").open("ab") as log, httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        process = subprocess.Popen([*HONBUN, "serve", "--port", str(port)], env=settings, stdout=log, stderr=log)
        try:
            while True:
                try:
                    client.get("/v1/posts").raise_for_status()
                    return perf_counter() - started
                except httpx2.TransportError:
                    sleep(0.005)
        finally:
            process.terminate()
            process.wait()
