"""What is answered in front of FastAPI is what FastAPI answers, to the byte."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import cast

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from app.api.entries import head_of
from app.api.middleware import Cors
from app.api.service import Service
from app.api.short_reads import ShortReads
from app.main import Application
from tests.building import markdown, stored

SHORT = (
    "/v1/posts",
    "/v1/posts?limit=2",
    "/v1/posts?limit=2&page=2",
    "/v1/posts?tag=ai&utm_source=x",
    "/v1/posts?category=市場&published_at__gte=2025-11-02&total=false",
    "/v1/posts?sort=updated_at&fields=slug,status,url",
    "/v1/posts?q=本文",
    "/v1/posts?q=本文 -下書き&limit=2&fields=slug",
    "/v1/posts/p3",
    "/v1/posts/p3?fields=-html,-related",
    "/v1/posts/株価",
    "/v1/posts/former",
)
OTHERS = (
    "/v1/posts?q=本文&tag=ai",
    "/v1/posts?q=本文&sort=-published_at",
    "/v1/posts?q=本文&highlight=true",
    "/v1/posts?q=本文&include=html",
    "/v1/posts?facets=tag",
    "/v1/posts?include=html",
    "/v1/posts?sort=title",
    "/v1/posts?status=draft",
    "/v1/posts?tga=ai",
    "/v1/posts?cursor=forged",
    "/v1/posts?fields=nothing",
    "/v1/posts?min_version=1.0",
    "/v1/posts/",
    "/v1/posts/p3?tag=ai",
    "/v1/posts/p3?fields=html,nothing",
    "/v1/posts/p3/source",
    "/v1/posts/draft",
    "/v1/posts/none",
    "/v1/posts/a%00b",
    "/v1/posts/a%2Fb",
    "/v1/postscript",
    "/v1/tags",
    "/healthz",
)
REQUESTS = (
    {"Accept-Encoding": "identity"},
    {"Accept-Encoding": "zstd"},
    {"Accept-Encoding": "gzip", "Accept": "application/json;q=0.5, text/html"},
    {"Origin": "https://a.example"},
    {"Origin": "https://b.example"},
    {"Accept": "text/html"},
    {"X-Request-ID": "own"},
    {"Authorization": "Bearer wrong"},
)
ASKS_MORE = {"X-Request-ID", "Authorization"}  # which short reads leave to FastAPI
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(params=[["*"], ["https://a.example"]], ids=["any-origin", "one-origin"])
def client(request: pytest.FixtureRequest, make_client: Callable[..., TestClient]) -> TestClient:
    return filled(make_client(cors_origins=request.param, cache_bytes=0))


def filled(client: TestClient) -> TestClient:
    posts = {
        f"p{number}.md": markdown(
            "本文です。\n" * 100,
            date=f"2025-11-{number + 1:02}",
            tags=["AI"] if number % 2 else [],
            categories=["市場"],
        )
        for number in range(6)
    }
    old = {"kabu.md": markdown(date="2025-10-01", slug="former"), "draft.md": markdown(draft=True)}
    stored(client, posts | old)
    stored(client, {"kabu.md": markdown(date="2025-10-01", slug="株価")})
    return client


def past(client: TestClient) -> TestClient:
    """A client of FastAPI alone."""
    return TestClient(partial(FastAPI.__call__, cast("FastAPI", client.app)), raise_server_exceptions=False)


def service_of(client: TestClient) -> Service:
    service: Service = cast("FastAPI", client.app).state.service
    return service


def scope_of(request: httpx2.Request) -> Scope:
    """A request as our HTTP protocol has it."""
    address = {"raw_path": request.url.raw_path.partition(b"?")[0], "query_string": request.url.query}
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    usual = {"type": "http", "method": request.method, "scheme": "http", "headers": headers, "root_path": ""}
    return {**usual, **address, "path": request.url.path}


def said(answer: httpx2.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """All of an answer as it was sent, but its own id."""
    named = [pair for pair in answer.headers.raw if pair[0] != b"x-request-id"]
    body = b"".join(answer.iter_raw())
    return answer.status_code, named, body if answer.status_code < 400 else b""


def test_every_answer_is_fastapis(client: TestClient) -> None:
    fastapi = past(client)
    for method, path, headers in product(("GET", "HEAD", "DELETE"), (*SHORT, *OTHERS), REQUESTS):
        request = client.build_request(method, path, headers=headers)
        expected = said(fastapi.send(request, stream=True, follow_redirects=False))

        assert said(client.send(request, stream=True, follow_redirects=False)) == expected, path


@on_sqlite
@pytest.mark.parametrize("cache_bytes", [0, 1_000_000])
def test_what_is_ready_past_asgi_is_fastapis(make_client: Callable[..., TestClient], cache_bytes: int) -> None:
    client = filled(make_client(cors_origins=["https://a.example"], cache_bytes=cache_bytes))
    application = cast("Application", client.app)
    client.get("/v1")  # from now on the cache knows what is in force
    for path, headers in product((*SHORT, *OTHERS), REQUESTS):
        known = past(client).get(path, headers=headers, follow_redirects=False)  # totals are counted in a thread
        for more in ({}, {"If-None-Match": known.headers.get("ETag", "")}):
            request = client.build_request("GET", path, headers={**headers, **more})
            ready = application.ready(scope_of(request))
            expected = said(past(client).send(request, stream=True, follow_redirects=False))

            if path in OTHERS or not ASKS_MORE.isdisjoint(headers) or expected[0] == 406:
                assert ready is None, path
            else:
                assert ready == (head_of(*expected[:2]), expected[2]), path


@on_sqlite
def test_short_read_is_made_once_for_the_cache(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client())
    application = cast("Application", client.app)
    client.get("/v1/posts?limit=1")
    cache = application.cache
    assert cache is not None
    before = cache.entries.counts.misses
    answers = [application.ready(scope_of(client.build_request("GET", "/v1/posts?limit=2"))) for _ in range(3)]

    assert answers[0] is not None
    assert answers == answers[:1] * 3
    assert cache.entries.counts.misses == before + 1


def test_a_copy_that_is_still_right_is_known(client: TestClient) -> None:
    for path in SHORT:
        first = client.get(path, follow_redirects=False)
        for header, validator in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            headers = {header: first.headers.get(validator, "")}
            request = client.build_request("GET", path, headers=headers)
            expected = said(past(client).send(request, stream=True, follow_redirects=False))

            assert said(client.send(request, stream=True, follow_redirects=False)) == expected, path


@on_sqlite
def test_fastapi_is_not_asked_for_short_reads(client: TestClient) -> None:
    asked = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await past(client).app(scope, receive, send)

    reader = TestClient(ShortReads(app, service_of(client), Cors(app, origins=["*"])))
    for path in (*SHORT, *OTHERS):
        reader.get(path, follow_redirects=False)  # the total and related posts are found in a thread
        asked.clear()
        reader.get(path, follow_redirects=False)

        assert bool(asked) == (path in OTHERS), path
