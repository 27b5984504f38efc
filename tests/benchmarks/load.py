"""Load on a server: `python -m tests.benchmarks.load HOST PORT SECONDS CONNECTIONS < paths` says how it went as JSON.

Each connection sends its next request when it has the whole of the last answer; they take the paths in turn.
`Server.load` runs it on another core than the server, or wrk where that is installed: it can ask more of the fastest.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

from tests.journeys.serving import ROOT

CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")
WRK_SCRIPT = """
local requests, next = {}, 0
init = function()
  for path in io.lines(os.getenv("PATHS")) do requests[#requests + 1] = wrk.format("GET", path) end
end
request = function()
  next = next % #requests + 1
  return requests[next]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nJSON {"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a load went: requests a second, and a second of the server's processor time; milliseconds a request."""

    rate: float
    work: float
    p50: float
    p99: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A process that serves."""

    url: str
    pid: int

    def load(
        self, paths: Sequence[str], seconds: float, *headers: str, connections: int = CONNECTIONS, ours: bool = False
    ) -> Load:
        """Puts load on it; `ours` is the load of this module even where there is wrk. Raises SystemExit for errors."""
        before = self._processor()
        is_wrk = shutil.which("wrk") is not None and not ours
        found = (_wrk if is_wrk else _own)(self.url, paths, seconds, connections, headers)
        if found["errors"]:
            raise SystemExit(f"{self.url}{paths[0]}: {found['errors']} of {found['requests']} requests failed")
        work = found["requests"] / max(self._processor() - before, 1 / TICKS)
        return Load(rate=found["requests"] / found["seconds"], work=work, p50=found["p50"], p99=found["p99"])

    def _processor(self) -> float:
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS

    def memory(self) -> float:
        """MiB that the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started inside keeps to one core: servers to 0, load to 1."""
    if not hasattr(os, "sched_setaffinity"):  # Linux has it
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _wrk(url: str, paths: Sequence[str], seconds: float, connections: int, headers: Sequence[str]) -> dict[str, Any]:
    given = [part for header in headers for part in ("-H", header)]
    with tempfile.TemporaryDirectory() as folder:
        script, listed = Path(folder, "rotate.lua"), Path(folder, "paths")
        script.write_text(WRK_SCRIPT)
        listed.write_text("\n".join(paths) + "\n")
        options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(script)]
        command = ["wrk", "--latency", *options, *given, url]
        environment = os.environ | {"PATHS": str(listed)}
        with pinned(1):
            said = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return cast("dict[str, Any]", json.loads(said.rpartition("\nJSON ")[2]))


def _own(url: str, paths: Sequence[str], seconds: float, connections: int, headers: Sequence[str]) -> dict[str, Any]:
    address = urlsplit(url)
    module = [sys.executable, "-m", "tests.benchmarks.load", str(address.hostname), str(address.port)]
    command = [*module, str(seconds), str(connections), *headers]
    with pinned(1):
        said = subprocess.run(
            command, input="\n".join(paths), capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
    return cast("dict[str, Any]", json.loads(said))


class Reader(asyncio.Protocol):
    """One connection, one request after the other."""

    def __init__(self, requests: Iterator[bytes], times: list[float], until: float) -> None:
        self.requests, self.times, self.until = requests, times, until
        self.errors = 0
        self.gone = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.left = 0  # bytes of the answer that are still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        self.started = perf_counter()
        if self.started > self.until:
            self.transport.close()
        else:
            self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        if self.left:
            self.left -= len(data)
        else:
            self.buffer += data
            head, end, body = self.buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self.buffer = b""
            self.errors += head[9:10] not in {b"2", b"3"}
            self.left = _length(head) - len(body)
        if not self.left:
            self.times.append(perf_counter() - self.started)
            self.send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.gone.set_result(None)


def _length(head: bytes) -> int:
    _, name, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if name else 0


async def _read(host: str, port: int, seconds: float, connections: int, headers: list[str]) -> dict[str, Any]:
    more = "".join(f"{header}\r\n" for header in headers)
    paths = sys.stdin.read().split()
    requests = cycle([f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{more}\r\n".encode() for path in paths])
    times: list[float] = []
    started = perf_counter()
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: Reader(requests, times, started + seconds), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(reader.gone for reader in readers))
    hundredths = quantiles([*times, times[-1]], n=100, method="inclusive")  # of two at least
    return {
        "requests": len(times),
        "seconds": perf_counter() - started,
        "p50": hundredths[49] * 1000,
        "p99": hundredths[98] * 1000,
        "errors": sum(reader.errors for reader in readers),
    }


if __name__ == "__main__":
    host, port, seconds, connections, *headers = sys.argv[1:]
    print(json.dumps(uvloop.run(_read(host, int(port), float(seconds), int(connections), headers))))
