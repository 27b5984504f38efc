from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.database import writing
from tests.building import AUTH, markdown, slugs, stored
from tests.posts.samples import bulk, post_row

FILES = {
    "2025-01-01-toushi.md": markdown("工場の話です。<b>雇用</b>も増えます。\n", title="投資の見通し", tags=["経済"]),
    "2025-01-02-kabu.md": markdown("株価と**投資**の関係。The API was slow.\n", title="株価", tags=["経済"]),
    "2025-01-03-tokyo.md": markdown("東京都で会合がありました。\n", title="会合", tags=["投資"]),
    "2025-01-04-api.md": markdown("An API for ＡＰＩ users.\n", title="Notes", lang="en"),
    "2025-01-05-draft.md": markdown("投資の下書き。\n", title="下書き", draft=True),
}


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    stored(client, FILES)
    return client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=投資", ["toushi", "tokyo", "kabu"]),
        ("q=投資&sort=-published_at", ["tokyo", "kabu", "toushi"]),
        ("q=投資&sort=title", ["tokyo", "toushi", "kabu"]),
        ("q=東京", ["tokyo"]),
        ("q=都", ["tokyo"]),
        ("q=api&sort=published_at", ["kabu", "api"]),
        ("q=ap", []),
        ("q=投資 -株価&sort=published_at", ["toushi", "tokyo"]),
        ('q="api was slow"', ["kabu"]),
        ('q="api was', ["kabu"]),
        ("q=投資&tag=経済&sort=published_at", ["toushi", "kabu"]),
        ("q=投資&published_at__gte=2025-01-02&sort=published_at", ["kabu", "tokyo"]),
        ("q=！？", []),
        ("q=", []),
        ("q=NEAR( OR * ^", []),
    ],
)
def test_search_finds_what_holds_the_words(filled: TestClient, query: str, expected: list[str]) -> None:
    assert slugs(filled, query) == expected
    assert filled.get(f"/v1/posts?{query}").json()["total"] == len(expected)


def test_drafts_are_found_with_a_key_and_their_status_only(filled: TestClient) -> None:
    assert slugs(filled, "q=下書き") == []
    assert slugs(filled, "q=下書き&status=draft", **AUTH) == ["draft"]


def test_highlights_mark_what_matched_and_escape_the_rest(filled: TestClient) -> None:
    def shown(query: str) -> list[Any]:
        return [item["highlights"] for item in filled.get(f"/v1/posts?{query}&highlight=true").json()["items"]]

    assert shown("q=投資&fields=slug&limit=1") == [
        {"title": "<mark>投資</mark>の見通し", "body": "工場の話です。雇用も増えます。"}
    ]
    assert shown("q=api&lang=en") == [{"title": "Notes", "body": "An <mark>API</mark> for <mark>ＡＰＩ</mark> users."}]


@pytest.mark.parametrize("query", ["sort=relevance", "highlight=true", "q=" + "あ" * 600])
def test_what_no_search_can_answer_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/posts?{query}").status_code == 422


def test_index_follows_updates_and_deletions(filled: TestClient) -> None:
    stored(filled, {"2025-01-01-toushi.md": markdown("別の話。\n", title="天気")})
    filled.delete("/v1/posts/tokyo", headers=AUTH)

    assert slugs(filled, "q=投資") == ["kabu"]
    assert slugs(filled, "q=天気") == ["toushi"]


def test_pages_by_relevance_go_on_and_back(client: TestClient) -> None:
    stored(client, {f"2025-01-{day:02}-p{day}.md": markdown("検索の話。\n", title=f"{day}") for day in range(1, 8)})
    first = client.get("/v1/posts?q=検索&limit=3&fields=slug").json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    pages = [[item["slug"] for item in page["items"]] for page in (first, second, third)]

    assert pages == [["p7", "p6", "p5"], ["p4", "p3", "p2"], ["p1"]]
    assert third["next"] is None
    assert client.get(third["previous"]).json()["items"] == second["items"]
    assert slugs(client, "q=検索&limit=3&page=2") == pages[1]


def test_cursor_of_another_search_is_refused(client: TestClient) -> None:
    stored(client, {f"2025-01-0{day}-p{day}.md": markdown("検索の話。\n", title=f"{day}") for day in range(1, 4)})
    cursor = client.get("/v1/posts?q=検索&limit=1").json()["next_cursor"]

    assert client.get("/v1/posts", params={"q": "話", "limit": 1, "cursor": cursor}).status_code == 422


def test_neighbours_are_those_among_the_found(filled: TestClient) -> None:
    post = filled.get("/v1/posts/kabu?q=投資&fields=older,newer").json()

    assert (post["older"]["slug"], post["newer"]["slug"]) == ("toushi", "tokyo")


def test_a_read_that_takes_too_long_is_a_problem_that_says_so(
    make_client: Callable[..., TestClient], engine: Engine
) -> None:
    with writing(engine) as connection:
        bulk(connection, (post_row() for _ in range(3000)))
    client = make_client(read_seconds=0.000_001)
    answer = client.get("/v1/posts?facets=lang,year&front_matter.layout__not=post")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["code"] == "too_slow"
    assert "hint" in answer.json()["errors"][0]
    assert len(client.get("/v1/export.jsonl?fields=slug").text.splitlines()) == 3000
