"""The version of the content: one row that writers lock, and one history of changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from app.posts.models import AnyRow, changes, content, posts
from app.posts.queries import status_of

CHANNEL = "honbun"  # where Postgres tells of commits


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which content an answer shows.

    `label` is equal while nothing visible changed; `changed_at` is the last visible commit or clock flip
    (a publication or expiry whose instant came); `is_exact` is false where two of them may share a second;
    `next_flip` is the next instant at which the clock alone changes what is visible.
    """

    label: str
    changed_at: datetime
    is_exact: bool
    next_flip: datetime | None


def read_state(connection: Connection, now: datetime) -> State:
    """The state at `now`, of the snapshot that the connection's transaction sees; one query."""
    flips = and_(  # a post that expires before it is published never shows
        posts.c.draft.is_(False), or_(posts.c.expires_at.is_(None), posts.c.expires_at > posts.c.published_at)
    )
    columns = [
        select(aggregate(column)).where(flips, condition).scalar_subquery()
        for column in (posts.c.published_at, posts.c.expires_at)
        for aggregate, condition in (
            (func.max, (column >= content.c.visible_at) & (column <= now)),
            (func.min, column > now),
        )
    ]
    row = connection.execute(
        select(content.c.visible_version, content.c.visible_at, content.c.ambiguous, *columns)
    ).one()
    version, committed, ambiguous, published, to_publish, expired, to_expire = row
    flip = max((instant for instant in (published, expired) if instant is not None), default=None)
    is_flipped = flip is not None and flip > committed
    upcoming = [instant for instant in (to_publish, to_expire) if instant is not None]
    return State(
        label=f"{version}.{int(flip.timestamp())}" if is_flipped and flip else str(version),
        changed_at=flip if is_flipped and flip else committed,
        is_exact=not ambiguous and flip != committed,
        next_flip=min(upcoming, default=None),
    )


def label_key(label: str) -> tuple[int, int]:
    """Labels in the order they come about. Raises ValueError for what is none."""
    version, _, flip = label.partition(".")
    return int(version), int(flip or 0)


def lock_version(connection: Connection) -> AnyRow:
    """Takes the writers' turn (on SQLite BEGIN IMMEDIATE has it already); the row before this change."""
    return connection.execute(select(content.c.version, content.c.visible_at).with_for_update()).one()


def advance(
    connection: Connection, history: list[dict[str, Any]], *, before: Iterable[Any], after: Iterable[Any], now: datetime
) -> None:
    """Notes the changes under the next version, in the transaction of the changes themselves.

    `before` and `after` are the rows of the posts as they were and as they are.
    """
    row = lock_version(connection)
    version = row.version + 1
    connection.execute(insert(changes), [change | {"version": version, "at": now} for change in history])
    values: dict[str, Any] = {"version": version}
    was_shown = any(_was_shown(post, row.visible_at, now) for post in before)
    if was_shown or any(status_of(post, now) == "published" for post in after):
        moment = now.replace(microsecond=0)
        # A writer whose clock is behind shares, as far as readers can tell, the second that stands there.
        values |= {"visible_version": version, "visible_at": moment, "ambiguous": row.visible_at >= moment}
    connection.execute(update(content).values(values))
    if connection.dialect.name == "postgresql":  # told at the commit; on SQLite others see the file move
        connection.execute(select(func.pg_notify(CHANNEL, "")))


def _was_shown(post: Any, since: datetime, now: datetime) -> bool:
    """Whether a post was visible at some instant from `since` on.

    One that expired meanwhile counts: the label names its expiry, and must not go back when the post goes.
    """
    if post.draft or post.published_at > now:
        return False
    return post.expires_at is None or (post.expires_at >= since and post.expires_at > post.published_at)
