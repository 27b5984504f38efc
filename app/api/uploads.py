"""A request's body as a batch of sources: which content type is read how stands in one table.

A body is counted while it is read, and refused as soon as it passes a limit.
"""

import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, cast

import anyio
import anyio.to_thread
import orjson
from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from app.api.problems import MalformedBody, UnsupportedMediaType
from app.documents.archives import UNPACKED, in_tar, in_zip
from app.documents.source_names import is_config, is_post, source_name
from app.documents.sources import Batch, Entry, Limits, entry, gather
from app.errors import QueryError, SourceError, TooLarge

SPOOLED = 1024 * 1024  # bytes kept in memory before a temporary file takes over
MAX_MANIFEST_BYTES = 16 * 1024 * 1024
RAW = (
    "text/markdown",
    "text/x-markdown",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placing:
    """Where the files of an upload go: a name for a raw body, folders dropped, a prefix put before."""

    name: str | None = None
    strip: int = 0
    prefix: str = ""


@dataclass(slots=True, kw_only=True)
class Upload:
    batch: Batch
    manifest: dict[str, str] = field(default_factory=dict)


def content_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


async def read_raw(request: Request, limits: Limits) -> bytes:
    """A body that is one Markdown file. Raises TooLarge, UnsupportedMediaType, MalformedBody."""
    kind = content_type(request)
    if kind and kind not in RAW:
        raise UnsupportedMediaType(f"send Markdown as text/markdown, not {kind}")
    too_large = TooLarge(f"the file is larger than {limits.file_bytes} bytes", code="file_too_large")
    return await _limited(request, limits.file_bytes, too_large).body()


def _limited(request: Request, limit: int | None, too_large: TooLarge) -> Request:
    """The request with a body that ends in `too_large` where it passes the limit.

    Raises `too_large` at once where the body says so of itself, MalformedBody for a length that is no number.
    """
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()) or len(declared) > 18:
        raise MalformedBody("Content-Length is no number of bytes", code="invalid_content_length")
    if limit is not None and int(declared) > limit:
        raise too_large
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if limit is not None and size > limit:
            raise too_large
        return message

    return Request(request.scope, receive)


async def receive_upload(request: Request, placing: Placing, limits: Limits) -> Callable[[], Upload]:
    """Takes a body in; what is returned reads the files out of it, which blocks and belongs in a thread.

    Raises TooLarge, UnsupportedMediaType, MalformedBody, QueryError.
    """
    kind = content_type(request)
    if kind == "multipart/form-data":
        return await _receive_form(request, placing, limits)
    if kind in _ARCHIVES or kind == "application/json":
        return await _receive_file(request, kind, placing, limits)
    if kind in RAW or (not kind and placing.name):
        return await _receive_raw(request, placing, limits)
    raise UnsupportedMediaType(
        f"{kind or 'a body without a content type'} cannot be ingested",
        hint="send text/markdown with ?name=, multipart/form-data, application/zip, application/gzip, "
        "application/x-tar or application/json",
    )


async def _receive_raw(request: Request, placing: Placing, limits: Limits) -> Callable[[], Upload]:
    if placing.name is None:
        raise QueryError(
            "a single file needs a name", parameter="name", code="missing_parameter", hint="add ?name=post.md"
        )
    try:
        name = source_name(placing.name, strip=placing.strip, prefix=placing.prefix)
    except SourceError as error:
        raise QueryError(error.detail, parameter="name", code=error.reason) from error
    if not (is_post(name) or is_config(name)):
        raise QueryError(
            f"{name!r} can be no post",
            parameter="name",
            code="invalid_name",
            hint="a post's name ends in .md or .markdown",
        )
    content = await read_raw(request, limits)
    return lambda: Upload(batch=gather([entry(name, content)], limits=limits))


async def _receive_file(request: Request, kind: str, placing: Placing, limits: Limits) -> Callable[[], Upload]:
    body = _limited(request, limits.total_bytes, _upload_too_large(limits))
    file = tempfile.SpooledTemporaryFile(max_size=SPOOLED)  # noqa: SIM115 - closed by whoever reads it
    try:
        async for chunk in body.stream():
            await anyio.to_thread.run_sync(file.write, chunk)
    except BaseException:
        file.close()
        raise

    def read() -> Upload:
        with file:
            file.seek(0)
            if kind == "application/json":
                return _read_json(file.read(), placing, limits)
            entries = _ARCHIVES[kind](file, limits)
            return Upload(batch=gather(entries, limits=limits, strip=placing.strip, prefix=placing.prefix))

    return read


def _upload_too_large(limits: Limits) -> TooLarge:
    return TooLarge(f"an upload is at most {limits.total_bytes} bytes", code="upload_too_large")


def _in_gzip(file: IO[bytes], limits: Limits) -> Iterator[Entry]:
    try:
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:  # a spooled file says that it is for writing
            yield from in_tar(cast("IO[bytes]", _Capped(unpacked, limits)), limits)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError("this is no tar.gz archive that can be read", code="malformed_archive") from error


