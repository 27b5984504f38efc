import logging
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.building import AUTH, markdown, stored


def figure(text: str, start: str) -> float:
    return next(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start))


def test_figures_are_by_route_and_need_a_key(make_client: Callable[..., TestClient]) -> None:
    client = make_client(metrics=True)
    stored(client, {"a.md": markdown(title="一", date="2025-12-01")})
    for path in ("/v1/posts/a", "/v1/posts/a?fields=title", "/v1/posts/b", "/nowhere/1", "/nowhere/2"):
        client.get(path)
    client.request("BREW", "/v1/posts")
    response = client.get("/metrics", headers=AUTH)
    one = 'honbun_requests_total{method="GET",route="/v1/posts/{slug}"'

    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert figure(response.text, one + ',status="200"}') == 2
    assert figure(response.text, one + ',status="404"}') == 1
    assert figure(response.text, 'honbun_requests_total{method="GET",route="other",status="404"}') == 2
    assert figure(response.text, 'honbun_requests_total{method="other",route="/v1/posts",status="405"}') == 1
    assert figure(response.text, 'honbun_requests_total{method="POST",route="/v1/ingest",status="200"}') == 1
    assert figure(response.text, 'honbun_request_seconds_count{method="GET",route="/v1/posts/{slug}"}') == 3
    assert "process_resident_memory_bytes" in response.text
    assert client.get("/metrics").status_code == 401


def test_there_are_no_figures_where_nobody_wants_them(client: TestClient) -> None:
    assert client.get("/metrics", headers=AUTH).status_code == 404


def test_access_log_has_a_line_for_each_request_without_query_and_key(
    make_client: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(access_log=True)
    with caplog.at_level(logging.INFO, "honbun.access"):
        client.get("/v1/posts?q=himitsu", headers=AUTH)
        client.get("/v1/posts/株価")
    lines = [vars(record) for record in caplog.records]

    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/v1/posts", 200),
        ("GET", "/v1/posts/株価", 404),
    ]
    assert all(line["milliseconds"] >= 0 and line["client"] == "testclient" for line in lines)
    assert "himitsu" not in str(lines)
    assert AUTH["Authorization"].split()[1] not in str(lines)
