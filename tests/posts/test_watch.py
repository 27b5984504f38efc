import asyncio
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, update

from app.database import inline_of, open_engine, writing
from app.errors import DatabaseUnavailable
from app.posts import signals
from app.posts.models import content
from app.posts.watch import Watch
from tests.building import NOW, FixedClock, markdown
from tests.posts.samples import take

PATIENCE = 30.0
on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
UNREACHABLE = "postgresql://honbun:secret@127.0.0.1:1/honbun"


def watching(
    url: str, story: Callable[[Watch, Engine], Awaitable[None]], *, listen_url: str | None = None, clock: FixedClock
) -> None:
    """Plays a story with a watch that hears, and another process' engine."""
    engine, other = open_engine(url), open_engine(url)
    watch = Watch(engine, inline_of(engine), listen_url=listen_url or url, clock=clock)

    async def play() -> None:
        hearing = asyncio.create_task(watch.signal.run())
        try:
            async with asyncio.timeout(PATIENCE):
                await story(watch, other)
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])
            watch.signal.close()

    asyncio.run(play())
    engine.dispose()
    other.dispose()


async def hears(watch: Watch) -> None:
    """Waits until the state is known without asking the database."""
    while watch.glance() is None:
        await watch.read()
        await asyncio.sleep(0.01)


async def until(watch: Watch, label: str) -> None:
    while (await watch.state()).label != label:  # noqa: ASYNC110 - another process: there is nothing to be told by
        await asyncio.sleep(0.01)


async def commit(engine: Engine, name: str = "a.md") -> None:
    await asyncio.to_thread(take, engine, {name: markdown(title="一")})


def test_commit_of_another_process_is_heard_of(database_url: str, clock: FixedClock) -> None:
    async def story(watch: Watch, other: Engine) -> None:
        await hears(watch)
        for label in "123":
            await commit(other, f"{label}.md")
            # On SQLite it is known at once; on Postgres soon that there is something else.
            while (state := watch.glance()) is not None and state.label != label:
                assert state.label < label
                await asyncio.sleep(0.001)
            assert (await watch.state()).label == label
            await hears(watch)

    watching(database_url, story, clock=clock)


@on_sqlite
def test_commit_of_another_process_is_known_at_once_on_sqlite(database_url: str, clock: FixedClock) -> None:
    async def story(watch: Watch, other: Engine) -> None:
        await hears(watch)
        await commit(other)

        assert (state := watch.glance()) is not None
        assert state.label == "1"

    watching(database_url, story, clock=clock)


def test_who_asks_after_a_commit_never_gets_an_older_state(database_url: str, clock: FixedClock) -> None:
    """With a listener that hears nothing: each look reads the database."""

    async def story(watch: Watch, other: Engine) -> None:
        for number in range(1, 4):
            await commit(other, f"{number}.md")

            assert watch.glance() is None or watch.signal.moved() is False
            assert {state.label for state in await asyncio.gather(*[watch.state() for _ in range(5)])} == {str(number)}

    watching(database_url, story, listen_url=UNREACHABLE, clock=clock)


def test_reading_begun_before_a_commit_is_not_what_holds_after_it(database_url: str, clock: FixedClock) -> None:
    async def story(watch: Watch, other: Engine) -> None:
        await hears(watch)
        watch.forget()
        early = asyncio.create_task(watch.read())
        await asyncio.sleep(0)
        await commit(other)
        watch.forget()
        late = asyncio.create_task(watch.read())

        assert (await late).label == "1"
        assert (await early).label in ("0", "1")
        assert (await watch.state()).label == "1"

    watching(database_url, story, clock=clock)


def test_clock_makes_another_state(database_url: str, clock: FixedClock) -> None:
    async def story(watch: Watch, other: Engine) -> None:
        await asyncio.to_thread(take, other, {"a.md": markdown(date=(NOW + timedelta(hours=1)).isoformat())})
        await hears(watch)
        before = (await watch.state()).label
        clock.advance(hours=1)
        await asyncio.sleep(0)
        after = f"{before}.{int(clock().timestamp())}"

        assert (state := watch.glance()) is None or state.label == after
        assert (await watch.state()).label == after

    watching(database_url, story, clock=clock)


def test_database_that_is_away_is_said_and_found_again(
    tmp_path: Path, sqlite_template: Path, clock: FixedClock
) -> None:
    async def story(watch: Watch, _: Engine) -> None:
        with pytest.raises(DatabaseUnavailable):
            await watch.state()
        (tmp_path / "later").mkdir()
        await asyncio.to_thread(shutil.copy, sqlite_template, tmp_path / "later" / "honbun.db")

        assert (await watch.state()).label == "0"

    watching(f"sqlite:///{tmp_path / 'later' / 'honbun.db'}", story, clock=clock)


def test_file_put_in_the_place_of_the_database_is_noticed(
    tmp_path: Path, sqlite_template: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "RETRY", 0.01)
    path = tmp_path / "honbun.db"
    shutil.copy(sqlite_template, path)

    async def story(watch: Watch, _: Engine) -> None:
        await hears(watch)
        restored = open_engine(f"sqlite:///{tmp_path / 'restored.db'}")
        shutil.copy(sqlite_template, tmp_path / "restored.db")
        await commit(restored)
        restored.dispose()
        (tmp_path / "restored.db").replace(path)
        await until(watch, "1")

    watching(f"sqlite:///{path}", story, clock=clock)


@on_postgres
def test_lost_listener_counts_as_down_at_once_and_comes_back(
    database_url: str, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signals, "RETRY", 0.01)

    async def story(watch: Watch, other: Engine) -> None:
        await hears(watch)
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN honbun%'"
            )
        while watch.glance() is not None:  # noqa: ASYNC110 - another process: there is nothing to be told by
            await asyncio.sleep(0.001)
        await commit(other)

        assert (await watch.state()).label == "1"
        await hears(watch)

    watching(database_url, story, clock=clock)


@on_postgres
def test_listener_that_hears_no_heartbeat_counts_as_down(database_url: str, clock: FixedClock) -> None:
    """It is connected, and its silence proves nothing: notifications may not get there."""

    async def story(watch: Watch, _: Engine) -> None:
        assert isinstance(watch.signal, signals.PostgresSignal)
        await hears(watch)
        watch.signal._beat = "elsewhere"
        await asyncio.sleep(signals.TRUST)

        assert watch.signal.moved()
        assert watch.signal.moved()

    watching(database_url, story, clock=clock)


@on_postgres
def test_what_comes_without_a_notification_is_seen_with_the_next_heartbeat(
    database_url: str, clock: FixedClock
) -> None:
    async def story(watch: Watch, other: Engine) -> None:
        await hears(watch)
        with writing(other) as connection:
            connection.execute(update(content).values(version=77, visible_version=77))
        await until(watch, "77")

    watching(database_url, story, clock=clock)
