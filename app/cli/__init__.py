"""The command line. Commands import what they need when they run, so that `--help` is quick.

Exit status: 0 all well, 1 some document failed, 2 wrong usage, 3 the service or database was not reached or refused.
"""

import sys

import typer

from app.cli.backup import backup
from app.cli.check import check
from app.cli.doctor import doctor
from app.cli.export import export
from app.cli.ingest import ingest
from app.cli.keys import keys
from app.cli.migrate import migrate
from app.cli.openapi import openapi
from app.cli.rerender import rerender
from app.cli.serve import serve
from app.errors import HonbunError

cli = typer.Typer(
    name="honbun",
    help="A headless JSON content API for Markdown posts. Settings come from HONBUN_… variables or a .env file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (serve, ingest, check, export, rerender, migrate, backup, doctor, openapi):
    cli.command()(command)
cli.add_typer(keys, name="keys")


def main() -> None:
    """Runs a command; an error of ours is one line on standard error."""
    try:
        cli()
    except HonbunError as error:
        _fail(error, 2 if error.reason == "invalid_setting" else 3)
    except OSError as error:
        print(f"honbun: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        sys.exit(1)


def _fail(error: HonbunError, status: int) -> None:
    hint = f"; {error.hint}" if error.hint else ""
    print(f"honbun: {error.detail}{hint}", file=sys.stderr)
    sys.exit(status)
