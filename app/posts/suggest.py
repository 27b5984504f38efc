"""Titles and tags for what a reader has typed so far. What is seen is what may be seen, as everywhere."""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Dialect, Integer, bindparam, select

from app.posts.fields import LINK, Shape, Show, columns_of, show_post
from app.posts.models import AnySelect, posts, terms
from app.posts.pages import Item
from app.posts.prepared import Prepared
from app.posts.queries import TERMS, Reader, visible
from app.search import index, tag_index
from app.search.typed import Typed, form

_SHAPE: Shape = dict.fromkeys(LINK)
_NEWEST = 1_000  # posts looked through before the index is asked: what many titles hold, some of the newest hold
_TAGS = 100  # looked at a time
_SPELLINGS = 30  # uses of a tag that are looked at
_LIMIT, _OFFSET = bindparam("limit", type_=Integer), bindparam("offset", type_=Integer)


def suggest_posts(connection: Connection, typed: Typed, limit: int, reader: Reader, show: Show) -> list[Item]:
    """The posts whose title begins with what is typed, in the order of titles; then those that hold it, newest first."""
    rows: dict[str, Any] = {}
    if typed.phrases:
        for row in _titled(connection, typed, limit, reader):
            rows.setdefault(row.slug, row)
            if len(rows) == limit:
                break
    return [show_post(row, _SHAPE, show) for row in rows.values()]


def _titled(connection: Connection, typed: Typed, limit: int, reader: Reader) -> Iterator[Any]:
    """Rows that may come twice; `limit` different ones if there are as many."""
    dialect, prepared = connection.dialect, reader.prepared
    end = typed.key + "\U0010ffff"
    yield from _begun(prepared, dialect).rows(connection, now=reader.now, begin=typed.key, end=end, limit=limit)
    newest = _newest(prepared, dialect).rows(connection, now=reader.now, run=f"%{_escaped(typed.longest_run)}%")
    holding = list(islice((row for row in newest if typed.stands_in(form(row.title_key))), 2 * limit))
    yield from holding
    if len(holding) < 2 * limit:  # as many may have come before
        given = index.typed_parameters(typed, reader.dialect)
        yield from _held(prepared, dialect).rows(connection, now=reader.now, limit=2 * limit, **given)


def _escaped(run: str) -> str:
    return "".join(f"/{character}" if character in "/%_" else character for character in run)


@lru_cache(maxsize=8)
def _begun(reader: Reader, dialect: Dialect) -> Prepared:
    begin, end = (bindparam(name, type_=posts.c.title_key.type) for name in ("begin", "end"))
    begun = _seen(reader).where(posts.c.title_key >= begin, posts.c.title_key < end)
    return Prepared(begun.order_by(posts.c.title_key, posts.c.source_name).limit(_LIMIT), dialect)


@lru_cache(maxsize=8)
def _newest(reader: Reader, dialect: Dialect) -> Prepared:
    """Of the newest posts those in whose title a run of characters stands; what is invisible in one may hide it."""
    newest = _by_time(_seen(reader)).limit(_NEWEST).subquery()
    run = bindparam("run", type_=posts.c.title_key.type)
    return Prepared(select(newest).where(newest.c.title_key.like(run, escape="/")), dialect)


@lru_cache(maxsize=8)
def _held(reader: Reader, dialect: Dialect) -> Prepared:
    held = _seen(reader).where(index.titled(reader.dialect, posts.c.pk))
    held = held.with_hint(posts, "NOT INDEXED", "sqlite")  # else all posts are walked by date
    return Prepared(_by_time(held).limit(_LIMIT), dialect)


def _seen(reader: Reader) -> AnySelect:
    return select(*columns_of(_SHAPE, posts.c.title_key, posts.c.published_at)).where(visible(reader.now))


def _by_time(statement: AnySelect) -> AnySelect:
    return statement.order_by(posts.c.published_at.desc(), posts.c.source_name.desc())


def suggest_tags(connection: Connection, typed: Typed, limit: int, reader: Reader) -> list[str]:
    """The tags that begin with what is typed, then those that hold it, shorter ones first."""
    return list(islice(_tags(connection, typed, reader), limit)) if typed.phrases else []


def _tags(connection: Connection, typed: Typed, reader: Reader) -> Iterator[str]:
    keys = _keys(connection.dialect)
    start = 0
    while found := keys.rows(connection, limit=_TAGS, offset=start, **tag_index.parameters(typed)):
        names = (_name(connection, row.key, reader) for row in found if typed.stands_in(form(row.key)))
        yield from filter(None, names)
        start += _TAGS


@lru_cache(maxsize=8)
def _keys(dialect: Dialect) -> Prepared:
    return Prepared(tag_index.holding().limit(_LIMIT).offset(_OFFSET), dialect)


def _name(connection: Connection, key: str, reader: Reader) -> str | None:
    """The spelling of a tag that most of its newest posts use; None where it has no post that may be seen."""
    found = _spellings(reader.prepared, connection.dialect).rows(connection, now=reader.now, key=key)
    uses = Counter(row.name for row in found)
    return min(uses, key=lambda name: (-uses[name], name), default=None)


@lru_cache(maxsize=8)
def _spellings(reader: Reader, dialect: Dialect) -> Prepared:
    """Of the newest uses of a tag."""
    is_asked = terms.c.key == bindparam("key", type_=terms.c.key.type)
    statement = select(terms.c.name).where(terms.c.taxonomy == "tag", is_asked, visible(reader.now, TERMS))
    newest = statement.order_by(terms.c.published_at.desc(), terms.c.source_name.desc())
    return Prepared(newest.limit(_SPELLINGS), dialect)
