from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from tests.building import markdown, slugs, stored


def test_terms_are_counted_in_the_usual_spelling(client: TestClient) -> None:
    stored(
        client,
        {
            "a.md": markdown(title="一", date="2025-12-01", tags=["AI", "投資"], categories=["市場"], author="花子"),
            "b.md": markdown(title="二", date="2025-12-02", tags=["AI"], categories=["市場"]),
            "c.md": markdown(title="三", date="2025-12-03", tags=["ａｉ"]),
            "d.md": markdown(title="四", draft=True, tags=["秘密"]),
        },
    )
    tags = client.get("/v1/tags").json()

    assert tags["items"][0] == {
        "name": "AI",
        "slug": "ai",
        "count": 3,
        "latest_at": "2025-12-03T00:00:00Z",
        "url": "/v1/posts?tag=AI",
    }
    assert [(item["name"], item["count"]) for item in tags["items"]] == [("AI", 3), ("投資", 1)]
    assert (tags["total"], tags["limit"], tags["next"]) == (2, 20, None)
    assert [item["name"] for item in client.get("/v1/categories").json()["items"]] == ["市場"]
    assert [item["name"] for item in client.get("/v1/authors").json()["items"]] == ["花子"]


def test_address_of_a_term_lists_its_posts(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="一", tags=["C++ & C#"]), "b.md": markdown(title="二", tags=["C"])})
    urls = {item["name"]: item["url"] for item in client.get("/v1/tags").json()["items"]}

    assert slugs(client, urls["C++ & C#"].partition("?")[2]) == ["a"]


@pytest.mark.parametrize("sort", ["-count", "name"])
def test_terms_come_in_pages(client: TestClient, sort: str) -> None:
    stored(client, {f"p{n}.md": markdown(title="記事", tags=[f"t{m}" for m in range(n + 1)]) for n in range(7)})
    names, address = [], f"/v1/tags?limit=3&sort={sort}"
    while address:
        body = client.get(address).json()
        names += [item["name"] for item in body["items"]]
        address = body["next"]

    assert names == [f"t{n}" for n in range(7)]
    second = client.get(f"/v1/tags?limit=3&sort={sort}&page=2").json()
    assert ([item["name"] for item in second["items"]], second["pages"]) == (["t3", "t4", "t5"], 3)
    first = client.get(f"/v1/tags?limit=3&sort={sort}").json()
    assert first["next"].startswith("/v1/tags?")
    back = client.get(client.get(first["next"]).json()["previous"]).json()
    assert back["items"] == first["items"]
    cursor = first["next_cursor"]
    other = "name" if sort == "-count" else "-count"
    assert client.get(f"/v1/tags?sort={other}&cursor={cursor}").json()["code"] == "cursor_mismatch"


def test_archives_go_by_the_day_of_the_site(make_client: Callable[..., TestClient]) -> None:
    client = make_client(timezone="Asia/Tokyo")
    stored(
        client,
        {
            "a.md": markdown(title="元日", date="2025-12-31T16:00:00Z"),
            "b.md": markdown(title="大晦日", date="2025-12-31T14:00:00Z"),
        },
    )
    months, years = (client.get(f"/v1/archives?by={by}").json() for by in ("month", "year"))

    assert [(item["period"], item["count"]) for item in months["items"]] == [("2026-01", 1), ("2025-12", 1)]
    assert [(item["period"], item["count"]) for item in years["items"]] == [("2026", 1), ("2025", 1)]
    assert slugs(client, months["items"][0]["url"].partition("?")[2]) == ["a"]


def test_service_tells_what_it_is(make_client: Callable[..., TestClient]) -> None:
    client = make_client(site_title="本文", site_url="https://blog.example", timezone="Asia/Tokyo", lang="ja")
    stored(client, {"a.md": markdown(title="一"), "b.md": markdown(title="二", draft=True)})
    service = client.get("/v1").json()

    assert (service["title"], service["site_url"], service["posts"]) == ("本文", "https://blog.example", 1)
    assert (service["timezone"], service["lang"]) == ("Asia/Tokyo", "ja")
    for path in service["links"].values():
        asked = {"q": "a"} if path.endswith("/suggest") else {}
        assert client.get(path, params=asked).status_code == 200
