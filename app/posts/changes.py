"""The version of the content: one row that writers lock, and one history of changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from secrets import randbelow
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, or_, select, update

from app.posts.models import AnyRow, UTCDateTime, changes, content, posts
from app.posts.prepared import read, write
from app.posts.queries import status_of

CHANNEL = "honbun"  # where Postgres tells of commits


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which content an answer shows.

    `label` is equal while nothing visible changed; `changed_at` is the last visible commit or clock flip
    (a publication or expiry whose instant came); `is_exact` is false where two of them may share a second;
    `next_flip` is the next instant at which the clock alone changes what is visible; `version` is the number of the
    last commit, visible or not.
    """

    version: int
    label: str
    changed_at: datetime
    is_exact: bool
    next_flip: datetime | None


_now = bindparam("now", type_=UTCDateTime)
_FLIPS = and_(  # a post that expires before it is published never shows
    posts.c.draft.is_(False), or_(posts.c.expires_at.is_(None), posts.c.expires_at > posts.c.published_at)
)
_STATE = select(
    *(content.c.version, content.c.visible_version, content.c.visible_at, content.c.ambiguous),
    *(
        select(aggregate(column)).where(_FLIPS, condition).scalar_subquery().label(f"{name}_{column.key}")
        for column in (posts.c.published_at, posts.c.expires_at)
        for name, aggregate, condition in (
            ("last", func.max, (column >= content.c.visible_at) & (column <= _now)),
            ("next", func.min, column > _now),
        )
    ),
)


def read_state(connection: Connection, now: datetime) -> State:
    """The state at `now`, of the snapshot that the connection's transaction sees; one query."""
    (row,) = read(connection, _STATE, now=now)
    version, visible_version, committed, ambiguous, published, to_publish, expired, to_expire = row
    flip = max((instant for instant in (published, expired) if instant is not None), default=None)
    is_flipped = flip is not None and flip > committed
    upcoming = [instant for instant in (to_publish, to_expire) if instant is not None]
    return State(
        version=version,
        label=f"{visible_version}.{int(flip.timestamp())}" if is_flipped and flip else str(visible_version),
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
    (row,) = read(connection, _LOCKED)
    return row  # type: ignore[no-any-return]


_LOCKED = select(content.c.version, content.c.visible_at, content.c.text_changes).with_for_update()
_ADVANCED, _NOTED = update(content), insert(changes)
_FIRST_COUNTS = 2**30  # as many text changes may still follow in a column of 32 bits


class Turn:
    """A writer's turn, taken when it is made: all that changes in it gets the next version.

    It belongs to the transaction of the changes themselves, and `end` to its end.
    """

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._before = lock_version(connection)
        self._has_changes = self._is_visible = False
        self._is_of_texts = True

    def note(
        self,
        history: list[dict[str, Any]],
        *,
        before: Iterable[Any] = (),
        after: Iterable[Any] = (),
        is_of_texts: bool = False,
    ) -> None:
        """Puts changes down; `before` and `after` are the rows of the posts as they were and as they are.

        Changes `of texts` leave alone which posts there are, their titles, addresses and terms, and when they appear.
        """
        if not history:
            return
        self._has_changes = True
        self._is_of_texts = self._is_of_texts and is_of_texts
        version, since = self._before.version + 1, self._before.visible_at
        write(self._connection, _NOTED, [each | {"version": version, "at": self._now} for each in history])
        self._is_visible = (
            self._is_visible
            or any(_was_shown(post, since, self._now) for post in before)
            or any(status_of(post, self._now) == "published" for post in after)
        )

    def end(self) -> None:
        """Advances the version where anything changed."""
        if not self._has_changes:
            return
        version, moment = self._before.version + 1, self._now.replace(microsecond=0)
        values: dict[str, Any] = {"version": version}
        # From another number after each other change: a history that went another way is not taken for this one.
        values["text_changes"] = self._before.text_changes + 1 if self._is_of_texts else randbelow(_FIRST_COUNTS)
        if self._is_visible:
            # A writer whose clock is behind shares, as far as readers can tell, the second that stands there.
            values |= {
                "visible_version": version,
                "visible_at": moment,
                "ambiguous": self._before.visible_at >= moment,
            }
        write(self._connection, _ADVANCED, [values])
        if self._connection.dialect.name == "postgresql":  # told at the commit; on SQLite others see the file move
            self._connection.execute(select(func.pg_notify(CHANNEL, "")))


def _was_shown(post: Any, since: datetime, now: datetime) -> bool:
    """Whether a post was visible at some instant from `since` on.

    One that expired meanwhile counts: the label names its expiry, and must not go back when the post goes.
    """
    if post.draft or post.published_at > now:
        return False
    return post.expires_at is None or (post.expires_at >= since and post.expires_at > post.published_at)
