"""What a watch survives; following a folder is played by a real process in `tests/journeys/test_watch.py`."""

from pathlib import Path

import pytest

from app.cli.files import batch_of
from app.cli.watch import _Again
from app.documents.sources import Batch


def test_disk_that_fails_is_said_once_and_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_batch: Batch, _is_whole: bool) -> None:
        raise OSError(28, "No space left on device")

    again = _Again()
    for _ in range(2):
        again.attempt(fail, Batch(), is_whole=True)

    assert capsys.readouterr().err == "honbun: [Errno 28] No space left on device\n"
    assert again.at is not None


def test_file_that_is_named_and_gone_is_refused_alone(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("a")
    batch = batch_of([tmp_path / "gone.md", tmp_path / "a.md"], None)

    assert [(name, finding.code) for name, finding in batch.refused] == [("gone.md", "not_a_file")]
    assert [source.name for source in batch.sources] == ["a.md"]
