"""Tar archives read as a stream: ustar, GNU's long names, pax headers (POSIX.1-2017, pax, "pax Interchange Format").

Python's own module reads headers of any size into memory, searches them in quadratic time, follows negative sizes and
takes a damaged archive for one that ends there; an archive from anywhere needs a reader that does none of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from app.errors import SourceError, TooLarge

BLOCK = 512
MAX_HEADER = 64 * 1024  # bytes of a pax header or a long name
_PIECE = 64 * 1024
_REGULAR = (b"0", b"\0", b"7")
_NO_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, pipes
_FOLDER = b"5"


@dataclass(slots=True, kw_only=True)
class Member:
    """One entry of an archive. `left` are the bytes of its content that were not read yet."""

    name: str
    kind: bytes
    size: int
    left: int
    file: IO[bytes]

    @property
    def is_file(self) -> bool:
        return self.kind in _REGULAR and not self.name.endswith("/")

    @property
    def is_folder(self) -> bool:
        return self.kind == _FOLDER or (self.kind in _REGULAR and self.name.endswith("/"))

    def read(self, size: int) -> bytes:
        """At most so many bytes of its content. Raises SourceError where the archive ends before."""
        content = _exactly(self.file, min(size, self.left))
        self.left -= len(content)
        return content


def members(file: IO[bytes]) -> Iterator[Member]:
    """Each member in turn; its content can be read until the next one is asked for.

    Raises SourceError for what is no tar archive or is damaged, TooLarge for a header of more than 64 KiB.
    """
    long_name: bytes | None = None
    pax: dict[bytes, bytes] = {}
    is_first = True
    while header := _header(file, is_first=is_first):
        is_first = False
        kind, size = header[156:157], _number(header[124:136])
        if kind in (b"x", b"g", b"X", b"L", b"K"):
            payload = _payload(file, size)
            if kind == b"L":
                long_name = payload.rstrip(b"\0")
            elif kind != b"K":
                pax |= _records(payload)
            continue
        if b"size" in pax:
            size = _decimal(pax[b"size"])
        if kind == b"S" or any(key.startswith(b"GNU.sparse") for key in pax):
            kind = b"S"
            _skip_sparse_map(file, header)
        size = 0 if kind in _NO_CONTENT else size
        name = pax.get(b"path") or long_name or _name(header)
        member = Member(name=name.decode("utf-8", "surrogateescape"), kind=kind, size=size, left=size, file=file)
        yield member
        _skip(file, member.left + -size % BLOCK)
        long_name, pax = None, {}


def _header(file: IO[bytes], *, is_first: bool) -> bytes | None:
    """The next header block; None at the end of the archive."""
    header = file.read(BLOCK)
    if not header and not is_first:
        return None  # some archivers leave out the two empty blocks
    if len(header) == BLOCK and not any(header):
        return None
    if len(header) < BLOCK or _number(header[148:156]) != sum(header[:148]) + 8 * 32 + sum(header[156:]):
        raise _damaged()
    return header


def _name(header: bytes) -> bytes:
    name, prefix = (header[start:end].partition(b"\0")[0] for start, end in ((0, 100), (345, 500)))
    return prefix + b"/" + name if header[257:263] == b"ustar\0" and prefix else name


def _number(field: bytes) -> int:
    """Octal digits or, where the first bit is set, a number to the base of 256 (GNU)."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    text = field.strip(b" \0")
    if text.translate(None, b"01234567"):
        raise _damaged()
    return int(text or b"0", 8)


def _records(payload: bytes) -> dict[bytes, bytes]:
    """`LENGTH KEY=VALUE` and a line break, over and over."""
    found: dict[bytes, bytes] = {}
    position = 0
    while position < len(payload) and payload[position]:
        space = payload.find(b" ", position, position + 8)
        end = position + _decimal(payload[position : max(space, position)])
        key, equals, value = payload[space + 1 : end - 1].partition(b"=")
        if not equals or end <= space or end > len(payload):
            raise _damaged()
        found[key] = value
        position = end
    return found


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 18:
        raise _damaged()
    return int(digits)


def _payload(file: IO[bytes], size: int) -> bytes:
    if size > MAX_HEADER:
        raise TooLarge("a header in the archive is too large", code="upload_too_large")
    payload = _exactly(file, size)
    _skip(file, -size % BLOCK)
    return payload


def _skip_sparse_map(file: IO[bytes], header: bytes) -> None:
    """GNU's old sparse files have the rest of their map behind the header."""
    is_continued = header[156:157] == b"S" and header[482]
    while is_continued:
        is_continued = _exactly(file, BLOCK)[504]


def _exactly(file: IO[bytes], size: int) -> bytes:
    pieces: list[bytes] = []
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise _damaged()
        size -= len(piece)
        pieces.append(piece)
    return b"".join(pieces)


def _skip(file: IO[bytes], size: int) -> None:
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise _damaged()
        size -= len(piece)


def _damaged() -> SourceError:
    return SourceError("this is no tar archive that can be read, or it is cut off", code="malformed_archive")
