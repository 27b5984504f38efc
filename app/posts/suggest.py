"""Titles and tags for what a reader has typed so far. What is seen is what may be seen, as everywhere."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import Connection, select

from app.posts.fields import LINK, Shape, Show, columns_of, show_post
from app.posts.models import AnyRow, AnySelect, posts, terms
from app.posts.pages import Item
from app.posts.queries import Reader, Rows, visible
from app.search import index, tag_index
from app.search.typed import Typed, form

_SHAPE: Shape = dict.fromkeys(LINK)
_NEWEST = 300  # posts looked through before the index is asked: what many titles hold, some of the newest hold
_TAGS = 100  # looked at a time
_SPELLINGS = 30  # uses of a tag that are looked at
_TERMS = Rows(table=terms, source=terms, pk=terms.c.post_pk, term=None)


def suggest_posts(connection: Connection, typed: Typed, limit: int, reader: Reader, show: Show) -> list[Item]:
    """The posts whose title begins with what is typed, in the order of titles; then those that hold it, newest first."""
    rows: dict[str, AnyRow] = {}
    if typed.phrases:
        for row in _titled(connection, typed, limit, reader):
            rows.setdefault(row.slug, row)
            if len(rows) == limit:
                break
    return [show_post(row, _SHAPE, show) for row in rows.values()]


def _titled(connection: Connection, typed: Typed, limit: int, reader: Reader) -> Iterator[AnyRow]:
    """Rows that may come twice; `limit` different ones if there are as many."""
    columns = columns_of(_SHAPE, posts.c.title_key, posts.c.published_at)
    seen = select(*columns).where(visible(reader.now))
    begun = seen.where(posts.c.title_key >= typed.key, posts.c.title_key < typed.key + "\U0010ffff")
    yield from connection.execute(begun.order_by(posts.c.title_key, posts.c.source_name).limit(limit))
    newest = connection.execute(_by_time(seen).limit(_NEWEST)).all()
    holding = [row for row in newest if typed.stands_in(form(row.title_key))]
    yield from holding
    if len(newest) == _NEWEST and len(holding) < 2 * limit:  # as many may have come before
        yield from connection.execute(
            _by_time(seen.where(index.titled(typed, reader.dialect, posts.c.pk))).limit(2 * limit)
        )


def _by_time(statement: AnySelect) -> AnySelect:
    return statement.order_by(posts.c.published_at.desc(), posts.c.source_name.desc())


def suggest_tags(connection: Connection, typed: Typed, limit: int, reader: Reader) -> list[str]:
    """The tags that begin with what is typed, then those that hold it, shorter ones first."""
    return list(islice(_tags(connection, typed, reader), limit)) if typed.phrases else []


def _tags(connection: Connection, typed: Typed, reader: Reader) -> Iterator[str]:
    keys = tag_index.holding(typed)
    start = 0
    while found := connection.execute(keys.limit(_TAGS).offset(start)).scalars().all():
        names = (_name(connection, key, reader) for key in found if typed.stands_in(form(key)))
        yield from filter(None, names)
        start += _TAGS


def _name(connection: Connection, key: str, reader: Reader) -> str | None:
    """The spelling of a tag that most of its newest posts use; None where it has no post that may be seen."""
    statement = (
        select(terms.c.name)
        .where(terms.c.taxonomy == "tag", terms.c.key == key, visible(reader.now, _TERMS))
        .order_by(terms.c.published_at.desc(), terms.c.source_name.desc())
        .limit(_SPELLINGS)
    )
    uses = Counter(connection.execute(statement).scalars())
    return min(uses, key=lambda name: (-uses[name], name), default=None)
