"""Sources in, results out: the only writer of posts.

Files are parsed before the transaction; what they do is planned and written inside it, while other writers wait.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, Engine

from app.database import reading, writing
from app.documents.context import Context, Contexts
from app.documents.document import Document
from app.documents.sources import Batch, Source
from app.errors import Finding
from app.posts.changes import advance, lock_version, read_state
from app.posts.intake import history_of, take
from app.posts.look import Intake, say_unchanged, see, understand
from app.posts.options import Options
from app.posts.report import Report, Result, failed
from app.posts.store import delete_posts, stored_as
from app.rendering.tasks import Parsed, ParseEach, read_each

__all__ = ["Guard", "Options", "delete_one", "ingest"]

Guard = Callable[[Connection], None]


def ingest(  # noqa: PLR0913 - an upload and all that it depends on
    engine: Engine,
    batch: Batch,
    *,
    context: Context,
    options: Options,
    now: datetime,
    on_result: Callable[[Result], None] = lambda _: None,
    on_parsed: Callable[[str], None] = lambda _: None,
    guard: Guard = lambda _: None,
    parse_each: ParseEach = read_each,
) -> Report:
    """Takes an upload: all of it or, unless `atomic`, what can be taken. A dry run does all but keep it.

    `guard` is asked before anything is parsed and again in the write transaction; `on_parsed` hears each file that
    is read, `on_result` what becomes of it.
    Raises what `guard` raises, Conflict for a prune that takes too much, DatabaseUnavailable.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    parse = partial(_parsed, parse_each, options.slug, on_parsed)
    intake = Intake(batch=batch, options=options, context=context, now=now, parse_each=parse, on_result=on_result)
    with reading(engine) as connection:
        guard(connection)
        seen = see(connection, intake)
        label = read_state(connection, now).label
    documents = understand(intake, seen)
    _say_refusals(intake)
    is_noted = options.via == "folder" and (batch.sources or batch.configs)
    if documents or seen.sites.written or is_noted or options.prune_below is not None:
        return _write(engine, intake, guard)
    say_unchanged(intake, seen, documents)
    return _report(intake, label)


def _parsed(
    parse_each: ParseEach,
    slug: str | None,
    on_parsed: Callable[[str], None],
    sources: Sequence[Source],
    contexts: Contexts,
) -> Iterator[Parsed]:
    for source, parsed in zip(sources, parse_each(sources, contexts), strict=True):
        on_parsed(source.name)
        yield _with_slug(parsed, slug) if slug is not None and isinstance(parsed, Document) else parsed


def _with_slug(document: Document, slug: str) -> Parsed:
    if document.slug_is_given and document.slug != slug:
        detail = f"the front matter asks for {document.slug!r}, the address for {slug!r}"
        return Finding(code="slug_mismatch", detail=detail, field="slug")
    return replace(document, slug=slug)


def _say_refusals(intake: Intake) -> None:
    for result in failed(intake.batch.refused):
        intake.say(result)
    for name in intake.batch.skipped:
        intake.say(Result(name=name, action="skipped"))


class _Undone(Exception):
    pass


def _write(engine: Engine, intake: Intake, guard: Guard) -> Report:
    try:
        with writing(engine) as connection:
            lock_version(connection)
            guard(connection)
            take(connection, intake)
            label = read_state(connection, intake.now).label
            _keep_or_undo(intake)
    except _Undone:
        with reading(engine) as connection:
            label = read_state(connection, intake.now).label
    return _report(intake, label)


def _keep_or_undo(intake: Intake) -> None:
    if not _is_kept(intake):
        raise _Undone


def _is_kept(intake: Intake) -> bool:
    return not (intake.options.dry_run or (intake.options.atomic and intake.failed_names))


def _report(intake: Intake, label: str) -> Report:
    results = intake.results
    if intake.options.atomic and intake.failed_names:
        results = [_left_out(result) for result in results]
    return Report(version=label, results=tuple(results), committed=_is_kept(intake))


def _left_out(result: Result) -> Result:
    """What would have been written, had no other file failed."""
    if result.action in ("failed", "unchanged") or (result.action == "skipped" and not result.changed):
        return result
    left_out = Finding(code="left_out", detail="nothing was stored, because another file failed")
    return Result(name=result.name, action="skipped", sha256=result.sha256, warnings=(*result.warnings, left_out))


def delete_one(engine: Engine, slug: str, *, options: Options, now: datetime, guard: Guard) -> str:
    """Removes the post with this slug; the content's label after it.

    Raises NotFound, what `guard` raises, DatabaseUnavailable.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    with writing(engine) as connection:
        lock_version(connection)
        row = stored_as(connection, slug)
        guard(connection)
        delete_posts(connection, [row.pk])
        advance(connection, [history_of("deleted", row, None, options)], before=[row], after=[], now=now)
        return read_state(connection, now).label
