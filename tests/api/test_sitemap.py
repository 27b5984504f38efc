from collections.abc import Callable
from datetime import timedelta
from xml.etree.ElementTree import Element, fromstring

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from app.api import sitemap
from app.database import writing
from tests.building import NOW, markdown, stored
from tests.posts.samples import bulk, fill, post_row

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def addresses(content: bytes) -> list[tuple[str, str]]:
    """Address and last change of each entry of a sitemap, which must be one by the protocol."""
    root = fromstring(content)
    assert root.tag == f"{SPACE}urlset"
    assert len(root) <= 50_000
    assert len(content) <= 50 * 1024 * 1024
    return [(_only(url, "loc"), _only(url, "lastmod")) for url in root]


def _only(part: Element, name: str) -> str:
    (found,) = part.findall(SPACE + name)
    return found.text or ""


def parts(content: bytes) -> list[str]:
    root = fromstring(content)
    assert root.tag == f"{SPACE}sitemapindex"
    return [_only(part, "loc") for part in root]


def test_sitemap_names_every_visible_post_by_its_permalink_and_last_change(
    make_client: Callable[..., TestClient],
) -> None:
    client = make_client(site_url="https://example.jp", post_url_template="/{year}/{slug}/")
    files = {
        "記事.md": markdown(date="2025-12-01", updated="2025-12-20"),
        "b.md": markdown(date="2025-11-01", permalink="/q?a=1&b=2"),
        "draft.md": markdown(draft=True),
        "later.md": markdown(date="2026-02-01"),
    }
    stored(client, files)

    assert addresses(client.get("/v1/sitemap.xml").content) == [
        ("https://example.jp/q?a=1&b=2", "2025-11-01T00:00:00Z"),
        ("https://example.jp/2025/%E8%A8%98%E4%BA%8B/", "2025-12-20T00:00:00Z"),
    ]


def test_sitemap_without_posts_is_empty(client: TestClient) -> None:
    assert addresses(client.get("/v1/sitemap.xml").content) == []


def test_past_the_limit_an_index_names_parts_that_hold_every_post_once(
    make_client: Callable[..., TestClient], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(cache_bytes=0)  # no kept answer knows that the limit is another
    fill(engine, 25)
    whole = addresses(client.get("/v1/sitemap.xml").content)
    monkeypatch.setattr(sitemap, "MOST", 10)
    named = parts(client.get("/v1/sitemap.xml").content)
    found = [addresses(client.get(part).content) for part in named]

    assert named == [f"http://testserver/v1/sitemap.xml?part={part}" for part in (1, 2, 3)]
    assert [len(part) for part in found] == [10, 10, 5]
    assert [entry for part in found for entry in part] == whole
    assert client.get("/v1/sitemap.xml?part=4").status_code == 404
    assert client.get("/v1/sitemap.xml?part=0").status_code == 422


def test_address_that_is_too_long_is_left_out(client: TestClient, engine: Engine) -> None:
    with writing(engine) as connection:
        bulk(connection, (post_row(slug="&" * length, published_at=NOW) for length in (300, 301, 310)))
        bulk(connection, [post_row(permalink="https://example.jp/" + "&" * 200, published_at=NOW)])
    found = addresses(client.get("/v1/sitemap.xml").content)

    longest = "http://testserver/v1/posts/"
    assert [len(address) for address, _ in found] == [len(longest) + 900, len(longest) + 903, len(longest) + 930]


@pytest.mark.slow
def test_hundred_thousand_posts_are_in_two_parts(client: TestClient, engine: Engine) -> None:
    with writing(engine) as connection:
        for start in range(0, 100_000, 1_000):
            bulk(connection, (post_row(published_at=NOW - timedelta(minutes=start + n)) for n in range(1_000)))
    named = parts(client.get("/v1/sitemap.xml").content)
    found = [address for part in named for address, _ in addresses(client.get(part).content)]

    assert len(named) == 2
    assert len(set(found)) == len(found) == 100_000
