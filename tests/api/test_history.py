from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from tests.api.test_auth import a_key, bearer
from tests.building import AUTH, FixedClock, markdown, stored


@pytest.fixture
def busy(client: TestClient, engine: Engine, clock: FixedClock) -> TestClient:
    """A service with five changes: a created, b and c created at once, a updated by another key, b deleted."""
    stored(client, {"a.md": markdown(title="一")})
    clock.advance(minutes=1)
    stored(client, {"b.md": markdown(title="二"), "c.md": markdown(title="三", draft=True)})
    client.put("/v1/posts/a", content=markdown(title="四"), headers=bearer(a_key(engine, "write")))
    client.delete("/v1/posts/b", headers=AUTH)
    return client


def listed(client: TestClient, query: str = "") -> list[tuple[Any, ...]]:
    response = client.get(f"/v1/changes?{query}", headers=AUTH)
    assert response.status_code == 200, response.text
    return [(item["version"], item["kind"], item["name"], item["author"]) for item in response.json()["items"]]


def test_history_says_who_changed_what_at_which_version(busy: TestClient) -> None:
    response = busy.get("/v1/changes?limit=1", headers=AUTH)
    item = response.json()["items"][0]

    assert listed(busy) == [
        ("4", "deleted", "b.md", "bootstrap"),
        ("3", "updated", "a.md", "編集部"),
        ("2", "created", "c.md", "bootstrap"),
        ("2", "created", "b.md", "bootstrap"),
        ("1", "created", "a.md", "bootstrap"),
    ]
    assert listed(busy, "sort=version") == listed(busy)[::-1]
    assert (response.json()["total"], item["via"], item["sha256"]) == (5, "http", None)
    assert item["at"] == "2026-01-15T12:01:00Z"
    assert response.headers["Cache-Control"] == "private, no-store"


def test_history_is_filtered_and_followed_from_a_version_on(busy: TestClient) -> None:
    post = busy.get("/v1/posts/a").json()["id"]

    assert [name for _, _, name, _ in listed(busy, "name=a.md")] == ["a.md", "a.md"]
    assert listed(busy, f"id={post}") == listed(busy, "name=a.md")
    assert [kind for _, kind, _, _ in listed(busy, "author=%E7%B7%A8%E9%9B%86%E9%83%A8")] == ["updated"]
    assert [name for _, _, name, _ in listed(busy, "kind=created&sort=version")] == ["a.md", "b.md", "c.md"]
    assert [version for version, _, _, _ in listed(busy, "since=2&sort=version")] == ["3", "4"]
    assert listed(busy, "since=4") == []
    assert listed(busy, "since=2.1768478400") == listed(busy, "since=2")


def test_history_is_walked_both_ways(busy: TestClient) -> None:
    names = [item[2] for item in listed(busy)]
    url, seen = "/v1/changes?limit=2", []
    while url:
        page = busy.get(url, headers=AUTH).json()
        seen.append([item["name"] for item in page["items"]])
        url = page["next"]
    back = busy.get(page["previous"], headers=AUTH).json()

    assert seen == [names[:2], names[2:4], names[4:]]
    assert [item["name"] for item in back["items"]] == names[2:4]
    assert [item[2] for item in listed(busy, "page=2&limit=2")] == names[2:4]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("since=yesterday", "invalid_version"),
        ("since=99999999999999999999", "invalid_version"),
        ("since=-1", "invalid_version"),
        ("cursor=abc", "invalid_cursor"),
        ("kind=read", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("cursor=a&page=1", "invalid_parameter"),
        ("nam=a.md", "unknown_parameter"),
        ("name=a%00", "control_character"),
    ],
)
def test_wrong_question_is_422(client: TestClient, query: str, code: str) -> None:
    response = client.get(f"/v1/changes?{query}", headers=AUTH)

    assert (response.status_code, response.json()["code"]) == (422, code)


def test_history_is_for_admins(make_client: Callable[..., TestClient], engine: Engine) -> None:
    client = make_client()

    assert client.get("/v1/changes").status_code == 401
    for scope, status in (("read", 403), ("write", 403), ("admin", 200)):
        assert client.get("/v1/changes", headers=bearer(a_key(engine, scope))).status_code == status
