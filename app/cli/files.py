"""The files that a command is given, as one batch."""

import unicodedata
from collections.abc import Container, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.documents.sources import Batch, Entry, Limits, gather, in_folder, opener

if TYPE_CHECKING:
    from app.posts.options import PostState


def batch_of(paths: list[Path], base: Path | None) -> Batch:
    """The posts below the paths; names are relative to each path, a file's to its folder, or all to `base`."""
    return gather((entry for path in paths for _, entry in _entries(path, base)), limits=Limits())


def batch_of_changed(paths: list[Path], base: Path | None, changed: Container[Path]) -> Batch:
    """The posts among the files that changed; which files are posts depends on the others too, but those are not read."""
    names: set[str] = set()

    def entries() -> Iterator[Entry]:
        for path in paths:
            for top, entry in _entries(path, base):
                if top / entry.name in changed:
                    names.add(unicodedata.normalize("NFC", entry.name))
                    yield entry
                else:
                    yield replace(entry, read=lambda _: b"")

    whole = gather(entries(), limits=Limits())
    return Batch(
        sources=[source for source in whole.sources if source.name in names],
        configs=[config for config in whole.configs if config.name in names],
        refused=[(name, finding) for name, finding in whole.refused if name in names],
    )


def _entries(path: Path, base: Path | None) -> Iterator[tuple[Path, Entry]]:
    """The files below a path, each with the folder that its name is relative to."""
    if base is not None and not path.resolve().is_relative_to(base.resolve()):
        raise typer.BadParameter(f"{path} is not below {base}", param_hint="--base")
    if path.is_dir():
        folder = path.resolve()
        top = base.resolve() if base else folder
        yield from ((top, entry) for entry in in_folder(folder, top))
    else:
        file = path.resolve()
        top = base.resolve() if base else file.parent
        yield top, Entry(name=file.relative_to(top).as_posix(), read=opener(file))


def place_of(name: str, paths: list[Path], base: Path | None) -> str:
    """The path of a source as whoever typed the command would write it, so that an editor finds it."""
    return next((str(folder / name) for folder in _folders(paths, base) if (folder / name).exists()), name)


def is_there(name: str, paths: list[Path], base: Path | None) -> bool:
    """Whether there is a file of this name, be it none of those that were asked for."""
    return any((folder / name).is_file() for folder in _folders(paths, base))


def _folders(paths: list[Path], base: Path | None) -> list[Path]:
    return [base] if base else [path if path.is_dir() else path.parent for path in paths]


def prune_prefix(paths: list[Path], base: Path | None) -> str:
    """What the names of one folder begin with: only below it may posts be removed."""
    if len(paths) != 1 or not paths[0].is_dir():
        raise typer.BadParameter("pruning takes one folder: what is not in it is removed", param_hint="--prune")
    if base is None or paths[0].resolve() == base.resolve():
        return ""
    return paths[0].resolve().relative_to(base.resolve()).as_posix() + "/"


def states_of(paths: list[Path], base: Path | None) -> "dict[str, PostState]":
    """What the state file of an export beside the posts says of them. Raises SourceError."""
    from app.posts.state import STATE_FILE, read_state_file

    folders = [base] if base else [path for path in paths if path.is_dir()]
    files = [folder / STATE_FILE for folder in folders if (folder / STATE_FILE).is_file()]
    return {name: state for file in files for name, state in read_state_file(file.read_bytes()).items()}
