from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from app.database import open_engine, writing
from app.posts.models import content


@pytest.fixture(scope="session")
def sqlite_template(sqlite_template: Path) -> Path:
    """The empty database as of 2020, before the fixed clock of the tests, as on Postgres."""
    engine = open_engine(f"sqlite:///{sqlite_template}")
    with writing(engine) as connection:
        connection.execute(update(content).values(visible_at=datetime(2020, 1, 1, tzinfo=UTC)))
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return sqlite_template
