from starlette.testclient import TestClient

from app.api.schemas import PostDetail
from tests.building import AUTH, markdown, slugs


def test_preview_is_the_detail_and_stores_nothing(client: TestClient) -> None:
    before = client.get("/v1").headers["Honbun-Version"]
    text = markdown("# 見出し\n\n本文です。\n", title="株価", date="2025-12-01", tags=["投資"], _memo="覚え書き")
    response = client.post("/v1/render?name=kabu.md", content=text, headers=AUTH)
    post = response.json()

    PostDetail.model_validate(post)
    assert (post["slug"], post["status"], post["tags"]) == ("kabu", "published", ["投資"])
    assert post["front_matter"]["_memo"] == "覚え書き"
    assert (post["older"], post["newer"], post["related"]) == (None, None, [])
    assert slugs(client) == []
    assert client.get("/v1").headers["Honbun-Version"] == before
    assert "Honbun-Version" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


def test_preview_equals_the_detail_once_it_is_stored(client: TestClient) -> None:
    text = markdown("本文です。\n", title="株価", date="2025-12-01")
    preview = client.post("/v1/render?name=kabu.md", content=text, headers=AUTH).json()
    client.post("/v1/ingest?name=kabu.md", content=text, headers=AUTH)

    assert client.get("/v1/posts/kabu", headers=AUTH).json() == preview


def test_preview_tells_what_is_wrong(client: TestClient) -> None:
    bad = client.post("/v1/render", content="---\ntitle: [x\n---\n", headers=AUTH)

    assert bad.status_code == 422
    assert bad.json()["errors"][0]["line"] >= 2
    assert client.post("/v1/render?name=../x.md", content="x", headers=AUTH).json()["code"] == "invalid_name"
    assert client.post("/v1/render", content="x").status_code == 401
    assert client.post("/v1/render", content="x", headers=AUTH | {"Content-Type": "text/html"}).status_code == 415
