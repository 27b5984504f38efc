from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.testclient import TestClient

from tests.building import AUTH, markdown, slugs, stored

POSTS: dict[str, dict[str, Any]] = {
    "a.md": {"date": "2025-03-01", "tags": ["AI", "投資"], "category": "市場", "author": "花子", "lang": "ja"},
    "b.md": {"date": "2025-06-01", "tags": ["ai", "金融"], "category": "市場", "author": "太郎", "lang": "ja"},
    "c.md": {"date": "2024-06-01", "tags": ["AI"], "category": "技術", "author": "花子", "lang": "en"},
    "d.md": {"date": "2023-06-01", "tags": ["投資"], "author": "花子", "lang": "ja", "title": "電力の話"},
    "draft.md": {"draft": True, "tags": ["ＡＩ", "秘密"], "lang": "fr"},
    "later.md": {"date": "2026-02-01", "tags": ["ＡＩ"]},
}


def filled(client: TestClient) -> TestClient:
    stored(client, {name: markdown(**front) for name, front in POSTS.items()})
    return client


def counts(client: TestClient, query: str, **headers: str) -> dict[str, list[tuple[str, int]]]:
    response = client.get(f"/v1/posts?{query}", headers=headers)
    assert response.status_code == 200, response.text
    facets = response.json()["facets"]
    return {facet: [(item["value"], item["count"]) for item in items] for facet, items in facets.items()}


def test_facets_count_the_posts_of_the_list_most_first_then_by_value(client: TestClient) -> None:
    assert counts(filled(client), "facets=tag,category,author,lang,year") == {
        "tag": [("AI", 3), ("投資", 2), ("金融", 1)],
        "category": [("市場", 2), ("技術", 1)],
        "author": [("花子", 3), ("太郎", 1)],
        "lang": [("ja", 3), ("en", 1)],
        "year": [("2025", 2), ("2023", 1), ("2024", 1)],
    }


def test_list_without_facets_has_none(client: TestClient) -> None:
    assert "facets" not in filled(client).get("/v1/posts").json()


def test_facet_without_values_is_empty(client: TestClient) -> None:
    assert counts(client, "facets=tag,year") == {"tag": [], "year": []}


def test_facet_is_not_narrowed_by_its_own_choice_but_by_all_others(client: TestClient) -> None:
    filled(client)

    assert counts(client, "tag=投資&facets=tag,author") == {
        "tag": [("AI", 3), ("投資", 2), ("金融", 1)],
        "author": [("花子", 2)],
    }
    assert counts(client, "tag=投資&author=太郎&facets=tag,author") == {
        "tag": [("AI", 1), ("金融", 1)],
        "author": [("花子", 2)],
    }
    assert counts(client, "published_at=2025-03&facets=year,tag") == {
        "year": [("2025", 2), ("2023", 1), ("2024", 1)],
        "tag": [("AI", 1), ("投資", 1)],
    }
    assert counts(client, "lang=en&facets=lang,category") == {
        "lang": [("ja", 3), ("en", 1)],
        "category": [("技術", 1)],
    }


def test_all_of_and_none_of_narrow_their_own_facet(client: TestClient) -> None:
    filled(client)

    assert counts(client, "tag__all=ai&facets=tag") == {"tag": [("AI", 3), ("投資", 1), ("金融", 1)]}
    assert counts(client, "tag__not=ai&facets=tag") == {"tag": [("投資", 1)]}
    assert counts(client, "published_at__gte=2025&facets=year") == {"year": [("2025", 2)]}


def test_search_narrows_facets(client: TestClient) -> None:
    assert counts(filled(client), "q=電力&facets=tag,year") == {"tag": [("投資", 1)], "year": [("2023", 1)]}


def test_spelling_is_that_of_most_visible_posts_though_the_list_holds_others(client: TestClient) -> None:
    filled(client)

    assert counts(client, "category=市場&tag__not=投資&facets=tag") == {"tag": [("AI", 1), ("金融", 1)]}
    assert counts(client, "status=any&facets=tag", **AUTH)["tag"][0] == ("AI", 5)
    assert counts(client, "status=draft&facets=tag", **AUTH) == {"tag": [("AI", 1), ("秘密", 1)]}


def test_spelling_of_a_term_that_only_hidden_posts_have_is_theirs(client: TestClient) -> None:
    stored(client, {f"{tag}.md": markdown(draft=True, tags=[tag]) for tag in ("go", "Go")})

    assert counts(client, "status=draft&facets=tag", **AUTH) == {"tag": [("Go", 2)]}


def test_address_chooses_the_value_and_keeps_the_rest(client: TestClient) -> None:
    filled(client)
    first = client.get("/v1/posts?limit=1").json()["next"]
    query = "tag=投資&lang=ja&limit=1&facets=tag,year&utm_source=x&published_at=2025"
    facets = client.get(f"/v1/posts?{query}&page=1").json()["facets"]
    urls = {item["value"]: item["url"] for items in facets.values() for item in items}
    kept = [("tag", "投資"), ("lang", "ja"), ("limit", "1"), ("facets", "tag,year"), ("published_at", "2025")]

    assert parse_qsl(urlsplit(urls["AI"]).query) == [*kept, ("tag", "AI")]
    assert parse_qsl(urlsplit(urls["投資"]).query) == kept
    assert parse_qsl(urlsplit(urls["2023"]).query) == [*kept[:-1], ("published_at", "2023")]
    assert "cursor" not in client.get(f"{first}&facets=tag").json()["facets"]["tag"][0]["url"]


def test_every_address_leads_to_as_many_posts_as_it_says(client: TestClient) -> None:
    filled(client)
    facets = client.get("/v1/posts?facets=tag,category,author,lang,year").json()["facets"]

    for items in facets.values():
        for item in items:
            assert client.get(item["url"]).json()["total"] == item["count"], item


def test_year_is_that_of_the_day_in_the_site_s_zone(make_client: Callable[..., TestClient]) -> None:
    client = make_client(timezone="Asia/Tokyo")
    dates = ["2024-12-31T14:59:59Z", "2024-12-31T15:00:00Z", "2025-12-31T14:59:59Z", "2025-12-31T15:00:00Z"]
    dates += ["0999-06-01T00:00:00Z", "2025-06-01"]
    stored(client, {f"{number}.md": markdown(date=date) for number, date in enumerate(dates)})

    assert counts(client, "facets=year") == {"year": [("2025", 3), ("0999", 1), ("2024", 1), ("2026", 1)]}
    assert len(slugs(client, "published_at=2025")) == 3


def test_hundred_values_are_shown_the_most_frequent_first(client: TestClient) -> None:
    tags = [f"t{number:03}" for number in reversed(range(120))]
    stored(client, {"a.md": markdown(tags=tags, date="2025-01-01"), "b.md": markdown(tags=["t110"], date="2025-01-01")})
    shown = counts(client, "facets=tag")["tag"]

    assert shown == [("t110", 2), *((f"t{number:03}", 1) for number in range(99))]


def test_cursor_goes_on_whether_facets_are_asked_for_or_not(client: TestClient) -> None:
    filled(client)
    cursor = client.get("/v1/posts?limit=1&facets=tag").json()["next_cursor"]

    assert slugs(client, f"limit=9&cursor={cursor}") == ["a", "c", "d"]


def test_unknown_facet_is_an_error_that_names_the_known(client: TestClient) -> None:
    problem = client.get("/v1/posts?facets=tag,colour").json()

    assert problem["errors"][0]["parameter"] == "facets"
    assert "tag, category, author, lang, year" in problem["errors"][0]["hint"]
