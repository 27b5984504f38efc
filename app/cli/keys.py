from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


class Scope(str, Enum):
    """What a key may do; each holds those before it."""

    read = "read"
    write = "write"
    admin = "admin"


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose key it is; stands in the history of changes.")],
    scope: Annotated[Scope, typer.Option(help="What it may do.")] = Scope.write,
    days: Annotated[int | None, typer.Option(help="Days until it expires.", min=1, max=36500)] = None,
) -> None:
    """Make a key and print it, this once."""
    from app.api.auth import create_key

    now = datetime.now(UTC)
    expires_at = None if days is None else now + timedelta(days=days)
    typer.echo(create_key(_engine(), name=name, scope=scope.value, expires_at=expires_at, now=now))


@keys.command("list")
def list_() -> None:
    """Show all keys, without the keys themselves."""
    from app.api.auth import list_keys

    for key in list_keys(_engine()):
        state = "revoked" if key["revoked_at"] else f"expires {key['expires_at']}" if key["expires_at"] else "valid"
        typer.echo(f"{key['id']}  {key['scope']:5}  {state}  {key['name']}")


@keys.command()
def revoke(identifier: Annotated[str, typer.Argument(metavar="ID", help="The id that `keys list` shows.")]) -> None:
    """Revoke a key; it stops working at once, everywhere."""
    from app.api.auth import revoke_key

    revoke_key(_engine(), identifier, datetime.now(UTC))
    typer.echo(f"key {identifier} is revoked")


def _engine() -> "Engine":
    from app import migrate
    from app.database import open_engine
    from app.settings import Settings

    settings = Settings.load()
    engine = open_engine(settings.database_url.get_secret_value())
    if settings.migrate:
        migrate.upgrade(engine)
    return engine
