import logging
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app import migrate
from app.api.problems import STATUS, problem_of
from app.api.schemas import ProblemDetails
from app.errors import HonbunError, QueryError
from tests.building import AUTH, markdown, stored

CASES = [
    ("GET", "/v1/posts?limit=0", {}, 422, "invalid_parameter", {"parameter": "limit"}),
    ("GET", "/v1/posts?limit=9223372036854775808", {}, 422, "invalid_parameter", {"parameter": "limit"}),
    ("GET", "/v1/posts?sort=random", {}, 422, "invalid_parameter", {"parameter": "sort"}),
    ("GET", "/v1/posts?page=1&cursor=x", {}, 422, "invalid_parameter", {"parameter": "page"}),
    ("GET", "/v1/posts?cursor=", {}, 422, "invalid_cursor", {"parameter": "cursor"}),
    ("GET", "/v1/posts?cursor=abc", {}, 422, "invalid_cursor", {"parameter": "cursor"}),
    ("GET", "/v1/posts?published_at=2025-13", {}, 422, "invalid_date", {"parameter": "published_at"}),
    ("GET", "/v1/posts?tag=", {}, 422, "empty_value", {"parameter": "tag"}),
    ("GET", "/v1/posts?tag=a%00b", {}, 422, "control_character", {"parameter": "tag"}),
    ("GET", "/v1/posts?fields=slug,titel", {}, 422, "unknown_field", {"parameter": "fields"}),
    ("GET", "/v1/posts?include=older", {}, 422, "unknown_field", {"parameter": "include"}),
    ("GET", "/v1/posts?front_matter._secret=1", {}, 422, "private_field", {"parameter": "front_matter._secret"}),
    ("GET", "/v1/posts?status=draft", {}, 401, "unauthorized", {"header": "Authorization"}),
    ("GET", "/v1/posts?status=nonsense", {}, 422, "invalid_parameter", {"parameter": "status"}),
    ("GET", "/v1/archives?by=day", {}, 422, "invalid_parameter", {"parameter": "by"}),
    ("GET", "/v1/posts/nothing", {}, 404, "not_found", {}),
    ("GET", "/v1/posts/" + "x" * 1000, {}, 404, "not_found", {}),
    ("GET", "/v1/posts/a%00b", {}, 404, "not_found", {}),
    ("GET", "/v1/posts/a%2Fb", {}, 404, "not_found", {}),
    ("GET", "/v1/posts/", {}, 404, "not_found", {}),
    ("GET", "/elsewhere", {}, 404, "not_found", {}),
    ("GET", "/v1/posts", {"accept": "text/html"}, 406, "not_acceptable", {"header": "Accept"}),
    ("GET", "/v1/posts", {"accept": "application/json;q=0, */*"}, 406, "not_acceptable", {"header": "Accept"}),
    ("GET", "/v1/export.jsonl", {"accept": "application/json"}, 406, "not_acceptable", {"header": "Accept"}),
    ("GET", "/v1/posts?min_version=yesterday", {}, 422, "invalid_version", {"parameter": "min_version"}),
    ("GET", "/v1/posts?min_version=1&wait=nan", {}, 422, "invalid_parameter", {"parameter": "wait"}),
    ("GET", "/v1/posts?min_version=999999", {}, 503, "version_not_reached", {}),
    ("PATCH", "/v1/posts", {}, 405, "method_not_allowed", {}),
    ("POST", "/v1/ingest", {}, 401, "unauthorized", {"header": "Authorization"}),
    ("POST", "/v1/ingest", AUTH, 415, "unsupported_media_type", {"header": "Content-Type"}),
    ("POST", "/v1/ingest?prune=true", AUTH, 422, "missing_parameter", {"parameter": "prefix"}),
    ("POST", "/v1/ingest?prefix=../x", AUTH, 422, "invalid_name", {"parameter": "prefix"}),
    ("POST", "/v1/ingest", AUTH | {"accept": "text/html"}, 406, "not_acceptable", {"header": "Accept"}),
    ("DELETE", "/v1/posts/nothing", AUTH, 404, "not_found", {}),
    ("PUT", "/v1/posts/%20", AUTH, 422, "invalid_slug", {"parameter": "slug"}),
    ("PUT", "/v1/posts/README", AUTH, 422, "invalid_slug", {"parameter": "slug"}),
    ("PUT", "/v1/posts/a%00b", AUTH, 422, "invalid_slug", {"parameter": "slug"}),
]


