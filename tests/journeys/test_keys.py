"""Keys: ended in every process at once, and nowhere in a log."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from app.api.auth import create_key, list_keys, revoke_key
from app.database import open_engine
from tests.building import KEY, markdown
from tests.journeys.serving import Server, serving, started

SECRET = "himitsu-no-kagi"  # what somebody sends in the wrong place


def status(server: Server, key: str) -> int:
    """Of a read that the key alone makes possible."""
    return httpx2.get(f"{server.url}/v1/posts?status=any", headers={"Authorization": f"Bearer {key}"}).status_code


@pytest.mark.slow
def test_revoked_key_is_refused_by_the_next_request_to_every_process(database_url: str, tmp_path: Path) -> None:
    engine = open_engine(database_url)
    with serving(tmp_path, DATABASE_URL=database_url) as one, serving(tmp_path, DATABASE_URL=database_url) as other:
        key = create_key(engine, name="reader", scope="read", expires_at=None, now=datetime.now(UTC))
        before = [status(server, key) for server in (one, other, one, other)]
        revoke_key(engine, list_keys(engine)[0]["id"], datetime.now(UTC))
        after = [status(server, key) for server in (one, other, one, other)]
    engine.dispose()

    assert before == [200] * 4
    assert after == [401] * 4


def send(server: Server, request: str) -> None:
    with server.connect() as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


@pytest.mark.parametrize("form", ["json", pytest.param("text", marks=pytest.mark.slow)])
def test_no_key_is_in_the_log_whatever_is_logged(tmp_path: Path, form: str) -> None:
    with serving(
        tmp_path, None, LOG_LEVEL="debug", LOG_FORMAT=form, ACCESS_LOG="true", UPLOAD_PATIENCE="0.2"
    ) as server:
        client = server.client
        assert client.put("/v1/posts/kabu", content=markdown(title="株価")).status_code == 201
        assert client.get(f"/v1/posts?api_key={SECRET}").status_code == 422
        assert client.get("/v1/posts", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 401
        assert client.get("/v1/posts", headers={"Authorization": SECRET}).status_code == 401
        assert client.get("/v1/posts", headers={"X-Request-ID": f"<{SECRET}>"}).status_code == 200
        send(
            server, f"PUT /v1/posts/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 9\r\n\r\n#"
        )
        send(server, f"nonsense {SECRET}\r\nAuthorization: Bearer {KEY}\r\n\r\n")
        send(server, f"GET /v1/posts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\x00\r\n\r\n")
        log = server.log.read_text(encoding="utf-8")

    assert "kabu" in log
    assert KEY not in log
    assert SECRET not in log


def test_password_of_the_database_is_neither_in_the_log_nor_in_an_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"postgresql://honbun:{SECRET}@127.0.0.1:{port}/honbun"
    with started(tmp_path, DATABASE_URL=url, MIGRATE="false", LOG_LEVEL="debug") as server:
        server.await_alive()
        answer = server.client.get("/v1/posts")
        log = server.log.read_text(encoding="utf-8")

    assert answer.status_code == 503
    assert "cannot be reached" in log
    assert SECRET not in log + answer.text
