"""The README tells the truth: its tour is walked against a real server; its tables name all there is, and no more."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import typer
from sqlalchemy import select

from app import http_protocol, main
from app import server as app_server
from app.api import overload, streams, uploads
from app.cli import cli
from app.database import open_engine, reading
from app.documents import archives, markdown_budget, nodes, source_names
from app.posts import parameters
from app.posts.filters import ListQuery
from app.posts.models import posts
from app.rendering import pool
from app.settings import Settings
from tests.building import KEY

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BASE = "http://127.0.0.1:8000"
NEVER_SENT = {
    "error",
    "backup_failed",
    "invalid_setting",
    "invalid_state",
    "service_unreachable",
}  # of the command line alone
BLOCK = re.compile(r"^ *```(sh|json)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def tour() -> list[tuple[str, Any]]:
    """Each shell block of the tour, with the answer that stands below it."""
    text = README.split("## A tour")[1].split("\n## ")[0]
    blocks = BLOCK.findall(text)
    pairs = zip(blocks, [*blocks[1:], ("", "")], strict=True)
    return [
        (body, json.loads(answer) if kind == "json" else None) for (form, body), (kind, answer) in pairs if form == "sh"
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server on the sample posts; its address."""
    folder = tmp_path_factory.mktemp("tour")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = os.environ | {
        "HONBUN_DATABASE_URL": f"sqlite:///{folder}/honbun.db",
        "HONBUN_CONTENT_DIR": str(ROOT / "content"),
        "HONBUN_API_KEY": KEY,
        "HONBUN_PORT": str(port),
    }
    command = [str(Path(sys.executable).parent / "honbun"), "serve"]
    with subprocess.Popen(command, env=environment, cwd=ROOT) as process:
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(30)


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{address}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("the server was not ready within a minute")


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_blog_moves_to_postgres_by_the_commands_of_growing(database_url: str, tmp_path: Path) -> None:
    section = README.split("\n## Growing\n")[1].split("\n## ")[0]
    ((_, commands),) = [block for block in BLOCK.findall(section) if "export" in block[1]]
    moving = commands.split("honbun serve")[0].replace("postgresql://honbun:secret@postgres:5432/honbun", database_url)
    environment = os.environ | {
        "HONBUN_DATABASE_URL": f"sqlite:///{tmp_path}/honbun.db",
        "HONBUN_CONTENT_DIR": "",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def shell(script: str) -> str:
        ran = subprocess.run(
            ["bash", "-euc", script], env=environment, cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return ran.stdout

    shell(f"honbun migrate && honbun ingest {ROOT / 'content'} --base {ROOT}")
    before = posts_of(f"sqlite:///{tmp_path}/honbun.db")
    shell(moving)

    assert posts_of(database_url) == before
    assert len(before) > 5


def posts_of(url: str) -> list[tuple[str, ...]]:
    engine = open_engine(url)
    with reading(engine) as connection:
        columns = (posts.c.id, posts.c.slug, posts.c.source_name, posts.c.sha256)
        found = [tuple(row) for row in connection.execute(select(*columns))]
    engine.dispose()
    return sorted(found)


@pytest.mark.parametrize("tag", ["AI", "投資"])
def test_cache_tag_of_a_term_is_made_as_growing_says(server: str, tag: str) -> None:
    section = README.split("\n## Growing\n")[1].split("\n## ")[0]
    ((_, command),) = [block for block in BLOCK.findall(section) if "sha256sum" in block[1]]
    ran = subprocess.run(
        ["bash", "-euc", command.replace("投資", tag.lower())], check=True, capture_output=True, text=True
    )

    assert httpx2.get(f"{server}/v1/posts", params={"tag": tag}).headers["Cache-Tag"] == f"list,{ran.stdout.strip()}"


def matches(expected: Any, actual: Any) -> bool:
    """Equality, where `…` stands for anything."""
    if expected == "…":
        return True
    if isinstance(expected, dict) and isinstance(actual, dict):
        return expected.keys() == actual.keys() and all(matches(expected[key], actual[key]) for key in expected)
    if isinstance(expected, list) and isinstance(actual, list):
        return len(expected) == len(actual) and all(map(matches, expected, actual))
    return bool(expected == actual)


def test_tour_gives_the_answers_it_shows(server: str, tmp_path: Path) -> None:
    (tmp_path / "_posts").mkdir()
    (tmp_path / "_posts" / "2026-01-02-kaze.md").write_text("---\ntitle: 風\n---\n風です。\n", encoding="utf-8")
    shown = 0
    for commands, expected in tour():
        answer = None
        for command in commands.replace("\\\n", " ").splitlines():
            answer = _run(command.replace(BASE, server), tmp_path)
        if expected is not None:
            shown += 1
            assert matches(expected, answer), f"{commands}\n{json.dumps(answer, ensure_ascii=False, indent=2)}"

    assert shown >= 6


def _run(command: str, folder: Path) -> Any:
    """A line of the tour: curl is spoken in Python, since a fresh machine may have none; the rest is the shell's."""
    if not command.startswith("curl "):
        subprocess.run(command, shell=True, cwd=folder, check=True, executable="/bin/bash")
        return None
    words = iter(shlex.split(command.replace("$HONBUN_API_KEY", KEY))[1:])
    headers: dict[str, str] = {}
    request: dict[str, Any] = {"method": "GET"}
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "--data-binary":
            content = (folder / next(words).removeprefix("@")).read_bytes()
            request |= {"method": "POST", "content": content}
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        elif word == "-F":
            path = folder / next(words).removeprefix("files=@")
            request |= {"method": "POST", "files": {"files": (path.name, path.read_bytes())}}
        else:
            request["url"] = word
    response = httpx2.request(**request, headers=headers)
    return response.json()


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    expected = {f"HONBUN_{name.upper()}" for name in Settings.model_fields}

    rows = re.findall(r"^\| (`HONBUN_[^|]+) \|", README, re.MULTILINE)

    assert set(re.findall(r"`(HONBUN_\w+)`", " ".join(rows))) == expected


def test_every_command_and_option_is_documented() -> None:
    group = typer.main.get_command(cli)
    section = README.split("\n## Command line\n")[1].split("\n## ")[0]

    assert set(re.findall(r"`honbun ([a-z]+)", section)) - {"COMMAND"} == set(group.commands)  # type: ignore[attr-defined]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        row = next(line for line in section.splitlines() if line.startswith(f"| `honbun {name}"))
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        if name in ("serve", "ingest"):
            assert options - {"--help"} <= set(re.findall(r"--[a-z-]+", row))


def test_every_list_parameter_is_documented() -> None:
    section = README.split("### Lists")[1].split("### One post")[0]
    names = {name.split("__")[0] for name in ListQuery.model_fields} - {"min_version", "wait", "front_matter"}

    assert [name for name in sorted(names) if f"`{name}`" not in section and f"`{name}=" not in section] == []


def test_every_code_is_documented() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py"))
    pattern = r"(?:code=|code: ClassVar\[str\] = |^    code = |[eE]rror\(|_warn\(|_fail\()\s*\"([a-z]+(?:_[a-z]+)*)\""
    codes = set(re.findall(pattern, source, re.MULTILINE)) - NEVER_SENT
    documented = set(re.findall(r"`([a-z_]+)`", README.split("### Codes")[1].split("\n## ")[0]))

    assert codes - documented == set()


LIMITS = {  # those that no setting moves
    "entries of an archive, for each file allowed": archives.ENTRIES,
    "bytes an archive unpacks to, for each byte allowed": archives.UNPACKED,
    "bytes of a manifest": uploads.MAX_MANIFEST_BYTES,
    "bytes of a source's name": source_names.MAX_NAME_BYTES,
    "bytes of front matter": nodes.MAX_BYTES,
    "levels of front matter": nodes.MAX_DEPTH,
    "values in front matter": nodes.MAX_NODES,
    "memory of a process that renders": pool.MEMORY,
    "bytes of HTML, whatever the source": markdown_budget.MIN_OUTPUT_BYTES,
    "… and for each byte of a longer one": markdown_budget.OUTPUT_PER_INPUT,
    "bytes of request line and headers": http_protocol.MAX_HEAD,
    "bytes of an address, percent-encoded": http_protocol.MAX_ADDRESS,
    "values of one parameter": parameters.MAX_VALUES,
    "exports and other streams at once, in each process": main.STREAMS,
    "seconds of a stream": streams.LONGEST,
    "readers that wait for a version, in each process": main.WAITERS,
    "bytes a second of a body, in the long run": overload.SLOWEST,
    "seconds for a head to come, or an answer to be taken": http_protocol.PATIENCE,
    "seconds that accepted requests have at the end": app_server.GRACE,
}
UNITS = {"": 1, "KiB": 1024, "MiB": 1024 * 1024}


def test_every_limit_is_the_one_in_force() -> None:
    section = README.split("\n### Limits\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| (.+?) \| ([\d .]+?) ?(KiB|MiB|) \| (?:`HONBUN_(\w+)`)? ?\|$", section, re.MULTILINE)
    said = {(what, setting): float(number.replace(" ", "")) * UNITS[unit] for what, number, unit, setting in rows}
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}

    assert len(rows) == section.count("\n| ") - 1
    assert said == {(what, setting): defaults[setting] if setting else LIMITS[what] for what, setting in said}
    assert {what for what, setting in said if not setting} == set(LIMITS)
    bounding = re.compile(r"MAX_.+|.+_PATIENCE|(READ|RENDER)_SECONDS|(WRITES|FAILED_KEYS)_PER_MINUTE")
    assert {setting for _, setting in said if setting} == set(filter(bounding.fullmatch, defaults))