def test_each_error_is_a_problem_with_its_code_and_place(client: TestClient) -> None:
    for method, path, headers, status, code, place in CASES:
        response = client.request(method, path, headers=headers)
        problem = response.json()

        assert (response.status_code, problem["code"]) == (status, code), (method, path, response.text)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert ProblemDetails.model_validate(problem).type == f"urn:honbun:problem:{code}"
        assert problem["status"] == status
        assert problem["errors"][0].items() >= place.items(), (method, path, response.text)
        assert None not in problem["errors"][0].values()


ROUTES_WITH_QUERY = [
    ("GET", "/v1"),
    ("GET", "/v1/posts"),
    ("GET", "/v1/posts/kabu"),
    ("GET", "/v1/posts/kabu/source"),
    ("GET", "/v1/categories"),
    ("GET", "/v1/tags"),
    ("GET", "/v1/authors"),
    ("GET", "/v1/archives"),
    ("GET", "/v1/export.jsonl"),
    ("GET", "/v1/sources"),
    ("POST", "/v1/ingest"),
    ("POST", "/v1/render"),
    ("PUT", "/v1/posts/kabu"),
    ("DELETE", "/v1/posts/kabu"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES_WITH_QUERY)
def test_unknown_parameter_is_refused_with_the_nearest_known_name(client: TestClient, method: str, path: str) -> None:
    response = client.request(method, f"{path}?waitt=1", headers=AUTH)

    assert response.status_code == 422
    error = response.json()["errors"][0]
    assert (error["code"], error["parameter"], error["hint"]) == ("unknown_parameter", "waitt", "did you mean wait?")


@pytest.mark.parametrize(("method", "path"), ROUTES_WITH_QUERY)
def test_what_trackers_add_is_ignored(client: TestClient, method: str, path: str) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})

    query = "utm_source=news&utm_x=1&fbclid=2&gclid=3&_=4&_ga=5"
    response = client.request(
        method, f"{path}?{query}", content=markdown(title="株価"), headers=AUTH | {"content-type": "text/markdown"}
    )

    if path == "/v1/ingest":
        assert response.json()["errors"][0]["parameter"] == "name"
    else:
        assert response.status_code in (200, 204), response.text


def test_405_names_all_methods_of_an_address(client: TestClient) -> None:
    assert client.patch("/v1/posts/kabu").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"
    assert client.post("/v1/posts").headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.head("/v1/ingest").headers["Allow"] == "OPTIONS, POST"
    assert client.post("/openapi.json").headers["Allow"] == "GET, HEAD, OPTIONS"


def test_database_that_is_not_migrated_is_503(engine: Engine, client: TestClient) -> None:
    migrate.downgrade(engine)
    try:
        response = client.get("/v1/posts")
        readiness = client.get("/readyz")
    finally:
        migrate.upgrade(engine)

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert "honbun migrate" in response.json()["detail"]
    assert readiness.status_code == 503
    assert readiness.json()["code"] == "not_ready"


def test_unreachable_database_is_503(make_client: Callable[..., TestClient]) -> None:
    client = make_client(database_url="postgresql://nobody@127.0.0.1:1/nothing", migrate=False)

    for path in ("/v1/posts", "/v1/export.jsonl", "/readyz"):
        response = client.get(path)

        assert response.status_code == 503
        assert response.json()["code"] == "database_unavailable"
        assert response.headers["Retry-After"] == "1"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert client.get("/healthz").status_code == 200


def test_unexpected_error_shows_nothing_of_the_inside(
    make_client: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client()
    client.app.state.service.clock = _broken_clock  # type: ignore[attr-defined]
    with caplog.at_level(logging.ERROR):
        response = client.get("/v1/posts")

    assert response.status_code == 500
    assert response.json()["code"] == "internal_error"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert "spring" not in response.text
    assert "the spring is broken" in caplog.text


def _broken_clock() -> Any:
    raise RuntimeError("the spring is broken")


def test_every_error_class_has_a_status() -> None:
    for kind, status in STATUS:
        error = kind("…", parameter="p") if kind is QueryError else kind.__new__(kind)
        if kind is not QueryError:
            HonbunError.__init__(error, "…")
        if hasattr(kind, "finding") or kind.__name__ == "DocumentError":
            continue

        assert problem_of(error).status_code == status
