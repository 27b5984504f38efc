"""Feeds are what their formats demand, hold every post of a filter whole, and lead out of the service by whole links."""

from collections.abc import Callable, Iterator
from typing import Any
from xml.etree.ElementTree import Element

import feedparser
import pytest
from starlette.testclient import TestClient

from tests.api import feed_rules
from tests.api.feed_rules import ATOM
from tests.building import AUTH, FixedClock, markdown, stored

SITE: dict[str, Any] = {
    "site_url": "https://example.jp/blog",
    "post_url_template": "/{year}/{slug}/",
    "site_title": "題 & <名>",
    "site_description": "説明",
    "lang": "ja",
}
BODY = """
[上](#上) [兄弟](b.md) [根](/about) [外](https://other.example/?a=1&b=2) <mail@example.jp> ![図](fig.png)

## 上

`<b>` & "引用" ]]> \\ ＆

> 引用文
"""


def filled(client: TestClient, number: int = 5) -> TestClient:
    files = {
        f"p{n}.md": markdown(title=f"記事{n}", date=f"2025-12-{n + 1:02}", tags=["AI"] if n % 2 else ["投資"])
        for n in range(number)
    }
    stored(client, files)
    return client


def json_pages(client: TestClient, address: str) -> Iterator[dict[str, Any]]:
    """Each page of a feed from an address on, by `next_url`."""
    next_url: str | None = address
    while next_url is not None:
        response = client.get(next_url)
        assert response.status_code == 200, response.text
        feed = feed_rules.json_feed(response.json())
        yield feed
        next_url = feed.get("next_url")


def atom_pages(client: TestClient, address: str) -> Iterator[Element]:
    next_url: str | None = address
    while next_url is not None:
        response = client.get(next_url)
        assert response.status_code == 200, response.text
        feed = feed_rules.atom(response.content)
        yield feed
        next_url = links(feed).get("next")


def links(part: Element) -> dict[str, str]:
    return {link.get("rel", "alternate"): link.get("href", "") for link in part.findall(f"{ATOM}link")}


def titles(client: TestClient, address: str) -> list[str]:
    """The titles of all entries of a feed in either format."""
    if ".json" in address:
        return [item["title"] for page in json_pages(client, address) for item in page["items"]]
    pages = atom_pages(client, address)
    return [entry.findtext(f"{ATOM}title") or "" for page in pages for entry in page.findall(f"{ATOM}entry")]


def test_json_feed_says_what_the_post_says(make_client: Callable[..., TestClient]) -> None:
    client = make_client(**SITE)
    post = markdown(
        title="題", slug="記事", date="2025-12-23T09:00:00+09:00", updated="2025-12-24", tags=["AI", "投資"],
        category="市場", author="花子", excerpt="要約", image="/c.png", lang="en",
    )  # fmt: skip
    stored(client, {"a.md": post})
    feed = client.get("/v1/feed.json").json()
    post_id = client.get("/v1/posts/記事").json()["id"]

    assert feed == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "題 & <名>",
        "home_page_url": "https://example.jp/blog",
        "feed_url": "http://testserver/v1/feed.json",
        "description": "説明",
        "language": "ja",
        "items": [
            {
                "id": f"urn:uuid:{post_id}",
                "url": "https://example.jp/blog/2025/%E8%A8%98%E4%BA%8B/",
                "title": "題",
                "summary": "要約",
                "image": "https://example.jp/c.png",
                "date_published": "2025-12-23T00:00:00Z",
                "date_modified": "2025-12-24T00:00:00Z",
                "authors": [{"name": "花子"}],
                "tags": ["市場", "AI", "投資"],
                "language": "en",
                "content_html": "<p>本文です。</p>\n",
            }
        ],
    }


def test_feed_parser_reads_in_atom_what_the_post_says(make_client: Callable[..., TestClient]) -> None:
    client = make_client(**SITE)
    post = markdown(
        BODY, title="<i>題</i> & 名", slug="a", date="2025-12-23T09:00:00+09:00", updated="2025-12-24",
        tags=["AI", "投資"], category="市場", authors=["花子", "太郎"], excerpt="要約 <1>", lang="en",
    )  # fmt: skip
    stored(client, {"a.md": post})
    read = feedparser.parse(client.get("/v1/feed.atom").content)
    entry = read.entries[0]
    detail = client.get("/v1/posts/a").json()

    assert not read.bozo
    assert (read.feed.title, read.feed.subtitle, read.feed.link) == ("題 & <名>", "説明", SITE["site_url"])
    assert (entry.id, entry.link) == (f"urn:uuid:{detail['id']}", "https://example.jp/blog/2025/a/")
    assert (entry.title, entry.summary) == ("<i>題</i> & 名", "要約 <1>")
    assert (entry.published, entry.updated) == ("2025-12-23T00:00:00Z", "2025-12-24T00:00:00Z")
    assert [author.name for author in entry.authors] == ["花子", "太郎"]
    assert [tag.term for tag in entry.tags] == ["市場", "AI", "投資"]
    assert "引用文" in entry.content[0].value
    assert entry.content[0].language == "en"


