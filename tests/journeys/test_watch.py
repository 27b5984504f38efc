"""`ingest --watch`: a real process that follows a folder."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.building import KEY, markdown
from tests.journeys.serving import HONBUN, PATIENCE, environment, serving

FIRST = {"_posts/2025-01-01-a.md": markdown(title="一"), "_posts/2025-01-02-b.md": markdown(title="二")}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    for name, text in FIRST.items():
        put(folder / name, text)
    return folder


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Watcher:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def says(self, lines: int = 1) -> list[str]:
        """Its next lines on standard output; a test that waits for one in vain ends by its timeout."""
        assert self.process.stdout
        return [self.process.stdout.readline().decode().rstrip() for _ in range(lines)]


@contextmanager
def watching(site: Path, *options: str, **settings: str) -> Iterator[Watcher]:
    """`honbun ingest --watch`, once it has taken the folder and follows it; it must end well when it is interrupted."""
    defaults = {"DATABASE_URL": f"sqlite:///{site.parent / 'watched.db'}"}
    process = subprocess.Popen(
        [*HONBUN, "ingest", str(site), "--watch", *options],
        cwd=site.parent,
        env=environment(**defaults | settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    try:
        line = next(line for line in process.stderr if b"Ctrl-C" in line)
        assert site.name in line.decode()
        yield Watcher(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_each_change_in_the_folder_is_taken_and_said(site: Path) -> None:
    with watching(site, "--prune") as watcher:
        assert watcher.says(3) == [
            "created  _posts/2025-01-01-a.md -> a",
            "created  _posts/2025-01-02-b.md -> b",
            "2 created",
        ]

        put(site / "_posts/2025-01-01-a.md", markdown(title="一の二"))
        assert watcher.says() == ["updated  _posts/2025-01-01-a.md -> a (title, front_matter)"]

        put(site / "_posts/2025-01-03-c.md", markdown(title="三"))
        assert watcher.says() == ["created  _posts/2025-01-03-c.md -> c"]

        (site / "_posts/2025-01-03-c.md").rename(site / "_posts/2025-02-03-c.md")
        assert watcher.says()[0].startswith("renamed  _posts/2025-02-03-c.md -> c (published_at")

        (site / "_posts/2025-01-02-b.md").unlink()
        assert "deleted  _posts/2025-01-02-b.md -> b" in watcher.says(2)

        put(site / "_config.yml", "lang: en\n")
        found = watcher.says(4)
        assert "config   _config.yml (lang)" in found
        assert "updated  _posts/2025-01-01-a.md -> a (lang)" in found


@pytest.mark.slow
def test_service_is_kept_in_step(site: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as server, watching(site, REMOTE_URL=server.url, REMOTE_KEY=KEY) as watcher:
        assert watcher.says(3)[2] == "2 created"

        put(site / "_posts/2025-01-03-c.md", markdown(title="三"))

        assert watcher.says() == ["created  _posts/2025-01-03-c.md -> c"]
        assert server.client.get("/v1/posts/c").json()["title"] == "三"
