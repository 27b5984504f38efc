from starlette.testclient import TestClient

from tests.building import markdown, slugs, stored


def test_ingested_post_is_listed_and_shown(client: TestClient) -> None:
    stored(client, {"2025-12-01-kabu.md": markdown(title="株価の見通し", tags=["投資", "AI"])})

    assert slugs(client, "tag=ai") == ["kabu"]
    post = client.get("/v1/posts/kabu").json()
    assert post["title"] == "株価の見通し"
    assert post["published_at"] == "2025-12-01T00:00:00Z"
    assert post["html"] == "<p>本文です。</p>\n"


def test_future_post_is_not_listed(client: TestClient) -> None:
    stored(client, {"ashita.md": markdown(title="明日", date="2026-01-16")})

    assert slugs(client) == []
    assert client.get("/v1/posts/ashita").status_code == 404
