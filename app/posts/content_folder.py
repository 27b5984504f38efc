"""What `serve` takes from the content folder at each start: what is new or differs from what it last took."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from app.database import reading
from app.documents.document import Context
from app.documents.sources import Batch, Limits, Source, gather, in_folder
from app.posts.ingest import Options, ingest
from app.posts.models import changes, posts, taken
from app.posts.report import Report
from app.posts.store import chunks


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of it; `left_alone` are names that were last written or deleted over HTTP."""

    report: Report
    left_alone: tuple[str, ...]


class _Overtaken(Exception):
    pass


def take_folder(engine: Engine, folder: Path, *, context: Context, now: datetime) -> Taken:
    """Ingests what is new or changed in the folder; bad files are in the report, nothing is ever pruned.

    Raises DatabaseUnavailable, and OSError where the folder cannot be read.
    """
    batch = gather(in_folder(folder), limits=Limits())
    while True:
        try:
            return _take(engine, batch, context, now)
        except _Overtaken:
            continue


def _take(engine: Engine, batch: Batch, context: Context, now: datetime) -> Taken:
    with reading(engine) as connection:
        last_taken = {row.name: row.sha256 for row in connection.execute(select(taken))}
        stale = set(
            connection.execute(select(posts.c.source_name).where(posts.c.rendered_by != context.rendered_by)).scalars()
        )
        wanted = [s for s in batch.sources if last_taken.get(s.name) != s.sha256 or s.name in stale]
        foreign = _written_over_http(connection, [source.name for source in wanted])
    chosen = [source for source in wanted if source.name not in foreign]

    def check(connection: Connection) -> None:
        if _written_over_http(connection, [source.name for source in chosen]):
            raise _Overtaken

    report = ingest(
        engine,
        Batch(sources=chosen, skipped=batch.skipped, refused=batch.refused),
        context=context,
        options=Options(author="content folder", via="folder", atomic=False),
        now=now,
        guard=check,
    )
    return Taken(report=report, left_alone=tuple(_differing(wanted, foreign, last_taken)))


def _differing(wanted: Iterable[Source], foreign: set[str], last_taken: dict[str, str]) -> Iterable[str]:
    return (s.name for s in wanted if s.name in foreign and last_taken.get(s.name) != s.sha256)


def _written_over_http(connection: Connection, names: Iterable[str]) -> set[str]:
    """The names whose last change came over HTTP."""
    found: set[str] = set()
    for chunk in chunks(names):
        last = (
            select(func.max(changes.c.pk))
            .where(changes.c.source_name.in_(chunk), changes.c.via != "rerender")  # that writes nobody's words
            .group_by(changes.c.source_name)
        )
        found |= set(
            connection.execute(
                select(changes.c.source_name).where(changes.c.pk.in_(last), changes.c.via == "http")
            ).scalars()
        )
    return found
