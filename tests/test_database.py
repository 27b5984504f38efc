"""Connections, snapshots and turns, on both databases."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert, literal, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from app import database
from app.database import Inline, alone, open_engine, reading, writing
from app.driver import execute_each, fetch
from app.errors import DatabaseUnavailable, TooSlow
from app.posts.changes import lock_version
from app.posts.models import aliases, content, taken

WRITERS = 8
PATIENCE = 30.0  # seconds; a busy machine takes its time


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    yield engine
    engine.dispose()


LONG = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 1000000000) SELECT max(n) FROM c"


def test_a_read_that_takes_too_long_is_ended_and_the_next_one_is_not(engine: Engine) -> None:
    with pytest.raises(TooSlow), reading(engine, seconds=0.05) as connection:
        connection.exec_driver_sql(LONG)
    with reading(engine) as connection:  # the same connection of the pool
        long = connection.exec_driver_sql(LONG.replace("1000000000", "300000")).scalar_one()

    assert long == 300_000


def test_sqlite_prepares_a_statement_with_a_limit_once(sqlite: Engine) -> None:
    asked = 0

    def allow(*_: object) -> int:  # asked while a statement is prepared
        nonlocal asked
        asked += 1
        return 0

    statement = select(literal(1)).limit(1).offset(0)
    with sqlite.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_authorizer(allow)
        connection.execute(statement).all()
        first = asked
        connection.execute(statement).all()
        driver.set_authorizer(None)

    assert 0 < first == asked


@pytest.fixture
def impatient(postgres_url: str) -> Iterator[Engine]:
    engine = open_engine(postgres_url, patience=0.1)
    yield engine
    engine.dispose()


def test_statement_of_a_server_that_is_there_may_take_longer_than_the_patience(impatient: Engine) -> None:
    with reading(impatient, seconds=30) as connection:
        assert connection.exec_driver_sql("SELECT 'read' FROM pg_sleep(0.3)").scalar_one() == "read"
    with writing(impatient) as connection:
        assert connection.exec_driver_sql("SELECT 'written' FROM pg_sleep(0.3)").scalar_one() == "written"


def lock(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")


def test_writer_waits_for_its_turn_for_longer_than_the_patience(impatient: Engine) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
    with ThreadPoolExecutor(1) as threads:
        with writing(impatient) as first:
            first.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
            second = threads.submit(lock, impatient)
            while not first.exec_driver_sql(waiting).scalar_one():
                assert not second.done(), second.exception()
            first.exec_driver_sql("SELECT pg_sleep(0.3)")
        second.result()


def test_turn_that_does_not_come_on_postgres_is_a_busy_database(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.postgres.LOCK_SECONDS", 1)
    engine = open_engine(postgres_url)

    with writing(engine) as first:
        first.exec_driver_sql("SELECT pg_advisory_xact_lock(7)")
        with pytest.raises(DatabaseUnavailable) as caught:
            lock(engine)
    engine.dispose()

    assert (caught.value.detail, caught.value.reason) == (database.BUSY, "database_busy")


def sleep_without_a_limit(engine: Engine) -> None:
    with reading(engine, seconds=0.1) as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SELECT pg_sleep(5)")


def test_read_that_a_silent_server_does_not_end_is_given_up(impatient: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "GRACE", 0.1)

    with pytest.raises(DatabaseUnavailable) as caught:
        sleep_without_a_limit(impatient)

    assert caught.value.detail == "the database cannot be reached"


@pytest.mark.parametrize(
    ("pragma", "expected"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 10_000), ("temp_store", 2)],
)
def test_pragma_is_in_force_on_every_connection(sqlite: Engine, pragma: str, expected: str | int) -> None:
    with sqlite.connect() as first, sqlite.connect() as second:
        values = [c.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() for c in (first, second)]

    assert values == [expected, expected]


def test_power_failure_is_risked_only_where_it_is_said(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}", risk_power_loss=True)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 1
    engine.dispose()


def names(connection: Any) -> list[str]:
    return [row.name for row in connection.execute(select(taken).order_by("name"))]


def note(engine: Engine, name: str) -> None:
    with writing(engine) as connection:
        connection.execute(insert(taken).values(name=name, sha256="x"))


def test_snapshot_does_not_see_a_commit_made_meanwhile(engine: Engine) -> None:
    note(engine, "before")
    with reading(engine) as connection:
        first = names(connection)
        note(engine, "meanwhile")
        second = names(connection)
    with reading(engine) as connection:
        third = names(connection)

    assert (first, second, third) == (["before"], ["before"], ["before", "meanwhile"])


def test_write_is_undone_by_an_exception(engine: Engine) -> None:
    def fail() -> None:
        with writing(engine) as connection:
            connection.execute(insert(taken).values(name="a", sha256="x"))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with reading(engine) as connection:
        assert names(connection) == []


def test_writers_at_once_take_turns_and_none_is_refused(database_url: str, engine: Engine) -> None:
    def add(number: int) -> None:
        own = open_engine(database_url)
        for turn in range(10):
            with writing(own) as connection:
                version = lock_version(connection).version
                connection.execute(update(content).values(version=version + 1))
                connection.execute(insert(taken).values(name=f"{number} {turn}", sha256="x"))
        own.dispose()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(add, range(WRITERS)))

    with reading(engine) as connection:
        assert len(names(connection)) == 10 * WRITERS
        assert connection.execute(select(content.c.version)).scalar_one() == 10 * WRITERS


def test_reader_goes_on_while_one_writes(engine: Engine) -> None:
    note(engine, "before")
    with writing(engine) as writer:
        writer.execute(insert(taken).values(name="open", sha256="x"))
        with reading(engine) as reader:
            assert names(reader) == ["before"]


def test_what_belongs_to_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(aliases).values(post_pk=1, kind="path", value="/x"))


def test_error_of_a_statement_does_not_show_what_was_to_be_written(engine: Engine) -> None:
    with pytest.raises(DBAPIError) as error, engine.connect() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:draft)"), {"draft": "まだ秘密"})
    assert "nowhere" in str(error.value)
    assert "まだ秘密" not in str(error.value)


@pytest.mark.parametrize("execute", [fetch, lambda connection, sql, row: execute_each(connection, sql, [row, row])])
def test_nor_does_that_of_one_in_the_drivers_language(engine: Engine, execute: Callable[..., Any]) -> None:
    place, row = ("?", ["まだ秘密"]) if engine.dialect.name == "sqlite" else ("%(draft)s", {"draft": "まだ秘密"})
    with pytest.raises(DBAPIError) as error, engine.connect() as connection:
        execute(connection, f"INSERT INTO nowhere VALUES ({place})", row)

    assert "nowhere" in str(error.value)
    assert "まだ秘密" not in str(error.value)


def test_wrong_statement_is_no_lost_database(postgres_url: str) -> None:
    engine = open_engine(postgres_url)

    with pytest.raises(ProgrammingError), reading(engine) as connection:
        connection.execute(text("SELEC 1"))
    engine.dispose()


def read_content(engine: Engine) -> None:
    with reading(engine) as connection:
        connection.execute(select(content)).all()


def unused_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class TestLost:
    def reason(self, url: str) -> str:
        engine = open_engine(url)
        with pytest.raises(DatabaseUnavailable) as caught:
            read_content(engine)
        engine.dispose()
        return caught.value.detail

    def test_postgres_that_does_not_listen(self) -> None:
        url = f"postgresql://user:hunter2@127.0.0.1:{unused_port()}/blog"

        assert self.reason(url) == "the database cannot be reached"

    def test_folder_that_is_not_there(self, tmp_path: Path) -> None:
        reason = self.reason(f"sqlite:///{tmp_path / 'missing' / 'x.db'}")

        assert reason == "the database file cannot be opened; does its folder exist?"

    def test_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "x.db"
        path.write_bytes(b"not a database at all" * 100)

        assert self.reason(f"sqlite:///{path}") == "the database file is none of SQLite's"

    def test_sqlite_that_is_not_migrated(self, tmp_path: Path) -> None:
        assert "honbun migrate" in self.reason(f"sqlite:///{tmp_path / 'x.db'}")

    def test_tables_that_are_not_migrated(self, engine: Engine) -> None:
        with pytest.raises(DatabaseUnavailable) as caught, reading(engine) as connection:
            connection.execute(text("SELECT x FROM no_such_table"))

        assert "honbun migrate" in caught.value.detail

    def test_postgres_that_ends_a_session_is_reached_again(self, postgres_url: str) -> None:
        engine, other = open_engine(postgres_url), open_engine(postgres_url)
        end = text("SELECT pg_terminate_backend(:pid)")

        def be_ended() -> None:
            with reading(engine) as connection:
                pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                with writing(other) as killer:
                    killer.execute(end, {"pid": pid})
                connection.execute(select(content)).all()

        with pytest.raises(DatabaseUnavailable):
            be_ended()
        read_content(engine)
        for used in (engine, other):
            used.dispose()

    def test_postgres_that_ends_a_session_before_its_first_statement(self, postgres_url: str) -> None:
        engine = open_engine(postgres_url)

        @event.listens_for(engine, "begin")
        def _be_ended(connection: Connection) -> None:
            driver: Any = connection.connection.driver_connection
            driver.pgconn.finish()

        with pytest.raises(DatabaseUnavailable) as caught, reading(engine, seconds=30):
            pass
        engine.dispose()

        assert caught.value.detail == "the database cannot be reached"

    def test_pool_that_is_empty_says_so(self, sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sqlite.pool, "_timeout", 0.05)
        held = [sqlite.connect() for _ in range(2 * database.THREADS)]

        with pytest.raises(DatabaseUnavailable) as caught:
            read_content(sqlite)

        assert caught.value.reason == "database_busy"
        for connection in held:
            connection.close()

    def test_write_in_a_snapshot_is_refused_on_postgres(self, postgres_url: str) -> None:
        engine = open_engine(postgres_url)

        with pytest.raises(DatabaseUnavailable) as caught, reading(engine) as connection:
            connection.execute(insert(taken).values(name="a", sha256="x"))

        assert caught.value.detail == "the database is read-only"
        engine.dispose()


def test_turn_that_does_not_come_is_a_busy_database(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", ("busy_timeout = 50", *database.PRAGMAS[1:]))

    with writing(sqlite), pytest.raises(DatabaseUnavailable) as caught, writing(sqlite):
        pass

    assert (caught.value.detail, caught.value.reason) == ("the database is busy with other writers", "database_busy")


@pytest.mark.parametrize("take", [alone, lambda engine: Inline(engine).reading().__enter__()], ids=["signal", "reads"])
def test_who_connects_on_the_event_loop_waits_for_no_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, take: Callable[[Engine], Any]
) -> None:
    monkeypatch.setattr(database, "PRAGMAS", ("busy_timeout = 3600000", *database.PRAGMAS[1:]))
    engine = open_engine(f"sqlite:///{tmp_path / 'locked.db'}")
    holder = database.sqlite_module().connect(tmp_path / "locked.db", isolation_level=None, check_same_thread=False)
    with ThreadPoolExecutor() as threads, closing(holder):
        holder.execute("CREATE TABLE held (number)")
        holder.execute("BEGIN EXCLUSIVE")
        try:
            taking = threads.submit(take, engine)

            assert taking.exception(PATIENCE) is not None
        finally:
            holder.execute("ROLLBACK")
    engine.dispose()


def test_instants_are_read_whatever_the_servers_zone(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with reading(engine) as connection:
        value = connection.execute(text("SELECT timestamptz '9999-12-31 23:59:59Z'")).scalar_one()

    assert value == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    engine.dispose()


def test_system_sqlite_serves_where_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", None)

    assert database.sqlite_module().__name__ == "sqlite3"


def test_a_service_on_sqlite_does_not_load_what_speaks_to_postgres(tmp_path: Path) -> None:
    code = "import sys; from app.main import create_app; create_app(); sys.exit('psycopg' in sys.modules)"
    environment = os.environ | {"HONBUN_DATABASE_URL": f"sqlite:///{tmp_path / 'honbun.db'}", "HONBUN_API_KEY": ""}

    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
