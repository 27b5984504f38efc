"""Reads go to a real streaming replica, and nobody notices but the primary."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from app import migrate
from app.api.service import Service
from app.database import open_engine
from tests.building import AUTH, markdown, slugs, stored
from tests.conftest import MEMORY, empty
from tests.postgres import Postgres, Standby, own_postgres, own_standby
from tests.posts.recording import recorded
from tests.posts.samples import take

PATIENCE = 60.0  # seconds; a busy machine takes its time
NOWHERE = "postgresql://honbun:secret@127.0.0.1:1/honbun"
READS = (
    "/v1",
    "/v1/posts",
    "/v1/posts?q=本文&facets=tag",
    "/v1/posts/kabu",
    "/v1/tags",
    "/v1/archives",
    "/v1/suggest?q=株",
    "/v1/feed.json",
    "/v1/sitemap.xml",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    primary: Postgres
    standby: Standby

    def catch_up(self) -> None:
        """Waits until the standby has replayed all that the primary has done."""
        (position,) = ask(self.primary.url, "SELECT pg_current_wal_insert_lsn()")
        until(lambda: ask(self.standby.url, f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn")[0])

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """The standby replays nothing in the block, and has caught up after it."""
        ask(self.standby.url, "SELECT pg_wal_replay_pause()")
        until(lambda: ask(self.standby.url, "SELECT pg_get_wal_replay_pause_state() = 'paused'")[0])
        try:
            yield
        finally:
            ask(self.standby.url, "SELECT pg_wal_replay_resume()")
        self.catch_up()


def ask(url: str, query: str) -> tuple[Any, ...]:
    with psycopg.connect(url, autocommit=True) as connection:
        row: tuple[Any, ...] = connection.execute(query.encode()).fetchone() or ()
    return row


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)  # another process: there is nothing here to be told by


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        primary = stack.enter_context(own_postgres(folder=MEMORY))
        if not primary.has("pg_basebackup"):
            pytest.skip("this needs Postgres' own programs")
        engine = open_engine(primary.url)
        migrate.upgrade(engine)
        engine.dispose()
        yield Pair(primary=primary, standby=stack.enter_context(own_standby(primary, folder=MEMORY)))


@pytest.fixture
def database_url(pair: Pair) -> str:
    """The primary's; both are empty."""
    empty(pair.primary.url)
    pair.catch_up()
    return pair.primary.url


@pytest.fixture(params=[0, 1_000_000], ids=["no cache", "cache"])
def client(pair: Pair, make_client: Callable[..., TestClient], request: pytest.FixtureRequest) -> TestClient:
    """A client of a service that uses the replica."""
    return using(make_client(database_replica_url=pair.standby.url, cache_bytes=request.param))


uncached = pytest.mark.parametrize("client", [0], indirect=True)


def service_of(client: TestClient) -> Service:
    service: Service = client.app.state.service  # type: ignore[attr-defined]
    return service


def using(client: TestClient) -> TestClient:
    """The client, once its service uses the replica."""
    replica = service_of(client).replica
    assert replica is not None
    until(lambda: replica.is_there)
    return client


def is_read_from_replica(client: TestClient, path: str = "/v1/posts?limit=7") -> bool:
    """Whether the replica is asked, and the primary not for more than the version."""
    service = service_of(client)
    assert service.replica is not None
    with recorded(service.replica.engine) as of_replica, recorded(service.engine) as of_primary:
        response = client.get(path)
    assert response.status_code == 200, response.text
    return _reads_posts(of_replica) and not _reads_posts(of_primary)


def _reads_posts(statements: list[str]) -> bool:
    return any("post" in each and "max(post.published_at)" not in each for each in statements)


def version(client: TestClient, path: str = "/v1/posts") -> int:
    """The version of the next answer to a reader without a key."""
    label: str = client.get(path).headers["Honbun-Version"]
    return int(label)


@uncached
@pytest.mark.parametrize("path", READS)
def test_read_goes_to_the_replica(pair: Pair, client: TestClient, path: str) -> None:
    stored(client, {"kabu.md": markdown(title="株価", tags=["市場"])})
    pair.catch_up()
    client.get("/v1/posts/kabu")

    assert is_read_from_replica(client, path)


