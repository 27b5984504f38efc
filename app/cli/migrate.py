from typing import Annotated

import typer


def migrate(
    down: Annotated[bool, typer.Option("--down", help="Remove all of Honbun's tables, with all posts.")] = False,
) -> None:
    """Bring the database's schema to what this version needs."""
    from app import migrate as migrations
    from app.database import open_engine
    from app.settings import Settings

    engine = open_engine(Settings.load().database_url.get_secret_value())
    if down:
        typer.confirm("This deletes all posts and keys. Go on?", abort=True)
    try:
        if down:
            migrations.downgrade(engine)
        else:
            migrations.upgrade(engine)
    finally:
        engine.dispose()
    typer.echo("the database is " + ("empty" if down else "up to date"))
