"""What `serve` takes from the content folder at each start: what is new or differs from what it last took."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, select

from app.database import reading
from app.documents.context import Context
from app.documents.source_names import is_config
from app.documents.sources import Batch, Limits, Source, gather, in_folder
from app.posts.ingest import Options, ingest
from app.posts.models import changes, posts, site_files, taken
from app.posts.report import Report
from app.posts.sites import contexts_now, is_stale
from app.posts.store import chunks
from app.rendering.tasks import ParseEach, finish_each


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of it; `left_alone` are names that were last written or deleted over HTTP."""

    report: Report
    left_alone: tuple[str, ...]


class _Overtaken(Exception):
    pass


def take_folder(
    engine: Engine, folder: Path, *, context: Context, now: datetime, parse_each: ParseEach = finish_each
) -> Taken:
    """Ingests what is new or changed in the folder; bad files are in the report, nothing is ever pruned.

    Raises DatabaseUnavailable, and OSError where the folder cannot be read.
    """
    batch = gather(in_folder(folder), limits=Limits())
    while True:
        try:
            return _take(engine, batch, context, now, parse_each)
        except _Overtaken:
            continue


def _take(engine: Engine, batch: Batch, context: Context, now: datetime, parse_each: ParseEach) -> Taken:
    with reading(engine) as connection:
        last_taken = {row.name: row.sha256 for row in connection.execute(select(taken))}
        condition = is_stale(contexts_now(connection, context))
        stale = set(connection.execute(select(posts.c.source_name).where(condition)).scalars())
        wanted = [
            file
            for file in (*batch.configs, *batch.sources)
            if last_taken.get(file.name) != file.sha256 or file.name in stale
        ]
        foreign = _written_over_http(connection, [file.name for file in wanted])
    chosen = [file for file in wanted if file.name not in foreign]

    def check(connection: Connection) -> None:
        if _written_over_http(connection, [file.name for file in chosen]):
            raise _Overtaken

    report = ingest(
        engine,
        Batch(
            sources=[file for file in chosen if not is_config(file.name)],
            configs=[file for file in chosen if is_config(file.name)],
            skipped=batch.skipped,
            refused=batch.refused,
        ),
        context=context,
        options=Options(author="content folder", via="folder", atomic=False),
        now=now,
        guard=check,
        parse_each=parse_each,
    )
    return Taken(report=report, left_alone=tuple(_differing(wanted, foreign, last_taken)))


def _differing(wanted: Iterable[Source], foreign: set[str], last_taken: dict[str, str]) -> Iterable[str]:
    return (s.name for s in wanted if s.name in foreign and last_taken.get(s.name) != s.sha256)


def _written_over_http(connection: Connection, names: Iterable[str]) -> set[str]:
    """The names whose last change came over HTTP."""
    found: set[str] = set()
    for chunk in chunks(names):
        configs = select(site_files.c.name).where(site_files.c.name.in_(chunk), site_files.c.via == "http")
        found |= set(connection.execute(configs).scalars())
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
