"""Real render processes: their deadlines, their deaths, their end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.documents.context import Context, Contexts
from app.documents.document import Document, parse
from app.documents.sources import Source
from app.errors import DocumentError, Finding
from app.rendering.pool import BATCH_FILES, Renderers

PLAIN = Contexts(plain=Context(), sites={})
ENDLESS = ("*a* _b_ [c](d) <b>e</b> " * 80_000).encode()  # some ten seconds of work


def source(name: str, content: bytes = b"# \xe9\xa1\x8c\n\ntext\n") -> Source:
    return Source(name=name, content=content)


@pytest.fixture
def quick() -> Iterator[Renderers]:
    """Renderers that soon give up."""
    renderers = Renderers(size=2, seconds=0.5)
    yield renderers
    renderers.close()


def pids(renderers: Renderers) -> set[int]:
    return {process.popen.pid for process in (*renderers._free, *renderers._busy)}


def wait_until_gone(pid: int) -> None:
    """Returns when no process has this number any more; the test's own timeout ends the wait."""
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1]:
        time.sleep(0.01)


def test_document_is_the_one_that_parse_makes(renderers: Renderers) -> None:
    given = source("2025-12-24-a.md", "---\ntags: [一, 二]\ndate: 2025-12-23 08:46:58 +09:00\n---\n*強調*\n".encode())

    assert renderers.parse(given, Context()) == parse(given, Context())


def test_error_of_a_document_crosses_with_its_place(renderers: Renderers) -> None:
    with pytest.raises(DocumentError) as caught:
        renderers.parse(source("a.md", b"---\ntitle: x\ndate: never\n---\n"), Context())

    assert (caught.value.finding.code, caught.value.finding.line) == ("invalid_date", 3)


def test_results_keep_the_order_of_many_sources(quick: Renderers) -> None:
    quick.seconds = 60
    names = [f"{number}.md" for number in range(5 * BATCH_FILES + 3)]

    parsed = list(quick.parse_each([*map(source, names)], PLAIN))

    assert [document.name for document in parsed if isinstance(document, Document)] == names


def test_no_source_starts_no_process(quick: Renderers) -> None:
    assert list(quick.parse_each([], PLAIN)) == []
    assert not pids(quick)


def test_file_that_takes_too_long_is_refused_and_the_others_are_not(quick: Renderers) -> None:
    list(quick.parse_each([source("warm.md")] * 2 * BATCH_FILES, PLAIN))
    parsed = list(
        quick.parse_each([source("a.md"), source("endless.md", ENDLESS), *[source("b.md")] * BATCH_FILES], PLAIN)
    )

    assert isinstance(parsed[0], Document)
    assert isinstance(parsed[1], Finding)
    assert parsed[1].code == "render_budget"
    assert all(isinstance(document, Document) for document in parsed[2:])


def test_another_process_starts_at_once_where_one_ran_out_of_time(quick: Renderers) -> None:
    quick.parse(source("warm.md"), Context())
    before = pids(quick)

    with pytest.raises(DocumentError):
        quick.parse(source("endless.md", ENDLESS), Context())

    assert len(pids(quick)) == 1
    assert not pids(quick) & before


def test_command_starts_no_process_for_a_file_that_may_not_come(quick: Renderers) -> None:
    quick.worthwhile = 1

    with pytest.raises(DocumentError):
        quick.parse(source("endless.md", ENDLESS), Context())

    assert not pids(quick)


def test_closed_renderers_start_no_process_for_a_file_that_ran_out_of_time() -> None:
    renderers = Renderers(seconds=60)
    thread = threading.Thread(target=lambda: list(renderers.parse_each([source("endless.md", ENDLESS)], PLAIN)))
    thread.start()
    while not (busy := [process for process in renderers._busy if process.is_ready]):
        time.sleep(0.01)
    busy[0].is_overdue = True  # as the watch says at the deadline, just before the end
    renderers.close()
    thread.join()

    assert not pids(renderers)


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_killed_process_fails_its_file_alone_and_is_replaced() -> None:
    renderers = Renderers(seconds=60)
    found: list[object] = []
    renderers.parse(source("warm.md"), Context())
    (pid,) = pids(renderers)
    thread = threading.Thread(
        target=lambda: found.extend(renderers.parse_each([source("a.md", ENDLESS), source("b.md")], PLAIN))
    )

    thread.start()
    while not renderers._busy:
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    thread.join()
    after = pids(renderers)
    renderers.close()

    assert isinstance(found[0], Finding)
    assert found[0].code == "render_budget"
    assert isinstance(found[1], Document)
    assert pid not in after


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_process_that_died_idle_is_replaced_before_a_file_suffers() -> None:
    renderers = Renderers(seconds=60)
    renderers.parse(source("a.md"), Context())
    (pid,) = pids(renderers)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until all of its threads are gone

    assert renderers.parse(source("b.md"), Context()).name == "b.md"
    renderers.close()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited where Linux can")
def test_file_that_takes_too_much_memory_is_refused() -> None:
    renderers = Renderers(seconds=60, memory=70 * 2**20)
    found = list(renderers.parse_each([source("a.md", b"x\n\n" * 60_000), source("b.md")], PLAIN))
    renderers.close()

    assert isinstance(found[0], Finding)
    assert found[0].code == "render_budget"
    assert isinstance(found[1], Document)


def test_idle_process_is_ended() -> None:
    renderers = Renderers(seconds=60, idle_seconds=0.2)
    renderers.parse(source("a.md"), Context())
    watch = renderers._watch
    assert watch is not None

    watch.join()

    assert not pids(renderers)
    assert renderers.parse(source("b.md"), Context()).name == "b.md"
    renderers.close()


def test_few_bytes_are_parsed_in_this_process_where_that_is_allowed() -> None:
    renderers = Renderers(worthwhile=1000)

    assert [type(parsed) for parsed in renderers.parse_each([source("a.md")], PLAIN)] == [Document]
    assert not pids(renderers)


def test_process_has_no_settings_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONBUN_API_KEY", "secret")
    renderers = Renderers(seconds=60)
    renderers.parse(source("a.md"), Context())
    (pid,) = pids(renderers)
    if sys.platform == "linux":
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    renderers.close()


PARENT = """
import sys
from app.documents.context import Context
from app.documents.sources import Source
from app.rendering.pool import Renderers
renderers = Renderers(seconds=60)
renderers.parse(Source(name="a.md", content=b"a"), Context())
print(renderers._free[0].popen.pid, flush=True)
renderers.parse(Source(name="b.md", content=sys.stdin.buffer.read()), Context())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("is_busy", [False, True])
def test_process_ends_with_its_parent(number: signal.Signals, *, is_busy: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin
        assert parent.stdout
        pid = int(parent.stdout.readline())
        if is_busy:
            parent.stdin.write(ENDLESS)
            parent.stdin.close()
            while (tasks := Path(f"/proc/{pid}/stat").read_text().split(")")[1].split())[0] != "R":
                assert tasks[0] != "Z"
        parent.send_signal(number)
        parent.wait()

    wait_until_gone(pid)
