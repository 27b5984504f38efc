"""An upload held against what is stored: what is new in it, what stays as it is, and what its configurations move."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Connection

from app.documents.context import Context, Contexts
from app.documents.sources import UNREAD, Batch, Source
from app.errors import Finding
from app.posts.models import AnyRow
from app.posts.options import Options
from app.posts.plan import same_source
from app.posts.records import Outline, Packed
from app.posts.report import Result, Stored
from app.posts.sites import Sites, plan_sites, read_sites, stale_below
from app.posts.spool import Spool
from app.posts.store import stored_under

Key: TypeAlias = tuple[str, str, str]  # a name, the hash of its bytes, what renders it
PackEach: TypeAlias = Callable[[Sequence[Source], Contexts], Iterator[Packed | Finding]]
"""What each source came to, in order, ready to be written."""


@dataclass(kw_only=True)
class Intake:
    """What is known of an upload while it is taken."""

    batch: Batch
    options: Options
    context: Context
    now: datetime
    pack_each: PackEach
    on_result: Callable[[Result], None]
    spool: Spool
    results: list[Result] = field(default_factory=list)
    parsed: dict[Key, Outline | Finding] = field(default_factory=dict)

    def say(self, result: Result) -> None:
        self.results.append(result)
        self.on_result(result)

    @cached_property
    def sent(self) -> set[str]:
        """The names of all files that came."""
        batch = self.batch
        files = (source.name for source in (*batch.configs, *batch.sources))
        return {*files, *batch.skipped, *(name for name, _ in batch.refused)}

    @property
    def failed_names(self) -> set[str]:
        return {result.name for result in self.results if result.action == "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one transaction sees of all that an upload concerns.

    `stale` are stored sources that are not in the upload, but mean something else by a configuration that is.
    """

    sites: Sites
    contexts: Contexts
    stored: Mapping[str, AnyRow]
    stale: Sequence[Source]


def see(connection: Connection, intake: Intake) -> Seen:
    batch = intake.batch
    sites = plan_sites(read_sites(connection), batch, intake.options)
    contexts = Contexts.of_sites(intake.context, sites.after.values())
    names = {source.name for source in batch.sources}
    stale = [
        source
        for source in stale_below(connection, sites.moved, contexts)
        if source.name not in names and not is_missing(source.name, intake)
    ]
    stored = stored_under(connection, [*names, *(source.name for source in stale)])
    return Seen(sites=sites, contexts=contexts, stored=stored, stale=stale)


def wanted(intake: Intake, seen: Seen) -> dict[Key, Source]:
    """The sources that are not stored as they would be now: told by hash, before anything is parsed."""
    found: dict[Key, Source] = {}
    for source in (*intake.batch.sources, *seen.stale):
        rendered_by = seen.contexts.of(source.name).rendered_by
        if not same_source(seen.stored.get(source.name), source.sha256, rendered_by):
            found[source.name, source.sha256, rendered_by] = source
    return found


def understand(intake: Intake, seen: Seen) -> dict[str, Outline | Finding]:
    """All that is not stored as it would be now. What an earlier look has parsed is not parsed again.

    Bytes that are read later than their source was seen may be others: they are kept under their own hash.
    """
    keys = wanted(intake, seen)
    # Another writer may have come between the first look and our turn.
    fresh = {key: source for key, source in keys.items() if key not in intake.parsed}
    found = {key[0]: intake.parsed[key] for key in keys if key in intake.parsed}
    for key, packed in zip(fresh, intake.pack_each(tuple(fresh.values()), seen.contexts), strict=True):
        name, _, rendered_by = key
        if isinstance(packed, Finding):
            found[name] = packed
            if packed.code != UNREAD:
                intake.parsed[key] = packed
        else:
            outline = replace(packed.outline, place=intake.spool.put(packed))
            found[name] = intake.parsed[name, outline.sha256, rendered_by] = outline
    return {key[0]: found[key[0]] for key in keys}


def say_unchanged(intake: Intake, seen: Seen, documents: Container[str]) -> None:
    """Says which posts stay as they are, and what becomes of the configurations, which are no posts."""
    for name in sorted({*seen.sites.before, *seen.sites.after, *seen.sites.refused}):
        problem = seen.sites.refused.get(name)
        if problem is not None:
            intake.say(Result(name=name, action="failed", problem=problem))
        elif name in seen.sites.written or any(config.name == name for config in intake.batch.configs):
            config = seen.sites.after.get(name)
            changed = seen.sites.changed(name)
            intake.say(Result(name=name, action="skipped", sha256=config.sha256 if config else None, changed=changed))
    for source in intake.batch.sources:
        if source.name not in documents:
            row = seen.stored[source.name]
            intake.say(Result(name=source.name, action="unchanged", post=stored_of(row), sha256=source.sha256))


def is_missing(name: str, intake: Intake) -> bool:
    """Whether a stored name lies below the prefix to be pruned, and is neither in the upload nor in its manifest."""
    prefix = intake.options.prune_below
    return (
        prefix is not None
        and name.startswith(prefix)
        and name not in intake.sent
        and name not in intake.options.manifest
    )


def stored_of(row: Any) -> Stored:
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
