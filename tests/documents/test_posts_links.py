from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.documents.links import FileNames, Target, day_in
from tests.posts.samples import links

TOKYO = ZoneInfo("Asia/Tokyo")
LATE = datetime(2025, 12, 31, 23, 0, tzinfo=UTC)


def permalink(template: str | None, site_url: str | None = "https://blog.jp", **given: Any) -> str | None:
    values: dict[str, Any] = {
        "id": "1-2", "slug": "記事", "written": None, "published_at": LATE, "category": "本/棚", "lang": "ja",
    }  # fmt: skip
    return links(site_url=site_url, template=template, zone=TOKYO).permalink(**(values | given))


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("kiji", "/api/v1/posts/kiji"),
        ("記事", "/api/v1/posts/%E8%A8%98%E4%BA%8B"),
        ("a b?c#d&e%", "/api/v1/posts/a%20b%3Fc%23d%26e%25"),
        ("a.b-c_d~e", "/api/v1/posts/a.b-c_d~e"),
    ],
)
def test_address_of_a_post_is_percent_encoded(slug: str, expected: str) -> None:
    assert links(root_path="/api").url(slug) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("/{slug}/", "https://blog.jp/%E8%A8%98%E4%BA%8B/"),
        ("{year}/{month}/{day}/{id}", "https://blog.jp/2026/01/01/1-2"),
        ("/{category}/{lang}", "https://blog.jp/%E6%9C%AC%2F%E6%A3%9A/ja"),
        ("https://www.jp/{slug}", "https://www.jp/%E8%A8%98%E4%BA%8B"),
        (None, None),
    ],
)
def test_template_makes_the_permalink(template: str | None, expected: str | None) -> None:
    assert permalink(template) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("/2025/kiji.html", "https://blog.jp/2025/kiji.html"),
        ("kiji/", "https://blog.jp/kiji/"),
        ("https://other.jp/x?a=b#c", "https://other.jp/x?a=b#c"),
        ("/記事/", "https://blog.jp/%E8%A8%98%E4%BA%8B/"),
        ("/%E8%A8%98/", "https://blog.jp/%E8%A8%98/"),
        ("javascript:alert(1)//x", "https://blog.jp/javascript:alert(1)//x"),
        ("//evil.jp/x", "https://blog.jp/evil.jp/x"),
    ],
)
def test_permalink_of_the_front_matter_wins(written: str, expected: str) -> None:
    assert permalink("/{slug}/", written=written) == expected


def test_what_a_draft_lacks_is_left_empty() -> None:
    assert permalink("/{year}{month}{day}{category}{lang}/{slug}", published_at=None, category=None, lang=None) == (
        "https://blog.jp/%E8%A8%98%E4%BA%8B"
    )


def test_without_a_site_address_a_relative_permalink_is_none() -> None:
    assert permalink("/{slug}/", site_url=None) is None
    assert permalink("https://blog.jp/{slug}", site_url=None) == "https://blog.jp/%E8%A8%98%E4%BA%8B"


@pytest.mark.parametrize(
    ("zone", "instant", "expected"),
    [
        ("Asia/Tokyo", LATE, date(2026, 1, 1)),
        ("UTC", LATE, date(2025, 12, 31)),
        ("America/New_York", datetime(1, 1, 1, tzinfo=UTC), date(1, 1, 1)),
        ("Asia/Tokyo", datetime(9999, 12, 31, 23, tzinfo=UTC), date(9999, 12, 31)),
    ],
)
def test_day_is_of_the_zone_where_the_calendar_has_it(zone: str, instant: datetime, expected: date) -> None:
    assert day_in(ZoneInfo(zone), instant) == expected


@pytest.mark.parametrize(
    ("name", "source", "means"),
    [
        ("kaze.md", "content/blog/kaze.md", True),
        ("kaze.md", "content/blog/kaze.ja.md", True),
        ("blog/kaze.md", "content/blog/kaze/index.md", True),
        ("blog/kaze.md", "content/blog/kaze/index.en-us.md", True),
        ("blog.md", "content/blog/_index.md", True),
        ("kaze.md", "content/blog/okaze.md", False),
        ("kaze.md", "content/kaze/a.md", False),
    ],
)
def test_link_of_a_site_means_a_source_by_the_end_of_its_path(name: str, source: str, means: bool) -> None:
    assert FileNames([source]).hold(Target(name=name, line=1, anywhere=True)) is means
