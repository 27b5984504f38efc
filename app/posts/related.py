"""Posts related to one: by the tags they share, the rarer the better, and by words.

What is read is bounded, however many posts there are and however common a tag is: of each keyword the newest posts,
and counts that end where a keyword is common.
"""

from functools import lru_cache
from math import log
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Integer,
    Subquery,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)

from app.posts.fields import LINK, columns_of
from app.posts.models import keywords, posts
from app.posts.prepared import Prepared
from app.posts.queries import Reader, visible

MOST = 5
_COMMON = 400  # posts; on how many more a keyword stands makes no difference
_NEWEST = 100  # posts that are looked at for each keyword
_BEST = 150  # posts among which equals are put in order
_TAG = 3  # a tag counts for so many words
_PK, _SECONDS = bindparam("pk", type_=Integer), bindparam("seconds", type_=BigInteger)


def related_to(connection: Connection, pk: int, reader: Reader) -> list[Any]:
    """The visible posts that share most with a post, the best first; equals by time, then by source name.

    They have the columns of a link.
    """
    given = {"pk": pk, "now": reader.now, "seconds": int(reader.now.timestamp())}
    found = _counting(reader.prepared, connection.dialect).rows(connection, **given)
    # Whole numbers add up to the same on every database, in whatever order.
    weights = {row.keyword: _weight(row.on_posts, row.of_posts, is_tag=row.is_tag) for row in found}
    chosen = sorted((keyword, weight) for keyword, weight in weights.items() if weight > 0)
    if not chosen:
        return []
    for number, (keyword, weight) in enumerate(chosen):
        given |= {f"keyword{number}": keyword, f"weight{number}": weight}
    rows = _finding(len(chosen), reader.prepared, connection.dialect).rows(connection, **given)
    return [row for row in rows if row.id is not None]


@lru_cache
def _counting(reader: Reader, dialect: Dialect) -> Prepared:
    """The keywords of a post, each with on how many posts it stands, of how many."""
    other = keywords.alias()
    same = select(literal(1)).where(other.c.keyword == keywords.c.keyword, _shows(other))
    shown = select(literal(1)).select_from(posts).where(visible(reader.now))
    on_posts = select(func.count()).select_from(same.correlate(keywords).limit(_COMMON).subquery())
    of_posts = select(func.count()).select_from(shown.limit(_COMMON).subquery())
    counts = (on_posts.scalar_subquery().label("on_posts"), of_posts.scalar_subquery().label("of_posts"))
    statement = select(keywords.c.keyword, keywords.c.is_tag, *counts).where(keywords.c.post_pk == _PK)
    return Prepared(statement, dialect)


@lru_cache
def _finding(number: int, reader: Reader, dialect: Dialect) -> Prepared:
    """The posts with so many keywords, the best."""
    best = _best(number)
    # An outer join can only begin with the few; SQLite would walk all posts by date, looking for each among them.
    found = best.outerjoin(posts, (posts.c.pk == best.c.post_pk) & visible(reader.now))
    statement = (
        select(*columns_of(dict.fromkeys(LINK)))
        .select_from(found)
        .order_by(best.c.score.desc(), posts.c.published_at.desc(), posts.c.source_name.desc())
        .limit(MOST)
    )
    return Prepared(statement, dialect)


def _best(number: int) -> Subquery:
    found: Subquery = union_all(*map(_newest, range(number))).subquery()
    score = func.sum(found.c.weight).label("score")
    return (
        select(found.c.post_pk, score)
        .where(found.c.post_pk != _PK)
        .group_by(found.c.post_pk)
        .order_by(score.desc(), func.max(found.c.shows_from).desc(), found.c.post_pk.desc())
        .limit(_BEST)
        .subquery()
    )


def _newest(place: int) -> Any:
    keyword: ColumnElement[int] = bindparam(f"keyword{place}", type_=BigInteger)
    weight: ColumnElement[int] = bindparam(f"weight{place}", type_=Integer)
    found = (
        select(keywords.c.post_pk, keywords.c.shows_from, weight.label("weight"))
        .where(keywords.c.keyword == keyword, _shows(keywords))
        .order_by(keywords.c.shows_from.desc(), keywords.c.post_pk.desc())
        .limit(_NEWEST)
        .subquery()
    )
    return select(found)


def _shows(rows: FromClause) -> ColumnElement[bool]:
    """What `visible` says of the post that the rows are of."""
    return (rows.c.shows_from <= _SECONDS) & or_(rows.c.shows_until == 0, rows.c.shows_until > _SECONDS)


def _weight(on_posts: int, of_posts: int, *, is_tag: bool) -> int:
    """The rarer the more. A word that most posts have says nothing, a tag a little: its author chose it."""
    if on_posts == 0:
        return 0
    if is_tag:
        return round(_TAG * 1000 * log(1 + of_posts / on_posts))
    return round(1000 * log(of_posts / on_posts)) if on_posts <= of_posts / 2 + 1 else 0
