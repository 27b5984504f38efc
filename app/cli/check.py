from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import Base, FailOn, Format, FormatOption, OptionalPaths, Severity

if TYPE_CHECKING:
    from app.documents.links import Target
    from app.documents.sources import Batch
    from app.errors import Finding
    from app.settings import Settings

    Found = tuple[str, Severity, Finding]  # a source's name, how bad it is, the remark


def check(
    paths: OptionalPaths = None,
    base: Base = None,
    output: FormatOption = Format.text,
    fail_on: FailOn = Severity.error,
    explain: Annotated[str | None, typer.Option(metavar="CODE", help="Say what a code means, with an example.")] = None,
) -> None:
    """Say what ingestion would remark on Markdown files; store nothing."""
    if explain is not None:
        _explain(explain)
        return
    if not paths:
        raise typer.BadParameter("name a folder or file", param_hint="PATH...")
    import orjson

    from app.cli.files import batch_of, place_of
    from app.cli.reports import remark
    from app.settings import Settings

    settings = Settings.load()
    batch = batch_of(paths, base)
    found = _remarks(batch, settings, paths, base)
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


def _remarks(batch: "Batch", settings: "Settings", paths: list[Path], base: Path | None) -> "list[Found]":
    """All remarks, by name and place."""
    from app.cli.files import is_there
    from app.cli.reports import progress
    from app.documents.context import Contexts
    from app.documents.document import Document
    from app.documents.links import FileNames
    from app.posts.options import Options
    from app.posts.sites import plan_sites
    from app.rendering.pool import all_cores

    sites = plan_sites({}, batch, Options(author="", via="cli"))
    contexts = Contexts.of_sites(settings.context, sites.after.values())
    links: list[tuple[str, Target]] = []
    found: list[Found] = [(name, Severity.error, finding) for name, finding in (*batch.refused, *sites.refused.items())]
    with progress("Checking", len(batch.sources)) as advance, all_cores(settings.render_seconds) as renderers:
        for source, parsed in zip(batch.sources, renderers.parse_each(batch.sources, contexts), strict=True):
            if isinstance(parsed, Document):
                found += [(source.name, Severity.warning, finding) for finding in parsed.warnings]
                links += [(source.name, link) for link in parsed.links]
            else:
                found.append((source.name, Severity.error, parsed))
            advance(1)
    files = FileNames((*(file.name for file in (*batch.sources, *batch.configs)), *batch.skipped))
    found += [
        (name, Severity.warning, link.missing)
        for name, link in links
        if not (files.hold(link) or is_there(link.name, paths, base))
    ]
    return sorted(found, key=lambda item: (item[0], item[2].line or 0, item[2].column or 0, item[2].code))


def _explain(code: str) -> None:
    """What a code means, what gives it, and how to mend it."""
    from app.documents.codes import CODES, FILE_CODES

    if code in CODES:
        known = CODES[code]
        example = known.example.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        typer.echo(f"{code} ({known.severity})\n{known.means}\n\nFor example, {known.name}:\n\n{example}\n{known.mend}")
    elif code in FILE_CODES:
        typer.echo(f"{code}\n{FILE_CODES[code]}")
    else:
        raise typer.BadParameter(f"known are {', '.join(sorted({*CODES, *FILE_CODES}))}", param_hint="--explain")
