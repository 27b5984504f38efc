import logging
import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from app.logs import JsonFormatter
from tests.api.test_middleware import READS
from tests.building import AUTH, markdown, stored


@pytest.mark.parametrize("path", [*READS, "/nowhere", "/v1/posts?limit=0", "/docs/assets/favicon.png"])
def test_every_answer_has_security_headers(client: TestClient, path: str) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    response = client.get(path, headers=AUTH)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]


def test_errors_and_writes_have_an_id_and_plain_reads_have_none(client: TestClient) -> None:
    written = client.put("/v1/posts/kabu", content=markdown(title="株価"), headers=AUTH)
    missing = client.get("/v1/posts/nothing")

    assert [written.status_code, missing.status_code] == [201, 404]
    for response in (written, missing):
        assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-ID"])
    assert "X-Request-ID" not in client.get("/v1/posts/kabu").headers
    assert client.get("/v1/posts/kabu", headers={"X-Request-ID": "mine"}).headers["X-Request-ID"] == "mine"


def test_304_preflight_and_unexpected_errors_have_them_too(
    make_client: Callable[..., TestClient],
) -> None:
    client = make_client()
    stored(client, {"kabu.md": markdown(title="株価")})
    tag = client.get("/v1/posts").headers["ETag"]
    known = client.get("/v1/posts", headers={"If-None-Match": tag})
    preflight = client.options(
        "/v1/posts", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    )
    client.app.state.service.clock = None  # type: ignore[attr-defined]
    broken = client.get("/v1/posts?tag=x")

    assert [known.status_code, preflight.status_code, broken.status_code] == [304, 204, 500]
    for response in (known, preflight, broken):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_problem_and_log_name_the_request(make_client: Callable[..., TestClient]) -> None:
    client = make_client()
    client.app.state.service.clock = None  # type: ignore[attr-defined]
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(JsonFormatter().format(record))  # type: ignore[method-assign]
    logging.getLogger("honbun").addHandler(handler)
    try:
        response = client.get("/v1/posts", headers={"X-Request-ID": "edge-7.a"})
    finally:
        logging.getLogger("honbun").removeHandler(handler)

    assert response.status_code == 500
    assert response.headers["X-Request-ID"] == response.json()["request_id"] == "edge-7.a"
    assert '"request_id":"edge-7.a"' in lines[0]
    assert client.get("/nowhere", headers={"X-Request-ID": "b"}).json()["request_id"] == "b"


@pytest.mark.parametrize("sent", ["a b", "x" * 129, "<script>", "改", 'a"b'])
def test_id_that_is_not_sane_is_replaced(client: TestClient, sent: str) -> None:
    response = client.get("/healthz", headers={b"X-Request-ID": sent.encode()})

    assert re.fullmatch("[0-9a-f]{16}", response.headers["X-Request-ID"])


def test_page_may_run_its_own_script_and_no_other(client: TestClient) -> None:
    policy = client.get("/docs").headers["Content-Security-Policy"]

    assert re.search(r"script-src 'self' 'sha256-[A-Za-z0-9+/=]+';", policy)
    assert "connect-src 'self'" in policy
