"""Whether there is a hidden post cannot be told: not by a status, a condition, a count, a header or a redirect."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from tests.api.test_auth import a_key, bearer
from tests.api.test_visibility import CASES, HIDDEN, filled
from tests.building import AUTH, FixedClock, markdown, slugs, stored

WRITES = {("POST", "/v1/ingest"), ("POST", "/v1/render"), ("PUT", "/v1/posts/{slug}"), ("DELETE", "/v1/posts/{slug}")}
OF_NO_POST = {"/docs", "/docs/assets", "/openapi.json"}  # the same whatever is stored
SLUGS = [name.removesuffix(".md") for name in HIDDEN]


def leaves(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, frozenset[str]]]:
    """Path and methods of each route; FastAPI keeps those of a router in a tree."""
    for route in routes:
        context = getattr(route, "effective_route_contexts", None)
        if context is not None:
            for leaf in context():
                yield leaf.path, frozenset(leaf.methods or ())
        else:
            yield getattr(route, "path", ""), frozenset(getattr(route, "methods", None) or ())


def test_every_route_of_the_application_has_a_case(client: TestClient) -> None:
    found = set(leaves(client.app.router.routes))  # type: ignore[attr-defined]
    reads = {path for path, methods in found if "GET" in methods or not methods}
    writes = {(method, path) for path, methods in found for method in methods - {"GET", "HEAD"}}

    assert reads == set(CASES) | OF_NO_POST, "a route that reads needs its cases in test_visibility"
    assert writes == WRITES


def told_by(response: Any) -> tuple[int, str, dict[str, str]]:
    """An answer without what differs from one request to the next."""
    body = re.sub(r'"request_id":"[^"]*"', "", response.text)
    headers = {
        name: value for name, value in response.headers.items() if name not in ("x-request-id", "content-length")
    }
    return response.status_code, body, headers


def test_hidden_post_answers_as_one_that_is_not_there(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)
    conditions: tuple[dict[str, str], ...] = (
        {},
        {"If-None-Match": "*"},
        {"If-Match": "*"},
        {"If-Modified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"},
    )
    methods = ("GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST")
    for slug, method, suffix, headers in product(SLUGS, methods, ("", "/source"), conditions):
        hidden = client.request(method, f"/v1/posts/{slug}{suffix}", headers=headers)
        absent = client.request(method, f"/v1/posts/nothing{suffix}", headers=headers)
        hidden_says = told_by(hidden)
        absent_says = told_by(absent)

        told = (hidden_says[0], hidden_says[1].replace(slug, "nothing"), hidden_says[2])
        assert told == absent_says, (slug, method, suffix, headers)


def test_tag_got_with_a_key_is_worth_nothing_without(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)
    for slug in SLUGS:
        seen = client.get(f"/v1/posts/{slug}", headers=AUTH)
        tag = {"If-None-Match": seen.headers["ETag"]}

        assert seen.json()["slug"] == slug
        assert client.get(f"/v1/posts/{slug}", headers=tag).status_code == 404
        assert client.get(f"/v1/posts/{slug}/source", headers=tag).status_code == 404
        assert client.get(f"/v1/posts/{slug}", headers=tag | bearer("wrong")).status_code == 401


ASKED = (
    "q=himitsu", "q=%E7%A7%98%E5%AF%86", "q=%22%E7%A7%98%E5%AF%86%22", "tag=%E7%A7%98%E5%AF%86", "category=%E7%A7%98%E5%AF%86",
    "author=%E7%A7%98%E5%AF%86+%E8%8A%B1%E5%AD%90", "front_matter.mood=%E7%A7%98%E5%AF%86", "published_at=2026-02",
    "published_at=2025-01", "alias=/himitsu", *(f"slug={slug}" for slug in SLUGS),
)  # fmt: skip


def test_nothing_is_found_or_counted_by_what_only_hidden_posts_hold(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)
    for asked in ASKED:
        page = client.get(f"/v1/posts?{asked}&facets=tag,category,author,year").json()
        exported = client.get(f"/v1/export.jsonl?{asked}")
        feed = client.get(f"/v1/feed.json?{asked}").json()
        values = {facet["value"] for counts in page["facets"].values() for facet in counts}

        assert (page["items"], page["total"], exported.text, feed["items"]) == ([], 0, "", []), asked
        assert values <= {"投資", "太郎", "2025"}, asked


PRIVATE = (
    "front_matter._memo=%E7%A7%98%E5%AF%86", "front_matter.series._memo=%E7%A7%98%E5%AF%86", "front_matter._memo__not=x",
    "front_matter._memo__gte=0",
)  # fmt: skip


def test_private_front_matter_is_no_filter(make_client: Callable[..., TestClient]) -> None:
    client = filled(make_client)
    for route, asked in product(
        ("/v1/posts", "/v1/export.jsonl", "/v1/feed.json", "/v1/feed.atom", "/v1/posts/a"), PRIVATE
    ):
        response = client.get(f"{route}?{asked}")

        assert (response.status_code, response.json()["code"]) == (422, "private_field"), (route, asked)


def test_private_front_matter_is_neither_searched_nor_suggested(make_client: Callable[..., TestClient]) -> None:
    client = make_client()
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", _memo="naisho", secret_note={"_x": "naisho"})})

    assert client.get("/v1/posts?q=naisho").json()["total"] == 0
    for path in (
        "/v1/posts/a",
        "/v1/posts?include=front_matter",
        "/v1/export.jsonl",
        "/v1/feed.json",
        "/v1/suggest?q=nai",
    ):
        assert '"naisho' not in client.get(path).text, path
    assert "naisho" in client.get("/v1/posts/a", headers=AUTH).text


def test_what_is_hidden_changes_no_version_no_tag_and_no_time(
    make_client: Callable[..., TestClient], clock: FixedClock
) -> None:
    client = make_client()
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", tags=["投資"])})
    paths = ("/v1", "/v1/posts", "/v1/posts/a", "/v1/tags", "/v1/feed.json", "/v1/sitemap.xml", "/v1/export.jsonl")
    names = ("ETag", "Last-Modified", "Honbun-Version", "Cache-Tag")
    before = [[client.get(path).headers.get(name) for name in names] for path in paths]
    clock.advance(minutes=5)
    stored(client, {"d.md": markdown(title="二", tags=["投資"], draft=True)})
    stored(client, {"d.md": markdown(title="三", tags=["投資"], draft=True)})
    after = [[client.get(path).headers.get(name) for name in names] for path in paths]

    assert after == before


def withdraw_by_draft(client: TestClient, clock: FixedClock) -> None:
    clock.advance(minutes=1)
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", tags=["投資"], draft=True)})


def withdraw_by_deletion(client: TestClient, clock: FixedClock) -> None:
    clock.advance(minutes=1)
    assert client.delete("/v1/posts/a", headers=AUTH).status_code == 204


def withdraw_by_schedule(client: TestClient, clock: FixedClock) -> None:
    clock.advance(minutes=1)
    stored(client, {"a.md": markdown(title="一", date="2099-12-01", tags=["投資"])})


def withdraw_by_expiry(client: TestClient, clock: FixedClock) -> None:
    clock.advance(minutes=1)
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", tags=["投資"], expires_at="2026-01-15T12:00:30Z")})


def withdraw_by_the_clock(client: TestClient, clock: FixedClock) -> None:
    del client
    clock.advance(days=40)


@pytest.mark.parametrize(
    "withdraw",
    [withdraw_by_draft, withdraw_by_deletion, withdraw_by_schedule, withdraw_by_expiry, withdraw_by_the_clock],
)
def test_withdrawn_post_is_never_304(
    make_client: Callable[..., TestClient], clock: FixedClock, withdraw: Callable[[TestClient, FixedClock], None]
) -> None:
    client = make_client(public_source=True)
    expires = {"expires_at": "2026-02-01"} if withdraw is withdraw_by_the_clock else {}
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", tags=["投資"], **expires)})
    stored(client, {"b.md": markdown(title="二", date="2025-12-02")})
    own = ("/v1/posts/a", "/v1/posts/a?fields=title", "/v1/posts/a/source")
    shared = (
        "/v1",
        "/v1/posts",
        "/v1/tags",
        "/v1/archives",
        "/v1/feed.json",
        "/v1/feed.atom",
        "/v1/sitemap.xml",
        "/v1/posts/b",
    )
    seen = {path: client.get(path).headers for path in own + shared}
    for path in own + shared:  # twice: an answer may be kept by now
        assert client.get(path, headers={"If-None-Match": seen[path]["ETag"]}).status_code == 304
    withdraw(client, clock)

    for path in own + shared:
        expected = 404 if path in own else 200
        tag, since = seen[path]["ETag"], seen[path]["Last-Modified"]
        for condition in ({"If-None-Match": tag}, {"If-None-Match": f"W/{tag}"}, {"If-Modified-Since": since}):
            assert client.get(path, headers=condition).status_code == expected, (path, condition)
    assert client.get("/v1/posts/a", headers={"If-None-Match": "*"}).status_code == 404
    assert slugs(client) == ["b"]


def test_former_slug_of_a_hidden_post_leads_nowhere(make_client: Callable[..., TestClient]) -> None:
    client = make_client()
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", slug="before")})
    stored(client, {"a.md": markdown(title="一", date="2025-12-01", slug="himitsu-after", draft=True)})
    response = client.get("/v1/posts/before", follow_redirects=False)

    assert response.status_code == 404
    assert "himitsu" not in response.text + str(response.headers)


def test_scope_below_what_is_needed_shows_no_more_than_none(
    make_client: Callable[..., TestClient], engine: Engine
) -> None:
    client = filled(make_client)
    reader = bearer(a_key(engine, "read"))

    assert client.get("/v1/sources", headers=reader).status_code == 403
    assert client.put("/v1/posts/himitsu-draft", headers=reader).status_code == 403
    assert client.delete("/v1/posts/himitsu-draft", headers=reader | {"If-Match": "*"}).status_code == 403
    assert slugs(client, **reader) == ["c", "b", "a"]
