"""Posts related to one: by the tags they share, the rarer the better, and by words.

What is read is bounded, however many posts there are and however common a tag is: of each keyword the newest posts,
and counts that end where a keyword is common. That is the same for all posts with the keyword, and read once in an epoch.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from heapq import nlargest
from itertools import chain, repeat
from math import log
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.posts.epochs import Snapshot
from app.posts.fields import LINK, columns_of
from app.posts.models import keywords, posts
from app.posts.prepared import Prepared
from app.posts.queries import Reader, visible

MOST = 5
_COMMON = 400  # posts; on how many more a keyword stands makes no difference
_NEWEST = 100  # posts that are looked at for each keyword
_TAG = 3  # a tag counts for so many words
_EQUALS = 150  # posts among which those of one instant are put in order
_REMEMBERED = 5_000  # keywords at once, each in one and a half kilobytes at most
_NUMBERS = [f"number{place}" for place in range(256)]  # of keywords and posts, as parameters
_NONE = -1  # no keyword's number, and no post's


class _Spread(NamedTuple):
    """What a keyword weighs, and the newest posts that have it, each with the second that it shows from."""

    weight: int
    newest: Collection[int]
    since: Collection[int]


def related_to(snapshot: Snapshot, pk: int, reader: Reader) -> list[Any]:
    """The visible posts that share most with a post, the best first; equals by time, then by source name.

    They have the columns of a link.
    """
    scores = _best(_spreads(snapshot, pk, reader), pk)
    if not scores:
        return []
    asked = _numbered(scores)
    links = _links(len(asked), reader.prepared, snapshot.connection.dialect)
    rows = links.rows(snapshot.connection, now=reader.now, **asked)
    rows.sort(key=lambda row: (scores[row.pk], row.published_at, row.source_name), reverse=True)
    return rows[:MOST]


def _spreads(snapshot: Snapshot, pk: int, reader: Reader) -> list[_Spread]:
    """How the keywords of a post are spread."""
    known: dict[int, _Spread] = snapshot.once("keywords", dict, is_short=True, is_lasting=True)
    own = [row.keyword for row in _own(snapshot.connection.dialect).rows(snapshot.connection, pk=pk)]
    found = [known.get(keyword) for keyword in own]  # asked once: another thread may forget all in between
    unknown = [keyword for keyword, spread in zip(own, found, strict=True) if spread is None]
    new = _read(snapshot, unknown, reader) if unknown else {}
    if len(known) + len(new) > _REMEMBERED:
        known.clear()
    known |= new
    return [*filter(None, found), *new.values()]


def _read(snapshot: Snapshot, unknown: Collection[int], reader: Reader) -> dict[int, _Spread]:
    """How keywords are spread, by their numbers."""
    connection = snapshot.connection

    def count() -> int:
        ((shown,),) = _shown(reader.prepared, connection.dialect).rows(connection, now=reader.now)
        return int(shown)

    of_posts = snapshot.once("posts", count, is_short=True, is_lasting=True)
    asked = _numbered(unknown)
    rows = _spreading(len(asked), connection.dialect).rows(connection, seconds=int(reader.now.timestamp()), **asked)
    return {row.keyword: _spread(row, of_posts) for row in rows}


def _spread(row: Any, of_posts: int) -> _Spread:
    having = row.having.split(",") if row.having else ()
    weight = _weight(len(having), of_posts, is_tag=row.is_tag)
    if not weight:
        return _Spread(0, (), ())
    return _Spread(weight, array("i", map(int, having[:_NEWEST])), array("q", map(int, row.since.split(","))))


def _best(spreads: Iterable[_Spread], pk: int) -> dict[int, int]:
    """The posts among which the best are, with their scores: whole numbers add up to the same in whatever order."""
    scores: dict[int, int] = {}
    counting = [spread for spread in spreads if spread.weight]
    for weight, newest, _ in counting:
        for post in newest:
            scores[post] = scores.get(post, 0) + weight
    scores.pop(pk, None)
    least = min(nlargest(MOST, scores.values()), default=0)
    best = {post: score for post, score in scores.items() if score >= least}
    if len(best) <= MOST:
        return best
    equals = {post for post, score in best.items() if score == least}
    since = dict(chain.from_iterable(_first(spread, equals) for spread in counting))
    last = min(nlargest(MOST, since.values()))
    first = set(nlargest(_EQUALS, (post for post, second in since.items() if second >= last)))
    return {post: score for post, score in best.items() if score > least or post in first}


def _first(spread: _Spread, posts: Collection[int]) -> Iterator[tuple[int, int]]:
    """Of these posts the newest that have a keyword, and all of the same instant as the last of them."""
    left, last = MOST, 0
    for post, second in zip(spread.newest, spread.since, strict=True):
        if post in posts:
            if left <= 0 and second != last:
                return
            left, last = left - 1, second
            yield post, second


def _numbered(values: Collection[int]) -> dict[str, int]:
    """Values as parameters; filled up, so that few statements are prepared for all numbers of them."""
    size = max(4, 1 << (len(values) - 1).bit_length())
    return dict(zip(_NUMBERS[:size], chain(values, repeat(_NONE)), strict=False))


@lru_cache(maxsize=8)
def _own(dialect: Dialect) -> Prepared:
    own = select(keywords.c.keyword).where(keywords.c.post_pk == bindparam("pk", type_=Integer))
    return Prepared(own, dialect)


@lru_cache(maxsize=8)
def _shown(reader: Reader, dialect: Dialect) -> Prepared:
    """How many posts there are, as far as it matters."""
    shown = select(literal(1)).select_from(posts).where(visible(reader.now)).limit(_COMMON).subquery()
    return Prepared(select(func.count()).select_from(shown), dialect)


@lru_cache(maxsize=32)
def _spreading(size: int, dialect: Dialect) -> Prepared:
    """Of so many keywords: whether each is a tag, and the posts that have it, the newest first, as far as they matter."""
    numbers = (bindparam(name, type_=BigInteger).label("keyword") for name in _NUMBERS[:size])
    asked = union_all(*map(select, numbers)).subquery()
    seconds = bindparam("seconds", type_=BigInteger)
    shows = (keywords.c.shows_from <= seconds) & or_(keywords.c.shows_until == 0, keywords.c.shows_until > seconds)
    of_keyword = select(keywords.c.is_tag).where(keywords.c.keyword == asked.c.keyword).correlate(asked)
    newest = of_keyword.where(shows).order_by(keywords.c.shows_from.desc(), keywords.c.post_pk.desc())

    def joined(column: ColumnElement[int], most: int) -> Select[str]:
        (value,) = newest.with_only_columns(column).limit(most).subquery().c
        return select(func.aggregate_strings(cast(value, Text), ","))

    having, since = joined(keywords.c.post_pk, _COMMON), joined(keywords.c.shows_from, _NEWEST)
    columns = {"is_tag": of_keyword.limit(1), "having": having, "since": since}
    return Prepared(
        select(asked.c.keyword, *(column.scalar_subquery().label(name) for name, column in columns.items())), dialect
    )


@lru_cache(maxsize=32)
def _links(size: int, reader: Reader, dialect: Dialect) -> Prepared:
    """Of so many posts those that are visible."""
    pks = [bindparam(name, type_=Integer) for name in _NUMBERS[:size]]
    columns = columns_of(dict.fromkeys(LINK), posts.c.pk)
    statement = select(*columns).where(posts.c.pk.in_(pks), visible(reader.now))
    # Without the hint SQLite walks all posts by date, looking for each among them.
    return Prepared(statement.with_hint(posts, "NOT INDEXED", "sqlite"), dialect)


def _weight(on_posts: int, of_posts: int, *, is_tag: bool) -> int:
    """The rarer the more. A word that most posts have says nothing, a tag a little: its author chose it."""
    if on_posts == 0:
        return 0
    if is_tag:
        return round(_TAG * 1000 * log(1 + of_posts / on_posts))
    return round(1000 * log(of_posts / on_posts)) if on_posts <= of_posts / 2 + 1 else 0
