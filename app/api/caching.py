"""Bytes as they go out: validators, cache lifetimes, encodings, 304 (RFC 9110, RFC 9111)."""

import gzip
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from hashlib import sha256
from math import inf
from typing import Any, Final

import orjson
import zstandard
from fastapi import Request, Response

from app.api.problems import NotAcceptable
from app.posts.changes import State

JSON: Final = "application/json"
VARY: Final = "Accept-Encoding, Authorization"
SMALLEST: Final = 500  # bytes; below it compressing costs more than it saves
LONGEST: Final = 200  # characters of a header that is worth remembering
ENCODINGS: Final = ("zstd", "gzip")  # in the order of our liking


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """How long shared caches may keep an answer, and what they may purge it by."""

    state: State
    now: datetime
    s_maxage: int  # seconds
    is_private: bool

    def headers(self, tags: Iterable[str] = ()) -> dict[str, str]:
        headers = {"Honbun-Version": self.state.label, "Vary": VARY, "Cache-Control": self._cache_control()}
        if not self.is_private:
            headers["Last-Modified"] = http_date(self.state.changed_at)
        if joined := ",".join(tags):
            headers |= {"Cache-Tag": joined, "Surrogate-Key": joined.replace(",", " ")}
        return headers

    def _cache_control(self) -> str:
        if self.is_private:
            return "private, no-store"
        seconds = min(self.s_maxage, seconds_to_flip(self.state, self.now))
        return f"public, max-age=0, s-maxage={seconds:.0f}, must-revalidate"


def seconds_to_flip(state: State, now: datetime) -> float:
    """Whole seconds until the clock alone changes what is visible; infinite where it never does."""
    if state.next_flip is None:
        return inf
    return max(0, int((state.next_flip - now).total_seconds()))


@lru_cache(maxsize=100)
def http_date(instant: datetime) -> str:
    """RFC 9110, 5.6.7."""
    return format_datetime(instant, usegmt=True)


def respond(  # noqa: PLR0913 - what an answer is made of
    request: Request,
    value: Any,
    lifetime: Lifetime,
    *,
    own: str = "",
    tags: Iterable[str] = (),
    headers: dict[str, str] | None = None,
    media_type: str = JSON,
) -> Response:
    """A read's answer: JSON of the value (bytes go out as they are), or 304 where the reader has it.

    `own` is what identifies the post alone; it leads the ETag, so that If-Match can ask for the post's content
    whatever its neighbours are.
    Raises NotAcceptable.
    """
    check_acceptable(request, media_type)
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    encoding = encoding_for(request, len(body))
    tag = etag(body, own, encoding)
    all_headers = lifetime.headers(tags) | (headers or {}) | {"ETag": tag}
    if not lifetime.is_private and is_known(request.headers, tag, lifetime.state):
        return Response(status_code=304, headers=all_headers)
    if encoding is not None:
        body = compress(body, encoding)
        all_headers["Content-Encoding"] = encoding
    return Response(body, headers=all_headers, media_type=media_type)


def etag(body: bytes, own: str = "", encoding: str | None = None) -> str:
    """A strong validator of the bytes sent, one for each encoding."""
    parts = (own, sha256(body).hexdigest()[:20], encoding)
    return '"{}"'.format(".".join(part for part in parts if part))


def compress(body: bytes, encoding: str) -> bytes:
    if encoding == "zstd":
        return zstandard.ZstdCompressor(level=3).compress(body)
    return gzip.compress(body, compresslevel=6, mtime=0)  # no time inside: equal bytes have equal tags


def encoding_for(request: Request, size: int = SMALLEST) -> str | None:
    """The encoding that the reader likes best, and we among equals; or none."""
    return None if size < SMALLEST else best_encoding(request.headers.get("accept-encoding", ""))


def best_encoding(header: str) -> str | None:
    """What Accept-Encoding likes best of what there is."""
    return (_remembered_best if len(header) <= LONGEST else _best)(header) if header else None


def _best(header: str) -> str | None:
    accepted = _weights(header)
    weights = {name: accepted.get(name, accepted.get("*", 0.0)) for name in ENCODINGS}
    best = max(ENCODINGS, key=weights.__getitem__)
    return best if weights[best] > 0 else None


_remembered_best = lru_cache(maxsize=256)(_best)  # few forms of it go round


def _weights(header: str) -> dict[str, float]:
    """`gzip;q=0.5, zstd` -> weights (RFC 9110, 12.4.2)."""
    weights: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((p[2:] for p in parameters if p.lower().startswith("q=")), "1")
        try:
            weights[name.lower()] = float(weight)
        except ValueError:
            weights[name.lower()] = 0.0
    return weights


def check_acceptable(request: Request, media_type: str) -> None:
    """Raises NotAcceptable where the reader's Accept leaves no room for the one form that there is."""
    kind = media_type.partition(";")[0]
    accept = request.headers.get("accept")
    if accept and not is_acceptable(accept, kind):
        raise NotAcceptable(f"this is served as {kind} only")


def is_acceptable(accept: str, kind: str) -> bool:
    """Whether an Accept header takes a media type. Who takes `application/json` takes `application/feed+json`.

    RFC 9110, 12.5.1: of the patterns for a type the most specific one decides. RFC 6839: what a suffix means.
    """
    accepted = _weights(accept)
    kinds = (kind, re.sub(r"/.*\+", "/", kind))
    return any(_takes(accepted, (kind, f"{kind.partition('/')[0]}/*", "*/*")) for kind in kinds)


def asks_for(request: Request, kind: str) -> bool:
    """Whether Accept takes a media type by its name."""
    return _takes(_weights(request.headers.get("accept", "")), (kind,))


def _takes(accepted: Mapping[str, float], patterns: Iterable[str]) -> bool:
    return next((accepted[pattern] for pattern in patterns if pattern in accepted), 0.0) > 0


def is_known(headers: Mapping[str, str], tag: str, state: State | None) -> bool:
    """Whether the copy that a request speaks of is still right; the ETag decides where one is sent (RFC 9110, 13.2.2).

    Without a state no date can say so.
    """
    if (none_match := headers.get("if-none-match")) is not None:
        return none_match.strip() == "*" or tag in _weakly(none_match)
    since = _parse_http_date(headers.get("if-modified-since"))
    return since is not None and state is not None and state.is_exact and state.changed_at <= since


def entity_tags(header: str) -> list[str]:
    """The tags of a list; ours hold no comma."""
    return [tag.strip() for tag in header.split(",")]


def _weakly(header: str) -> list[str]:
    """The tags of a list without the mark of weakness, which If-None-Match disregards."""
    return [tag.removeprefix("W/") for tag in entity_tags(header)]


def _parse_http_date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return parsed if parsed.tzinfo else None
