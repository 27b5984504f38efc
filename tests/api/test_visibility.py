"""No answer without a key shows a word of what is not public, whatever the route."""

from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from tests.building import AUTH, markdown, send, slugs, stored

SECRETS = ("himitsu", "秘密", "%E7%A7%98%E5%AF%86")  # each hidden text holds one of them
HIDDEN: dict[str, dict[str, Any]] = {
    "himitsu-draft.md": {"draft": True},
    "himitsu-scheduled.md": {"date": "2026-02-01"},
    "himitsu-expired.md": {"date": "2025-01-01", "expires_at": "2025-02-01"},
}
FIELDS: dict[str, Any] = {
    "title": "秘密の題",
    "tags": ["秘密", "投資"],
    "categories": ["秘密"],
    "author": "秘密 花子",
    "mood": "秘密",
}
PUBLIC = {
    "a.md": markdown(title="一", date="2025-12-01", tags=["投資"], _memo="秘密", series={"_memo": "秘密", "part": 1}),
    "b.md": markdown(title="二", date="2025-12-02", tags=["投資"], author="太郎"),
    "c.md": markdown(title="三", date="2025-12-03"),
}
LIST = (
    "",
    "?include=html,toc,front_matter,source,images,aliases",
    "?fields=front_matter",
    "?fields=front_matter._memo,front_matter.series._memo",
    "?tag=%E6%8A%95%E8%B3%87",
    "?sort=title",
    "?page=1",
    "?limit=1",
    "?published_at__gte=2025-01-01",
    "?status=published",
)
FACETS = "/v1/posts?facets=tag,category,author,lang,year"
FEED = ("tag=%E6%8A%95%E8%B3%87", "limit=1", "published_at__gte=2025-01-01", "q=%E6%9C%AC%E6%96%87", "status=draft")
CASES: dict[str, tuple[str, ...]] = {
    "/v1": ("/v1",),
    "/v1/posts": (
        *(f"/v1/posts{query}" for query in LIST),
        *(f"{FACETS}{query}" for query in ("", "&tag=%E6%8A%95%E8%B3%87", "&tag__not=x", "&q=%E6%9C%AC%E6%96%87")),
    ),
    "/v1/posts/{slug}": (
        "/v1/posts/a",
        "/v1/posts/b?tag=%E6%8A%95%E8%B3%87",
        "/v1/posts/c?include=front_matter",
        "/v1/posts/a?fields=front_matter._memo,older,newer,related",
        "/v1/posts/old-address",
    ),
    "/v1/posts/{slug}/source": ("/v1/posts/b/source", "/v1/posts/old-address/source"),
    "/v1/export.jsonl": tuple(
        f"/v1/export.jsonl{query}" for query in LIST if "page" not in query and "limit" not in query
    ),
    **{
        f"/v1/feed.{form}": tuple(f"/v1/feed.{form}{query}" for query in ("", *(f"?{one}" for one in FEED)))
        for form in ("json", "atom")
    },
    "/v1/sitemap.xml": ("/v1/sitemap.xml", "/v1/sitemap.xml?part=1"),
    "/v1/categories": ("/v1/categories", "/v1/categories?sort=name"),
    "/v1/tags": ("/v1/tags", "/v1/tags?sort=name&limit=1"),
    "/v1/authors": ("/v1/authors", "/v1/authors?page=1"),
    "/v1/archives": ("/v1/archives", "/v1/archives?by=year"),
    "/v1/suggest": tuple(f"/v1/suggest?q={typed}" for typed in ("hi", "%E7%A7%98", "%E5%AF%86", "%E6%8A%95")),
    "/v1/sources": ("/v1/sources",),
    "/v1/changes": ("/v1/changes",),
    "/healthz": ("/healthz",),
    "/readyz": ("/readyz",),
}


def filled(make_client: Callable[..., TestClient]) -> TestClient:
    client = make_client(public_source=True)
    stored(client, PUBLIC | {"himitsu-draft.md": markdown(title="公開", slug="old-address")})
    hidden = {
        name: markdown("秘密の本文。himitsu\n", **FIELDS, **front, slug=name.removesuffix(".md"))
        for name, front in HIDDEN.items()
    }
    assert send(client, hidden).status_code == 200
    return client


def test_no_route_shows_what_is_hidden(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)
    routes = [path for path, operations in client.app.openapi()["paths"].items() if "get" in operations]  # type: ignore[attr-defined]

    assert sorted(routes) == sorted(CASES), "a route that reads needs its cases here"
    assert slugs(client) == ["c", "b", "a"]
    for requests in CASES.values():
        for request in requests:
            response = client.get(request, follow_redirects=False)
            shown = response.text + str(response.headers)

            assert response.status_code in (200, 401, 404), (request, response.text)
            assert not [secret for secret in SECRETS if secret in shown], request


def test_key_shows_it_all(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)

    for path in ("/v1/posts?status=any&include=front_matter", "/v1/posts/a", "/v1/sources", "/v1/posts/himitsu-draft"):
        shown = client.get(path, headers=AUTH).text
        assert any(secret in shown for secret in SECRETS), path


def test_times_and_counts_are_those_of_public_posts(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)

    assert slugs(client, "slug=himitsu-draft&slug=himitsu-expired") == []
    assert client.get("/v1").json()["posts"] == 3
    assert client.get("/v1/posts").json()["total"] == 3
    assert [item["count"] for item in client.get("/v1/tags").json()["items"]] == [2]
    assert [item["count"] for item in client.get("/v1/archives").json()["items"]] == [3]
    assert client.get("/v1/posts/c").json()["newer"] is None