class _Capped:
    """A file that ends in TooLarge: a few KiB of gzip can hold a tar header of many GiB, which is read whole."""

    def __init__(self, file: gzip.GzipFile, limits: Limits) -> None:
        self.file = file
        self.limits = limits
        self.left = None if limits.total_bytes is None else UNPACKED * limits.total_bytes

    def read(self, size: int) -> bytes:
        chunk = self.file.read(size)
        if self.left is not None:
            self.left -= len(chunk)
            if self.left < 0:
                raise TooLarge("the archive unpacks to too many bytes", code="upload_too_large")
        return chunk


_ARCHIVES: dict[str, Callable[[IO[bytes], Limits], Iterator[Entry]]] = {
    "application/zip": in_zip,
    "application/x-zip-compressed": in_zip,
    "application/gzip": _in_gzip,
    "application/x-gzip": _in_gzip,
    "application/x-tar": in_tar,
}


def _read_json(body: bytes, placing: Placing, limits: Limits) -> Upload:
    """`{"files": [{"name", "content"}], "manifest": {name: sha256}}`; the manifest may be left out."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is no JSON: {error.msg}", code="malformed_json") from error
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, list) or not all(_is_file(file) for file in files) or set(value) - {"files", "manifest"}:
        raise QueryError('write {"files": [{"name": "…", "content": "…"}]}', parameter="files", code="invalid_body")
    entries = (Entry(name=file["name"], read=_bounded(file["content"].encode())) for file in files)
    batch = gather(entries, limits=limits, strip=placing.strip, prefix=placing.prefix)
    return Upload(batch=batch, manifest=_manifest(value.get("manifest", {}), placing))


def _is_file(file: Any) -> bool:
    return (
        isinstance(file, dict) and set(file) == {"name", "content"} and all(isinstance(v, str) for v in file.values())
    )


def _bounded(content: bytes) -> Callable[[int], bytes]:
    return lambda size: content if size < 0 else content[:size]


def _manifest(value: Any, placing: Placing) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(sha256, str) for sha256 in value.values()):
        raise QueryError("a manifest maps names to SHA-256 hashes", parameter="manifest", code="invalid_body")
    return {
        source_name(name, strip=placing.strip, prefix=placing.prefix): sha256.lower() for name, sha256 in value.items()
    }


async def _receive_form(request: Request, placing: Placing, limits: Limits) -> Callable[[], Upload]:
    """Parts `files`, and at most one part `manifest`."""
    form = await _parse_form(request, limits)
    try:
        files, manifest = await _parts(form)
    except BaseException:
        await form.close()
        raise

    def read() -> Upload:
        try:
            batch = gather(_form_entries(files), limits=limits, strip=placing.strip, prefix=placing.prefix)
            return Upload(batch=batch, manifest=_manifest(_json_object(manifest), placing))
        finally:
            for file in files:
                file.file.close()

    return read


async def _parse_form(request: Request, limits: Limits) -> FormData:
    """Raises TooLarge, MalformedBody."""
    body = _limited(request, limits.total_bytes, _upload_too_large(limits))
    maximum = limits.files if limits.files is not None else 1_000_000
    try:
        return await body.form(max_files=maximum + 2, max_fields=2, max_part_size=MAX_MANIFEST_BYTES)
    except HTTPException as error:  # Starlette's for whatever is wrong with a form; its words tell what
        if "Too many files" in error.detail:
            raise TooLarge(f"an upload holds at most {limits.files} files", code="too_many_files") from error
        if "exceeded maximum size" in error.detail:
            raise _manifest_too_large() from error
        raise MalformedBody(f"the form cannot be read: {error.detail}", code="malformed_multipart") from error


async def _parts(form: FormData) -> tuple[list[UploadFile], bytes | None]:
    """The files and the manifest. Raises QueryError, TooLarge."""
    parts = form.multi_items()
    unknown = next((name for name, _ in parts if name not in ("files", "manifest")), None)
    if unknown is not None:
        raise QueryError(
            f"there is no part {unknown!r}", parameter=unknown, code="unknown_part", hint="files, manifest"
        )
    files = [part for name, part in parts if name == "files" and isinstance(part, UploadFile)]
    manifests = [await _content(part) for name, part in parts if name == "manifest"]
    if len(manifests) > 1 or len(files) + len(manifests) != len(parts):
        raise QueryError("each part `files` is a file with a name", parameter="files", code="invalid_body")
    return files, manifests[0] if manifests else None


async def _content(part: str | UploadFile) -> bytes:
    """The manifest's bytes, whether it came as a field or as a file."""
    if isinstance(part, str):
        return part.encode()
    content = await part.read(MAX_MANIFEST_BYTES + 1)
    await part.close()
    if len(content) > MAX_MANIFEST_BYTES:
        raise _manifest_too_large()
    return content


def _manifest_too_large() -> TooLarge:
    return TooLarge(f"a manifest is at most {MAX_MANIFEST_BYTES} bytes", code="manifest_too_large")


def _form_entries(files: Iterable[UploadFile]) -> Iterator[Entry]:
    return (Entry(name=file.filename or "", read=file.file.read) for file in files)


def _json_object(manifest: bytes | None) -> Any:
    if manifest is None:
        return {}
    try:
        return orjson.loads(manifest)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the manifest is no JSON: {error.msg}", code="malformed_json") from error
