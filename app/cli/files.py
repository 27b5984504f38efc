"""The files that a command is given, as one batch."""

from collections.abc import Iterator
from pathlib import Path

import typer

from app.documents.sources import Batch, Entry, Limits, gather, in_folder


def batch_of(paths: list[Path], base: Path | None) -> Batch:
    """The posts below the paths; names are relative to each path, a file's to its folder, or all to `base`."""
    return gather((entry for path in paths for entry in _entries(path, base)), limits=Limits())


def _entries(path: Path, base: Path | None) -> Iterator[Entry]:
    if base is not None and not path.resolve().is_relative_to(base.resolve()):
        raise typer.BadParameter(f"{path} is not below {base}", param_hint="--base")
    if path.is_dir():
        yield from in_folder(path.resolve(), base.resolve() if base else None)
    else:
        parent = base.resolve() if base else path.resolve().parent
        yield Entry(name=path.resolve().relative_to(parent).as_posix(), read=lambda _: path.read_bytes())
