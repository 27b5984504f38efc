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

from app.api.middleware import Cors
from app.api.service import Service
from app.api.short_reads import ShortReads
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


@pytest.fixture(params=[["*"], ["https://a.example"]], ids=["any-origin", "one-origin"])
def client(request: pytest.FixtureRequest, make_client: Callable[..., TestClient]) -> TestClient:
    client = make_client(cors_origins=request.param, cache_bytes=0)
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


def said(answer: httpx2.Response) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """All of an answer but its own id."""
    named = [pair for pair in answer.headers.raw if pair[0] != b"x-request-id"]
    return answer.status_code, named, answer.content if answer.status_code < 400 else b""


def test_every_answer_is_fastapis(client: TestClient) -> None:
    fastapi = past(client)
    for method, path, headers in product(("GET", "HEAD", "DELETE"), (*SHORT, *OTHERS), REQUESTS):
        expected = said(fastapi.request(method, path, headers=headers, follow_redirects=False))

        assert said(client.request(method, path, headers=headers, follow_redirects=False)) == expected, path


def test_a_copy_that_is_still_right_is_known(client: TestClient) -> None:
    for path in SHORT:
        first = client.get(path, follow_redirects=False)
        for header, validator in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
            headers = {header: first.headers.get(validator, "")}
            expected = said(past(client).get(path, headers=headers, follow_redirects=False))

            assert said(client.get(path, headers=headers, follow_redirects=False)) == expected, path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
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
