"""Folders followed: what changes in them is taken within a moment."""

import time
from collections.abc import Callable, Container
from pathlib import Path

import typer
from watchfiles import Change, watch

from app.cli.files import batch_of, batch_of_changed
from app.cli.remote import Unreachable
from app.documents.source_names import CONFIG_FILE, is_markdown
from app.documents.sources import Batch
from app.errors import DatabaseUnavailable, HonbunError

LOOK_UP = 250  # milliseconds between looks at what is still to be done
GATHER = 300  # milliseconds at most that changes are gathered for, while they go on
PATIENCE = 5.0  # seconds until a service or database that was not reached is tried again

Take = Callable[[Batch, bool], object]  # a batch, and whether it is the whole of the folders


def follow(paths: list[Path], base: Path | None, take: Take, *, prunes: bool) -> None:
    """Takes the whole folders, then each change in them, until Ctrl-C.

    The notices are asked for before the folders are read, so that nothing is missed in between. Raises what the first
    `take` raises; what later ones raise is said, and made good by taking the whole again.
    """
    roots = {path.resolve() if path.is_dir() else path.resolve().parent for path in paths}
    files = {path.resolve() for path in paths if path.is_file()}
    again = _Again()
    first = True
    try:
        for notices in watch(*roots, debounce=GATHER, yield_on_timeout=True, rust_timeout=LOOK_UP, watch_filter=_seen):
            changed = {path for _, name in notices if (path := Path(name)) and _is_below(path, paths, files)}
            is_whole = first or again.is_due() or _asks_for_all(changed, prunes=prunes)
            if not is_whole and not any(path.exists() for path in changed):
                continue
            batch = batch_of(paths, base) if is_whole else batch_of_changed(paths, base, changed)
            if first:
                take(batch, True)
                typer.echo(f"watching {', '.join(map(str, paths))}; Ctrl-C ends it", err=True)
                first = False
            else:
                again.attempt(take, batch, is_whole=is_whole)
    except KeyboardInterrupt:
        typer.echo("", err=True)


class _Again:
    """What is to be made good: after a failure the whole is taken again, at the next change or when it is due."""

    def __init__(self) -> None:
        self.at: float | None = None
        self.said = ""

    def is_due(self) -> bool:
        return self.at is not None and time.monotonic() >= self.at

    def attempt(self, take: Take, batch: Batch, *, is_whole: bool) -> None:
        try:
            take(batch, is_whole)
        except HonbunError as error:
            hint = f"; {error.hint}" if error.hint else ""
            self._failed(f"{error.detail}{hint}", is_passing=isinstance(error, Unreachable | DatabaseUnavailable))
        except OSError as error:  # a file is gone, or a disk is full
            self._failed(str(error), is_passing=True)
        else:
            if is_whole:
                self.at, self.said = None, ""

    def _failed(self, why: str, *, is_passing: bool) -> None:
        self.at = time.monotonic() + PATIENCE if is_passing else None
        if why != self.said:  # once, however often it is tried
            typer.echo(f"honbun: {why}", err=True)
        self.said = why


def _seen(_change: Change, name: str) -> bool:
    """Whether a notice can matter: of a post or configuration, or of a folder; not of what editors leave for a moment."""
    path = Path(name)
    if path.name.startswith(".") or path.name.endswith("~"):
        return False
    return is_markdown(path.name) or path.name == CONFIG_FILE or not path.suffix or path.is_dir()


def _is_below(path: Path, paths: list[Path], files: Container[Path]) -> bool:
    return path in files or any(folder.is_dir() and path.is_relative_to(folder.resolve()) for folder in paths)


def _asks_for_all(changed: set[Path], *, prunes: bool) -> bool:
    """Whether more than the files themselves may mean something else now: a folder came or went, a file is gone."""
    return any(path.name == CONFIG_FILE or path.is_dir() or (prunes and not path.exists()) for path in changed)
