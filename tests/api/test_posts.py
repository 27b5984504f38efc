from collections.abc import Callable
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

import pytest
from sqlalchemy import Engine, update
from starlette.testclient import TestClient

from app.database import writing
from app.posts.models import content, posts
from tests.building import AUTH, markdown, slugs, stored


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


@pytest.mark.parametrize(
    ("front", "status"),
    [
        ({"draft": True}, "draft"),
        ({"date": "2026-01-16"}, "scheduled"),
        ({"date": "2025-01-01", "expires_at": "2025-06-01"}, "expired"),
    ],
)
def test_key_shows_what_is_not_published(client: TestClient, front: dict[str, Any], status: str) -> None:
    stored(client, {"kabu.md": markdown(title="株価", **front)})

    assert client.get("/v1/posts/kabu").status_code == 404
    assert client.get("/v1/posts/kabu", headers=AUTH).json()["status"] == status
    assert client.get("/v1/posts/kabu/source", headers=AUTH).status_code == 200


def test_slug_may_be_written_decomposed(client: TestClient) -> None:
    stored(client, {"ガイド.md": markdown(title="ガイド")})
    decomposed = quote(normalize("NFD", "ガイド"))

    assert client.get(f"/v1/posts/{decomposed}").json()["slug"] == "ガイド"
    assert client.get(f"/v1/posts/{decomposed}/source", headers=AUTH).status_code == 200


def test_former_slug_leads_to_the_present_one_with_the_query(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", slug="古い")})
    stored(client, {"kabu.md": markdown(title="株価", slug="新しい")})
    response = client.get("/v1/posts/古い?fields=title&tag=投資", follow_redirects=False)

    assert response.status_code == 308
    assert response.headers["Location"] == (f"/v1/posts/{quote('新しい')}?fields=title&tag={quote('投資')}")
    assert client.get("/v1/posts/古い?fields=title").json() == {"title": "株価"}


def test_former_slug_of_a_hidden_post_says_nothing(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", slug="old")})
    stored(client, {"kabu.md": markdown(title="株価", slug="himitsu", draft=True)})
    response = client.get("/v1/posts/old", follow_redirects=False)

    assert response.status_code == 404
    assert "himitsu" not in response.text
    assert client.get("/v1/posts/old", headers=AUTH, follow_redirects=False).status_code == 308


def test_detail_leaves_fields_out(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    whole = client.get("/v1/posts/kabu").json()
    lean = client.get("/v1/posts/kabu?fields=-html,-related").json()

    assert set(whole) - set(lean) == {"html", "related"}
    assert client.get("/v1/posts/kabu?fields=-html,title").json()["code"] == "invalid_field"
    assert client.get("/v1/posts?fields=-html").json()["code"] == "invalid_field"


def test_neighbours_are_within_the_filters(client: TestClient) -> None:
    files = {
        f"p{day}.md": markdown(title=f"{day}日", date=f"2025-12-{day:02}", tags=["奇数" if day % 2 else "偶数"])
        for day in range(1, 6)
    }
    stored(client, files)
    alone, filtered = (client.get(f"/v1/posts/p3{query}").json() for query in ("", "?tag=奇数"))

    assert (alone["older"]["slug"], alone["newer"]["slug"]) == ("p2", "p4")
    assert (filtered["older"]["slug"], filtered["newer"]["slug"]) == ("p1", "p5")
    assert client.get("/v1/posts/p5").json()["newer"] is None
    assert set(alone["older"]) == {"id", "slug", "url", "permalink", "title"}


def test_neighbours_are_those_of_a_database_that_came_in_the_place_of_another(
    make_client: Callable[..., TestClient], engine: Engine
) -> None:
    """Though by its numbers its history could be that of the one before, gone on with changes of texts."""
    client = make_client(cache_bytes=0)
    stored(client, {"a.md": markdown(date="2026-01-01"), "b.md": markdown(title="前", date="2026-01-02")})
    before = client.get("/v1/posts/a").json()["newer"]["title"]
    with writing(engine) as connection:
        connection.execute(update(posts).where(posts.c.slug == "b").values(title="後"))
        counts = {name: content.c[name] + 1 for name in ("version", "visible_version", "text_changes")}
        connection.execute(update(content).values(counts))
    client.app.state.service.engine.dispose()  # type: ignore[attr-defined]  # as where the file is another one

    assert (before, client.get("/v1/posts/a").json()["newer"]["title"]) == ("前", "後")


def test_source_is_the_file_byte_for_byte(client: TestClient) -> None:
    text = "---\r\ntitle: 株価\r\n---\r\n\r\n本文  \r\n"
    stored(client, {"kabu.md": text})
    response = client.get("/v1/posts/kabu/source", headers=AUTH)

    assert response.content == text.encode()
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert client.get("/v1/posts/kabu/source").status_code == 401


def test_source_can_be_public_where_the_post_is(make_client: Callable[..., TestClient]) -> None:
    client = make_client(public_source=True)
    stored(client, {"a.md": markdown(title="公開"), "b.md": markdown(title="下書き", draft=True)})

    assert client.get("/v1/posts/a/source").status_code == 200
    assert client.get("/v1/posts/b/source").status_code == 404


def test_source_and_detail_share_what_identifies_the_post(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価")})
    detail = client.get("/v1/posts/kabu", headers=AUTH).headers["ETag"]
    source = client.get("/v1/posts/kabu/source", headers=AUTH).headers["ETag"]

    assert detail != source
    assert detail.split(".")[0] == source.split(".")[0]
