"""`kill -9` in the middle of an upload leaves all of it or none, and everything that was acknowledged."""

from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest

from tests.building import markdown
from tests.journeys.serving import Server, check_crash_image, serving

FILES = 300
BODY = {
    "files": [
        {
            "name": f"many/p{number:03}.md",
            "content": markdown("本文です。\n\n" * 20, title=f"記事 {number}", tags=["多"]),
        }
        for number in range(FILES)
    ]
}


@pytest.mark.parametrize("lines", [1, FILES - 1])
def test_killed_upload_is_there_whole_or_not_at_all(database_url: str, tmp_path: Path, lines: int) -> None:
    _round(database_url, tmp_path, lines)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("lines", [0, 2, 40, 80, 120, 160, 200, 240, 280, FILES])
def test_upload_may_be_killed_anywhere(database_url: str, tmp_path: Path, lines: int) -> None:
    _round(database_url, tmp_path, lines)


def _round(database_url: str, folder: Path, lines: int) -> None:
    """Kills a server after so many lines of its answer, starts it again and looks."""
    with serving(folder, DATABASE_URL=database_url) as server:
        acknowledged = server.client.put("/v1/posts/first", content=markdown(title="先の記事"))
        assert acknowledged.status_code == 201
        summary = _upload_and_kill(server, lines)
    check_crash_image(database_url, folder / "copy")
    with serving(folder, DATABASE_URL=database_url) as server:
        many = server.client.get("/v1/posts?tag=多&limit=1").json()["total"]
        first = server.client.get("/v1/posts/first")
        sources = server.client.get("/v1/sources").content.splitlines()
        again = server.client.post("/v1/ingest", json=BODY)

    assert first.json()["title"] == "先の記事"
    assert many in ((FILES,) if summary else (0, FILES))
    assert len(sources) == many + 1
    assert again.status_code == 200
    assert again.json()["unchanged"] == many


def _upload_and_kill(server: Server, lines: int) -> dict[str, Any] | None:
    """The last line, where it came."""
    read: list[dict[str, Any]] = []
    try:
        with server.client.stream("POST", "/v1/ingest", json=BODY, headers={"Accept": "application/jsonl"}) as response:
            received = response.iter_lines()
            while len(read) < lines:
                read.append(orjson.loads(next(received)))
            server.kill()
            read += [orjson.loads(line) for line in received]
    except httpx2.TransportError:
        pass
    assert server.process.poll() is not None
    return next((line for line in read if line["type"] == "summary"), None)
