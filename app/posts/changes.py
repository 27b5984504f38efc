"""The version of the content: one row that writers lock, and one history of changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from app.posts.models import changes, content, posts


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which content an answer shows.

    `label` is equal while nothing visible changed; `changed_at` is the last visible commit or clock flip
    (a publication or expiry whose instant came); `is_exact` is false where two of them share that second;
    `next_flip` is the next instant at which the clock alone changes what is visible.
    """

    label: str
    changed_at: datetime
    is_exact: bool
    next_flip: datetime | None


def read_state(connection: Connection, now: datetime) -> State:
    """The state at `now`, of the snapshot that the connection's transaction sees; one query."""
    flips = posts.c.draft.is_(False)
    columns = [
        select(aggregate(column)).where(flips, condition).scalar_subquery()
        for column in (posts.c.published_at, posts.c.expires_at)
        for aggregate, condition in (
            (func.max, (column >= content.c.visible_at) & (column <= now)),
            (func.min, column > now),
        )
    ]
    row = connection.execute(select(content.c.visible_version, content.c.visible_at, content.c.ambiguous, *columns)).one()
    version, committed, ambiguous, published, to_publish, expired, to_expire = row
    flip = max((instant for instant in (published, expired) if instant is not None), default=None)
    is_flipped = flip is not None and flip > committed
    upcoming = [instant for instant in (to_publish, to_expire) if instant is not None]
    return State(
        label=f"{version}.{int(flip.timestamp())}" if is_flipped and flip else str(version),
        changed_at=flip if is_flipped and flip else committed,
        is_exact=is_flipped or (not ambiguous and flip != committed),
        next_flip=min(upcoming, default=None),
    )


def label_key(label: str) -> tuple[int, int]:
    """Labels in the order they come about. Raises ValueError for what is none."""
    version, _, flip = label.partition(".")
    return int(version), int(flip or 0)


def lock_version(connection: Connection) -> int:
    """Takes the writers' turn (on SQLite BEGIN IMMEDIATE has it already); the version before this change."""
    return int(connection.execute(select(content.c.version).with_for_update()).scalar_one())


def advance(connection: Connection, rows: list[dict[str, Any]], *, now: datetime, visible: bool) -> None:
    """Notes the changes under the next version, in the transaction of the changes themselves."""
    version = lock_version(connection) + 1
    connection.execute(insert(changes), [row | {"version": version, "at": now} for row in rows])
    values: dict[str, Any] = {"version": version}
    if visible:
        moment = now.replace(microsecond=0)
        values |= {
            "visible_version": version,
            "visible_at": moment,
            "ambiguous": content.c.visible_at == moment,
        }
    connection.execute(update(content).values(values))
