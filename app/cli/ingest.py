from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Base, FailOn, Format, FormatOption, Paths, Severity

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from app.documents.sources import Batch
    from app.posts.options import Options
    from app.posts.report import Result
    from app.settings import Settings

    Said = tuple[dict[str, int], list[dict[str, Any]]]  # how many of each action; a result for each file


def ingest(  # noqa: PLR0913, PLR0917 - its options
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; keep nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove posts that are not in the folder any more.")] = False,
    prune_max: Annotated[int | None, typer.Option("--prune-max", help="Allow to remove so many.", min=0)] = None,
    base: Base = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Send to a service over HTTP.  [HONBUN_REMOTE_URL]")
    ] = None,
    output: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
) -> None:
    """Take Markdown files into the database, or send what changed to a service; names are relative to PATH."""
    from app.cli.files import batch_of, place_of, prune_prefix, states_of
    from app.posts.options import Options
    from app.settings import Settings

    settings = Settings.load(remote_url=to)
    options = Options(
        author="command line",
        via="cli",
        atomic=False,
        dry_run=dry_run,
        prune_below=prune_prefix(paths, base) if prune else None,
        prune_max=prune_max,
        states=states_of(paths, base),
    )
    batch = batch_of(paths, base)
    counts, results = _send(batch, settings, options) if settings.remote_url else _take(batch, settings, options)
    if output is Format.json:
        _print_json(counts, results)
    else:
        _print(counts, results, lambda name: place_of(name, paths, base), dry_run=dry_run)
    warned = fail_on is Severity.warning and any(result["warnings"] for result in results)
    raise typer.Exit(1 if counts.get("failed") or warned else 0)


def _send(batch: "Batch", settings: "Settings", options: "Options") -> "Said":
    """Sends what changed to the service of the settings."""
    import httpx2

    from app.cli.remote import Remote
    from app.cli.reports import progress

    key = settings.remote_key or settings.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    with (
        httpx2.Client(base_url=str(settings.remote_url), headers=headers, timeout=300) as client,
        progress("Sending", len(batch.sources)) as advance,
    ):
        outcome = Remote(client=client).send(batch, options, on_sent=advance)
    return outcome.counts, outcome.results


def _take(batch: "Batch", settings: "Settings", options: "Options") -> "Said":
    """Takes the files into the database of the settings."""
    from datetime import UTC, datetime

    from app import migrate
    from app.cli.reports import progress
    from app.database import open_engine
    from app.errors import Conflict
    from app.posts.ingest import ingest as take
    from app.rendering.pool import all_cores

    engine = open_engine(settings.database_url.get_secret_value())
    try:
        if settings.migrate:
            migrate.upgrade(engine)
        with progress("Reading", len(batch.sources)) as advance, all_cores(settings.render_seconds) as renderers:
            report = take(
                engine,
                batch,
                context=settings.context,
                options=options,
                now=datetime.now(UTC),
                on_parsed=lambda _: advance(1),
                parse_each=renderers.parse_each,
            )
    except Conflict as error:
        hint = (error.hint or "").replace("prune_max=", "--prune-max ")  # as it is written here
        raise Conflict(error.detail, code=error.reason, hint=hint) from None
    finally:
        engine.dispose()
    return {str(action): count for action, count in report.counts.items()}, [_said(result) for result in report.results]


def _said(result: "Result") -> dict[str, "Any"]:
    """A result as the service would say it, so far as it is printed here."""
    from dataclasses import asdict

    said = asdict(result)
    post = said.pop("post")
    return said | {"id": post and post["id"], "slug": post and post["slug"]}


def _print_json(counts: dict[str, int], results: list[dict[str, "Any"]]) -> None:
    import orjson

    typer.echo(orjson.dumps({**counts, "results": results}))


def _print(
    counts: dict[str, int], results: list[dict[str, "Any"]], place: "Callable[[str], str]", *, dry_run: bool
) -> None:
    """What changed and the sum on standard output, remarks on standard error."""
    from app.cli.reports import remark
    from app.errors import Finding

    for result in results:
        if result["action"] == "skipped" and result["changed"]:  # no post, but it changes what posts mean
            typer.echo(f"{'config':8} {result['name']} ({', '.join(result['changed'])})")
        elif result["action"] not in ("unchanged", "skipped", "failed"):
            target = f" -> {result['slug']}" if result["slug"] else ""
            changed = f" ({', '.join(result['changed'])})" if result["changed"] else ""
            typer.echo(f"{result['action']:8} {result['name']}{target}{changed}")
        for finding in (*result["warnings"], *([result["problem"]] if result["problem"] else [])):
            typer.echo(remark(place(result["name"]), Finding(**finding)), err=True)
    summary = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    typer.echo(f"{'would be: ' if dry_run else ''}{summary or 'no posts found'}")
