import asyncio
from collections.abc import Callable

import orjson
import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from app.api.overload import Admission, Slots, network
from app.api.problems import Overloaded
from tests.api.test_auth import a_key, bearer
from tests.building import AUTH, markdown

POST = markdown(title="株価")


def test_writes_by_one_key_are_limited_within_a_minute_and_reads_are_not(
    make_client: Callable[..., TestClient], engine: Engine
) -> None:
    client = make_client(writes_per_minute=3)
    statuses = [client.put("/v1/posts/kabu", content=POST, headers=AUTH).status_code for _ in range(3)]
    refused = client.delete("/v1/posts/kabu", headers=AUTH)
    other = client.put("/v1/posts/kabu", content=POST, headers=bearer(a_key(engine, "write")))

    assert statuses == [201, 200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert other.status_code == 429  # the address is the same
    assert client.get("/v1/posts", headers=AUTH).json()["total"] == 1
    assert client.get("/v1/sources", headers=AUTH).status_code == 200


def test_wrong_keys_are_limited_and_a_right_one_gets_through(make_client: Callable[..., TestClient]) -> None:
    client = make_client(failed_keys_per_minute=5)
    statuses = [client.get("/v1/posts", headers=bearer(f"wrong {n}")).status_code for n in range(7)]

    assert statuses == [401] * 5 + [429] * 2
    assert client.get("/v1/posts", headers=AUTH).status_code == 200
    assert client.get("/v1/posts").status_code == 200


def test_limits_can_be_turned_off(make_client: Callable[..., TestClient]) -> None:
    client = make_client(writes_per_minute=0, failed_keys_per_minute=0)

    assert {client.get("/v1/posts", headers=bearer("wrong")).status_code for _ in range(5)} == {401}
    assert {client.put("/v1/posts/kabu", content=POST, headers=AUTH).status_code for _ in range(5)} == {200, 201}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_client_is_an_address_or_its_network(address: str, expected: str) -> None:
    assert network(address) == expected


def test_full_house_refuses_at_once_and_has_room_again() -> None:
    slots = Slots(1, "streams")
    with slots, pytest.raises(Overloaded), slots:
        pass
    with slots:
        pass


def scope_of(method: str, path: str = "/") -> Scope:
    return {"type": "http", "method": method, "path": path, "headers": []}


async def ask(app: Admission, scope: Scope, receive: Receive) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def reading_app(_scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


def test_more_writes_than_may_be_are_503_while_reads_go_on() -> None:
    async def main() -> tuple[list[Message], ...]:
        app = Admission(reading_app, reads=1, writes=1, patience=60)
        asked, arrived = asyncio.Event(), asyncio.Event()

        async def slow() -> Message:
            asked.set()
            await arrived.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        async def at_once() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        first = asyncio.create_task(ask(app, scope_of("PUT"), slow))
        await asked.wait()
        refused = await ask(app, scope_of("POST"), at_once)
        read = await ask(app, scope_of("GET"), at_once)
        arrived.set()
        return await first, refused, read, await ask(app, scope_of("PUT"), at_once)

    first, refused, read, later = asyncio.run(main())

    assert [messages[0]["status"] for messages in (first, refused, read, later)] == [200, 503, 200, 200]
    assert (b"retry-after", b"1") in refused[0]["headers"]
    assert orjson.loads(refused[1]["body"])["code"] == "overloaded"


def test_alive_is_alive_however_busy() -> None:
    async def main() -> list[Message]:
        app = Admission(reading_app, reads=1, writes=1, patience=60)
        asked = asyncio.Event()

        async def never() -> Message:
            asked.set()
            await asyncio.Event().wait()
            raise AssertionError

        async def at_once() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        first = asyncio.create_task(ask(app, scope_of("GET"), never))
        await asked.wait()
        alive = await ask(app, scope_of("GET", "/healthz"), at_once)
        first.cancel()
        return alive

    assert asyncio.run(main())[0]["status"] == 200
