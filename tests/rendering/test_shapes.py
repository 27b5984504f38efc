"""Every construct, repeated to the permitted size, through a real server and its render processes.

    uv run pytest -m slow tests/rendering/test_shapes.py -s

prints the files that took longest.
"""

import re
import sys
import time
from pathlib import Path

import pytest

from app.documents.context import Context, Contexts
from app.documents.markdown_budget import MIN_OUTPUT_BYTES, OUTPUT_PER_INPUT
from app.documents.sources import Source
from app.errors import Finding
from app.rendering.pool import SECONDS, Renderers, cores
from tests.documents.shapes import BODIES, FRONTS
from tests.journeys.serving import serving

LARGEST = 2 * 1024 * 1024  # bytes, of a file over HTTP
GROWTH = 200 * 1024 * 1024
# Of each kind of work one: what is parsed longest, nests deepest, writes most, remembers most.
CHOSEN = (
    *("span 'a。**b'", "span '!['", "span '[a]['", "span '&'", "span '<b>'", "span and letter '*'", "line '#'"),
    *("line '- a'", "line '|a|b'", "paragraph 'a'", "quoted '> a'", "nested > |", "nested, left open <b>|</b>"),
    *("table, square", "footnotes, each its own", "references, long", "abbreviations, one used often", "one line"),
    *("HTML open formatting, then paragraphs", "Liquid never closed", "yaml, flow lists", "yaml, keys", "fences"),
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_every_shape_is_stored_or_refused_by_name() -> None:
    shapes = {**BODIES, **FRONTS}
    sources = [
        Source(name=f"{number}.md", content=shape(4_000).encode()) for number, shape in enumerate(shapes.values())
    ]
    renderers = Renderers(size=cores(), seconds=30)
    parsed = list(renderers.parse_each(sources, Contexts(plain=Context(), sites={})))
    renderers.close()
    found = {name: each for name, each in zip(shapes, parsed, strict=True) if isinstance(each, Finding)}

    assert {name: each.detail for name, each in found.items() if each.code == "render_failed"} == {}
    assert [name for name, each in found.items() if "the process" in each.detail or "seconds" in each.detail] == []


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_largest_file_of_each_kind_costs_no_more_than_it_may(tmp_path: Path) -> None:
    took: list[tuple[float, str, str]] = []
    with serving(tmp_path, RENDER_SECONDS=str(SECONDS)) as server:
        server.client.put("/v1/posts/x", content="# 題\n")
        before = peak(server.process.pid)
        for name in CHOSEN:
            content = cut({**BODIES, **FRONTS}[name](LARGEST))
            began = time.monotonic()
            answer = server.client.put("/v1/posts/x", content=content)
            problem = answer.json().get("errors", [{"code": "stored"}])[0]["code"]
            took.append((time.monotonic() - began, name, problem))

            assert answer.status_code == (200 if problem == "stored" else 422), name
            assert problem in ("stored", "render_budget", "front_matter_too_large", "front_matter_unclosed"), name
            if problem == "stored":
                html = server.client.get("/v1/posts/x").json()["html"]
                assert len(html.encode()) <= max(MIN_OUTPUT_BYTES, OUTPUT_PER_INPUT * len(content)), name
        growth = peak(server.process.pid) - before

    for seconds, name, problem in sorted(took, reverse=True)[:10]:
        print(f"{seconds:5.2f} s  {problem:24}{name}")  # noqa: T201 - for whoever runs it with -s
    assert growth <= GROWTH


def cut(text: str) -> bytes:
    """As many characters as the largest file can hold."""
    return text.encode()[:LARGEST].decode(errors="ignore").encode()


def peak(pid: int) -> int:
    """The most memory that a process ever had, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) * 1024
