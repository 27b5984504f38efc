import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.cli import main

Run = Callable[..., Any]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Any) -> Run:
    """Runs a command as the console script does; its exit status and what it wrote."""
    for name in os.environ:
        if name.startswith("HONBUN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HONBUN_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str | Path, **settings: str) -> tuple[int, str, str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"HONBUN_{name}", value)
        monkeypatch.setattr(sys, "argv", ["honbun", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        out, err = capfdbinary.readouterr()
        return int(left.value.code or 0), out.decode(), err.decode()

    return command
