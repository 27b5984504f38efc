"""Errors as RFC 9457 problem details: which class means which status stands in one table."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, ClassVar

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import (
    Conflict,
    DatabaseUnavailable,
    DocumentError,
    Finding,
    HonbunError,
    NotFound,
    PreconditionFailed,
    QueryError,
    SourceError,
    TooLarge,
)

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("honbun")


class Unauthorized(HonbunError):
    code = "unauthorized"


class Forbidden(HonbunError):
    code = "forbidden"


class MalformedBody(HonbunError):
    code = "malformed_body"


class UnsupportedMediaType(HonbunError):
    code = "unsupported_media_type"


class NotAcceptable(HonbunError):
    code = "not_acceptable"


class VersionNotReached(HonbunError):
    code = "version_not_reached"


STATUS: tuple[tuple[type[HonbunError], int], ...] = (
    (MalformedBody, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (NotAcceptable, 406),
    (Conflict, 409),
    (PreconditionFailed, 412),
    (TooLarge, 413),
    (UnsupportedMediaType, 415),
    (QueryError, 422),
    (DocumentError, 422),
    (SourceError, 422),
    (DatabaseUnavailable, 503),
    (VersionNotReached, 503),
)
MALFORMED = frozenset(("malformed_archive",))
HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="honbun"'},
    404: {"Cache-Control": "public, max-age=0, s-maxage=5"},
    503: {"Retry-After": "1"},
}


class Problem(Response):
    """A problem details answer; `code` is stable, `detail` is for people."""

    media_type: ClassVar[str] = MEDIA_TYPE

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Iterable[Mapping[str, Any]] = (),
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        problem = {
            "type": f"urn:honbun:problem:{code}",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "errors": list(errors),
            **(members or {}),
        }
        usual = {"Cache-Control": "no-store"} | dict(HEADERS.get(status, {}))
        super().__init__(orjson.dumps(problem), status, headers=usual | dict(headers or {}), media_type=MEDIA_TYPE)


def finding_error(finding: Finding, name: str | None = None) -> dict[str, Any]:
    """One member of `errors` for a remark on a source."""
    return ({} if name is None else {"name": name}) | asdict(finding)


def problem_of(error: HonbunError) -> Problem:
    """The answer for one of our errors."""
    status = 400 if error.reason in MALFORMED else next(code for kind, code in STATUS if isinstance(error, kind))
    detail: dict[str, Any] = {"code": error.reason, "detail": error.detail, "hint": error.hint}
    if isinstance(error, QueryError):
        detail["parameter"] = error.parameter
    if isinstance(error, DocumentError):
        detail = finding_error(error.finding)
    headers = {"WWW-Authenticate": 'Bearer realm="honbun", error="invalid_token"'} if error.reason == "invalid_key" else {}
    return Problem(status, error.reason, error.detail, errors=[detail], headers=headers)


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem."""

    @app.exception_handler(HonbunError)
    async def _ours(request: Request, error: HonbunError) -> Response:
        return _kept_private(request, problem_of(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> Response:
        errors = [_parameter_error(item) for item in error.errors()]
        return Problem(422, errors[0]["code"], errors[0]["detail"], errors=errors)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return _kept_private(request, Problem(error.status_code, code, str(error.detail), headers=_allowed(error)))


def _kept_private(request: Request, problem: Problem) -> Problem:
    """No shared cache keeps what was said to the holder of a key."""
    problem.headers["Vary"] = "Authorization"
    if "authorization" in request.headers:
        problem.headers["Cache-Control"] = "private, no-store"
    return problem


def _allowed(error: HTTPException) -> dict[str, str]:
    headers = dict(error.headers or {})
    if "Allow" in headers and "GET" in headers["Allow"].split(", "):
        headers["Allow"] = ", ".join(sorted({*headers["Allow"].split(", "), "HEAD"}))
    return headers


def _parameter_error(item: Mapping[str, Any]) -> dict[str, Any]:
    """Pydantic's error as ours: which parameter, what is wrong with it."""
    context = item.get("ctx", {})
    location = [str(part) for part in item["loc"][1:] if not isinstance(part, int)]
    code = item["type"] if item["type"] in _OUR_CODES else "invalid_parameter"
    return {
        "code": code,
        "detail": item["msg"].removeprefix("Value error, "),
        "hint": context.get("hint"),
        "parameter": context.get("parameter") or (location[0] if location else None),
    }


_OUR_CODES = frozenset(
    ("unknown_parameter", "invalid_date", "empty_value", "control_character", "invalid_cursor", "invalid_parameter")
)


class Unexpected:
    """Outermost but for the headers that every answer carries: what nobody caught is logged and answered 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await Problem(500, "internal_error", "something went wrong here; it is in the log")(scope, receive, send)
