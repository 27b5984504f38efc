"""Reports as they are printed: one remark a line, as compilers have it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Finding


def remark(path: Path | str, finding: Finding) -> str:
    """`file:line:column: code: message`, and a hint for the mend."""
    hint = f" ({finding.hint})" if finding.hint else ""
    return f"{path}:{finding.line or 1}:{finding.column or 1}: {finding.code}: {finding.detail}{hint}"


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error where that is a terminal, and nothing elsewhere; call it with the files done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=total)
        yield lambda files: bar.advance(task, files)