def content(client: TestClient) -> str:
    html = client.get("/v1/feed.json").json()["items"][0]["content_html"]
    entry = feed_rules.atom(client.get("/v1/feed.atom").content).find(f"{ATOM}entry")
    assert entry is not None
    assert entry.findtext(f"{ATOM}content") == html
    return str(html)


def test_addresses_in_the_content_are_whole(make_client: Callable[..., TestClient]) -> None:
    client = make_client(**SITE)
    stored(client, {"a.md": markdown(BODY, date="2025-12-23"), "b.md": markdown(date="2025-01-01")})
    html = content(client)

    assert 'href="https://example.jp/blog/2025/a/#%E4%B8%8A"' in html
    assert 'href="http://testserver/v1/posts/b"' in html
    assert 'href="https://example.jp/about"' in html
    assert 'href="https://other.example/?a=1&amp;b=2"' in html
    assert 'href="mailto:mail@example.jp"' in html
    assert 'src="https://example.jp/blog/2025/a/fig.png"' in html
    assert "<code>&lt;b&gt;</code> &amp; " in html
    assert "]]&gt;" in html


def test_without_a_site_address_posts_are_found_in_the_api(make_client: Callable[..., TestClient]) -> None:
    client = make_client(root_path="/api")
    stored(client, {"a.md": markdown("[下](#下)\n\n## 下\n", slug="記事", date="2025-12-23")})
    headers = {"Host": "posts.example:8080"}
    feed = client.get("/v1/feed.json", headers=headers).json()
    atom = feed_rules.atom(client.get("/v1/feed.atom", headers=headers).content)
    address = "http://posts.example:8080/api/v1/posts/%E8%A8%98%E4%BA%8B"

    assert "home_page_url" not in feed
    assert feed["feed_url"] == "http://posts.example:8080/api/v1/feed.json"
    assert feed["items"][0]["url"] == address
    assert f'href="{address}#' in feed["items"][0]["content_html"]
    assert links(atom) == {
        "self": "http://posts.example:8080/api/v1/feed.atom",
        "first": "http://posts.example:8080/api/v1/feed.atom",
    }
    assert address in client.get("/v1/sitemap.xml", headers=headers).text


@pytest.mark.parametrize("host", ['x"><script>', "a b", "evil.example/path", "[::1", ""])
def test_host_that_is_none_is_not_repeated(client: TestClient, host: str) -> None:
    filled(client)

    for path in ("/v1/feed.json", "/v1/feed.atom", "/v1/sitemap.xml"):
        shown = client.get(path, headers={"Host": host}).text
        assert "http://testserver" in shown
        assert not host or host not in shown


@pytest.mark.parametrize("path", ["/v1/feed.json", "/v1/feed.atom"])
def test_pages_hold_every_post_once_the_newest_first(client: TestClient, path: str) -> None:
    filled(client)

    assert titles(client, f"{path}?limit=2") == ["記事4", "記事3", "記事2", "記事1", "記事0"]
    assert titles(client, f"{path}?limit=1&tag=ai&utm_source=x") == ["記事3", "記事1"]
    assert titles(client, f"{path}?published_at=2025-12-02") == ["記事1"]
    assert titles(client, f"{path}?q=記事&limit=2") == ["記事4", "記事3", "記事2", "記事1", "記事0"]
    assert titles(client, f"{path}?tag=none") == []


def test_atom_pages_are_one_feed_and_link_each_other(client: TestClient) -> None:
    filled(client)
    first, second, third = atom_pages(client, "/v1/feed.atom?limit=2&tag=AI&tag=投資")
    other = feed_rules.atom(client.get("/v1/feed.atom?tag=投資").content)

    assert {page.findtext(f"{ATOM}id") for page in (first, second, third)} == {first.findtext(f"{ATOM}id")}
    assert other.findtext(f"{ATOM}id") != first.findtext(f"{ATOM}id")
    assert set(links(first)) == {"self", "first", "next"}
    assert set(links(second)) == {"self", "first", "previous", "next"}
    assert set(links(third)) == {"self", "first", "previous"}
    assert links(second)["self"] == links(first)["next"]
    assert client.get(links(second)["first"]).content == client.get("/v1/feed.atom?limit=2&tag=AI&tag=投資").content
    assert "記事4" in client.get(links(second)["previous"]).text


