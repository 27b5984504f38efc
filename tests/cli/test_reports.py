import pytest

from app.cli import reports
from app.cli.reports import progress, remark
from app.errors import Finding


def test_remark_stands_as_compilers_have_it() -> None:
    finding = Finding(code="invalid_date", detail="no day", line=3, column=7, hint="write one")

    assert remark("a/b.md", finding) == "a/b.md:3:7: invalid_date: no day (write one)"
    assert remark("a.md", Finding(code="x", detail="y")) == "a.md:1:1: x: y"


def test_progress_is_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress("Reading", 10) as advance:
        advance(4)
        monkeypatch.setattr(reports, "PAUSE", 0.0)
        advance(2)
    with progress("Exporting", None) as advance:
        advance(1)

    assert capsys.readouterr().err == "Reading: 6 of 10\nExporting: 1\n"


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal then
    with progress("Reading", 10) as advance:
        advance(10)

    assert "10/10" in capsys.readouterr().err
