"""Reports as they are printed: one remark a line, as compilers have it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Finding

PAUSE = 5.0  # seconds between lines of progress


def remark(path: Path | str, finding: Finding) -> str:
    """`file:line:column: code: message`, and a hint for the mend."""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{path}:{finding.line or 1}:{finding.column or 1}: {finding.code}: {finding.detail}{hint}"


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """On standard error a progress bar where that is a terminal, elsewhere a line now and then.

    Call what it gives with the number of files that are done since.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines(title, total)
        return
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda files: bar.advance(task, files)


class _Lines:
    """`Reading: 1200 of 10000`, for logs: nothing for what is done within seconds."""

    def __init__(self, title: str, total: int | None) -> None:
        self.title = title
        self.total = total
        self.done = 0
        self.said_at = time.monotonic()

    def __call__(self, files: int) -> None:
        self.done += files
        now = time.monotonic()
        if now - self.said_at >= PAUSE:
            self.said_at = now
            print(f"{self.title}: {self.done}{f' of {self.total}' if self.total else ''}", file=sys.stderr, flush=True)
