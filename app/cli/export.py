import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer


def export(
    target: Annotated[Path, typer.Argument(metavar="DIR|FILE.zip", help="Where the sources go.", show_default=False)],
    with_state: Annotated[
        bool, typer.Option("--with-state", help="Add ids, slugs, former slugs and first dates in a file beside them.")
    ] = False,
) -> None:
    """Write every source, byte for byte, under its name."""
    from app.cli.reports import progress
    from app.database import open_engine, reading
    from app.posts.state import STATE_FILE, export_sources, export_state
    from app.settings import Settings

    is_archive = target.suffix == ".zip"
    if target.exists() and (is_archive or not target.is_dir() or any(target.iterdir())):
        wanted = "is there already" if is_archive else "is no empty folder"
        raise typer.BadParameter(f"{target} {wanted}", param_hint="DIR|FILE.zip")
    engine = open_engine(Settings.load().database_url.get_secret_value())
    count = 0
    try:
        with reading(engine) as connection, ExitStack() as stack:
            write = _archive(target, stack) if is_archive else _folder(target)
            advance = stack.enter_context(progress("Exporting", None))
            for source in export_sources(connection):
                write(source.name, source.content)
                count += 1
                advance(1)
            if with_state:
                write(STATE_FILE, export_state(connection))
    finally:
        engine.dispose()
    typer.echo(f"{count} posts are in {target}")


def _archive(target: Path, stack: ExitStack) -> Callable[[str, bytes], None]:
    archive = stack.enter_context(zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED))
    return archive.writestr


def _folder(target: Path) -> Callable[[str, bytes], None]:
    def write(name: str, content: bytes) -> None:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return write