def test_feed_is_as_new_as_its_newest_entry_and_empty_as_the_last_change(client: TestClient) -> None:
    stored(client, {"a.md": markdown(date="2025-12-01", updated="2025-12-20"), "b.md": markdown(date="2025-12-05")})

    assert "<updated>2025-12-20T00:00:00Z</updated>\n<author>" in client.get("/v1/feed.atom").text
    assert "<updated>2026-01-15T12:00:00Z</updated>\n<author>" in client.get("/v1/feed.atom?tag=none").text


def test_characters_that_xml_forbids_are_left_out(client: TestClient) -> None:
    stored(
        client, {"a.md": '---\ntitle: "題\\uFFFE名"\ntags: ["\\uFFFFAI"]\ndate: 2025-12-01\n---\n本\ufffe文\uffff\n'}
    )
    entry = feed_rules.atom(client.get("/v1/feed.atom").content).find(f"{ATOM}entry")

    assert entry is not None
    assert entry.findtext(f"{ATOM}title") == "題名"
    assert entry.findtext(f"{ATOM}content") == "<p>本文</p>\n"


MEDIA_TYPES = {
    "/v1/feed.json": "application/feed+json",
    "/v1/feed.atom": "application/atom+xml",
    "/v1/sitemap.xml": "application/xml",
}


@pytest.mark.parametrize("path", MEDIA_TYPES)
class TestHttp:
    def test_answer_can_be_cached_purged_and_asked_again(self, client: TestClient, path: str) -> None:
        response = filled(client).get(path)
        again = client.get(path, headers={"If-None-Match": response.headers["ETag"]})
        since = client.get(path, headers={"If-Modified-Since": response.headers["Last-Modified"]})
        head = client.head(path)

        assert response.headers["Content-Type"] == MEDIA_TYPES[path]
        assert response.headers["Cache-Tag"] == "list"
        assert response.headers["Cache-Control"] == "public, max-age=0, s-maxage=60, must-revalidate"
        assert (again.status_code, since.status_code) == (304, 304)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == response.headers["Content-Length"]

    def test_changed_post_changes_the_answer(self, client: TestClient, clock: FixedClock, path: str) -> None:
        before = filled(client).get(path)
        clock.advance(hours=1)
        stored(client, {"p1.md": markdown("新しい本文", date="2025-12-02")})
        after = client.get(path)

        assert before.headers["ETag"] != after.headers["ETag"]
        assert "2026-01-15T13:00:00Z" in after.text

    def test_whoever_takes_the_plain_form_takes_this_one(self, client: TestClient, path: str) -> None:
        plain = "application/json" if path.endswith("json") else "application/xml"

        for accept in (plain, MEDIA_TYPES[path], "*/*", "text/html, */*;q=0.1"):
            assert client.get(path, headers={"Accept": accept}).status_code == 200
        assert client.get(path, headers={"Accept": "image/png"}).status_code == 406

    def test_unknown_parameter_is_an_error(self, client: TestClient, path: str) -> None:
        assert client.get(f"{path}?formt=x").json()["code"] == "unknown_parameter"


def test_terms_can_be_purged(client: TestClient) -> None:
    filled(client)
    of_list = client.get("/v1/posts?tag=AI").headers["Cache-Tag"]

    assert client.get("/v1/feed.atom?tag=AI").headers["Cache-Tag"] == of_list
    assert client.get("/v1/feed.json?tag=AI").headers["Cache-Tag"] == of_list


def test_drafts_show_to_the_trusted_who_ask_for_them(client: TestClient) -> None:
    stored(client, {"a.md": markdown(title="草稿", draft=True), "b.md": markdown(title="公開", date="2025-12-01")})

    assert client.get("/v1/feed.json?status=any").status_code == 401
    response = client.get("/v1/feed.json?status=any", headers=AUTH)
    assert [item["title"] for item in feed_rules.json_feed(response.json())["items"]] == ["草稿", "公開"]
    assert response.headers["Cache-Control"] == "private, no-store"
    assert feed_rules.atom(client.get("/v1/feed.atom?status=draft", headers=AUTH).content) is not None


def test_service_names_its_feeds(client: TestClient) -> None:
    named = client.get("/v1").json()["links"]

    for name, path in {"feed_json": "feed.json", "feed_atom": "feed.atom", "sitemap": "sitemap.xml"}.items():
        assert named[name] == f"/v1/{path}"
        assert client.get(named[name]).status_code == 200
