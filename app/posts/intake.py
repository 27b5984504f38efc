"""An upload inside the write transaction: planned against what is stored now, then written and noted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from app.errors import Conflict, Finding
from app.posts.changes import Turn
from app.posts.look import Intake, is_missing, say_unchanged, see, understand
from app.posts.models import AnyRow
from app.posts.options import PostState
from app.posts.plan import Claim, check_prune, find_renames, give_slugs, keeps_slug, missing_from, spared
from app.posts.records import Outline
from app.posts.report import Result
from app.posts.sites import Sites, write_sites
from app.posts.store import delete_posts, known, note_taken, slug_holders, stored_below
from app.posts.writing import Plan, Writer


def take(connection: Connection, intake: Intake, turn: Turn) -> None:
    """Plans and writes the whole upload. Raises Conflict for a prune that takes too much."""
    seen = see(connection, intake)
    documents = understand(intake, seen)
    say_unchanged(intake, seen, documents)
    fresh: list[Outline] = []
    for name, document in documents.items():
        if isinstance(document, Outline):
            fresh.append(document)
        else:
            intake.say(Result(name=name, action="failed", problem=document))
    gone, below = _gone(connection, intake, seen.sites)
    come = [document for document in fresh if document.name not in seen.stored]
    renames = find_renames([known(row) for row in gone.values()], come)
    replaced = {**seen.stored} | {name: gone.pop(post.name) for name, post in renames.items()}
    if gone:
        check_prune(len(gone), below, intake.options.prune_max)
    write_sites(connection, seen.sites, intake.options.via)
    delete_posts(connection, [row.pk for row in gone.values()])
    slugs, taken_slugs = _slugs(connection, intake, fresh, replaced)
    stale = {source.name for source in seen.stale}
    plan = Plan(stale=stale, fresh=fresh, replaced=replaced, gone=gone, slugs=slugs, taken_slugs=taken_slugs)
    Writer(connection=connection, intake=intake, plan=plan, turn=turn).write()
    if intake.options.via == "folder":  # what failed is tried again at the next start
        failed = intake.failed_names
        files = (*intake.batch.configs, *intake.batch.sources)
        seen_hashes = {file.name: file.sha256 for file in files if file.name not in failed}
        note_taken(connection, (seen_hashes | {document.name: document.sha256 for document in fresh}).items())


def _gone(connection: Connection, intake: Intake, sites: Sites) -> tuple[dict[str, AnyRow], int]:
    """The stored posts that are to be pruned, and how many there are below the prefix."""
    if intake.options.prune_below is None:
        return {}, 0
    below = stored_below(connection, intake.options.prune_below)
    manifest = {name: sha256 for name, sha256 in intake.options.manifest.items() if name not in intake.sent}
    hashes = {name: row.sha256 for name, row in below.items()}
    hashes |= {name: config.sha256 for name, config in sites.before.items()}
    for name, finding in missing_from(manifest, hashes):
        intake.say(Result(name=name, action="failed", problem=finding))
    gone = {name: row for name, row in below.items() if is_missing(name, intake)}
    kept = spared(gone, intake.failed_names)
    return {name: row for name, row in gone.items() if name not in kept}, len(below)


def _slugs(
    connection: Connection, intake: Intake, fresh: Sequence[Outline], replaced: Mapping[str, AnyRow]
) -> tuple[dict[str, str], dict[str, Finding]]:
    """Name -> slug, and the remarks where one was taken. Raises Conflict where the slug of a PUT is."""
    states = {name: state for name, state in intake.options.states.items() if name not in replaced}
    claims = [
        _claim(document, replaced.get(document.name), states.get(document.name), intake.now) for document in fresh
    ]
    slugs, taken_slugs = give_slugs(claims, _holders(connection, claims))
    _check_slug(intake.options.slug, slugs)
    return slugs, taken_slugs


def _claim(document: Outline, row: AnyRow | None, state: PostState | None, now: datetime) -> Claim:
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
