"""Lists and single posts that SQLite reads in a fraction of a millisecond, answered in front of FastAPI.

Its routing and our middleware take longer than such a read. What they add to an answer is added here as well; all that
is out of the ordinary is left to them, so that errors are made in one place.
"""

from fastapi import Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.envelope import NOTHING, SECURITY
from app.api.middleware import Cors
from app.api.posts import path_slug, show_list, show_one
from app.api.routes import read_query
from app.api.service import Reading, Service
from app.posts.filters import DetailQuery, ListQuery
from app.posts.lists import is_short

LISTS = "/v1/posts"
METHODS = frozenset(("GET", "HEAD"))
OTHERS = frozenset((b"authorization", b"x-request-id"))  # who sends one of these is asked more, or answered more


class ShortReads:
    """An application behind the reads that it need not be asked for.

    None of them waits for anything, so that there is never more than one at once: they take no slot of `Admission`.
    """

    def __init__(self, app: ASGIApp, service: Service, cors: Cors) -> None:
        self.app = app
        self.service = service
        self.cors = cors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._response(scope)
        if response is None:
            await self.app(scope, receive, send)
            return
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": self._headers(scope, response)}
        )
        await send({"type": "http.response.body", "body": response.body if scope["method"] == "GET" else b""})

    def _response(self, scope: Scope) -> Response | None:
        """None where FastAPI is to be asked."""
        if scope["type"] != "http" or scope["method"] not in METHODS or not scope["path"].startswith(LISTS):
            return None
        if any(name in OTHERS for name, _ in scope["headers"]):
            return None
        try:
            return self._read(Request(scope))
        except Exception:  # noqa: BLE001 - whatever it is, it happens again where it is logged and answered
            return None

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

    def _headers(self, scope: Scope, response: Response) -> list[tuple[bytes, bytes]]:
        headers = MutableHeaders(raw=response.raw_headers)
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        self.cors.add_to(headers, origin)
        return [*headers.raw, *SECURITY, NOTHING]
