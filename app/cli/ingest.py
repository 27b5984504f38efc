from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import FailOn, Format, FormatOption, Paths, Severity

if TYPE_CHECKING:
    from app.posts.report import Report


def ingest(
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; keep nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove posts that are not in the folder any more.")] = False,
    prune_max: Annotated[int | None, typer.Option("--prune-max", help="Allow to remove so many.", min=0)] = None,
    base: Annotated[
        Path | None, typer.Option("--base", help="Names are relative to this folder.", exists=True, file_okay=False)
    ] = None,
    output: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
) -> None:
    """Take Markdown files into the database; names are relative to PATH."""
    from datetime import UTC, datetime

    from app import migrate
    from app.cli.files import batch_of
    from app.cli.reports import progress
    from app.database import open_engine
    from app.posts.ingest import Options, ingest as take
    from app.settings import Settings

    settings = Settings.load()
    engine = open_engine(settings.database_url.get_secret_value())
    if settings.migrate:
        migrate.upgrade(engine)
    batch = batch_of(paths, base)
    options = Options(
        author="command line",
        via="cli",
        atomic=False,
        dry_run=dry_run,
        prune_below="" if prune else None,
        prune_max=prune_max,
    )
    with progress("Reading", len(batch.sources)) as advance:
        report = take(
            engine,
            batch,
            context=settings.context,
            options=options,
            now=datetime.now(UTC),
            on_parsed=lambda _: advance(),
        )
    _print(report, output, dry_run=dry_run)
    warned = fail_on is Severity.warning and any(result.warnings for result in report.results)
    raise typer.Exit(1 if report.has_failures or warned else 0)


def _print(report: "Report", output: Format, *, dry_run: bool) -> None:
    """The report on standard output: what changed, what was remarked, the sum."""
    import orjson

    from app.cli.reports import remark

    if output is Format.json:
        typer.echo(orjson.dumps({"version": report.version, **report.counts, "results": report.results}))
        return
    for result in report.results:
        if result.action not in ("unchanged", "skipped", "failed"):
            typer.echo(f"{result.action:8} {result.name}" + (f" -> {result.post.slug}" if result.post else ""))
        for finding in (*result.warnings, *([result.problem] if result.problem else [])):
            typer.echo(remark(result.name, finding), err=True)
    counts = ", ".join(f"{count} {action}" for action, count in report.counts.items() if count)
    typer.echo(f"{'would be: ' if dry_run else ''}{counts or 'no posts found'}")
