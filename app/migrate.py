"""The database's schema, brought to what this version of Honbun needs. Alembic, configured in `pyproject.toml`."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from app.database import BUSY, reading, writing
from app.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

ROOT = Path(__file__).parent.parent
TURNS = 60  # how often a turn is waited for, ten seconds or more each: another may be at a large migration
ADVISORY_LOCK = 0x686F6E62756E  # "honbun": any number that nobody else locks


def _config(connection: Connection | None = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415 - it takes a while to load, and most starts find nothing to do

    config = Config(toml_file=ROOT / "pyproject.toml")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrates up. N processes that start at once migrate once: the others wait and find it done.

    Raises DatabaseUnavailable.
    """
    turns = TURNS
    while not (revision == "head" and _is_done(engine)):
        from alembic import command  # noqa: PLC0415 - see _config

        turns -= 1
        try:
            _run(engine, command.upgrade, revision)
        except DatabaseUnavailable as error:
            if error.detail != BUSY or not turns:
                raise
        else:
            return


def _is_done(engine: Engine) -> bool:
    try:
        with reading(engine) as connection:
            return is_migrated(connection)
    except DatabaseUnavailable:  # whoever writes next says so
        return False


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Migrates down; at `base` nothing of Honbun's is left."""
    from alembic import command  # noqa: PLC0415 - see _config

    _run(engine, command.downgrade, revision)


def _run(engine: Engine, step: Callable[["Config", str], None], revision: str) -> None:
    with writing(engine) as connection:  # on SQLite, BEGIN IMMEDIATE is the lock
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
        step(_config(connection), revision)


def is_migrated(connection: Connection) -> bool:
    """Whether the schema is the one that this version needs."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [head()]


@cache
def head() -> str:
    """The revision that no other follows."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "migrations" / "versions").glob("*.py")]
    revisions, followed = (
        {found[1] for text in texts for found in re.finditer(rf'^{name} = "(.+)"$', text, re.MULTILINE)}
        for name in ("revision", "down_revision")
    )
    (last,) = revisions - followed
    return last
