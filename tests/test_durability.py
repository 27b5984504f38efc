"""What of a database can lose writes."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from app import durability
from app.database import open_engine
from app.durability import LOSSES, durability_warnings, version_warning


def test_postgres_that_may_lose_writes_is_warned_of(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        expected = [
            f"Postgres runs with {name} = off: {loss}"
            for name, loss in LOSSES.items()
            if connection.exec_driver_sql(f"SHOW {name}").scalar_one() == "off"
        ]
        connection.exec_driver_sql("SET synchronous_commit = off")
        warnings = durability_warnings(connection)
    engine.dispose()

    assert "Postgres runs with synchronous_commit = off: acknowledged writes can be lost in a crash" in warnings
    assert set(expected) <= set(warnings)


@pytest.mark.parametrize(
    ("version", "processes", "warns"),
    [
        ((3, 40, 1), 2, True),
        ((3, 40, 1), 1, False),
        ((3, 44, 6), 4, False),
        ((3, 50, 6), 2, True),
        ((3, 50, 7), 2, False),
        ((3, 51, 2), 2, True),
        ((3, 51, 3), 2, False),
    ],
)
def test_faulty_sqlite_warns_where_several_processes_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], processes: int, *, warns: bool
) -> None:
    monkeypatch.setattr(
        durability, "sqlite_module", lambda: SimpleNamespace(sqlite_version_info=version, sqlite_version="3.x")
    )

    engine = open_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    assert (version_warning(engine, processes) is not None) is warns
    engine.dispose()


def test_sqlite_warning_is_not_for_postgres(postgres_url: str) -> None:
    engine = open_engine(postgres_url)

    assert version_warning(engine, 8) is None
    engine.dispose()
