"""Errors as RFC 9457 problem details: which class means which status stands in one table."""

import errno
import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from app.errors import (
    Conflict,
    DatabaseUnavailable,
    DocumentError,
    Finding,
    HonbunError,
    NotFound,
    PreconditionFailed,
    QueryError,
    RendererUnavailable,
    SourceError,
    TooLarge,
    TooSlow,
)
from app.logs import request_id

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


class RequestTimeout(HonbunError):
    code = "request_timeout"


class TooManyRequests(HonbunError):
    code = "too_many_requests"
    retry_after = 1  # seconds

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Overloaded(HonbunError):
    code = "overloaded"


STATUS: tuple[tuple[type[HonbunError], int], ...] = (
    (MalformedBody, 400),
    (Unauthorized, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (NotAcceptable, 406),
    (RequestTimeout, 408),
    (Conflict, 409),
    (PreconditionFailed, 412),
    (TooLarge, 413),
    (UnsupportedMediaType, 415),
    (QueryError, 422),
    (DocumentError, 422),
    (SourceError, 422),
    (TooManyRequests, 429),
    (DatabaseUnavailable, 503),
    (RendererUnavailable, 503),
    (TooSlow, 503),
    (Overloaded, 503),
    (VersionNotReached, 503),
)
EXHAUSTED = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM))
MALFORMED = frozenset(("malformed_archive",))
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110's names; older Pythons have others
HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": 'Bearer realm="honbun"'},
    404: {"Cache-Control": "public, max-age=0, s-maxage=5"},
    408: {"Connection": "close"},
    503: {"Retry-After": "1"},
}
HEADER_AT_FAULT: Mapping[str, str] = {  # by code
    "unauthorized": "Authorization",
    "invalid_key": "Authorization",
    "not_acceptable": "Accept",
    "unsupported_media_type": "Content-Type",
    "invalid_content_length": "Content-Length",
    "precondition_failed": "If-Match",
    "already_exists": "If-None-Match",
}


class Problem(Response):
    """A problem details answer; `code` is stable, `detail` is for people."""

    def __init__(  # noqa: PLR0913 - RFC 9457's members
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
            "title": TITLES.get(status) or HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "code": code,
            "errors": list(errors) or [error_of(code=code, detail=detail)],
            "request_id": request_id.get(),
            **(members or {}),
        }
        usual = {"Cache-Control": "no-store"} | dict(HEADERS.get(status, {}))
        super().__init__(orjson.dumps(problem), status, headers=usual | dict(headers or {}), media_type=MEDIA_TYPE)


def error_of(**members: Any) -> dict[str, Any]:
    """One of a problem's `errors`: its code, its detail, and of the other members those that apply."""
    return {name: value for name, value in members.items() if value is not None}


def finding_error(finding: Finding, name: str | None = None) -> dict[str, Any]:
    """A remark on a source as one of a problem's `errors`."""
    return error_of(name=name, **asdict(finding))


def problem_of(error: HonbunError) -> Problem:
    """The answer for one of our errors."""
    status = 400 if error.reason in MALFORMED else next(code for kind, code in STATUS if isinstance(error, kind))
    if isinstance(error, DocumentError):
        shown = finding_error(error.finding)
    else:
        shown = error_of(
            code=error.reason,
            detail=error.detail,
            hint=error.hint,
            parameter=error.parameter if isinstance(error, QueryError) else None,
            header=HEADER_AT_FAULT.get(error.reason),
        )
    challenge = {"WWW-Authenticate": 'Bearer realm="honbun", error="invalid_token"'}  # RFC 6750, 3.1
    headers = challenge if error.reason == "invalid_key" else {}
    if isinstance(error, TooManyRequests):
        headers = {"Retry-After": str(error.retry_after)}
    return Problem(status, error.reason, error.detail, errors=[shown], headers=headers)


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem."""

    @app.exception_handler(HonbunError)
    async def _ours(request: Request, error: HonbunError) -> Response:
        return _kept_private(request, problem_of(error))

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [_parameter_error(item) for item in error.errors()]
        return _kept_private(request, Problem(422, errors[0]["code"], errors[0]["detail"], errors=errors))

    @app.exception_handler(ClientDisconnect)
    async def _gone(_request: Request, _error: ClientDisconnect) -> Response:
        return Problem(400, "incomplete_request", "the connection ended before the body did")

    @app.exception_handler(OSError)
    async def _exhausted(request: Request, error: OSError) -> Response:
        if error.errno not in EXHAUSTED:
            raise error
        log.error("%s", error.strerror)
        return _kept_private(request, Problem(503, "exhausted", "this machine has run out of room; nothing was kept"))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = _allowed(app, request, headers.get("Allow", ""))
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=headers)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return _kept_private(request, Problem(error.status_code, code, str(error.detail), headers=headers))


def _kept_private(request: Request, problem: Problem) -> Problem:
    """No shared cache keeps what was said to the holder of a key."""
    problem.headers["Vary"] = "Authorization"
    if "authorization" in request.headers:
        problem.headers["Cache-Control"] = "private, no-store"
    return problem


def _allowed(app: FastAPI, request: Request, of_one_route: str) -> str:
    """All methods of an address; the router names those of the first route only that has it."""
    methods = {method for method in of_one_route.split(", ") if method}
    for template, operations in app.openapi()["paths"].items():
        if compile_path(template)[0].fullmatch(request.scope["path"]):
            methods |= {method.upper() for method in operations}
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted({*methods, "OPTIONS"}))


def _parameter_error(item: Mapping[str, Any]) -> dict[str, Any]:
    """Pydantic's error as ours: which parameter, what is wrong with it."""
    context = item.get("ctx", {})
    location = [str(part) for part in item["loc"][1:] if not isinstance(part, int)]
    return error_of(
        code=item["type"] if item["type"] in _OUR_CODES else "invalid_parameter",
        detail=item["msg"].removeprefix("Value error, "),
        hint=context.get("hint"),
        parameter=context.get("parameter") or (location[0] if location else None),
    )


_OUR_CODES = frozenset(
    ("unknown_parameter", "invalid_date", "empty_value", "control_character", "invalid_cursor", "invalid_parameter")
)
