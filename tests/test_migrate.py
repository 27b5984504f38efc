"""Migrations on both databases: up, down, at once from several sides, and equal to the models."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Semaphore

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event, inspect, select

from app import database, migrate
from app.checkup import examine
from app.database import open_engine, reading, writing
from app.documents.document import Context
from app.posts.models import content
from app.search.index import is_index_table
from tests.posts.samples import found, take

SIDES = 6


@pytest.fixture(params=["sqlite", "postgres"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with no tables; Postgres, which the tests share, has them again afterwards."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'bare.db'}"
        return
    url: str = request.getfixturevalue("postgres_url")
    engine = open_engine(url)
    migrate.downgrade(engine)
    yield url
    migrate.upgrade(engine)
    engine.dispose()


@pytest.fixture
def bare(bare_url: str) -> Iterator[Engine]:
    engine = open_engine(bare_url)
    yield engine
    engine.dispose()


def is_migrated(engine: Engine) -> bool:
    with reading(engine) as connection:
        return migrate.is_migrated(connection)


def tables(engine: Engine) -> set[str]:
    """The tables that models describe; the search index has none."""
    names = set(inspect(engine).get_table_names()) - {"alembic_version"}
    return {name for name in names if not is_index_table(name)}


def test_up_makes_the_tables_and_one_version_row(bare: Engine) -> None:
    before = (tables(bare), is_migrated(bare))
    migrate.upgrade(bare)
    with reading(bare) as connection:
        versions = [row.version for row in connection.execute(select(content))]

    assert before == (set(), False)
    assert tables(bare) == set(content.metadata.tables)
    assert is_migrated(bare)
    assert versions == [0]


def test_up_again_keeps_what_is_stored(bare: Engine) -> None:
    migrate.upgrade(bare)
    take(bare, {"a.md": "本文"})
    migrate.upgrade(bare)

    assert found(bare) == ["a"]


def test_down_leaves_nothing_even_with_posts_and_up_starts_anew(bare: Engine) -> None:
    migrate.upgrade(bare)
    take(bare, {"a.md": "本文"})
    migrate.downgrade(bare)
    left = tables(bare)
    migrate.upgrade(bare)

    assert left == set()
    assert found(bare) == []


def test_each_step_down_and_up_again_keeps_the_posts(bare: Engine) -> None:
    migrate.upgrade(bare)
    take(bare, {"a.md": "株価の話", "b.md": "別の話"})
    first, *later = reversed(
        [script.revision for script in ScriptDirectory.from_config(migrate._config()).walk_revisions()]
    )
    for revision in [first, *later]:
        migrate.downgrade(bare, revision)
        migrate.upgrade(bare)

        assert later
        assert sorted(found(bare)) == ["a", "b"]
        assert {check.status for check in examine(bare, Context()) if check.name != "durability"} == {"ok"}


def test_head_is_read_without_alembic_as_alembic_reads_it() -> None:
    assert migrate.head() == ScriptDirectory.from_config(migrate._config()).get_current_head()


def test_models_are_what_the_migrations_make(bare: Engine) -> None:
    migrate.upgrade(bare)
    with bare.connect() as connection:
        options = {
            "compare_type": connection.dialect.name == "postgresql",
            "include_name": lambda name, kind, _: kind != "table" or not is_index_table(name),
        }
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), content.metadata)

    assert difference == []


def test_threads_that_migrate_at_once_migrate_once(bare_url: str, bare: Engine) -> None:
    barrier = Barrier(SIDES)

    def start(_: int) -> None:
        engine = open_engine(bare_url)
        barrier.wait()
        migrate.upgrade(engine)
        engine.dispose()

    with ThreadPoolExecutor(SIDES) as pool:
        list(pool.map(start, range(SIDES)))

    assert tables(bare) == set(content.metadata.tables)
    with reading(bare) as connection:
        assert len(connection.execute(select(content)).all()) == 1


def test_migration_waits_longer_for_its_turn_than_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PRAGMAS", ("busy_timeout = 100", *database.PRAGMAS[1:]))
    engine = open_engine(f"sqlite:///{tmp_path / 'bare.db'}")
    begun = Semaphore(0)
    event.listen(engine, "begin", lambda _: begun.release())

    with ThreadPoolExecutor() as pool:
        with writing(engine):
            migrating = pool.submit(migrate.upgrade, engine)
            for _ in range(3):  # this one, a look at what is there, and another after a turn that did not come
                begun.acquire()
        migrating.result()

    assert is_migrated(engine)
    engine.dispose()


def test_processes_that_migrate_at_once_migrate_once(bare_url: str, bare: Engine) -> None:
    program = f"from app import migrate, database; migrate.upgrade(database.open_engine({bare_url!r}))"
    started = [
        subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, cwd=Path(__file__).parent.parent)
        for _ in range(3)
    ]
    errors = [process.communicate(timeout=60)[1] for process in started]

    assert errors == [b""] * 3
    with reading(bare) as connection:
        assert len(connection.execute(select(content)).all()) == 1
