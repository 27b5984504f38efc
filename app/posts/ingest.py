"""Sources in, results out: the only writer of posts.

Files are parsed before the transaction; what they do is planned and written inside it, while other writers wait.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, Row

from app.database import reading, writing
from app.documents.document import Context, Document, parse
from app.documents.sources import Batch, Source
from app.errors import DocumentError, Finding
from app.posts.changes import advance, lock_version, read_state
from app.posts.plan import Claim, Known, check_prune, find_renames, give_slugs, keeps_slug, missing_from, same_source
from app.posts.queries import status_of
from app.posts.report import Action, Report, Result, Stored, failed
from app.posts.store import (
    delete_posts,
    known,
    new_ids,
    next_pk,
    note_taken,
    row_of,
    slug_holders,
    stored_as,
    stored_below,
    stored_under,
    write_posts,
)

Guard = Callable[[Connection], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an upload is taken, and who sends it."""

    author: str
    via: str  # "http", "cli" or "folder"
    atomic: bool = True
    dry_run: bool = False
    prune_below: str | None = None  # posts whose names begin so and are not in the upload are removed
    prune_max: int | None = None
    manifest: Mapping[str, str] = field(default_factory=dict)  # name -> sha256 that the service has already
    slug: str | None = None  # the slug that the one file of this upload has, whatever its name


class _Undone(Exception):
    """Leaves a transaction that is to leave nothing."""


@dataclass(slots=True, kw_only=True)
class _Work:
    """What is known of an upload while it is taken."""

    batch: Batch
    options: Options
    context: Context
    now: datetime
    documents: dict[str, Document | Finding]
    results: list[Result]
    on_result: Callable[[Result], None]

    def say(self, result: Result) -> None:
        self.results.append(result)
        self.on_result(result)


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
) -> Report:
    """Takes an upload: all of it or, unless `atomic`, what can be taken. A dry run does all but keep it.

    `guard` is asked before anything is parsed and again in the write transaction; `on_parsed` hears each file that
    is read, `on_result` what becomes of it.
    Raises what `guard` raises, Conflict for a prune that takes too much, DatabaseUnavailable.
    """
    now = now.astimezone(UTC)
    with reading(engine) as connection:
        guard(connection)
        stored = stored_under(connection, [source.name for source in batch.sources])
        label = read_state(connection, now).label
    documents = {
        source.name: _parsed(source, context, options, on_parsed)
        for source in batch.sources
        if not _is_stored(source, stored.get(source.name), context)
    }
    work = _Work(
        batch=batch, options=options, context=context, now=now, documents=documents, results=[], on_result=on_result
    )
    _say_refusals(work)
    if not documents and options.prune_below is None and options.via != "folder":
        _say_unchanged(work, stored)
        return Report(version=label, results=tuple(work.results), committed=not options.dry_run)
    return _write(engine, work, guard)


def _parsed(
    source: Source, context: Context, options: Options, on_parsed: Callable[[str], None]
) -> Document | Finding:
    on_parsed(source.name)
    try:
        document = parse(source, context)
    except DocumentError as error:
        return error.finding
    if options.slug is None:
        return document
    if document.slug_is_given and document.slug != options.slug:
        detail = f"the front matter asks for {document.slug!r}, the address for {options.slug!r}"
        return Finding(code="slug_mismatch", detail=detail, field="slug")
    return replace(document, slug=options.slug)


def _is_stored(source: Source, row: Row[Any] | None, context: Context) -> bool:
    return row is not None and same_source(known(row), source.sha256, context.rendered_by)


def _say_refusals(work: _Work) -> None:
    for result in failed(work.batch.refused):
        work.say(result)
    for name in work.batch.skipped:
        work.say(Result(name=name, action="skipped"))


def _say_unchanged(work: _Work, stored: Mapping[str, Row[Any]]) -> None:
    for source in work.batch.sources:
        if source.name not in work.documents:
            row = stored[source.name]
            work.say(Result(name=source.name, action="unchanged", post=_stored(row), sha256=source.sha256))


