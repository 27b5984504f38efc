from hashlib import sha256

import orjson
from starlette.testclient import TestClient

from tests.building import AUTH, markdown, stored


def test_sources_are_listed_by_name_with_hash_slug_and_status(client: TestClient) -> None:
    one, two = markdown(title="一"), markdown(title="二", draft=True)
    stored(client, {"blog/b.md": two, "blog/a.md": one, "c.md": markdown(title="三")})
    response = client.get("/v1/sources?prefix=blog/", headers=AUTH)

    assert response.headers["Content-Type"] == "application/jsonl"
    assert response.headers["Cache-Control"] == "private, no-store"
    assert [orjson.loads(line) for line in response.content.splitlines()] == [
        {"name": "blog/a.md", "sha256": sha256(one.encode()).hexdigest(), "slug": "a", "status": "published"},
        {"name": "blog/b.md", "sha256": sha256(two.encode()).hexdigest(), "slug": "b", "status": "draft"},
    ]
    assert len(client.get("/v1/sources", headers=AUTH).content.splitlines()) == 3
    assert client.get("/v1/sources?prefix=無い", headers=AUTH).content == b""


def test_sources_need_a_key_and_a_possible_prefix(client: TestClient) -> None:
    assert client.get("/v1/sources").status_code == 401
    assert client.get("/v1/sources?prefix=../", headers=AUTH).json()["errors"][0]["parameter"] == "prefix"


def test_configurations_are_listed_among_the_sources_without_slug_and_status(client: TestClient) -> None:
    stored(client, {"_posts/a.md": markdown(title="一"), "_config.yml": "lang: ja", "b/_config.yml": "lang: ko"})
    lines = [orjson.loads(line) for line in client.get("/v1/sources", headers=AUTH).content.splitlines()]

    assert [(line["name"], line["slug"], line["status"]) for line in lines] == [
        ("_config.yml", None, None),
        ("_posts/a.md", "a", "published"),
        ("b/_config.yml", None, None),
    ]
    assert lines[0]["sha256"] == sha256(b"lang: ja").hexdigest()
    assert len(client.get("/v1/sources?prefix=b/", headers=AUTH).content.splitlines()) == 1
