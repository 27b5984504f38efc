"""What the response cache keeps, bounded in bytes, least recently used out first."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from sys import getsizeof
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

Header: TypeAlias = tuple[bytes, bytes]


class Measured(Protocol):
    @property
    def size(self) -> int:
        """Bytes of memory."""


Key = TypeVar("Key", bound=tuple[Any, ...])
Kept = TypeVar("Kept", bound=Measured)
DOOR_BITS = 1 << 16  # of hashes of keys asked for while there was no room
DOOR_KEYS = 1 << 12  # after so many it forgets them, so that few are mistaken for others
OF_THE_BODY: Final = frozenset((b"content-type", b"content-length", b"content-encoding"))
NEVER_SENT = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
BOOKKEEPING = 300  # bytes an entry takes in the dictionary, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer as it goes out."""

    status: int
    headers: list[Header]
    bare_headers: list[Header]  # a 304's: without what describes the body
    head: bytes  # status line and headers as HTTP/1.1 has them; nothing where they hold what must not go out
    bare_head: bytes
    body: bytes
    etag: bytes | None
    media_type: str
    content: tuple[bytes, bytes]  # the version and the last modification that it names

    @classmethod
    def of(cls, status: int, headers: list[Header], body: bytes) -> "Entry":
        named = dict(headers)
        bare_headers = [pair for pair in headers if pair[0] not in OF_THE_BODY]
        return cls(
            status=status,
            headers=headers,
            bare_headers=bare_headers,
            head=head_of(status, headers),
            bare_head=head_of(304, bare_headers),
            body=body,
            etag=named.get(b"etag"),
            media_type=named.get(b"content-type", b"").partition(b";")[0].decode("latin-1"),
            content=(named.get(b"honbun-version", b""), named.get(b"last-modified", b"")),
        )

    @property
    def size(self) -> int:
        """Bytes of memory."""
        pairs = {id(pair): pair for pair in (*self.headers, *self.bare_headers)}.values()
        return (
            getsizeof(self)
            + sum(map(getsizeof, (self.body, self.head, self.bare_head)))
            + getsizeof(self.headers)
            + getsizeof(self.bare_headers)
            + sum(getsizeof(pair) + getsizeof(pair[0]) + getsizeof(pair[1]) for pair in pairs)
        )


def head_of(status: int, headers: list[Header]) -> bytes:
    """Status line and headers (RFC 9112) but for the empty line; nothing where they hold what must not go out."""
    if any(NEVER_SENT.search(value) for _, value in headers):
        return b""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), *(b": ".join(pair) for pair in headers), b""]
    return b"\r\n".join(lines)


@dataclass(slots=True)
class Counts:
    """What happened since the start; `bytes` and `entries` are what there is now."""

    hits: int = 0
    misses: int = 0
    evicted: int = 0
    refused: int = 0
    entries: int = 0
    bytes: int = 0


class Entries(Generic[Key, Kept]):
    """Entries by key, at most `capacity` bytes of them, keys and bookkeeping included.

    Where there is no room left, a key comes in at its second request only. So a flood of addresses that are asked
    for once each cannot push out what others ask for.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.counts = Counts()
        self._kept: OrderedDict[Key, tuple[Kept, int]] = OrderedDict()
        self._door = bytearray(DOOR_BITS // 8)
        self._door_keys = 0

    def get(self, key: Key) -> Kept | None:
        found = self._kept.get(key)
        if found is None:
            return None
        self.counts.hits += 1
        self._kept.move_to_end(key)
        return found[0]

    def add(self, key: Key, entry: Kept) -> None:
        size = entry.size + getsizeof(key) + sum(map(getsizeof, key)) + BOOKKEEPING
        if size > self.capacity // 4 or (self._is_full(size) and not self._is_known(key)):
            self.counts.refused += 1
            return
        self._drop(key)
        while self._is_full(size):
            self._drop(next(iter(self._kept)))
            self.counts.evicted += 1
        self._kept[key] = entry, size
        self.counts.entries += 1
        self.counts.bytes += size

    def clear(self) -> None:
        """Forgets all entries. Which keys were asked for is still remembered."""
        self._kept.clear()
        self.counts.entries = self.counts.bytes = 0

    def _is_full(self, size: int) -> bool:
        return self.counts.bytes + size > self.capacity

    def _is_known(self, key: Key) -> bool:
        """Whether the key was asked for lately; from now on it was."""
        place, bit = divmod(hash(key) % DOOR_BITS, 8)
        if self._door[place] & 1 << bit:
            return True
        if self._door_keys == DOOR_KEYS:
            self._door, self._door_keys = bytearray(DOOR_BITS // 8), 0
        self._door[place] |= 1 << bit
        self._door_keys += 1
        return False

    def _drop(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.counts.entries -= 1
            self.counts.bytes -= found[1]
