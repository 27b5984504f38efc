"""What stays right until a commit or the clock changes what is visible: the state, and what was found out in it."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, Dialect, select

from app.posts.changes import State, read_state
from app.posts.models import content
from app.posts.prepared import Prepared
from app.posts.replica import AskPrimary

T = TypeVar("T")
MOST = 2_000  # answers kept at once, a few kilobytes each at most
MOST_BYTES = 2 * 1024 * 1024  # of items of lists
BESIDE = 200  # bytes that an item takes beside its text
MISSING: Any = object()


class Unhurried(Exception):
    """A read that may take longer than a reader in a hurry has."""


def kept_json(value: Any) -> bytes:
    """A value as JSON, to be kept: a copy, since what orjson makes holds kilobytes, however short it is."""
    return bytes(memoryview(orjson.dumps(value)))


class Items:
    """Posts as JSON, as lists show them: by what is shown, then by the post's key. Where there are too many, all go."""

    def __init__(self) -> None:
        self._known: dict[Hashable, dict[int, orjson.Fragment]] = {}
        self._bytes = 0

    def of(self, shown: Hashable) -> Mapping[int, orjson.Fragment]:
        return self._known.get(shown, {})

    def add(self, shown: Hashable, pk: int, item: Any) -> orjson.Fragment:
        """The item as JSON."""
        text = kept_json(item)
        size = len(text) + BESIDE
        self._bytes += size
        if self._bytes > MOST_BYTES:
            self._known.clear()
            self._bytes = size
        made = self._known.setdefault(shown, {})[pk] = orjson.Fragment(text)
        return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A time in which nobody's view of the content changes."""

    version: Any  # the version row
    start: datetime
    state: State
    known: dict[Hashable, Any] = field(default_factory=dict)
    lasting: dict[Hashable, Any] = field(default_factory=dict)  # what no change of a text makes wrong
    items: Items = field(default_factory=Items)

    def holds(self, version: tuple[Any, ...], now: datetime) -> bool:
        return self.version == version and self._is_on(now)

    def outlasts(self, version: Any, now: datetime) -> bool:
        """Whether all versions since this one, up to another, changed no more than texts."""
        changes = version.version - self.version.version
        return changes == version.text_changes - self.version.text_changes > 0 and self._is_on(now)

    def _is_on(self, now: datetime) -> bool:
        end = self.state.next_flip
        return self.start <= now and (end is None or now < end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A connection whose reads are all of one instant, and the epoch it lies in.

    A reader in a hurry holds up others: what cannot be told at once is not told, but raises Unhurried.
    """

    connection: Connection
    epoch: Epoch
    is_hurried: bool = False

    def once(
        self,
        key: Hashable,
        find: Callable[[], T],
        *,
        is_kept: bool = True,
        is_short: bool = False,
        is_lasting: bool = False,
    ) -> T:
        """What `find` finds, or has found before in this epoch under the same key and kept.

        What is `lasting`, which no change of a text makes wrong, may be of an epoch before. Raises Unhurried where
        that is not known and not short.
        """
        known = self.epoch.lasting if is_lasting else self.epoch.known
        found: T = known.get(key, MISSING)  # asked once: another thread may forget all in between
        if found is not MISSING:
            return found
        if self.is_hurried and not is_short:
            raise Unhurried
        if not is_kept:
            return find()
        found = find()
        self.keep(key, found, is_lasting=is_lasting)
        return found

    def keep(self, key: Hashable, found: Any, *, is_lasting: bool = False) -> None:
        """For who asks again in this epoch."""
        known = self.epoch.lasting if is_lasting else self.epoch.known
        if len(known) >= MOST:
            known.clear()
        known[key] = found


class Epochs:
    """The present epoch; what went before is forgotten."""

    def __init__(self) -> None:
        self._present: Epoch | None = None

    def forget(self) -> None:
        """Another database has come in the place of this one."""
        self._present = None

    def snapshot(self, connection: Connection, now: datetime, *, hurried: bool = False, at_least: int = 0) -> Snapshot:
        """The snapshot that the connection's transaction sees.

        Raises AskPrimary where the snapshot is older than the version `at_least`.
        """
        (version,) = _version(connection.dialect).rows(connection)
        if version.version < at_least:
            raise AskPrimary
        epoch = self._present
        if epoch is None or not epoch.holds(version, now):
            lasting = epoch.lasting if epoch is not None and epoch.outlasts(version, now) else {}
            state = read_state(connection, now)
            epoch = self._present = Epoch(version=version, start=now, state=state, lasting=lasting)
        return Snapshot(connection=connection, epoch=epoch, is_hurried=hurried)


@lru_cache(maxsize=8)
def _version(dialect: Dialect) -> Prepared:
    columns = (content.c.version, content.c.visible_version, content.c.visible_at, content.c.text_changes)
    return Prepared(select(*columns), dialect)
