"""Doctor and backup at work on a database that others write to."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.journeys.serving import HONBUN, environment, serving
from tests.journeys.writing import Writers, faults


@pytest.mark.slow
def test_doctor_and_backup_find_all_well_among_many_writes(database_url: str, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        settings = environment(DATABASE_URL=database_url, CONTENT_DIR="", API_KEY="k" * 32)
        done = subprocess.run(
            [*HONBUN, *words], env=settings, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    writers = Writers()
    with serving(tmp_path, DATABASE_URL=database_url) as server, writers.writing(server):
        for number in range(3):
            writers.await_acknowledged(20)
            checks = json.loads(run("doctor", "--format", "json"))
            assert [check for check in checks if check["status"] == "error"] == []
            if database_url.startswith("sqlite"):
                run("backup", f"copy-{number}.db")
                assert faults(f"sqlite:///{tmp_path}/copy-{number}.db") == []
        began = writers.acknowledged
        writers.await_acknowledged(20)

    assert writers.acknowledged >= began + 20
    assert writers.refusals == {}
