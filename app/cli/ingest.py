import gc
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Base, FailOn, Format, FormatOption, Paths, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from app.documents.sources import Batch
    from app.posts.options import Options
    from app.posts.report import Result
    from app.settings import Settings

    Said = tuple[dict[str, int], list[dict[str, Any]]]  # how many of each action; a result for each file
    Target = Callable[[Batch, Options], Said]  # what files are taken or sent to


def ingest(  # noqa: PLR0913, PLR0917 - its options
    paths: Paths,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; keep nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove posts that are not in the folder any more.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Then take each change in the folder, until Ctrl-C.")] = False,
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
    if options.states and settings.remote_url:
        typer.echo("honbun: ids and former slugs of an export are taken up by the local database only", err=True)

    def take(batch: "Batch", is_whole: bool = True) -> "Said":
        chosen = options if is_whole else replace(options, prune_below=None)
        said = target(batch, chosen)
        if output is Format.json:
            _print_json(*said)
        else:
            _print(*said, lambda name: place_of(name, paths, base), dry_run=dry_run, sums=is_whole)
        return said

    with _service(settings) if settings.remote_url else _database(settings) as target:
        if watch:
            from app.cli.watch import follow

            follow(paths, base, take, prunes=prune)
            raise typer.Exit
        gc.freeze()  # what is loaded by now stays: to look through it again and again takes a sixth of the time
        counts, results = take(batch_of(paths, base))
    warned = fail_on is Severity.warning and any(result["warnings"] for result in results)
    raise typer.Exit(1 if counts.get("failed") or warned else 0)


@contextmanager
def _service(settings: "Settings") -> "Iterator[Target]":
    """Sends what changed to the service of the settings."""
    import httpx2

    from app.cli.remote import Remote
    from app.cli.reports import progress

    key = settings.remote_key or settings.api_key
    headers = {"Authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    with httpx2.Client(base_url=str(settings.remote_url), headers=headers, timeout=300) as client:

        def send(batch: "Batch", options: "Options") -> "Said":
            with progress("Sending", len(batch.sources)) as advance:
                outcome = Remote(client=client).send(batch, options, on_sent=advance)
            return outcome.counts, outcome.results

        yield send


@contextmanager
def _database(settings: "Settings") -> "Iterator[Target]":
    """Takes files into the database of the settings."""
    from app import migrate
    from app.cli.reports import progress
    from app.database import open_engine
    from app.errors import Conflict
    from app.posts.ingest import ingest as ingest_batch
    from app.rendering.pool import all_cores

    engine = open_engine(settings.database_url.get_secret_value())

    def take(batch: "Batch", options: "Options") -> "Said":
        with progress("Reading", len(batch.sources)) as advance:
            report = ingest_batch(
                engine,
                batch,
                context=settings.context,
                options=options,
                now=datetime.now(UTC),
                on_parsed=lambda _: advance(1),
                parse_each=renderers.finish_each,
            )
        counts = {str(action): count for action, count in report.counts.items()}
        return counts, [_said(result) for result in report.results]

    try:
        if settings.migrate:
            migrate.upgrade(engine)
        with all_cores(settings.render_seconds) as renderers:
            yield take
    except Conflict as error:
        hint = (error.hint or "").replace("prune_max=", "--prune-max ")  # as it is written here
        raise Conflict(error.detail, code=error.reason, hint=hint) from None
    finally:
        engine.dispose()


def _said(result: "Result") -> dict[str, "Any"]:
    """A result as the service would say it, so far as it is printed here."""
    from dataclasses import asdict

    return {
        "name": result.name,
        "action": result.action,
        "sha256": result.sha256,
        "changed": result.changed,
        "warnings": [asdict(finding) for finding in result.warnings],
        "problem": result.problem and asdict(result.problem),
        "id": result.post and result.post.id,
        "slug": result.post and result.post.slug,
    }


def _print_json(counts: dict[str, int], results: list[dict[str, "Any"]]) -> None:
    import orjson

    typer.echo(orjson.dumps({**counts, "results": results}))


def _print(
    counts: dict[str, int], results: list[dict[str, "Any"]], place: "Callable[[str], str]", *, dry_run: bool, sums: bool
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
    if not sums:
        return
    summary = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    typer.echo(f"{'would be: ' if dry_run else ''}{summary or 'no posts found'}")
