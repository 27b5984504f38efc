"""The OpenAPI document tells the truth: Schemathesis finds nothing, by any check, in any phase."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.building import KEY
from tests.journeys.serving import ROOT, environment, serving

EXAMPLES = "12"  # of an operation, beside those that the document's limits make


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_schemathesis_finds_nothing(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text('hooks = "tests.contract.hooks"\n', encoding="utf-8")
    content = str(ROOT / "content")
    with serving(tmp_path, DATABASE_URL=database_url, CONTENT_DIR=content, FAILED_KEYS_PER_MINUTE="0") as server:
        options = ["--max-examples", EXAMPLES, "--seed", "1", "--no-shrink", "--continue-on-failure"]
        options += ["--checks", "all", "--header", f"Authorization: Bearer {KEY}"]
        found = subprocess.run(
            [Path(sys.executable).parent / "st", "run", f"{server.url}/openapi.json", *options],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    assert found.returncode == 0, found.stdout[-20_000:]
    assert [line for line in server.log.read_text(encoding="utf-8").splitlines() if '"level":"error"' in line] == []
