"""Clients that write as fast as they are answered, and remember what they were told."""

import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import httpx2

from app.checkup import Check, examine
from app.database import open_engine
from app.documents.document import Context
from tests.building import markdown
from tests.journeys.serving import PATIENCE, Server

WRITERS = 4
PAUSE = 0.05  # seconds until a request that was answered 503 is sent again


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A request, and what it makes of the sources it names: their hashes, None for those that are gone."""

    method: str
    path: str
    content: bytes
    media_type: str
    after: Mapping[str, str | None]


class Writers:
    """Each writes posts of its own: new ones, one again and again, two always at once; and removes some."""

    def __init__(self) -> None:
        self.acknowledged = 0
        self.refusals: Counter[str] = Counter()  # by code
        self._allowed: dict[str, set[str | None]] = {}  # name -> hashes; several where no answer came
        self._steps = [_changes(f"w{number}") for number in range(WRITERS)]
        self._told = threading.Condition()
        self._end = threading.Event()

    @contextmanager
    def writing(self, server: Server) -> Iterator[None]:
        """They write until the block ends; each ends before that where its server is gone."""
        self._end.clear()
        with ThreadPoolExecutor(WRITERS) as pool:
            ends = [pool.submit(self._write, server.client, changes) for changes in self._steps]
            try:
                yield
            finally:
                self._end.set()
        for end in ends:
            end.result()

    def await_acknowledged(self, more: int) -> None:
        """Returns once so many more changes were acknowledged."""
        with self._told:
            wanted = self.acknowledged + more
            assert self._told.wait_for(lambda: self.acknowledged >= wanted, PATIENCE), self.refusals

    def check(self, server: Server, *, is_exact: bool = False) -> None:
        """Everything that was acknowledged is stored, whole and found; what was not is stored whole or not at all.

        Where it is exact, each change was acknowledged in the end.
        """
        lines = [json.loads(line) for line in server.client.get("/v1/sources").iter_lines()]
        stored = {line["name"]: line["sha256"] for line in lines}
        wrong = [name for name, allowed in self._allowed.items() if stored.get(name) not in allowed]
        assert wrong == []
        assert stored.keys() <= self._allowed.keys()
        for number in range(WRITERS):
            assert stored.get(f"w{number}-left.md") == stored.get(f"w{number}-right.md")
        shown = [
            json.loads(line) for line in server.client.get("/v1/export.jsonl?fields=html,front_matter").iter_lines()
        ]
        assert len(shown) == len(stored)
        assert [post for post in shown if f"第{post['front_matter']['number']}稿" not in post["html"]] == []
        assert server.client.get("/v1/posts?q=本文&limit=1").json()["total"] == len(stored)
        if is_exact:
            assert [name for name, allowed in self._allowed.items() if len(allowed) > 1] == []
        self._allowed = {name: {stored.get(name)} for name in self._allowed}

    def _write(self, client: httpx2.Client, changes: Iterator[Change]) -> None:
        while not self._end.is_set():
            change = next(changes)
            before = [self._allowed.get(name, {None}) for name in change.after]
            self._allowed |= {n: {*b, h} for b, (n, h) in zip(before, change.after.items(), strict=True)}
            try:
                self._send(client, change, may_be_gone={None} in before)
            except httpx2.TransportError:
                return
            for name, hash_ in change.after.items():
                self._allowed[name] = {hash_}
            with self._told:
                self.acknowledged += 1
                self._told.notify_all()

    def _send(self, client: httpx2.Client, change: Change, *, may_be_gone: bool) -> None:
        """Until it is done: whatever may have become of it, it can be sent again."""
        deadline = time.monotonic() + PATIENCE
        headers = {"Content-Type": change.media_type}
        while True:
            response = client.request(change.method, change.path, content=change.content, headers=headers)
            if response.status_code != 503:
                break
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.headers["Retry-After"] == "1"
            assert time.monotonic() < deadline, response.text
            self.refusals[response.json()["code"]] += 1
            may_be_gone = True  # by the same request
            time.sleep(PAUSE)  # the other side is another process
        done = {200, 201, 204} | ({404} if may_be_gone and change.method == "DELETE" else set())
        assert response.status_code in done, response.text


def _changes(who: str) -> Iterator[Change]:
    for number in itertools.count(1):
        text = markdown(f"本文です。第{number}稿。\n\n" * 40, title=who, number=number)
        hash_ = sha256(text.encode()).hexdigest()
        new = f"{who}-{number}"
        names = [f"{who}-left.md", f"{who}-right.md"]
        yield _put(new, text)
        yield Change(
            method="POST",
            path="/v1/ingest",
            content=json.dumps({"files": [{"name": name, "content": text} for name in names]}).encode(),
            media_type="application/json",
            after=dict.fromkeys(names, hash_),
        )
        yield _put(who, text)
        if number % 2:
            yield replace(_put(new, ""), method="DELETE", after={f"{new}.md": None})


def _put(slug: str, text: str) -> Change:
    content = text.encode()
    return Change(
        method="PUT",
        path=f"/v1/posts/{slug}",
        content=content,
        media_type="text/markdown",
        after={f"{slug}.md": sha256(content).hexdigest()},
    )


def faults(url: str) -> list[Check]:
    """What `honbun doctor` finds in a database, but for the tests' own Postgres that is made to be quick."""
    engine = open_engine(url)
    try:
        checks: list[Any] = list(examine(engine, Context()))
    finally:
        engine.dispose()
    assert checks[-1].name == "rendering"  # it looked at all
    return [check for check in checks if check.status != "ok" and check.name != "durability"]
