"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How a report is printed."""

    text = "text"
    json = "json"


class Severity(StrEnum):
    """What makes a command fail."""

    error = "error"
    warning = "warning"


Paths = Annotated[
    list[Path], typer.Argument(exists=True, help="Folders or Markdown files.", metavar="PATH...", show_default=False)
]
OptionalPaths = Annotated[
    list[Path] | None,
    typer.Argument(exists=True, help="Folders or Markdown files.", metavar="PATH...", show_default=False),
]
Base = Annotated[
    Path | None, typer.Option("--base", help="Names are relative to this folder.", exists=True, file_okay=False)
]
FormatOption = Annotated[Format, typer.Option("--format", help="How the report is printed.")]
FailOn = Annotated[Severity, typer.Option("--fail-on", help="With `warning`, warnings too end in exit status 1.")]
