from pathlib import Path

import orjson
import pytest

from tests.building import markdown
from tests.cli.conftest import Run


def test_doctor_says_that_all_is_well_and_json_says_the_same(run: Run, tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "a.md").write_text(markdown(title="一", date="2025-12-01"), encoding="utf-8")
    run("ingest", tmp_path / "content")
    run("keys", "create", "編集部")
    status, out, err = run("doctor")
    listed = orjson.loads(run("doctor", "--format", "json")[1])

    assert (status, err) == (0, "")
    assert "ok       posts: 1 posts, each with its body\n" in out
    assert [f"{check['status']:7}  {check['name']}: {check['detail']}" for check in listed if not check["hint"]] == [
        line for line in out.splitlines() if not line.endswith(")")
    ]


def test_doctor_says_what_mends(run: Run) -> None:
    status, out, _ = run("doctor")

    assert status == 0
    assert "warning  content: there is no content folder content (make it, or set HONBUN_CONTENT_DIR" in out
    assert "warning  keys: there is no valid key: nothing can be sent over HTTP (honbun keys create NAME)" in out
    assert run("doctor", "--fail-on", "warning")[0] == 1
    assert "short enough to be guessed" in run("doctor", API_KEY="short")[1]
    assert run("doctor", "--mend")[0] == 0


def test_database_that_is_not_reached_is_status_3_and_not_made(run: Run, tmp_path: Path) -> None:
    missing = tmp_path / "none.db"
    status, out, _ = run("doctor", DATABASE_URL=f"sqlite:///{missing}")

    assert status == 3
    assert "error    database: there is no database" in out
    assert not missing.exists()
    assert run("doctor", DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/x")[0] == 3
    assert "hunter2" not in run("doctor", DATABASE_URL="postgresql://nobody:hunter2@127.0.0.1:1/x")[1]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_doctor_says_what_keeps_a_replica_from_being_used(run: Run, database_url: str) -> None:
    gone = run("doctor", DATABASE_REPLICA_URL="postgresql://nobody:hunter2@127.0.0.1:1/x")[1]
    itself = run("doctor", DATABASE_REPLICA_URL=database_url)[1]
    cannot = "warning  replica: reads go to the primary, the replica cannot be used: "

    assert f"{cannot}the database cannot be reached (look at HONBUN_DATABASE_REPLICA_URL)\n" in gone
    assert "hunter2" not in gone
    assert f"{cannot}it is a server of its own (look at HONBUN_DATABASE_REPLICA_URL)\n" in itself


def test_backup_by_command(run: Run, tmp_path: Path, database_url: str) -> None:
    status, out, err = run("backup", "copy.db")

    if database_url.startswith("sqlite"):
        assert (status, err) == (0, "")
        assert out == f"copy.db: {(tmp_path / 'copy.db').stat().st_size} bytes, whole\n"
    else:
        assert status == 3
        assert "pg_dump" in err
