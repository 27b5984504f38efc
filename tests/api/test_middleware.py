from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.building import AUTH, markdown, stored

READS = [
    "/v1",
    "/v1/posts",
    "/v1/posts/kabu",
    "/v1/posts/kabu/source",
    "/v1/categories",
    "/v1/tags",
    "/v1/authors",
    "/v1/archives",
    "/v1/export.jsonl",
    "/v1/sources",
    "/healthz",
    "/readyz",
    "/openapi.json",
    "/docs",
]


@pytest.mark.parametrize("path", READS)
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    headers = AUTH | {"Accept-Encoding": "identity"}
    get, head = client.get(path, headers=headers), client.head(path, headers=headers)

    assert get.status_code == head.status_code == 200
    assert get.content
    assert head.content == b""
    streamed = path in ("/v1/export.jsonl", "/v1/sources")
    assert head.headers.get("content-length") == (None if streamed else str(len(get.content)))
    assert dict(head.headers) == dict(get.headers)


@pytest.mark.parametrize("path", [*READS, "/nowhere", "/v1/posts?limit=0"])
@pytest.mark.parametrize("origin", [None, "https://reader.example"])
def test_any_origin_is_a_constant_header(client: TestClient, path: str, origin: str | None) -> None:
    response = client.get(path, headers={"Origin": origin} if origin else {})

    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Origin" not in response.headers.get("Vary", "")
    assert "Access-Control-Allow-Credentials" not in response.headers
    for name in ("ETag", "Link", "Location", "Retry-After", "Honbun-Version"):
        assert name in response.headers["Access-Control-Expose-Headers"]


def test_listed_origin_is_echoed_and_varied(make_client: Callable[..., TestClient]) -> None:
    client = make_client(cors_origins=["https://reader.example", "https://other.example"])
    listed = client.get("/v1/posts", headers={"Origin": "https://other.example"})
    unlisted = client.get("/v1/posts", headers={"Origin": "https://evil.example"})
    absent = client.get("/nowhere")

    assert listed.headers["Access-Control-Allow-Origin"] == "https://other.example"
    assert "Access-Control-Allow-Origin" not in unlisted.headers
    assert "Access-Control-Allow-Origin" not in absent.headers
    for response in (listed, unlisted, absent):
        assert "Origin" in response.headers["Vary"]
    assert listed.headers["Vary"] == "Accept-Encoding, Authorization, Origin"


def test_preflight_is_answered_without_a_key(client: TestClient) -> None:
    headers = {
        "Origin": "https://editor.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization, if-match",
    }
    response = client.options("/v1/posts/kabu", headers=headers)

    assert response.status_code == 204
    assert "PUT" in response.headers["Access-Control-Allow-Methods"]
    assert "If-Match" in response.headers["Access-Control-Allow-Headers"]
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_plain_options_tells_the_methods(client: TestClient) -> None:
    response = client.options("/v1/posts/kabu")

    assert response.status_code == 204
    assert response.headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"
    assert client.options("/nowhere").status_code == 404


def test_query_that_is_no_utf_8_is_answered(client: TestClient) -> None:
    assert client.get("/v1/posts?tag=%FF%FE").json()["total"] == 0
