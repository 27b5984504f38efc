from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import FailOn, Format, FormatOption, Paths, Severity


def check(
    paths: Paths,
    base: Annotated[
        Path | None, typer.Option("--base", help="Names are relative to this folder.", exists=True, file_okay=False)
    ] = None,
    output: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
) -> None:
    """Say what ingestion would remark on Markdown files; store nothing."""
    import orjson

    from app.cli.files import batch_of
    from app.cli.reports import progress, remark
    from app.documents.document import parse
    from app.errors import DocumentError, Finding
    from app.settings import Settings

    context = Settings.load().context
    batch = batch_of(paths, base)
    errors: list[tuple[str, Finding]] = list(batch.refused)
    warnings: list[tuple[str, Finding]] = []
    with progress("Checking", len(batch.sources)) as advance:
        for source in batch.sources:
            try:
                warnings += [(source.name, finding) for finding in parse(source, context).warnings]
            except DocumentError as error:
                errors.append((source.name, error.finding))
            advance()
    found = [(name, "error", f) for name, f in errors] + [(name, "warning", f) for name, f in warnings]
    found.sort(key=lambda item: (item[0], item[2].line or 0, item[2].column or 0, item[2].code))
    if output is Format.json:
        typer.echo(orjson.dumps([{"name": name, "severity": severity, "remark": f} for name, severity, f in found]))
    else:
        for name, _, finding in found:
            typer.echo(remark(name, finding))
        typer.echo(f"{len(batch.sources)} posts: {len(errors)} errors, {len(warnings)} warnings", err=True)
    failed = errors or (fail_on is Severity.warning and warnings)
    raise typer.Exit(1 if failed else 0)
