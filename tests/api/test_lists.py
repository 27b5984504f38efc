import gzip
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import orjson
import pytest
import zstandard
from starlette.testclient import TestClient

from tests.building import AUTH, markdown, slugs, stored


def twelve(client: TestClient) -> list[str]:
    """Twelve posts, two a day; their slugs, newest first."""
    files = {
        f"p{number:02}.md": markdown(title=f"記事{number}", date=f"2025-12-{1 + number // 2:02}", tags=["数"])
        for number in range(12)
    }
    stored(client, files)
    return [f"p{number:02}" for number in reversed(range(12))]


def walk(client: TestClient, address: str, way: str = "next") -> list[list[str]]:
    """The slugs of each page from an address on."""
    pages = []
    while address:
        body = client.get(address).json()
        pages.append([item["slug"] for item in body["items"]])
        address = body[way]
    return pages


def test_pages_by_cursor_hold_every_post_once_and_lead_back(client: TestClient) -> None:
    expected = twelve(client)
    forward = walk(client, "/v1/posts?limit=5")
    last = client.get("/v1/posts?limit=5").json()["next"]
    last = client.get(last).json()["next"]

    assert [slug for page in forward for slug in page] == expected
    assert walk(client, last, "previous") == forward[::-1]


def test_pages_by_number_know_their_count(client: TestClient) -> None:
    expected = twelve(client)
    body = client.get("/v1/posts?limit=5&page=2&tag=数").json()

    assert (body["page"], body["pages"], body["total"]) == (2, 3, 12)
    assert [item["slug"] for item in body["items"]] == expected[5:10]
    assert dict(parse_qsl(urlsplit(body["next"]).query)) == {"limit": "5", "page": "3", "tag": "数"}
    assert dict(parse_qsl(urlsplit(body["previous"]).query))["page"] == "1"
    assert body["next_cursor"] is None
    past = client.get("/v1/posts?limit=5&page=99").json()
    assert (past["items"], past["next"], past["total"]) == ([], None, 12)


def test_cursor_stays_right_while_posts_come(client: TestClient) -> None:
    expected = twelve(client)
    following = client.get("/v1/posts?limit=5").json()["next"]
    stored(client, {"new.md": markdown(title="新しい", date="2026-01-10")})

    assert [item["slug"] for item in client.get(following).json()["items"]] == expected[5:10]


def test_cursor_of_other_filters_is_refused(client: TestClient) -> None:
    twelve(client)
    cursor = client.get("/v1/posts?limit=5").json()["next_cursor"]

    assert client.get(f"/v1/posts?limit=3&cursor={cursor}").status_code == 200
    for query in (f"tag=数&cursor={cursor}", f"sort=title&cursor={cursor}"):
        assert client.get(f"/v1/posts?{query}").json()["code"] == "cursor_mismatch"
    assert client.get(f"/v1/posts?cursor={cursor[:-2]}AA").json()["code"] == "invalid_cursor"
    assert client.get("/v1/posts?cursor=" + "あ" * 9).json()["code"] == "invalid_cursor"


def test_link_header_names_the_pages(client: TestClient) -> None:
    twelve(client)
    response = client.get("/v1/posts?limit=5&tag=数&utm_source=x")
    body = response.json()

    assert response.headers["Link"] == (f'</v1/posts?limit=5&tag=%E6%95%B0>; rel="first", <{body["next"]}>; rel="next"')
    assert 'rel="prev"' in client.get(body["next"]).headers["Link"]


def test_links_stand_under_the_root_path(make_client: Callable[..., TestClient]) -> None:
    client = make_client(root_path="/blog")
    twelve(client)
    body = client.get("/v1/posts?limit=5").json()

    assert body["next"].startswith("/blog/v1/posts?limit=5&cursor=")
    assert body["items"][0]["url"] == "/blog/v1/posts/p11"
    assert client.get("/v1/tags?limit=1").json()["items"][0]["url"].startswith("/blog/v1/posts?tag=")
    assert client.get("/v1/archives").json()["items"][0]["url"] == "/blog/v1/posts?published_at=2025-12"
    assert client.get("/v1").json()["links"]["posts"] == "/blog/v1/posts"
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/blog"}]
    assert "'/blog/openapi.json'" in client.get("/docs").text


def test_count_can_be_left_out(client: TestClient) -> None:
    twelve(client)

    assert client.get("/v1/posts?total=false").json()["total"] is None


