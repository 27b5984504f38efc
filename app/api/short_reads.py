"""Lists and single posts that SQLite reads in a fraction of a millisecond, answered in front of FastAPI.

Its routing and our middleware take longer than such a read. What they add to an answer is added here as well; all that
is out of the ordinary is left to them, so that errors are made in one place.
"""

from collections.abc import Hashable

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.entries import head_of
from app.api.envelope import NOTHING, REQUEST_ID, SECURITY
from app.api.middleware import Cors
from app.api.posts import path_slug, show_list, show_one
from app.api.routes import read_query
from app.api.service import Reading, Service
from app.posts.filters import DetailQuery, ListQuery
from app.posts.lists import is_short

LISTS = "/v1/posts"
METHODS = frozenset(("GET", "HEAD"))
# Who sends one of these is asked more, or answered more, or sends a body.
OTHERS = frozenset((b"authorization", REQUEST_ID, b"content-length", b"transfer-encoding"))


class ShortReads:
    """An application behind the reads that it need not be asked for.

    None of them waits for anything, so that there is never more than one at once: they take no slot of `Admission`.
    """

    def __init__(self, app: ASGIApp, service: Service, cors: Cors) -> None:
        self.app = app
        self.service = service
        self.cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self.answer(scope)
        if answer is None:
            await self.app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers})
        await send({"type": "http.response.body", "body": answer.body if scope["method"] == "GET" else b""})

    def ready(self, scope: Scope, _request: tuple[Hashable, ...] | None = None) -> tuple[bytes, bytes] | None:
        """Head and body of the answer to a GET, for our HTTP protocol; None where the application is to be asked."""
        answer = self.answer(scope) if scope["method"] == "GET" else None
        head = b"" if answer is None else head_of(answer.status_code, answer.raw_headers)
        return (head, bytes(answer.body)) if answer is not None and head else None

    def again(self, _request: tuple[Hashable, ...]) -> None:
        """None: what was read is read again."""

    def answer(self, scope: Scope) -> Response | None:
        """The answer to a GET, with all its headers; None where the application is to be asked."""
        if scope["type"] != "http" or scope["method"] not in METHODS or not scope["path"].startswith(LISTS):
            return None
        headers = dict(reversed(scope["headers"]))  # of several the first one counts
        if not OTHERS.isdisjoint(headers):
            return None
        try:
            response = self._read(Request(scope))
        except Exception:  # noqa: BLE001 - whatever it is, it happens again where it is logged and answered
            return None
        if response is not None:
            self._complete(response, headers.get(b"origin"))
        return response

    def _read(self, request: Request) -> Response | None:
        parent, _, slug = request.scope["path"].rpartition("/")
        text = request.scope["query_string"]
        reading = Reading(service=self.service, principal=None, now=self.service.clock())
        if request.scope["path"] == LISTS:
            wanted = read_query(ListQuery, text)
            if wanted.min_version is None and is_short(wanted):
                return show_list(request, wanted, reading, hurried=True)
        elif parent == LISTS:
            query = read_query(DetailQuery, text)
            if query.min_version is None and not query.filters:
                return show_one(request, path_slug(slug), query, reading, hurried=True)
        return None

    def _complete(self, response: Response, origin: bytes | None) -> None:
        self.cors.add_to(response.headers, None if origin is None else origin.decode("latin-1"))
        response.raw_headers += [*SECURITY, NOTHING]
