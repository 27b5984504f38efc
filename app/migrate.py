"""The database's schema, brought to what this version of Honbun needs. Alembic, configured in `pyproject.toml`."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.database import writing

ADVISORY_LOCK = 0x686F6E62756E  # "honbun": any number that nobody else locks


def _config(connection: Connection | None = None) -> Config:
    config = Config(toml_file=Path(__file__).parent.parent / "pyproject.toml")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrates up. N processes that start at once migrate once: the others wait and find it done.

    Raises DatabaseUnavailable.
    """
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrates down; at `base` nothing of Honbun's is left."""
    _run(engine, command.downgrade, revision)


def _run(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    with writing(engine) as connection:  # on SQLite, BEGIN IMMEDIATE is the lock
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        step(_config(connection), revision)


def is_migrated(connection: Connection) -> bool:
    """Whether the schema is the one that this version needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head
