from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import Format, FormatOption

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

keys = typer.Typer(help="Make, list and revoke API keys.", no_args_is_help=True)


class Scope(StrEnum):
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
    with _database() as engine:
        typer.echo(create_key(engine, name=name, scope=scope.value, expires_at=expires_at, now=now))


@keys.command("list")
def list_(form: FormatOption = Format.text) -> None:
    """Show all keys, without the keys themselves."""
    import orjson

    from app.api.auth import list_keys

    now = datetime.now(UTC)
    with _database() as engine:
        listed = list_keys(engine)
    if form is Format.json:
        typer.echo(orjson.dumps(listed, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
        return
    for key in listed:
        used = key["last_used_at"]
        use = "never used" if used is None else f"used {used:%Y-%m-%d %H:%M}Z"
        typer.echo(f"{key['id']}  {key['scope']:5}  {_state(key, now)}  {use}  {key['name']}")


def _state(key: dict[str, Any], now: datetime) -> str:
    if key["revoked_at"] is not None:
        return "revoked"
    if key["expires_at"] is None:
        return "valid"
    return f"{'expired' if key['expires_at'] <= now else 'expires'} {key['expires_at']:%Y-%m-%d}"


@keys.command()
def revoke(identifier: Annotated[str, typer.Argument(metavar="ID", help="The id that `keys list` shows.")]) -> None:
    """Revoke a key; it stops working at once, everywhere."""
    from app.api.auth import revoke_key

    with _database() as engine:
        revoke_key(engine, identifier, datetime.now(UTC))
    typer.echo(f"key {identifier} is revoked")


@contextmanager
def _database() -> "Iterator[Engine]":
    from app import migrate
    from app.database import open_engine
    from app.settings import Settings

    settings = Settings.load()
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if settings.migrate:
            migrate.upgrade(engine)
        yield engine
    finally:
        engine.dispose()
