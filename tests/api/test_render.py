import sys
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

from starlette.testclient import TestClient

from app.api.schemas import PostDetail
from app.main import create_app
from app.rendering.pool import Renderers
from app.settings import Settings
from tests.building import AUTH, KEY, markdown, slugs


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


def test_preview_is_made_beside_the_event_loop(client: TestClient) -> None:
    called: set[str] = set()

    def hear(frame: FrameType, _event: str, _argument: Any) -> None:
        called.add(frame.f_code.co_name)

    assert client.portal is not None
    client.portal.call(sys.setprofile, hear)
    client.post("/v1/render", content="本文です。", headers=AUTH)
    client.portal.call(sys.setprofile, None)

    assert "post_render" in called
    assert called.isdisjoint({"preview_row", "show_post"})


def test_preview_tells_what_is_wrong(client: TestClient) -> None:
    bad = client.post("/v1/render", content="---\ntitle: [x\n---\n", headers=AUTH)

    assert bad.status_code == 422
    assert bad.json()["errors"][0]["line"] >= 2
    assert client.post("/v1/render?name=../x.md", content="x", headers=AUTH).json()["code"] == "invalid_name"
    assert client.post("/v1/render", content="x").status_code == 401
    assert client.post("/v1/render", content="x", headers=AUTH | {"Content-Type": "text/html"}).status_code == 415


def test_file_that_takes_too_long_is_refused_while_others_are_answered(database_url: str) -> None:
    endless = "*a* _b_ [c](d) <b>e</b> " * 80_000
    renderers = Renderers(seconds=1)
    settings = Settings.model_validate({"database_url": database_url, "content_dir": "", "api_key": KEY})
    with TestClient(create_app(settings, renderers=renderers)) as client, ThreadPoolExecutor(1) as thread:
        sent = thread.submit(client.put, "/v1/posts/endless", content=endless, headers=AUTH)
        healthy = 0
        while not sent.done():
            healthy += client.get("/healthz").status_code == 200
        refused = sent.result()
        taken = client.put("/v1/posts/short", content="short", headers=AUTH)
    renderers.close()

    assert (refused.status_code, refused.json()["code"]) == (422, "render_budget")
    assert taken.status_code == 201
    assert healthy > 10
