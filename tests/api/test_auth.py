from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.api.auth import create_key, list_keys, revoke_key
from app.errors import NotFound
from tests.building import AUTH, KEY, NOW, FixedClock, markdown, stored


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def a_key(engine: Engine, scope: str, **days: float) -> str:
    expires_at = NOW + timedelta(**days) if days else None
    return create_key(engine, name="編集部", scope=scope, expires_at=expires_at, now=NOW)


WRONG = [
    "Bearer wrong",
    "Bearer honbun_000000000000_" + "0" * 48,
    "Bearer honbun__x",
    "Bearer honbun_%27_x",
    "Bearer honbun_a_b_c",
    "Bearer ",
    "Bearer",
    "Basic YTpi",
    "bogus",
    "",
    "Bearer " + "鍵".encode().decode("latin-1"),
]


@pytest.mark.parametrize("header", WRONG)
def test_wrong_key_is_401_on_reads_too(client: TestClient, header: str) -> None:
    for path in ("/v1", "/v1/posts", "/v1/tags", "/v1/export.jsonl", "/v1/posts/kabu"):
        response = client.get(path, headers={b"Authorization": header.encode("latin-1")})

        assert response.status_code == 401, path
        assert response.json()["code"] == "invalid_key"
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="honbun", error="invalid_token"'
        assert response.headers["Cache-Control"] == "private, no-store"


def test_two_keys_in_one_request_are_none(client: TestClient) -> None:
    twice = [(b"Authorization", f"Bearer {KEY}".encode()), (b"Authorization", b"Bearer other")]

    assert client.get("/v1", headers=twice).status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_scheme_has_no_case(client: TestClient, scheme: str) -> None:
    assert client.get("/v1", headers={"Authorization": f"{scheme} {KEY}"}).status_code == 200


def test_expired_and_revoked_keys_are_401(client: TestClient, engine: Engine, clock: FixedClock) -> None:
    key = a_key(engine, "read", days=1)

    assert client.get("/v1", headers=bearer(key)).status_code == 200

    clock.advance(days=1)
    assert client.get("/v1", headers=bearer(key)).status_code == 401

    clock.advance(hours=-1)
    revoke_key(engine, key.split("_")[1], NOW)
    assert client.get("/v1", headers=bearer(key)).status_code == 401


def test_scopes_hold_those_below(client: TestClient, engine: Engine) -> None:
    allowed = {
        scope: [
            client.get("/v1/posts?status=any", headers=bearer(key)).status_code,
            client.get("/v1/sources", headers=bearer(key)).status_code,
        ]
        for scope in ("read", "write", "admin")
        for key in [a_key(engine, scope)]
    }

    assert allowed == {"read": [200, 403], "write": [200, 200], "admin": [200, 200]}


def test_missing_scope_says_what_is_needed(client: TestClient, engine: Engine) -> None:
    response = client.put("/v1/posts/kabu", content="x", headers=bearer(a_key(engine, "read")))

    assert response.status_code == 403
    assert response.json()["code"] == "missing_scope"
    assert response.json()["detail"] == "this key has scope read; this needs write"


def test_without_any_key_the_answer_tells_how_to_make_one(make_client: Callable[..., TestClient]) -> None:
    client = make_client(api_key=None)
    for response in (client.post("/v1/ingest"), client.get("/v1/posts?status=any"), client.get("/v1/posts/x/source")):
        assert response.status_code == 403
        assert response.json()["code"] == "no_key_configured"
        assert "honbun keys create" in response.json()["errors"][0]["hint"]


def test_missing_key_is_401_once_there_is_one(make_client: Callable[..., TestClient], engine: Engine) -> None:
    a_key(engine, "read")
    response = make_client(api_key=None).post("/v1/ingest")

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="honbun"'


def test_key_is_judged_before_the_body(client: TestClient) -> None:
    response = client.post("/v1/ingest", content=b"x", headers={"content-length": "99999999999"})

    assert response.status_code == 401


def test_bootstrap_key_may_hold_any_character(make_client: Callable[..., TestClient]) -> None:
    client = make_client(api_key="鍵 & key")
    header = "Bearer 鍵 & key".encode()

    assert client.get("/v1/sources", headers={b"Authorization": header}).status_code == 200


def test_keys_are_kept_as_hashes_and_listed_without(engine: Engine) -> None:
    key = a_key(engine, "write")
    listed = list_keys(engine)

    assert [(entry["name"], entry["scope"]) for entry in listed] == [("編集部", "write")]
    assert "digest" not in listed[0]
    assert key.split("_")[2] not in str(listed)


def test_unknown_key_cannot_be_revoked(engine: Engine) -> None:
    with pytest.raises(NotFound):
        revoke_key(engine, "nothing", NOW)


def test_name_of_the_key_stands_in_the_history(client: TestClient, engine: Engine) -> None:
    key = a_key(engine, "write")
    client.put("/v1/posts/kabu", content=markdown(title="株価"), headers=bearer(key))
    stored(client, {"beta.md": markdown(title="ベータ")})
    with engine.connect() as connection:
        authors = connection.exec_driver_sql("SELECT author FROM change ORDER BY pk").scalars().all()

    assert authors == ["編集部", "bootstrap"]
    assert bearer(KEY) == AUTH
