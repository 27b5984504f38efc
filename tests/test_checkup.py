import importlib.metadata
from typing import Any

import pytest
from sqlalchemy import Engine, text

from app import checkup, migrate
from app.checkup import Check, examine, mend
from app.database import writing
from app.documents.document import Context
from tests.posts.samples import found, take

CONTEXT = Context()


def checks(engine: Engine, context: Context = CONTEXT) -> dict[str, Check]:
    return {check.name: check for check in examine(engine, context) if check.name != "durability"}


def broken(engine: Engine, *statements: str) -> dict[str, Check]:
    """The checks that are not well after these statements, which no constraint may refuse."""
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            connection.execute(text(statement))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = origin"))
    return {name: check for name, check in checks(engine).items() if check.status != "ok"}


@pytest.fixture
def filled(engine: Engine) -> Engine:
    take(engine, {"a.md": "---\ntags: [投資]\n---\n株価の話", "b.md": "別の話"})
    return engine


def test_database_that_is_well_has_nothing_to_mend(filled: Engine) -> None:
    assert {check.status for check in checks(filled).values()} == {"ok"}
    assert {"database", "migrations", "posts", "orphans", "search", "rendering", "version"} <= set(checks(filled))


def test_index_that_lacks_a_post_is_made_anew(filled: Engine) -> None:
    key = "rowid" if filled.dialect.name == "sqlite" else "pk"
    bad = broken(filled, f"DELETE FROM post_search WHERE {key} = (SELECT min(pk) FROM post)")
    mend(filled)

    assert list(bad) == ["search"]
    assert bad["search"].detail == "the index lacks 1 posts and holds 0 that are gone"
    assert bad["search"].hint == "honbun doctor --mend"
    assert checks(filled)["search"].status == "ok"


def test_rows_that_belong_to_no_post_are_removed(filled: Engine) -> None:
    if filled.dialect.name == "sqlite":
        with filled.connect() as connection:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")  # type: ignore[union-attr]
            connection.exec_driver_sql("INSERT INTO alias (post_pk, kind, value) VALUES (999, 'path', '/x')")
            connection.commit()
            connection.connection.driver_connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[union-attr]
        bad = broken(filled)
    else:
        bad = broken(filled, "INSERT INTO alias (post_pk, kind, value) VALUES (999, 'path', '/x')")
    mend(filled)

    assert bad["orphans"].detail == "1 rows of alias belong to no post"
    assert checks(filled)["orphans"].status == "ok"
    assert sorted(found(filled)) == ["a", "b"]


def test_post_without_a_body_and_version_behind_the_history_are_told(filled: Engine) -> None:
    bad = broken(
        filled,
        "DELETE FROM body WHERE post_pk = (SELECT pk FROM post WHERE source_name = 'a.md')",
        "UPDATE content SET version = 0",
    )

    assert set(bad) == {"posts", "version"}
    assert "a.md first" in bad["posts"].detail


def test_other_settings_ask_for_another_rendering(filled: Engine) -> None:
    check = checks(filled, Context(timezone="Asia/Tokyo"))["rendering"]

    assert (check.status, check.hint) == ("warning", "honbun rerender")


def test_schema_that_is_not_current_ends_the_look(engine: Engine) -> None:
    migrate.downgrade(engine)
    try:
        last = list(checks(engine).values())[-1]
    finally:
        migrate.upgrade(engine)

    assert (last.name, last.status) == ("migrations", "error")


def test_library_below_its_floor_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(checkup, "version", lambda name: "0.0.1" if name == "nh3" else real(name))
    check: Any = checks(engine)["libraries"]

    assert check.status == "error"
    assert check.detail.startswith("nh3 0.0.1 is not ")
