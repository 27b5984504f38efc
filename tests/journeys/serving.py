"""A real server process on this machine, started and ended by tests."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from app.database import open_engine
from tests.building import AUTH, KEY

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds; a busy machine takes its time
HONBUN = (sys.executable, "-c", "from app.cli import main; main()")


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with these settings of Honbun's and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HONBUN_")}
    return kept | {"PYTHONPATH": str(ROOT)} | {f"HONBUN_{name}": value for name, value in settings.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    process: subprocess.Popen[bytes]
    client: httpx2.Client
    url: str
    log: Path

    @property
    def said(self) -> list[str]:
        """The messages of its log."""
        return [json.loads(line)["message"] for line in self.log.read_text(encoding="utf-8").splitlines()]

    def await_ready(self) -> None:
        self._await("/readyz")

    def await_alive(self) -> None:
        self._await("/healthz")

    def _await(self, path: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said
            try:
                if self.client.get(path).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.05)  # another process: there is nothing here to be told by
        raise AssertionError(self.said)

    def connect(self) -> socket.socket:
        """A bare connection, for what no client would send."""
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname or "", address.port or 0), timeout=PATIENCE)

    def kill(self) -> None:
        """What a power failure does to the process."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    """`honbun serve`, just started; its database and log are in the folder unless the settings say otherwise."""
    port = port or free_port()
    defaults = {
        "DATABASE_URL": f"sqlite:///{folder / 'honbun.db'}",
        "CONTENT_DIR": "",
        "API_KEY": KEY,
        "DRAIN_SECONDS": "0",
        "WRITES_PER_MINUTE": "0",
        "RENDER_SECONDS": "60",  # a slow machine fails no test
    }
    log = folder / f"server-{port}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*HONBUN, "serve", "--port", str(port)],
            cwd=folder,
            env=environment(**defaults | settings),
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx2.Client(base_url=url, headers=AUTH, timeout=PATIENCE) as client:
            yield Server(process=process, client=client, url=url, log=log)
    finally:
        process.terminate()
        process.wait(PATIENCE)


@contextmanager
def serving(folder: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    """`honbun serve`, ready."""
    with started(folder, port, **settings) as server:
        server.await_ready()
        yield server


def check_crash_image(database_url: str, copied: Path) -> None:
    """What a killed process left on the disk is a whole SQLite database; looked at in a copy, so that it stays as it is."""
    if not database_url.startswith("sqlite"):
        return
    copied.mkdir()
    for path in Path(database_url.removeprefix("sqlite:///")).parent.glob("honbun.db*"):
        shutil.copy(path, copied)
    engine = open_engine(f"sqlite:///{copied / 'honbun.db'}")
    try:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    finally:
        engine.dispose()