def _write(engine: Engine, work: _Work, guard: Guard) -> Report:
    committed = False
    try:
        with writing(engine) as connection:
            lock_version(connection)
            guard(connection)
            _take(connection, work)
            label = read_state(connection, work.now).label
            undo = work.options.dry_run or (work.options.atomic and any(r.action == "failed" for r in work.results))
            if undo:
                raise _Undone
        committed = True
    except _Undone:
        with reading(engine) as connection:
            label = read_state(connection, work.now).label
    results = tuple(work.results)
    if work.options.atomic and any(result.action == "failed" for result in results):
        results = tuple(_left_out(result) for result in results)
    return Report(version=label, results=results, committed=committed)


def _left_out(result: Result) -> Result:
    """What would have been written, had no other file failed."""
    if result.action in ("failed", "skipped", "unchanged"):
        return result
    left_out = Finding(code="left_out", detail="nothing was stored, because another file failed")
    return Result(name=result.name, action="skipped", sha256=result.sha256, warnings=(*result.warnings, left_out))


def _take(connection: Connection, work: _Work) -> None:
    """Plans and writes the whole upload inside the write transaction."""
    stored = stored_under(connection, [source.name for source in work.batch.sources])
    for source in work.batch.sources:  # another writer may have come between
        if source.name not in work.documents and not _is_stored(source, stored.get(source.name), work.context):
            work.documents[source.name] = _parsed(source, work.context, work.options, lambda _: None)
    _say_unchanged(work, stored)
    fresh = [document for document in work.documents.values() if isinstance(document, Document)]
    for name, document in work.documents.items():
        if isinstance(document, Finding):
            work.say(Result(name=name, action="failed", problem=document))
    gone = _gone(connection, work)
    come = [document for document in fresh if document.name not in stored]
    renames = find_renames([known(row) for row in gone.values()], come)
    replaced = {name: stored[name] for name in stored} | {
        name: gone.pop(post.name) for name, post in renames.items()
    }
    if work.options.prune_below is not None:
        check_prune(len(gone), len(stored_below(connection, work.options.prune_below)), work.options.prune_max)
    _write_all(connection, work, fresh, replaced, gone)


def _gone(connection: Connection, work: _Work) -> dict[str, Row[Any]]:
    """The stored posts below the prefix that are neither in the upload nor in its manifest."""
    options = work.options
    if options.prune_below is None:
        return {}
    below = stored_below(connection, options.prune_below)
    for name, finding in missing_from(options.manifest, {name: known(row) for name, row in below.items()}):
        work.say(Result(name=name, action="failed", problem=finding))
    present = {
        *options.manifest,
        *work.batch.skipped,
        *(source.name for source in work.batch.sources),
        *(name for name, _ in work.batch.refused),
    }
    return {name: row for name, row in below.items() if name not in present}


def _write_all(
    connection: Connection,
    work: _Work,
    fresh: Sequence[Document],
    replaced: Mapping[str, Row[Any]],
    gone: Mapping[str, Row[Any]],
) -> None:
    delete_posts(connection, [row.pk for row in gone.values()])
    claims = [_claim(document, replaced.get(document.name), work.now) for document in fresh]
    slugs, taken_slugs = give_slugs(claims, _holders(connection, claims))
    new: list[tuple[dict[str, Any], Document]] = []
    changed: list[tuple[dict[str, Any], Document, str]] = []
    ids = new_ids(connection, [document.name for document in fresh if document.name not in replaced])
    pk = next_pk(connection)
    for document in fresh:
        before = replaced.get(document.name)
        slug = slugs[document.name]
        if before is None:
            row = row_of(document, pk=pk, id=ids[document.name], slug=slug, now=work.now, before=None)
            new.append((row, document))
            pk += 1
        else:
            row = row_of(document, pk=before.pk, id=before.id, slug=slug, now=work.now, before=before)
            changed.append((row, document, before.slug))
    write_posts(connection, new=new, changed=changed)
    if work.options.via == "folder":
        note_taken(connection, [(source.name, source.sha256) for source in work.batch.sources])
    _note_changes(connection, work, new, changed, replaced, gone, taken_slugs)


