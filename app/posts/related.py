"""Posts related to one: by the tags they share, the rarer the better, and by words.

What is read is bounded, however many posts there are and however common a tag is: of each keyword the newest posts,
and counts that end where a keyword is common.
"""

from collections.abc import Iterable
from functools import cache
from math import log
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
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

from app.posts.models import AnyRow, keywords, posts
from app.posts.queries import Reader, visible

MOST = 5
_COMMON = 400  # posts; on how many more a keyword stands makes no difference
_NEWEST = 100  # posts that are looked at for each keyword
_BEST = 150  # posts among which equals are put in order
_TAG = 3  # a tag counts for so many words


def related_to(connection: Connection, pk: int, columns: Iterable[ColumnElement[Any]], reader: Reader) -> list[AnyRow]:
    """The visible posts that share most with a post, the best first; equals by time, then by source name."""
    weights = _weights(connection, pk, reader)
    if not weights:
        return []
    best = _best(len(weights))
    statement = (
        select(*columns)
        .select_from(best.join(posts, posts.c.pk == best.c.post_pk))
        .with_hint(posts, "NOT INDEXED", "sqlite")  # else SQLite walks all posts by date, looking for each among those
        .where(visible(reader.now))
        .order_by(best.c.score.desc(), posts.c.published_at.desc(), posts.c.source_name.desc())
        .limit(MOST)
    )
    given = {"pk": pk, "now": int(reader.now.timestamp())}
    for number, (keyword, weight) in enumerate(weights.items()):
        given |= {f"keyword{number}": keyword, f"weight{number}": weight}
    return list(connection.execute(statement, given))


def _weights(connection: Connection, pk: int, reader: Reader) -> dict[int, int]:
    """What each keyword of a post is worth, in whole numbers, which add up to the same on every database."""
    other = keywords.alias()
    seconds = int(reader.now.timestamp())
    same = select(literal(1)).where(other.c.keyword == keywords.c.keyword, _shows(other, literal(seconds)))
    on_posts = select(func.count()).select_from(same.correlate(keywords).limit(_COMMON).subquery())
    of_posts = select(func.count()).select_from(
        select(literal(1)).select_from(posts).where(visible(reader.now)).limit(_COMMON).subquery()
    )
    counts = (on_posts.scalar_subquery().label("on_posts"), of_posts.scalar_subquery().label("of_posts"))
    rows = connection.execute(select(keywords.c.keyword, keywords.c.is_tag, *counts).where(keywords.c.post_pk == pk))
    weights = {row.keyword: _weight(row.on_posts, row.of_posts, is_tag=row.is_tag) for row in rows}
    return {keyword: weight for keyword, weight in sorted(weights.items()) if weight > 0}


def _weight(on_posts: int, of_posts: int, *, is_tag: bool) -> int:
    """The rarer the more. A word that most posts have says nothing, a tag a little: its author chose it."""
    if on_posts == 0:
        return 0
    if is_tag:
        return round(_TAG * 1000 * log(1 + of_posts / on_posts))
    return round(1000 * log(of_posts / on_posts)) if on_posts <= of_posts / 2 + 1 else 0


def _shows(rows: FromClause, now: ColumnElement[int]) -> ColumnElement[bool]:
    """What `visible` says of the post that the rows are of."""
    return (rows.c.shows_from <= now) & or_(rows.c.shows_until == 0, rows.c.shows_until > now)


@cache
def _best(number: int) -> Subquery:
    """The posts with so many keywords, the best: `post_pk` and `score`. Made once: it is large."""
    found: Subquery = union_all(*map(_newest, range(number))).subquery()
    score = func.sum(found.c.weight).label("score")
    return (
        select(found.c.post_pk, score)
        .where(found.c.post_pk != bindparam("pk", type_=Integer))
        .group_by(found.c.post_pk)
        .order_by(score.desc(), func.max(found.c.shows_from).desc(), found.c.post_pk.desc())
        .limit(_BEST)
        .subquery()
    )


def _newest(place: int) -> Any:
    now: ColumnElement[int] = bindparam("now", type_=keywords.c.shows_from.type)
    keyword: ColumnElement[int] = bindparam(f"keyword{place}", type_=keywords.c.keyword.type)
    weight: ColumnElement[int] = bindparam(f"weight{place}", type_=Integer)
    found = (
        select(keywords.c.post_pk, keywords.c.shows_from, weight.label("weight"))
        .where(keywords.c.keyword == keyword, _shows(keywords, now))
        .order_by(keywords.c.shows_from.desc(), keywords.c.post_pk.desc())
        .limit(_NEWEST)
        .subquery()
    )
    return select(found)
