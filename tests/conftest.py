"""Every test that touches the database runs on SQLite and on a real Postgres."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, text, update
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app import migrate
from app.database import open_engine, writing
from app.main import create_app
from app.posts.models import content
from app.rendering.pool import Renderers
from app.settings import Settings
from tests.building import KEY, NOW, FixedClock

for name in [name for name in os.environ if name.startswith("HONBUN_") and not name.startswith("HONBUN_TEST_")]:
    del os.environ[name]  # a developer's settings are none of the tests'
os.environ["XDG_RUNTIME_DIR"] = tempfile.gettempdir()  # the Postgres wheel looks for a place for its lock


MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # no disk where there is a memory file system


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real Postgres with nothing preinstalled, or the one that HONBUN_TEST_POSTGRES_URL names; migrated."""
    with ExitStack() as stack:
        url = os.environ.get("HONBUN_TEST_POSTGRES_URL")
        if url is None:
            from tests.postgres import own_postgres

            url = stack.enter_context(own_postgres(folder=MEMORY)).url
        engine = open_engine(url)
        migrate.downgrade(engine)
        migrate.upgrade(engine)
        engine.dispose()
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "empty.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate.upgrade(engine)
    with writing(engine) as connection:  # before the tests' fixed clock
        connection.execute(update(content).values(visible_at=datetime(2020, 1, 1, tzinfo=UTC)))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a migrated, empty database."""
    if request.param == "sqlite":
        with tempfile.TemporaryDirectory(prefix="honbun-", dir=MEMORY) as folder:
            shutil.copy(request.getfixturevalue("sqlite_template"), f"{folder}/honbun.db")
            yield f"sqlite:///{folder}/honbun.db"
    else:
        url: str = request.getfixturevalue("postgres_url")
        empty(url)
        yield url


def empty(url: str) -> None:
    """Leaves the tables as a migration does."""
    engine = open_engine(url)
    names = [table.name for table in SQLModel.metadata.sorted_tables]
    with writing(engine) as connection:
        connection.execute(text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
        connection.execute(delete(content))
        row = {"pk": 1, "version": 0, "visible_version": 0, "visible_at": datetime(2020, 1, 1, tzinfo=UTC)}
        connection.execute(insert(content).values(**row, ambiguous=False))
    engine.dispose()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="session")
def renderers() -> Iterator[Renderers]:
    """One render process for all applications of a session: each would start its own."""
    pool = Renderers(seconds=60)  # a slow machine fails no test
    yield pool
    pool.close()


@pytest.fixture
def make_client(database_url: str, clock: FixedClock, renderers: Renderers) -> Iterator[Callable[..., TestClient]]:
    """Clients of the real application with these settings; the bootstrap key is KEY."""
    with ExitStack() as stack:

        def make(**settings: Any) -> TestClient:
            chosen: dict[str, Any] = {
                "database_url": database_url,
                "content_dir": "",
                "api_key": KEY,
                "migrate": False,
            } | settings
            app = create_app(Settings.model_validate(chosen), clock=clock, renderers=renderers)
            return stack.enter_context(TestClient(app, raise_server_exceptions=False))

        yield make


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()
