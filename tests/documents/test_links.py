"""Links between sources: names become addresses, and what is meant can be looked up."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.documents.document import Context, Document, parse
from app.documents.links import FileNames, Links, Target, day_in, source_linked
from app.documents.site_config import SiteConfig
from app.documents.sources import Source
from tests.building import markdown

SITE = Context(site_url="https://example.com", post_url_template="/{year}/{month}/{slug}.html")
HERE = "blog/_posts/2025-12-24-kiji.md"


def document(body: str, context: Context, name: str = HERE) -> Document:
    return parse(Source(name=name, content=markdown(body, title="題").encode()), context)


@pytest.mark.parametrize(
    ("template", "name", "address"),
    [
        ("/{year}/{month}/{day}/{slug}/", "_posts/2025-12-01-風.md", "https://example.com/2025/12/01/%E9%A2%A8/"),
        (
            "/{category}/{slug}",
            "ニュース/_posts/2025-12-01-a.md",
            "https://example.com/%E3%83%8B%E3%83%A5%E3%83%BC%E3%82%B9/a",
        ),
        ("/{lang}/{slug}", "a.ja.md", "https://example.com/ja/a"),
        ("/{lang}/{slug}", "a.md", "/api/v1/posts/a"),
        ("/{year}/{slug}", "a.md", "/api/v1/posts/a"),
        ("/{category}/{slug}", "_posts/2025-12-01-a.md", "/api/v1/posts/a"),
        ("/{id}", "2025-12-01-a.md", "/api/v1/posts/a"),
        (None, "2025-12-01-a.md", "/api/v1/posts/a"),
        (None, "2025-12-01-！.md", None),
        (None, "2025-13-01-a.md", None),
    ],
)
def test_address_of_a_name(template: str | None, name: str, address: str | None) -> None:
    links = Links(root_path="/api", site_url="https://example.com", template=template, zone=ZoneInfo("Asia/Tokyo"))

    assert links.of_name(name) == address


def test_template_without_a_site_makes_no_reader_address() -> None:
    links = Links(root_path="", site_url=None, template="/{slug}", zone=ZoneInfo("UTC"))

    assert links.of_name("a.md") == "/v1/posts/a"


def test_written_permalink_wins_over_the_template() -> None:
    links = Links(root_path="", site_url="https://example.com", template="/{slug}/{id}{day}", zone=ZoneInfo("UTC"))

    def permalink(written: str | None) -> str | None:
        return links.permalink(id="1", slug="a b", written=written, published_at=None, category=None, lang=None)

    assert permalink("/風/") == "https://example.com/%E9%A2%A8/"
    assert permalink("https://other.example/x") == "https://other.example/x"
    assert permalink(None) == "https://example.com/a%20b/1"


def test_day_at_the_end_of_the_calendar_is_utcs() -> None:
    assert day_in(ZoneInfo("Asia/Tokyo"), datetime(9999, 12, 31, 23, tzinfo=UTC)).year == 9999


@pytest.mark.parametrize(
    ("target", "linked"),
    [
        ("2025-12-01-x.md", "blog/_posts/2025-12-01-x.md"),
        ("../a.md#b", "blog/a.md"),
        ("./%E9%A2%A8.markdown?c", "blog/_posts/風.markdown"),
        ("/_posts/か%E3%82%99.md", "_posts/が.md"),
        ("../../../a.md", None),
        ("../README.md", None),
        ("../_includes/a.md", None),
        ("https://example.com/a.md", None),
        ("//example.com/a.md", None),
        ("http://[a.md", None),
        ("a.png", None),
        ("#a.md", None),
        ("", None),
    ],
)
def test_relative_markdown_link_means_a_source(target: str, linked: str | None) -> None:
    assert source_linked(target, HERE) == linked


def test_links_and_tags_become_addresses_with_their_targets() -> None:
    body = (
        "[一](2025-12-01-x.md#a)\n[二]({% post_url 2025-12-02-y %})\n\n<a href='../z.md'>三</a>\n\n"
        "> [四]({% link _posts/2025-12-03-w.v1.2.md %})\n\n[五](https://example.com/a.md) `[六](a.md)`\n"
    )
    post = document(body, SITE)

    assert [(target.name, target.line) for target in post.links] == [
        ("blog/_posts/2025-12-01-x.md", 4),
        ("2025-12-02-y.md", 5),
        ("blog/z.md", 7),
        ("_posts/2025-12-03-w.v1.2.md", 9),
    ]
    for href in ("2025/12/x.html#a", "2025/12/y.html", "2025/12/w.v1.2.html"):
        assert f'href="https://example.com/{href}"' in post.html
    assert 'href="/v1/posts/z"' in post.html


def test_post_in_the_api_is_no_file_below_the_asset_address() -> None:
    context = Context(asset_url="https://assets.example.com", root_path="/api")
    post = document("[a](release-1.2.md) [b](zu.pdf) <img src='/c.png'> ![](http://[d.png)\n", context)

    assert 'href="/api/v1/posts/release-1.2"' in post.html
    assert 'href="https://assets.example.com/blog/_posts/zu.pdf"' in post.html
    assert 'src="https://assets.example.com/c.png"' in post.html


def test_link_to_what_has_no_slug_stays() -> None:
    post = document("[a](！.md) {% post_url ！ %}\n", Context())

    assert 'href="%EF%BC%81.md"' in post.html
    assert "{% post_url ！ %}" in post.html
    assert [target.name for target in post.links] == ["blog/_posts/！.md"]


@pytest.mark.parametrize(
    ("target", "name", "is_meant"),
    [
        (Target(name="a/b.md", line=1), "a/b.md", True),
        (Target(name="b.md", line=1), "a/b.md", False),
        (Target(name="2025-12-01-b.md", line=1, anywhere=True), "a/_posts/2025-12-01-b.markdown", True),
        (Target(name="c/b.md", line=1, anywhere=True), "a/b.md", False),
        (Target(name="b.md", line=1, anywhere=True), "bb.md", False),
    ],
)
def test_target_means_a_source(target: Target, name: str, is_meant: bool) -> None:
    assert FileNames([name]).hold(target) is is_meant


def test_style_of_the_site_addresses_what_the_name_tells() -> None:
    context = Context(site_url="https://example.com", config=SiteConfig(permalink="pretty"))
    post = document("[a](2025-12-01-x.md) [b](y.md)\n", context)

    assert 'href="https://example.com/blog/2025/12/01/x/"' in post.html
    assert 'href="/v1/posts/y"' in post.html


def test_excerpt_has_addresses_too() -> None:
    text = markdown("本文\n", title="題", excerpt="[a]({% post_url 2025-12-01-x %}) [b](2025-12-02-y.md)")
    post = parse(Source(name=HERE, content=text.encode()), SITE)

    assert 'href="https://example.com/2025/12/x.html"' in post.excerpt_html
    assert 'href="https://example.com/2025/12/y.html"' in post.excerpt_html


def test_files_that_a_post_shows_or_links_to_are_its_targets() -> None:
    body = "[a](../zu/a.pdf) ![b](b%20c.png)\n\n<img src='d.jpg'>\n\n[e](/e.png) [f](f.html) [g](https://x.jp/g.png)\n"
    body += "\n[h](../../../h.png) [i]({{ x }}/i.png) [j](#j.k) [k](..)\n"
    post = document(body, Context(asset_url="https://assets.example.com"))

    assert [target.name for target in post.links] == ["blog/zu/a.pdf", "blog/_posts/b c.png", "blog/_posts/d.jpg"]