@uncached
def test_stream_goes_to_the_primary_since_a_replica_may_end_it(pair: Pair, client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    pair.catch_up()

    assert not is_read_from_replica(client, "/v1/export.jsonl")


def test_what_is_written_is_in_the_next_answer_however_far_the_replica_lags(pair: Pair, client: TestClient) -> None:
    with pair.standing_still():
        for number in range(1, 6):
            put = client.put(f"/v1/posts/p{number}", content=markdown(title=f"{number}"), headers=AUTH)
            detail = client.get(f"/v1/posts/p{number}", headers={"Accept-Encoding": "identity"})

            assert put.status_code == 201
            assert detail.status_code == 200
            assert detail.headers["Honbun-Version"] == put.headers["Honbun-Version"] == str(number)
            assert detail.headers["ETag"] == put.headers["ETag"]
            assert len(slugs(client)) == number
        assert client.put("/v1/posts/draft", content=markdown(draft=True), headers=AUTH).status_code == 201
        assert client.get("/v1/posts/draft", headers=AUTH).status_code == 200
        assert client.delete("/v1/posts/p1", headers=AUTH).status_code == 204
        assert client.get("/v1/posts/p1").status_code == 404

    assert is_read_from_replica(client)
    assert slugs(client, **AUTH) == ["p5", "p4", "p3", "p2"]


def test_version_that_came_from_another_process_is_not_taken_back(pair: Pair, client: TestClient) -> None:
    other = open_engine(pair.primary.url)
    with pair.standing_still():
        for number in range(1, 6):
            label = take(other, {f"p{number}.md": markdown()}).version
            seen = client.get(f"/v1/posts?min_version={label}&wait=30")

            assert (seen.status_code, seen.headers["Honbun-Version"]) == (200, label)
            assert [version(client) for _ in range(5)] == [number] * 5
    other.dispose()

    assert is_read_from_replica(client)


def test_version_once_shown_is_not_taken_back(pair: Pair, client: TestClient) -> None:
    """Also where it was read before this process has heard of the commit."""
    other = open_engine(pair.primary.url)
    with pair.standing_still():
        for number in range(1, 6):
            take(other, {f"p{number}.md": markdown()})
            seen = [version(client)]
            while seen[-1] < number:
                seen.append(version(client))

            assert seen == sorted(seen)
    other.dispose()


@uncached
def test_version_that_the_primary_showed_before_its_news_came_is_not_taken_back(
    pair: Pair, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert version(client) == 0
    monkeypatch.setattr(service_of(client).watch.signal, "moved", lambda: False)
    other = open_engine(pair.primary.url)
    with pair.standing_still():
        take(other, {"a.md": markdown()})

        assert version(client, "/v1/export.jsonl") == 1
        assert version(client) == 1
    other.dispose()


def test_without_a_listener_the_primary_says_at_each_request_what_must_be_shown(
    pair: Pair, make_client: Callable[..., TestClient]
) -> None:
    deaf = using(make_client(database_replica_url=pair.standby.url, database_listen_url=NOWHERE, cache_bytes=0))
    other = open_engine(pair.primary.url)
    with pair.standing_still():
        for number in range(1, 6):
            take(other, {f"p{number}.md": markdown()})

            assert version(deaf) == number
    other.dispose()

    assert is_read_from_replica(deaf)


@uncached
@pytest.mark.slow
def test_replica_that_falls_silent_is_left_alone_until_it_speaks_again(pair: Pair, client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    pair.catch_up()
    assert is_read_from_replica(client)
    pair.standby.pause()
    try:
        for _ in range(5):
            assert slugs(client) == ["kabu"]
        assert not is_read_from_replica(client)
    finally:
        pair.standby.resume()
    using(client)

    assert is_read_from_replica(client)


@uncached
def test_lost_replica_is_missed_by_nobody_said_once_and_used_again(
    pair: Pair, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "honbun")
    stored(client, {"kabu.md": markdown(title="株価")})
    pair.catch_up()
    assert is_read_from_replica(client)
    pair.standby.stop()
    try:
        for _ in range(5):
            assert slugs(client) == ["kabu"]
            assert client.get("/readyz").status_code == 200
            assert not is_read_from_replica(client)
    finally:
        pair.standby.start()
    using(client)

    assert is_read_from_replica(client)
    assert [record.getMessage() for record in caplog.records if "replica" in record.getMessage()] == [
        "reads go to the primary, the replica cannot be used: the database cannot be reached",
        "reads go to the replica",
    ]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (NOWHERE, "the database cannot be reached"),
        ("the primary", "it is a server of its own"),
        ("another database", "the database is not migrated"),
        ("a stranger", "the database's user may not do this"),
    ],
)
def test_what_is_no_replica_is_not_used(
    pair: Pair, make_client: Callable[..., TestClient], caplog: pytest.LogCaptureFixture, url: str, reason: str
) -> None:
    caplog.set_level(logging.INFO, "honbun")
    pair.primary.psql("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
    pair.catch_up()
    urls = {
        "the primary": pair.primary.url,
        "another database": pair.standby.url.replace("/postgres?", "/template1?"),
        "a stranger": pair.standby.url.replace("//postgres:@", "//stranger:@"),
    }
    client = make_client(database_replica_url=urls.get(url, url))
    stored(client, {"kabu.md": markdown(title="株価")})
    until(lambda: any(reason in record.getMessage() for record in caplog.records))

    assert not is_read_from_replica(client)
    assert client.get("/readyz").status_code == 200
    assert "secret" not in caplog.text
    assert "reads go to the replica" not in caplog.text


@uncached
def test_read_that_the_replica_takes_away_is_made_again_on_the_primary(
    pair: Pair, client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """The standby holds a lock that the read waits for, and has to replay one on what it has read already."""
    stored(client, {"kabu.md": markdown(title="株価")})
    pair.catch_up()
    waits = "SELECT count(*) = 1 FROM pg_locks WHERE NOT granted AND relation = 'post'::regclass"
    held = "SELECT count(*) = 1 FROM pg_locks WHERE granted AND mode = 'AccessExclusiveLock' AND relation = 'post'::regclass"
    with (
        ThreadPoolExecutor() as threads,
        psycopg.connect(pair.primary.url) as connection,
        recorded(service_of(client).engine) as of_primary,
    ):
        connection.execute("LOCK TABLE post IN ACCESS EXCLUSIVE MODE")
        until(lambda: ask(pair.standby.url, held)[0])
        with pair.standing_still():
            connection.execute("LOCK TABLE content IN ACCESS EXCLUSIVE MODE")
            connection.rollback()
            answer = threads.submit(client.get, "/v1/posts/kabu")
            until(lambda: ask(pair.standby.url, waits)[0])

        assert answer.result(PATIENCE).status_code == 200
        assert _reads_posts(of_primary)
    assert is_read_from_replica(client)
    assert "replica" not in caplog.text
