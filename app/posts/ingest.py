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
from app.posts.changes import Turn, read_state
from app.posts.intake import take
from app.posts.look import Intake, Seen, say_unchanged, see, understand, wanted
from app.posts.options import Options
from app.posts.records import Packed, pack
from app.posts.report import Report, Result, failed
from app.posts.spool import Spool
from app.posts.store import delete_posts, stored_as
from app.posts.writing import history_of
from app.rendering.tasks import ParseEach, finish_each

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
    parse_each: ParseEach = finish_each,
) -> Report:
    """Takes an upload: all of it or, unless `atomic`, what can be taken. A dry run does all but keep it.

    `guard` is asked before anything is parsed and again in the write transaction; `on_parsed` hears each file that
    is read, `on_result` what becomes of it.
    Raises what `guard` raises, Conflict for a prune that takes too much, DatabaseUnavailable.
    """
    now = now.astimezone(UTC).replace(microsecond=0)
    pack_each = partial(_packed, parse_each, partial(pack, engine.dialect.name), options.slug, on_parsed)
    with Spool() as spool:
        return _ingest(
            engine,
            Intake(
                batch=batch,
                options=options,
                context=context,
                now=now,
                pack_each=pack_each,
                on_result=on_result,
                spool=spool,
            ),
            guard,
        )


def _ingest(engine: Engine, intake: Intake, guard: Guard) -> Report:
    with reading(engine) as connection:
        guard(connection)
        seen = see(connection, intake)
        is_new = _is_new(intake, seen)
        label = "" if is_new else read_state(connection, intake.now).label
    if is_new:
        understand(intake, seen)
        _say_refusals(intake)
        return _write(engine, intake, guard)
    _say_refusals(intake)
    say_unchanged(intake, seen, ())
    return _report(intake, label)


def _is_new(intake: Intake, seen: Seen) -> bool:
    """Whether there is anything to write."""
    options, batch = intake.options, intake.batch
    is_noted = options.via == "folder" and (batch.sources or batch.configs)
    return bool(seen.sites.written or is_noted or options.prune_below is not None or wanted(intake, seen))


def _packed(  # noqa: PLR0913, PLR0917 - who parses, who packs, who hears of it
    parse_each: ParseEach,
    pack_one: Callable[[Document], Packed],
    slug: str | None,
    on_parsed: Callable[[str], None],
    sources: Sequence[Source],
    contexts: Contexts,
) -> Iterator[Packed | Finding]:
    """Each source ready to be written."""
    for source, packed in zip(sources, parse_each(sources, contexts, pack_one), strict=True):
        on_parsed(source.name)
        yield packed if slug is None or isinstance(packed, Finding) else _with_slug(packed, slug)


def _with_slug(packed: Packed, slug: str) -> Packed | Finding:
    if packed.outline.slug_is_given and packed.outline.slug != slug:
        detail = f"the front matter asks for {packed.outline.slug!r}, the address for {slug!r}"
        return Finding(code="slug_mismatch", detail=detail, field="slug")
    return replace(packed, outline=replace(packed.outline, slug=slug))


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
            turn = Turn(connection, intake.now)
            guard(connection)
            take(connection, intake, turn)
            turn.end()
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
        turn = Turn(connection, now)
        row = stored_as(connection, slug)
        guard(connection)
        delete_posts(connection, [row.pk])
        turn.note([history_of("deleted", row, None, options)], before=[row])
        turn.end()
        return read_state(connection, now).label
