"""Clients that are slow, stop halfway or go away cost nothing once they are gone. `SOAK_SECONDS` is for how long they come.

The figures are printed: `SOAK_SECONDS=600 uv run pytest -n 0 -s -m slow --timeout 900 tests/journeys/test_soak.py`.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.building import AUTH, KEY, markdown
from tests.journeys.serving import PATIENCE, Server, serving

SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))
GUESTS = 25  # of each kind at once
GROWTH = 32 * 1024 * 1024  # bytes; what an allocator keeps
POOL = 20  # sockets; what a server keeps open to Postgres
HEAD = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a process holds."""

    memory: int
    sockets: int
    temporary: int  # files that have no name any more, or are in the folder for temporary ones

    @classmethod
    def of(cls, server: Server, temporary: Path) -> "Use":
        process = Path(f"/proc/{server.process.pid}")
        links = []
        for file in (process / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed since it was listed
                links.append(str(file.readlink()))
        return cls(
            memory=int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
            sockets=sum(link.startswith("socket:") for link in links),
            temporary=sum(link.endswith("(deleted)") for link in links) + len(list(temporary.iterdir())),
        )


async def half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /v1/posts HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    await reader.read()


async def nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def a_head_by_the_byte(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in b"GET /v1/posts HTTP/1.1\r\nHost: x\r\n\r\n":
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def a_long_answer_hardly_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /v1/export.jsonl HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(20):
        await reader.read(1000)
        await asyncio.sleep(0.1)


async def half_an_archive(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = f"POST /v1/ingest {HEAD}Content-Type: application/zip\r\nContent-Length: 5000000\r\n\r\n"
    writer.write(head.encode() + bytes(2_000_000))
    await writer.drain()
    await asyncio.sleep(1)


async def half_a_form(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
    head = f"POST /v1/ingest {HEAD}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000000\r\n\r\n"
    writer.write(head.encode() + part.encode() + bytes(2_000_000))
    await writer.drain()
    await asyncio.sleep(1)


async def a_post_that_stops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(f"PUT /v1/posts/slow {HEAD}Content-Type: text/markdown\r\nContent-Length: 100\r\n\r\n# ".encode())
    await reader.read()


KINDS = (
    *(half_a_head, nothing, a_head_by_the_byte, a_long_answer_hardly_read),
    *(half_an_archive, half_a_form, a_post_that_stops),
)


async def soak(server: Server, seconds: float) -> Counter[str]:
    """Lets them all come, again and again; how many there were, and how many well-behaved ones were served meanwhile."""
    end = time.monotonic() + seconds
    served: Counter[str] = Counter()
    address = urlsplit(server.url)

    async def come(behave: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        while True:
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            try:
                with suppress(ConnectionError):  # ended by the other side
                    await behave(reader, writer)
            finally:
                writer.transport.abort()
                with suppress(ConnectionError):
                    await writer.wait_closed()
            served[behave.__name__] += 1

    guests = [asyncio.create_task(come(kind)) for kind in KINDS for _ in range(GUESTS)]
    async with httpx2.AsyncClient(base_url=server.url, headers=AUTH, timeout=PATIENCE) as client:
        while time.monotonic() < end:
            path = f"/v1/posts/p{served['a write'] % 50}"
            written = await client.put(path, content=markdown(f"本文{served['a write']}"))
            if written.status_code == 503 and written.headers["Retry-After"] == "1":  # so many, on a slow machine
                served["a refusal"] += 1
                await asyncio.sleep(0.1)
                continue
            read = await client.get(path)
            assert (written.status_code in (200, 201), read.status_code) == (True, 200), written.text
            served["a write"] += 1
    ended = [task for task in guests if task.done()]
    for task in guests:
        task.cancel()
    await asyncio.wait(guests)
    assert ended == []
    return served


def settled(server: Server, temporary: Path, sockets: int) -> Use:
    """What is held once the guests are gone."""
    deadline = time.monotonic() + PATIENCE
    while (use := Use.of(server, temporary)).sockets > sockets or use.temporary:
        assert time.monotonic() < deadline, use
        time.sleep(0.1)  # another process: there is nothing here to be told by
    return use


@pytest.mark.slow
@pytest.mark.timeout(SECONDS * 2 + 300)
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this looks at Linux's /proc")
def test_clients_that_misbehave_leave_nothing_behind(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with serving(tmp_path, DATABASE_URL=database_url, UPLOAD_PATIENCE="2") as server:
        files = [{"name": f"many/p{number}.md", "content": markdown("本文。" * 20_000)} for number in range(10)]
        assert server.client.post("/v1/ingest", json={"files": files}).status_code == 200
        server.client.close()
        idle = settled(server, temporary, POOL)
        asyncio.run(soak(server, SECONDS / 4))
        before = settled(server, temporary, idle.sockets + POOL)
        served = asyncio.run(soak(server, SECONDS))
        after = settled(server, temporary, idle.sockets + POOL)
        written = httpx2.put(f"{server.url}/v1/posts/last", content=markdown(), headers=AUTH, timeout=PATIENCE)
        errors = [line for line in server.log.read_text(encoding="utf-8").splitlines() if '"level":"error"' in line]
    print(f"{idle}\n{before}\n{after}\n{dict(served)}")  # noqa: T201 - these figures are what a long one is run for

    assert after.memory <= before.memory + GROWTH
    assert written.status_code == 201  # nobody who is gone still has a turn
    assert errors == []
    assert all(served[kind.__name__] for kind in (half_an_archive, half_a_form, a_post_that_stops))
