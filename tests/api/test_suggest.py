from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.building import FixedClock, markdown, stored

FILES = {
    "2025-01-01-a.md": markdown(title="投資の見通し", tags=["投資", "Cloud Native"]),
    "2025-01-02-b.md": markdown(title="個人投資家", tags=["投資", "クラウド"]),
    "2025-01-03-c.md": markdown(title="AWS Cloudの料金", tags=["クラウド", "C++"]),
    "2025-01-04-d.md": markdown(title="投票の話", tags=["選挙"]),
    "2025-01-05-e.md": markdown(title="投資の下書き", tags=["投資の秘密"], draft=True),
    "2026-02-01-f.md": markdown(title="投資の予約", tags=["投資の予定"]),
}


def suggested(client: TestClient, typed: str, **parameters: Any) -> tuple[list[str], list[str]]:
    response = client.get("/v1/suggest", params={"q": typed, **parameters})
    assert response.status_code == 200, response.text
    body = response.json()
    return [tag["name"] for tag in body["tags"]], [post["slug"] for post in body["posts"]]


@pytest.fixture
def filled(client: TestClient) -> TestClient:
    stored(client, FILES)
    return client


@pytest.mark.parametrize(
    ("typed", "tags", "posts"),
    [
        ("投", ["投資"], ["d", "a", "b"]),
        ("投資", ["投資"], ["a", "b"]),
        ("資", ["投資"], ["b", "a"]),
        ("clou", ["Cloud Native"], ["c"]),
        ("ｃｌｏｕ", ["Cloud Native"], ["c"]),
        ("nat", ["Cloud Native"], []),
        ("くら", ["クラウド"], []),
        ("ｸﾗｳ", ["クラウド"], []),
        ("aws c", [], ["c"]),
        ("c+", ["C++"], []),
        ("の", [], ["d", "c", "a"]),
        ("！", [], []),
        ("", [], []),
        ("x" * 500, [], []),
        ('"投資', ["投資"], ["a", "b"]),
        ("%", [], []),
        ("* OR 投", [], []),
    ],
)
def test_titles_and_tags_that_begin_with_it_come_first(
    filled: TestClient, typed: str, tags: list[str], posts: list[str]
) -> None:
    assert suggested(filled, typed) == (tags, posts)


def test_a_suggestion_leads_to_its_post_or_to_the_posts_of_its_tag(filled: TestClient) -> None:
    response = filled.get("/v1/suggest?q=投資&limit=1")
    body = response.json()

    assert body["tags"] == [{"name": "投資", "slug": "投資", "url": "/v1/posts?tag=%E6%8A%95%E8%B3%87"}]
    assert {name: body["posts"][0][name] for name in ("slug", "url", "permalink", "title")} == {
        "slug": "a",
        "url": "/v1/posts/a",
        "permalink": None,
        "title": "投資の見通し",
    }
    assert (
        filled.get("/v1/suggest?q=投資&limit=1", headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    )
    assert "s-maxage" in response.headers["Cache-Control"]


@pytest.mark.parametrize("query", ["", "?q=a&limit=0", "?q=a&limit=101", "?q=a&tag=b", f"?q={'x' * 501}"])
def test_what_cannot_be_answered_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/suggest{query}").status_code == 422


def test_suggestions_follow_updates_deletions_and_the_clock(
    make_client: Callable[..., TestClient], clock: FixedClock
) -> None:
    client = make_client()
    stored(client, FILES)
    stored(client, {"2025-01-01-a.md": markdown(title="天気", tags=["空"])})
    stored(client, {name: text for name, text in FILES.items() if "-b" in name}, prefix="", prune=True, prune_max=9)

    assert suggested(client, "投") == (["投資"], ["b"])
    assert suggested(client, "天") == suggested(client, "空") == suggested(client, "cloud") == ([], [])
    stored(client, {"2026-02-01-f.md": FILES["2026-02-01-f.md"]})
    clock.advance(days=30)
    assert suggested(client, "投") == (["投資", "投資の予定"], ["f", "b"])


def test_old_titles_are_suggested_behind_many_new_ones(client: TestClient) -> None:
    many = {f"2025-06-01-p{number}.md": markdown(title=f"続く{number}", tags=[f"t{number}"]) for number in range(310)}
    old = {
        "2024-01-01-old.md": markdown(title="とても古い蜃気楼の話", tags=["蜃気楼", "ふるい"]),
        "2024-01-02-new.md": markdown(title="蜃気楼", tags=["ふるい蜃気楼"]),
        "2024-01-03-other.md": markdown(title="楼気蜃、蜃気と気楼"),
    }
    stored(client, many | old)

    assert suggested(client, "蜃気楼") == (["蜃気楼", "ふるい蜃気楼"], ["new", "old"])
    assert suggested(client, "楼", limit=1) == (["蜃気楼"], ["other"])
    assert len(suggested(client, "t", limit=100)[0]) == 100
    assert suggested(client, "続", limit=20)[1][0] == "p0"
