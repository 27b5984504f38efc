"""Posts that an older renderer or another context made, made again from their stored sources."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, func, select

from app.database import reading
from app.documents.context import Context
from app.documents.sources import Batch, Source
from app.posts.ingest import Options, ingest
from app.posts.models import bodies, posts
from app.posts.report import Result
from app.posts.sites import contexts_now, is_stale
from app.rendering.tasks import ParseEach, finish_each

CHUNK = 100  # posts a transaction: what is done stays done when the rest is broken off


def count_stale(engine: Engine, context: Context) -> int:
    with reading(engine) as connection:
        statement = select(func.count()).select_from(posts).where(is_stale(contexts_now(connection, context)))
        return int(connection.execute(statement).scalar_one())


def rerender(
    engine: Engine,
    context: Context,
    *,
    now: datetime,
    on_result: Callable[[Result], None] = lambda _: None,
    parse_each: ParseEach = finish_each,
) -> None:
    """Renders every stale post again, in chunks; one that fails keeps its old rendering and is reported.

    Raises DatabaseUnavailable; a later call goes on where this one ended.
    """
    options = Options(author="rerender", via="rerender", atomic=False)
    after = 0
    while True:
        with reading(engine) as connection:
            after, sources = _stale(connection, is_stale(contexts_now(connection, context)), after)
        if not sources:
            return
        batch = Batch(sources=sources)
        ingest(engine, batch, context=context, options=options, now=now, on_result=on_result, parse_each=parse_each)


def _stale(connection: Connection, condition: ColumnElement[bool], after: int) -> tuple[int, list[Source]]:
    rows = connection.execute(
        select(posts.c.pk, posts.c.source_name, bodies.c.source)
        .join(bodies, bodies.c.post_pk == posts.c.pk)
        .where(condition, posts.c.pk > after)
        .order_by(posts.c.pk)
        .limit(CHUNK)
    ).all()
    sources = [Source(name=row.source_name, content=bytes(row.source)) for row in rows]
    return (rows[-1].pk if rows else after), sources
