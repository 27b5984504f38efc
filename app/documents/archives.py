"""The files in zip and tar archives, read with counters and never extracted."""

import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import IO

from app.documents import tar
from app.documents.source_names import CONFIG_FILE, is_markdown
from app.documents.sources import Entry, Limits, entry
from app.errors import Finding, SourceError, TooLarge

UNPACKED = 8  # times the size of an upload is what an archive may unpack to, files that are no posts included
ENTRIES = 4  # times the number of files is how many entries an archive may have, those that are no posts included
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_UTF8 = 0x800
_ENCRYPTED = 0x1
_END = struct.Struct("<4s4H2LH")  # the end of a zip's central directory (APPNOTE, 4.3.16)
_END_64 = struct.Struct("<4sQ2H2L4Q")  # … of one with more than 65 535 entries (4.3.14)
_LOCATOR_64 = struct.Struct("<4sLQL")  # where that one is (4.3.15)
_ENTRY = struct.Struct("<4s24x3H")  # the lengths of name, extra and comment in an entry (4.3.12)
_ENTRY_BYTES = 46
_LINK = Finding(
    code="not_a_file", detail="this is a link or a device, no file", hint="put the file itself in its place"
)


def in_zip(file: IO[bytes], limits: Limits) -> Iterator[Entry]:
    """The files of a zip archive. Raises SourceError where it is none, or is damaged, TooLarge for too many entries."""
    try:
        _check_directory(file, limits)
        archive = zipfile.ZipFile(file)
    except SourceError:
        raise
    except Exception as error:
        raise _no_zip() from error
    _check_overlaps(archive)
    for member in archive.infolist():
        if member.orig_filename.endswith("/"):
            continue
        kind = member.external_attr >> 28  # the file type that Unix archivers note: none, or regular
        yield Entry(
            name=_zip_name(member),
            read=_zip_reader(archive, member),
            refusal=_LINK if kind not in (0, 8) else _unreadable(member),
        )


def _no_zip() -> SourceError:
    return SourceError("this is no zip archive that can be read", code="malformed_archive")


def _unreadable(member: zipfile.ZipInfo) -> Finding | None:
    if member.flag_bits & _ENCRYPTED:
        return Finding(code="malformed_archive", detail="the file is encrypted", hint="pack it without a password")
    if member.compress_type not in _METHODS:
        detail = "the file is compressed in a way that cannot be bounded"
        return Finding(code="malformed_archive", detail=detail, hint="store or deflate it")
    return None


def _check_directory(file: IO[bytes], limits: Limits) -> None:
    """Counts the entries before anything is made of them. Raises TooLarge, SourceError, struct.error."""
    if limits.files is None:
        return
    most = ENTRIES * limits.files
    declared, size, end = _directory(file)
    if declared > most:
        raise TooLarge(f"an upload holds at most {limits.files} files", code="too_many_files")
    file.seek(end - size)
    counted, position = 0, end - size
    while position < end:
        header = file.read(_ENTRY_BYTES)
        signature, *lengths = _ENTRY.unpack_from(header)
        if signature != b"PK\1\2":
            raise _no_zip()
        counted += 1
        if counted > most:
            raise TooLarge(f"an upload holds at most {limits.files} files", code="too_many_files")
        position += _ENTRY_BYTES + sum(lengths)
        file.seek(position)


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """How many entries the central directory says it has, its size, and where it ends."""
    length = file.seek(0, 2)
    start = max(length - _END.size - _LOCATOR_64.size - 0xFFFF, 0)
    file.seek(start)
    tail = file.read(length - start)
    place = tail.rfind(b"PK\5\6")
    if place < 0:
        raise _no_zip()
    *_, declared, size, _offset, _comment = _END.unpack_from(tail, place)
    end = start + place
    if place >= _LOCATOR_64.size and tail.startswith(b"PK\6\7", place - _LOCATOR_64.size):
        end -= _LOCATOR_64.size + _END_64.size
        file.seek(max(end, 0))
        signature, *_, declared, size, _offset = _END_64.unpack(file.read(_END_64.size))
        if signature != b"PK\6\6":
            raise _no_zip()
    if size > end:
        raise _no_zip()
    return declared, size, end


def _check_overlaps(archive: zipfile.ZipFile) -> None:
    """Raises SourceError where two members share bytes: a few KiB may so hold a thousand times as much."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    for member, following in pairwise(members):
        if member.header_offset + 30 + member.compress_size > following.header_offset:
            raise SourceError("two files in the archive overlap", code="malformed_archive")


def _zip_name(member: zipfile.ZipInfo) -> str:
    """A member's name. Without the flag for UTF-8 it is what the system had: on a Mac UTF-8, on Windows CP932.

    Backslashes separate folders, as older archivers for Windows write them.
    """
    name = member.orig_filename  # the other ends at the first NUL
    if not member.flag_bits & _UTF8:
        name = next(filter(None, (_decoded(name, codec) for codec in ("utf-8", "cp932"))), name)
    return name.replace("\\", "/")


def _decoded(name: str, codec: str) -> str | None:
    """What a name that was read as CP437 is in another encoding, if it is anything in it."""
    try:
        decoded = name.encode("cp437").decode(codec)
    except UnicodeError:
        return None
    return None if any(unicodedata.category(character) == "Co" for character in decoded) else decoded


def _zip_reader(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(size: int) -> bytes:
        try:
            with archive.open(member) as file:
                return file.read(size)
        except Exception as error:  # zipfile has several of its own, and zlib one
            raise SourceError(f"{member.filename!r} in the archive is damaged", code="malformed_archive") from error

    return read


def in_tar(file: IO[bytes], limits: Limits) -> Iterator[Entry]:
    """The files of a tar archive that is not compressed.

    Raises SourceError where it is none or is damaged, TooLarge where it has or unpacks to more than the limits allow.
    """
    unpacked = kept = 0
    for number, member in enumerate(tar.members(file), start=1):
        unpacked += member.size
        content = _tar_content(member, limits)
        kept += len(content)
        if limits.total_bytes is not None and (unpacked > UNPACKED * limits.total_bytes or kept > limits.total_bytes):
            raise TooLarge("the archive unpacks to too many bytes", code="upload_too_large")
        if limits.files is not None and number > ENTRIES * limits.files:
            raise TooLarge(f"an upload holds at most {limits.files} files", code="too_many_files")
        if member.is_file:
            yield entry(member.name, content)
        elif not member.is_folder:
            yield Entry(name=member.name, read=lambda _: b"", refusal=_LINK)


def _tar_content(member: tar.Member, limits: Limits) -> bytes:
    """A stream is read once, so a member is read as it passes: but only what can be a post, and bounded."""
    if not member.is_file or not (is_markdown(member.name) or member.name.endswith(CONFIG_FILE)):
        return b""
    return member.read(member.size if limits.file_bytes is None else limits.file_bytes + 1)
