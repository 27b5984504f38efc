"""What hands over files: a folder, named bytes; archives are in `app.documents.archives`."""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from hashlib import sha256
from pathlib import Path

from app.documents.source_names import MAX_NAME_BYTES, is_config, posts_among, source_name
from app.errors import DocumentError, Finding, SourceError, TooLarge


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file as received. Its name is its identity: a relative POSIX path in NFC."""

    name: str
    content: bytes

    @cached_property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)

    def whole(self) -> "Source":
        """The source with its bytes at hand."""
        return self


class SourceElsewhere(Source):
    """A source whose bytes are not kept but read again where they are wanted: what it is known by is of the first time.

    Should the file change in between, the document's own hash tells what it was made of. To read it raises
    DocumentError where it cannot be had any more.
    """

    def __init__(self, name: str, read: Callable[[], bytes], *, sha256: str, size: int) -> None:
        self.__dict__.update(name=name, _read=read, sha256=sha256, _size=size)

    @property
    def content(self) -> bytes:
        read: Callable[[], bytes] = self.__dict__["_read"]
        return read()

    @property
    def size(self) -> int:
        size: int = self.__dict__["_size"]
        return size

    def whole(self) -> Source:
        try:
            return Source(name=self.name, content=self.content)
        except DocumentError as error:
            return Unread(self.name, error.finding)


class Unread(Source):
    """A source that could not be read: whoever asks for its bytes hears why, as DocumentError."""

    def __init__(self, name: str, finding: Finding) -> None:
        self.__dict__.update(name=name, _finding=finding)

    @property
    def content(self) -> bytes:
        raise DocumentError(self.__dict__["_finding"])

    @property
    def size(self) -> int:
        return 0


UNREAD = "not_a_file"  # the code of what cannot be read now, and may be a moment later


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes and numbers that one upload may bring; `None` is no limit."""

    file_bytes: int | None = None
    total_bytes: int | None = None
    files: int | None = None


@dataclass(slots=True, kw_only=True)
class Batch:
    """What came in: posts, configurations of sites, names of files that are neither, and unreadable ones with reasons."""

    sources: list[Source] = field(default_factory=list)
    configs: list[Source] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    refused: list[tuple[str, Finding]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of a folder or an archive before it is read."""

    name: str
    read: Callable[[int], bytes]  # at most so many bytes; raises DocumentError where it is gone
    refusal: Finding | None = None  # why it cannot be read, should it be a post by its name
    can_be_read_again: bool = False


def entry(name: str, content: bytes) -> Entry:
    """An entry whose bytes are at hand."""
    return Entry(name=name, read=lambda size: content if size < 0 else content[:size])


def gather(entries: Iterable[Entry], *, limits: Limits, strip: int = 0, prefix: str = "") -> Batch:
    """The posts among the entries, read, with their names in the one form.

    Raises TooLarge when there are too many of them or too many bytes in all; a single file that is too
    large, badly named or there twice is refused alone.
    """
    batch = Batch()
    named = dict(_named(entries, batch, limits, strip, prefix))
    rule = posts_among(named)
    total = 0
    for name, file in named.items():
        if not (rule(name) or is_config(name)):
            batch.skipped.append(name)
            continue
        if file.refusal is not None:
            batch.refused.append((name, file.refusal))
            continue
        try:
            content = _read(file, limits)
        except DocumentError as error:
            batch.refused.append((name, error.finding))
            continue
        if content is None:
            batch.refused.append((name, file_too_large(limits)))
            continue
        total += len(content)
        if limits.total_bytes is not None and total > limits.total_bytes:
            raise TooLarge(f"the posts are more than {limits.total_bytes} bytes together", code="upload_too_large")
        kept = batch.configs if is_config(name) else batch.sources
        kept.append(_source(name, content, file))
    return batch


def _named(
    entries: Iterable[Entry], batch: Batch, limits: Limits, strip: int, prefix: str
) -> Iterator[tuple[str, Entry]]:
    seen: set[str] = set()
    for number, entry in enumerate(entries, start=1):
        if limits.files is not None and number > limits.files:
            raise TooLarge(f"an upload holds at most {limits.files} files", code="too_many_files")
        try:
            name = source_name(entry.name, strip=strip, prefix=prefix)
        except SourceError as error:
            batch.refused.append((_printable(entry.name), Finding(code=error.reason, detail=error.detail)))
            continue
        if name in seen:
            batch.refused.append((name, Finding(code="duplicate_name", detail="this name is there twice")))
            continue
        seen.add(name)
        yield name, entry


def _source(name: str, content: bytes, file: Entry) -> Source:
    source = Source(name=name, content=content)
    if not file.can_be_read_again or is_config(name):
        return source
    return SourceElsewhere(name, partial(file.read, -1), sha256=source.sha256, size=len(content))


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")[:MAX_NAME_BYTES]


def _read(entry: Entry, limits: Limits) -> bytes | None:
    if limits.file_bytes is None:
        return entry.read(-1)
    content = entry.read(limits.file_bytes + 1)
    return content if len(content) <= limits.file_bytes else None


def file_too_large(limits: Limits) -> Finding:
    return Finding(code="file_too_large", detail=f"the file is larger than {limits.file_bytes} bytes")


def in_folder(folder: Path, base: Path | None = None) -> Iterator[Entry]:
    """The files below a folder, sorted; names are relative to `base`, by default the folder itself.

    Links that lead out of the folder are passed over: a name must not read what lies elsewhere.
    """
    root = folder.resolve()
    # Text throughout: to make a Path of a file takes longer than to read it.
    top = os.path.join(base or folder, "")  # noqa: PTH118
    paths = [os.path.join(parent, file) for parent, _, files in os.walk(folder) for file in files]  # noqa: PTH118
    for path in sorted(paths, key=lambda path: path.split(os.sep)):  # noqa: PTH206
        is_file, is_link = os.path.isfile(path), os.path.islink(path)  # noqa: PTH113, PTH114
        if is_file and (not is_link or Path(path).resolve().is_relative_to(root)):
            name = path.removeprefix(top).replace(os.sep, "/")
            yield Entry(name=name, read=opener(path), can_be_read_again=True)


def opener(path: str | Path) -> Callable[[int], bytes]:
    """What reads a file of which there may be none any more."""

    def read(size: int) -> bytes:
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                return file.read(size)
        except OSError as error:
            raise DocumentError(Finding(code=UNREAD, detail=f"it cannot be read: {error.strerror}")) from error

    return read
