from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import FailOn, Format, FormatOption, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from app.checkup import Check
    from app.settings import Settings

SHORTEST_KEY = 20  # characters: what can be guessed is no key


def doctor(
    form: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
    mend: Annotated[
        bool, typer.Option("--mend", help="Remove rows that belong to no post and make the search index anew.")
    ] = False,
) -> None:
    """Look for what is wrong with the settings and the database, and say what mends it."""
    import orjson

    from app.checkup import examine
    from app.checkup import mend as mend_database
    from app.database import open_engine
    from app.settings import Settings

    settings = Settings.load()
    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if mend:
            mend_database(engine)
        checks = [*_settings(settings), *_replica(settings), *examine(engine, settings.context)]
        if checks[-1].name == "rendering":
            checks += _keys(settings, engine)
    finally:
        engine.dispose()
    if form is Format.json:
        typer.echo(orjson.dumps([asdict(check) for check in checks], option=orjson.OPT_INDENT_2))
    else:
        for check in checks:
            typer.echo(f"{check.status:7}  {check.name}: {check.detail}" + (f" ({check.hint})" if check.hint else ""))
    raise typer.Exit(_status(checks, fail_on))


def _status(checks: "list[Check]", fail_on: Severity) -> int:
    if any(check.name == "database" and check.status == "error" for check in checks):
        return 3
    bad = ("error",) if fail_on is Severity.error else ("error", "warning")
    return int(any(check.status in bad for check in checks))


def _settings(settings: "Settings") -> "Iterator[Check]":
    from app.checkup import Check

    folder = settings.content_dir
    if folder and not Path(folder).is_dir():
        hint = "make it, or set HONBUN_CONTENT_DIR, empty for none"
        yield Check(name="content", status="warning", detail=f"there is no content folder {folder}", hint=hint)
    elif folder:
        yield Check(name="content", status="ok", detail=f"{folder} is taken at each start")
    if settings.risk_power_loss:
        detail = "HONBUN_RISK_POWER_LOSS is on: a power failure takes the last writes"
        yield Check(name="durability", status="warning", detail=detail, hint="turn it off")
    if settings.host not in ("127.0.0.1", "::1", "localhost") and settings.forwarded_allow_ips == "*":
        detail = "HONBUN_FORWARDED_ALLOW_IPS is *: anyone can claim another address"
        yield Check(name="proxy", status="warning", detail=detail, hint="name the proxy's address")


def _replica(settings: "Settings") -> "Iterator[Check]":
    from app.checkup import Check
    from app.posts.replica import Replica

    if settings.database_replica_url is None:
        return
    replica = Replica(settings.database_replica_url.get_secret_value())
    fault = replica.fault()
    replica.engine.dispose()
    if fault is None:
        yield Check(name="replica", status="ok", detail="reads go to the replica")
    else:
        detail = f"reads go to the primary, the replica cannot be used: {fault}"
        yield Check(name="replica", status="warning", detail=detail, hint="look at HONBUN_DATABASE_REPLICA_URL")


def _keys(settings: "Settings", engine: "Engine") -> "Iterator[Check]":
    from datetime import UTC, datetime

    from app.api.auth import list_keys
    from app.checkup import Check

    now = datetime.now(UTC)
    valid = [
        key
        for key in list_keys(engine)
        if key["revoked_at"] is None and (not key["expires_at"] or key["expires_at"] > now)
    ]
    own = settings.api_key
    if own is not None and len(own.get_secret_value()) < SHORTEST_KEY:
        hint = "take a longer one, or `honbun keys create` and none here"
        yield Check(name="keys", status="warning", detail="HONBUN_API_KEY is short enough to be guessed", hint=hint)
    elif own is None and not valid:
        hint = "honbun keys create NAME"
        yield Check(
            name="keys", status="warning", detail="there is no valid key: nothing can be sent over HTTP", hint=hint
        )
    else:
        yield Check(name="keys", status="ok", detail=f"{len(valid) + (own is not None)} valid")