def _claim(document: Document, row: Row[Any] | None, now: datetime) -> Claim:
    return Claim(document=document, post=None if row is None else known(row), instant=document.date or now)


def _holders(connection: Connection, claims: Sequence[Claim]) -> Callable[[str], str | None]:
    """Who holds a slug, of the posts that do not give theirs up in this upload."""
    freed = {claim.post.slug for claim in claims if claim.post is not None and not keeps_slug(claim)}
    held = slug_holders(connection, {claim.document.slug for claim in claims})
    asked = {claim.document.slug for claim in claims}

    def holder(slug: str) -> str | None:
        if slug not in asked:
            asked.add(slug)
            held.update(slug_holders(connection, [slug]))
        return None if slug in freed else held.get(slug)

    return holder


def _note_changes(  # noqa: PLR0913 - one row of the history for each of them
    connection: Connection,
    work: _Work,
    new: Sequence[tuple[dict[str, Any], Document]],
    changed: Sequence[tuple[dict[str, Any], Document, str]],
    replaced: Mapping[str, Row[Any]],
    gone: Mapping[str, Row[Any]],
    warnings: Mapping[str, Finding],
) -> None:
    history: list[dict[str, Any]] = []
    is_visible = False

    for row, document in [*new, *((row, document) for row, document, _ in changed)]:
        before = replaced.get(document.name)
        written = SimpleNamespace(**row)
        action: Action = "created" if before is None else _kind(before, document)
        history.append(_history(action, written, document.sha256, work.options))
        is_visible |= _shows(written, work.now) or (before is not None and _shows(before, work.now))
        more = (warnings[document.name],) if document.name in warnings else ()
        work.say(
            Result(
                name=document.name,
                action=action,
                post=_stored(written),
                sha256=document.sha256,
                warnings=(*document.warnings, *more),
            )
        )
    for gone_row in gone.values():
        history.append(_history("deleted", gone_row, None, work.options))
        is_visible |= _shows(gone_row, work.now)
        work.say(Result(name=gone_row.source_name, action="deleted", post=_stored(gone_row), sha256=gone_row.sha256))
    if history:
        advance(connection, history, now=work.now, visible=is_visible)


def _history(action: Action, row: Any, sha256: str | None, options: Options) -> dict[str, Any]:
    return {
        "post_id": row.id,
        "source_name": row.source_name,
        "kind": action,
        "author": options.author,
        "via": options.via,
        "sha256": sha256,
    }


def _kind(before: Any, document: Document) -> Action:
    return "updated" if before.source_name == document.name else "renamed"


def _shows(row: Any, now: datetime) -> bool:
    return status_of(row, now) == "published"


def _stored(row: Any) -> Stored:
    categories = orjson.loads(row.categories)
    return Stored(
        id=row.id,
        slug=row.slug,
        draft=row.draft,
        published_at=None if row.published_at is None else row.published_at.astimezone(UTC),
        expires_at=row.expires_at,
        permalink=row.permalink,
        category=categories[0] if categories else None,
        lang=row.lang,
    )


def delete_one(engine: Engine, slug: str, *, options: Options, now: datetime, guard: Guard) -> str:
    """Removes the post with this slug; the content's label after it.

    Raises NotFound, what `guard` raises, DatabaseUnavailable.
    """
    now = now.astimezone(UTC)
    with writing(engine) as connection:
        lock_version(connection)
        row = stored_as(connection, slug)
        guard(connection)
        delete_posts(connection, [row.pk])
        advance(connection, [_history("deleted", row, None, options)], now=now, visible=_shows(row, now))
        return read_state(connection, now).label