def test_fields_are_those_asked_for_in_their_order(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", series={"name": "市場", "part": 2}, mood="良い")})
    item = client.get("/v1/posts?fields=title,slug,front_matter.series.part").json()["items"][0]

    assert item == {"title": "株価", "slug": "kabu", "front_matter": {"series": {"part": 2}}}
    wider = client.get("/v1/posts?include=toc,front_matter.mood").json()["items"][0]
    assert (wider["toc"], wider["front_matter"], wider["title"]) == ([], {"mood": "良い"}, "株価")


def test_lists_show_other_statuses_only_when_asked_with_a_key(client: TestClient) -> None:
    stored(
        client,
        {
            "a.md": markdown(title="公開"),
            "b.md": markdown(title="下書き", draft=True),
            "c.md": markdown(title="予約", date="2026-02-01"),
            "d.md": markdown(title="期限切れ", date="2025-01-01", expires_at="2025-02-01"),
        },
    )

    assert slugs(client, **AUTH) == ["a"]
    assert sorted(slugs(client, "status=any", **AUTH)) == ["a", "b", "c", "d"]
    assert sorted(slugs(client, "status=draft&status=expired", **AUTH)) == ["b", "d"]
    assert slugs(client, "status=published") == ["a"]
    exported = client.get("/v1/export.jsonl?status=scheduled&fields=slug,status", headers=AUTH)
    assert orjson.loads(exported.content) == {"slug": "c", "status": "scheduled"}


def test_private_keys_show_and_filter_with_a_key_only(client: TestClient) -> None:
    stored(client, {"kabu.md": markdown(title="株価", _price="七百円", mood="良い")})
    queries = (
        "fields=front_matter",
        "fields=front_matter._price",
        "include=front_matter._price",
        "include=front_matter",
    )
    for path in ("/v1/posts", "/v1/posts/kabu", "/v1/export.jsonl"):
        for query in queries:
            assert "七百円" not in client.get(f"{path}?{query}").text
            assert "七百円" in client.get(f"{path}?{query}", headers=AUTH).text
        refused = client.get(f"{path}?front_matter._price=七百円")
        assert refused.json()["code"] == "private_field"
        assert client.get(f"{path}?front_matter._price=七百円", headers=AUTH).status_code == 200


def test_export_streams_every_post_in_order(client: TestClient) -> None:
    expected = twelve(client)
    response = client.get("/v1/export.jsonl?fields=slug")

    assert response.headers["Content-Type"] == "application/jsonl"
    assert response.headers["Cache-Tag"] == "list"
    assert [orjson.loads(line)["slug"] for line in response.content.splitlines()] == expected
    assert client.get("/v1/export.jsonl?tag=無い").content == b""
    whole = orjson.loads(client.get("/v1/export.jsonl?slug=p03").content)
    detail = client.get("/v1/posts/p03?fields=-older,-newer,-related").json()
    assert whole == detail


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_export_is_encoded_on_the_way(client: TestClient, encoding: str) -> None:
    twelve(client)
    plain = client.get("/v1/export.jsonl", headers={"Accept-Encoding": "identity"})
    with client.stream("GET", "/v1/export.jsonl", headers={"Accept-Encoding": encoding}) as response:
        packed = b"".join(response.iter_raw())

    assert response.headers["Content-Encoding"] == encoding
    unpack = gzip.decompress if encoding == "gzip" else zstandard.ZstdDecompressor().decompressobj().decompress
    assert unpack(packed) == plain.content


def test_export_shows_one_snapshot(client: TestClient) -> None:
    stored(client, {f"p{number:04}.md": markdown("長い文。" * 250, title="一") for number in range(150)})
    with client.stream(
        "GET", "/v1/export.jsonl?fields=slug,title,html", headers={"Accept-Encoding": "identity"}
    ) as response:
        pieces = response.iter_bytes()
        first = next(pieces)
        stored(client, {f"p{number:04}.md": markdown(title="二") for number in range(150)})
        lines = (first + b"".join(pieces)).splitlines()

    assert len(lines) == 150
    assert {orjson.loads(line)["title"] for line in lines} == {"一"}


def test_reader_who_leaves_an_export_leaks_no_connection(make_client: Callable[..., TestClient]) -> None:
    client = make_client()
    stored(client, {f"p{number:04}.md": markdown("長い文。" * 300, title="一") for number in range(200)})
    for _ in range(3):
        _leave_early(client, "/v1/export.jsonl")

    assert client.app.state.service.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def _leave_early(client: TestClient, path: str) -> None:
    """Asks as a server does whose client goes away after the first piece."""
    pieces: list[dict[str, Any]] = []

    async def app() -> None:
        left = anyio.Event()

        async def receive() -> dict[str, Any]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            pieces.append(message)
            if message["type"] == "http.response.body":
                left.set()
                await anyio.sleep(30)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [],
            "scheme": "http",
            "server": ("test", 80),
            "client": ("test", 1),
        }
        await client.app(scope, receive, send)  # type: ignore[arg-type]

    assert client.portal is not None
    client.portal.call(app)

    assert [piece["type"] for piece in pieces] == ["http.response.start", "http.response.body"]


def test_page_as_far_as_numbers_go_is_empty(client: TestClient) -> None:
    for path in ("/v1/posts", "/v1/tags", "/v1/changes"):
        page = client.get(f"{path}?page=2147483647&limit=100", headers=AUTH).json()

        assert (page["items"], page["page"], page["next"]) == ([], 2147483647, None)
    assert client.get("/v1/sitemap.xml?part=2147483647").status_code in (404, 422)
