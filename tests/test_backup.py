import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import Engine

from app import migrate
from app.backup import BackupFailed, backup
from app.database import open_engine, sqlite_module
from tests.posts.samples import found, take


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'live.db'}")
    migrate.upgrade(engine)
    take(engine, {"a.md": "本文"})
    yield engine
    engine.dispose()


def copied(path: Path) -> list[str]:
    engine = open_engine(f"sqlite:///{path}")
    slugs = sorted(found(engine))
    engine.dispose()
    return slugs


def test_copy_is_whole_and_only_its_owner_reads_it(live: Engine, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    size = backup(live, target)

    assert size == target.stat().st_size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    assert copied(target) == ["a"]


def test_copies_while_others_write_each_hold_whole_commits(live: Engine, tmp_path: Path) -> None:
    done = Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            take(live, {f"pair/{number}-left.md": "左", f"pair/{number}-right.md": "右"})
            number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            backup(live, tmp_path / "copy.db")
            slugs = copied(tmp_path / "copy.db")
            assert sum("left" in slug for slug in slugs) == sum("right" in slug for slug in slugs)
    finally:
        done.set()
        writer.join()


def test_older_backup_is_replaced_and_nothing_else_is(live: Engine, tmp_path: Path) -> None:
    target, text, folder = tmp_path / "copy.db", tmp_path / "notes.md", tmp_path / "folder"
    text.write_text("覚え書き", encoding="utf-8")
    folder.mkdir()
    backup(live, target)
    take(live, {"b.md": "本文"})
    backup(live, target)

    assert copied(target) == ["a", "b"]
    for wrong in (text, folder, tmp_path / "missing" / "x.db", Path(live.url.database or "")):
        with pytest.raises(BackupFailed):
            backup(live, wrong)
    assert text.read_text(encoding="utf-8") == "覚え書き"
    assert sorted(found(live)) == ["a", "b"]


def test_damaged_database_is_no_backup_and_the_last_one_stays(live: Engine, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    backup(live, target)
    live.dispose()
    with closing(sqlite_module().connect(tmp_path / "live.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DELETE FROM post")
        connection.commit()
    with pytest.raises(BackupFailed, match="belongs to nothing"):
        backup(live, target)

    assert copied(target) == ["a"]
    assert list(tmp_path.glob(".copy*")) == []


def test_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'none.db'}")
    with pytest.raises(BackupFailed, match="there is no database"):
        backup(engine, tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


def test_postgres_has_its_own_means(postgres_url: str, tmp_path: Path) -> None:
    engine = open_engine(postgres_url)
    with pytest.raises(BackupFailed) as caught:
        backup(engine, tmp_path / "copy.db")
    engine.dispose()

    assert "pg_dump" in str(caught.value.hint)
