from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.api.auth import list_keys
from app.api.key_use import KeyUse
from app.database import open_engine, writing
from tests.api.test_auth import a_key, bearer
from tests.building import NOW, FixedClock, markdown, stored


def last_use(engine: Engine) -> Any:
    return list_keys(engine)[0]["last_used_at"]


def key_use(client: TestClient) -> KeyUse:
    found: KeyUse = client.app.state.service.key_use  # type: ignore[attr-defined]
    return found


def test_use_is_written_later_and_once_a_minute(client: TestClient, engine: Engine, clock: FixedClock) -> None:
    key = a_key(engine, "read")
    client.get("/v1", headers=bearer(key))
    at_first = last_use(engine)
    key_use(client).write()
    written = last_use(engine)
    clock.advance(seconds=59)
    client.get("/v1", headers=bearer(key))
    key_use(client).write()
    soon = last_use(engine)
    clock.advance(seconds=1)
    client.get("/v1", headers=bearer(key))
    key_use(client).write()

    assert (at_first, written, soon) == (None, NOW, NOW)
    assert last_use(engine) == NOW + timedelta(minutes=1)


def test_use_changes_no_version_and_a_wrong_key_is_no_use(client: TestClient, engine: Engine) -> None:
    stored(client, {"a.md": markdown(title="一")})
    before = client.get("/v1/posts").headers
    key = a_key(engine, "read")
    client.get("/v1", headers=bearer(key[:-1] + "x"))
    key_use(client).write()
    unused = last_use(engine)
    client.get("/v1", headers=bearer(key))
    key_use(client).write()
    after = client.get("/v1/posts").headers

    assert unused is None
    assert last_use(engine) == NOW
    assert (before["ETag"], before["Honbun-Version"]) == (after["ETag"], after["Honbun-Version"])


def test_reads_go_on_while_another_writes_and_the_use_is_kept(
    make_client: Callable[..., TestClient], engine: Engine, database_url: str
) -> None:
    key = a_key(engine, "read")
    client = make_client()
    other = open_engine(database_url)
    with writing(other):
        assert client.get("/v1/posts", headers=bearer(key)).status_code == 200
    other.dispose()
    client.__exit__()

    assert last_use(engine) == NOW
