from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Base, FailOn, Format, FormatOption, Paths, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.documents.sources import Batch
    from app.posts.ingest import Options
    from app.posts.report import Report
    from app.settings import Settings


def ingest(  # noqa: PLR0913, PLR0917 - its options
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; keep nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove posts that are not in the folder any more.")] = False,
    prune_max: Annotated[int | None, typer.Option("--prune-max", help="Allow to remove so many.", min=0)] = None,
    base: Base = None,
    output: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
) -> None:
    """Take Markdown files into the database; names are relative to PATH."""
    from app.cli.files import batch_of, place_of, prune_prefix, states_of
    from app.posts.ingest import Options
    from app.settings import Settings

    settings = Settings.load()
    options = Options(
        author="command line",
        via="cli",
        atomic=False,
        dry_run=dry_run,
        prune_below=prune_prefix(paths, base) if prune else None,
        prune_max=prune_max,
        states=states_of(paths, base),
    )
    report = _take(batch_of(paths, base), settings, options)
    if output is Format.json:
        _print_json(report)
    else:
        _print(report, lambda name: place_of(name, paths, base), dry_run=dry_run)
    warned = fail_on is Severity.warning and any(result.warnings for result in report.results)
    raise typer.Exit(1 if report.has_failures or warned else 0)


def _take(batch: "Batch", settings: "Settings", options: "Options") -> "Report":
    from datetime import UTC, datetime

    from app import migrate
    from app.cli.reports import progress
    from app.database import open_engine
    from app.errors import Conflict
    from app.posts.ingest import ingest as take

    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if settings.migrate:
            migrate.upgrade(engine)
        with progress("Reading", len(batch.sources)) as advance:
            return take(
                engine,
                batch,
                context=settings.context,
                options=options,
                now=datetime.now(UTC),
                on_parsed=lambda _: advance(),
            )
    except Conflict as error:
        hint = (error.hint or "").replace("prune_max=", "--prune-max ")  # as it is written here
        raise Conflict(error.detail, code=error.reason, hint=hint) from None
    finally:
        engine.dispose()


def _print_json(report: "Report") -> None:
    import orjson

    typer.echo(orjson.dumps({"version": report.version, **report.counts, "results": report.results}))


def _print(report: "Report", place: "Callable[[str], str]", *, dry_run: bool) -> None:
    """What changed and the sum on standard output, remarks on standard error."""
    from app.cli.reports import remark

    for result in report.results:
        if result.action not in ("unchanged", "skipped", "failed"):
            target = f" -> {result.post.slug}" if result.post else ""
            changed = f" ({', '.join(result.changed)})" if result.changed else ""
            typer.echo(f"{result.action:8} {result.name}{target}{changed}")
        for finding in (*result.warnings, *([result.problem] if result.problem else [])):
            typer.echo(remark(place(result.name), finding), err=True)
    counts = ", ".join(f"{count} {action}" for action, count in report.counts.items() if count)
    typer.echo(f"{'would be: ' if dry_run else ''}{counts or 'no posts found'}")
