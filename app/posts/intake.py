"""An upload inside the write transaction: planned against what is stored now, then written and noted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection

from app.documents.document import Document
from app.errors import Conflict, Finding
from app.posts.changes import advance
from app.posts.look import Intake, Seen, is_missing, say_unchanged, see, stored_of, understand
from app.posts.models import AnyRow
from app.posts.options import Options, PostState
from app.posts.plan import (
    Claim,
    check_prune,
    find_renames,
    give_slugs,
    keeps_slug,
    missing_from,
    spared,
)
from app.posts.report import Action, Result
from app.posts.sites import Sites, write_sites
from app.posts.store import (
    changed_fields,
    delete_posts,
    known,
    new_ids,
    next_pk,
    note_taken,
    row_of,
    slug_holders,
    stored_below,
    write_former_slugs,
    write_posts,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """New name -> the stored post that it replaces; name -> a post that goes."""

    seen: Seen
    fresh: Sequence[Document]
    replaced: Mapping[str, AnyRow]
    gone: Mapping[str, AnyRow]


def take(connection: Connection, intake: Intake) -> None:
    """Plans and writes the whole upload. Raises Conflict for a prune that takes too much."""
    seen = see(connection, intake)
    documents = understand(intake, seen)
    say_unchanged(intake, seen, documents)
    fresh: list[Document] = []
    for name, document in documents.items():
        if isinstance(document, Document):
            fresh.append(document)
        else:
            intake.say(Result(name=name, action="failed", problem=document))
    gone = _gone(connection, intake, seen.sites)
    come = [document for document in fresh if document.name not in seen.stored]
    renames = find_renames([known(row) for row in gone.values()], come)
    replaced = {**seen.stored} | {name: gone.pop(post.name) for name, post in renames.items()}
    _check_prune(connection, intake, gone)
    write_sites(connection, seen.sites, intake.options.via)
    _write(connection, intake, _Plan(seen=seen, fresh=fresh, replaced=replaced, gone=gone))


def _gone(connection: Connection, intake: Intake, sites: Sites) -> dict[str, AnyRow]:
    """The stored posts that are to be pruned."""
    if intake.options.prune_below is None:
        return {}
    below = stored_below(connection, intake.options.prune_below)
    manifest = {name: sha256 for name, sha256 in intake.options.manifest.items() if name not in intake.sent}
    hashes = {name: row.sha256 for name, row in below.items()}
    hashes |= {name: config.sha256 for name, config in sites.before.items()}
    for name, finding in missing_from(manifest, hashes):
        intake.say(Result(name=name, action="failed", problem=finding))
    gone = {name: row for name, row in below.items() if is_missing(name, intake)}
    kept = spared(gone, intake.failed_names)
    return {name: row for name, row in gone.items() if name not in kept}


def _check_prune(connection: Connection, intake: Intake, gone: Mapping[str, AnyRow]) -> None:
    prefix = intake.options.prune_below
    if prefix is not None and gone:
        check_prune(len(gone), len(stored_below(connection, prefix)), intake.options.prune_max)


def _write(connection: Connection, intake: Intake, plan: _Plan) -> None:
    delete_posts(connection, [row.pk for row in plan.gone.values()])
    states = {name: state for name, state in intake.options.states.items() if name not in plan.replaced}
    claims = [
        _claim(document, plan.replaced.get(document.name), states.get(document.name), intake.now)
        for document in plan.fresh
    ]
    slugs, taken_slugs = give_slugs(claims, _holders(connection, claims))
    _check_slug(intake.options.slug, slugs)
    new_names = [document.name for document in plan.fresh if document.name not in plan.replaced]
    ids = new_ids(connection, new_names, {name: states[name].id for name in new_names if name in states})
    pk = next_pk(connection)
    new: list[tuple[dict[str, Any], Document]] = []
    changed: list[tuple[dict[str, Any], Document, str]] = []
    for document in plan.fresh:
        name, slug = document.name, slugs[document.name]
        before = plan.replaced.get(name)
        if before is None:
            origin = _origin(document, states.get(name))
            row = row_of(document, pk=pk + len(new), id=ids[name], slug=slug, now=intake.now, before=origin)
            new.append((row, document))
        else:
            row = row_of(document, pk=before.pk, id=before.id, slug=slug, now=intake.now, before=before)
            changed.append((row, document, before.slug))
    differences = changed_fields(connection, changed, plan.replaced)
    write_posts(connection, new=new, changed=changed)
    former = {row["pk"]: states[d.name].former_slugs for row, d in new if d.name in states}
    write_former_slugs(connection, former)
    if intake.options.via == "folder":  # what failed is tried again at the next start
        failed = intake.failed_names
        files = (*intake.batch.configs, *intake.batch.sources)
        note_taken(connection, ((file.name, file.sha256) for file in files if file.name not in failed))
    remarks = _Remarks(slugs=taken_slugs, changed=differences)
    _note(connection, intake, plan, [*new, *((row, document) for row, document, _ in changed)], remarks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Remarks:
    """Name -> a slug that was taken; name -> the fields that an update changes."""

    slugs: Mapping[str, Finding]
    changed: Mapping[str, tuple[str, ...]]


def _origin(document: Document, state: PostState | None) -> Any:
    """What an exported post was, as if its row stood here still."""
    if state is None:
        return None
    return SimpleNamespace(
        sha256=document.sha256,
        published_at=document.date,
        ingested_at=state.ingested_at,
        updated_at=state.updated_at,
    )


def _claim(document: Document, row: AnyRow | None, state: PostState | None, now: datetime) -> Claim:
    instant = document.date or (now if row is None else row.ingested_at)
    post = None if row is None else known(row)
    return Claim(document=document, post=post, instant=instant, restored=None if state is None else state.slug)


def _holders(connection: Connection, claims: Sequence[Claim]) -> Callable[[str], str | None]:
    """Who holds a slug, of the posts that do not give theirs up in this upload."""
    freed = {claim.post.slug for claim in claims if claim.post is not None and not keeps_slug(claim)}
    asked = {claim.document.slug for claim in claims}
    held = slug_holders(connection, asked)

    def holder(slug: str) -> str | None:
        if slug not in asked:
            asked.add(slug)
            held.update(slug_holders(connection, [slug]))
        return None if slug in freed else held.get(slug)

    return holder


def _check_slug(wanted: str | None, slugs: Mapping[str, str]) -> None:
    """Another writer may have taken the slug of a PUT since its source was looked up."""
    other = next((slug for slug in slugs.values() if wanted not in (None, slug)), None)
    if other is not None:
        raise Conflict(f"the slug {wanted!r} was taken meanwhile", code="slug_taken", hint="read it and try again")


def _note(
    connection: Connection,
    intake: Intake,
    plan: _Plan,
    written: Iterable[tuple[dict[str, Any], Document]],
    remarks: _Remarks,
) -> None:
    """Says what became of each file, and puts it down in the history."""
    history: list[dict[str, Any]] = []
    after: list[Any] = []
    stale = {source.name for source in plan.seen.stale}
    rerendered = replace(intake.options, via="rerender")  # nobody's words: the same bytes, read by other settings
    for values, document in written:
        row = SimpleNamespace(**values)
        action = _action(document.name, plan.replaced.get(document.name))
        after.append(row)
        options = rerendered if document.name in stale else intake.options
        history.append(history_of(action, row, document.sha256, options))
        more = (remarks.slugs[document.name],) if document.name in remarks.slugs else ()
        result = _result(action, row, document.sha256, (*document.warnings, *more))
        intake.say(replace(result, changed=remarks.changed.get(document.name, ())))
    for gone in plan.gone.values():
        history.append(history_of("deleted", gone, None, intake.options))
        intake.say(_result("deleted", gone, gone.sha256))
    if history:
        before = [*plan.gone.values(), *(plan.replaced[d.name] for d in plan.fresh if d.name in plan.replaced)]
        advance(connection, history, before=before, after=after, now=intake.now)


def _action(name: str, before: AnyRow | None) -> Action:
    if before is None:
        return "created"
    return "updated" if before.source_name == name else "renamed"


def _result(action: Action, row: Any, sha256: str, warnings: tuple[Finding, ...] = ()) -> Result:
    return Result(name=row.source_name, action=action, post=stored_of(row), sha256=sha256, warnings=warnings)


def history_of(action: Action, row: Any, sha256: str | None, options: Options) -> dict[str, Any]:
    """One change as the history keeps it; `advance` adds the version and the instant."""
    return {
        "post_id": row.id,
        "source_name": row.source_name,
        "kind": action,
        "author": options.author,
        "via": options.via,
        "sha256": sha256,
    }
