from pathlib import Path
from typing import Annotated

import typer


def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; an older backup there is replaced.")],
) -> None:
    """Copy a live SQLite database, prove the copy and put it in place."""
    from app.backup import backup as copy
    from app.database import open_engine
    from app.settings import Settings

    engine = open_engine(Settings.load().database_url.get_secret_value())
    try:
        size = copy(engine, file.absolute())
    finally:
        engine.dispose()
    typer.echo(f"{file}: {size} bytes, whole")
