from typing import TYPE_CHECKING

import typer

from app.cli.options import Base, FailOn, Format, FormatOption, Paths, Severity

if TYPE_CHECKING:
    from app.documents.document import Context
    from app.documents.sources import Batch
    from app.errors import Finding

    Found = tuple[str, Severity, Finding]  # a source's name, how bad it is, the remark


def check(
    paths: Paths, base: Base = None, output: FormatOption = Format.text, fail_on: FailOn = Severity.error
) -> None:
    """Say what ingestion would remark on Markdown files; store nothing."""
    import orjson

    from app.cli.files import batch_of, place_of
    from app.cli.reports import remark
    from app.settings import Settings

    context = Settings.load().context
    batch = batch_of(paths, base)
    found = _remarks(batch, context)
    if output is Format.json:
        listed = [{"name": name, "severity": severity.value, "remark": finding} for name, severity, finding in found]
        typer.echo(orjson.dumps(listed))
    else:
        for name, _, finding in found:
            typer.echo(remark(place_of(name, paths, base), finding))
    errors = sum(severity is Severity.error for _, severity, _ in found)
    warnings = len(found) - errors
    typer.echo(f"{len(batch.sources)} posts: {errors} errors, {warnings} warnings", err=True)
    raise typer.Exit(1 if errors or (warnings and fail_on is Severity.warning) else 0)


def _remarks(batch: "Batch", context: "Context") -> "list[Found]":
    """All remarks, by name and place."""
    from app.cli.reports import progress
    from app.documents.document import parse
    from app.errors import DocumentError

    found: list[Found] = [(name, Severity.error, finding) for name, finding in batch.refused]
    with progress("Checking", len(batch.sources)) as advance:
        for source in batch.sources:
            try:
                document = parse(source, context)
            except DocumentError as error:
                found.append((source.name, Severity.error, error.finding))
            else:
                found += [(source.name, Severity.warning, finding) for finding in document.warnings]
            advance()
    return sorted(found, key=lambda item: (item[0], item[2].line or 0, item[2].column or 0, item[2].code))
