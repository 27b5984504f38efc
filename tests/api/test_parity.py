"""The same posts in SQLite and in Postgres give the same bytes for the same requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from shutil import copy

from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.building import AUTH, KEY, NOW, FixedClock, markdown, stored
from tests.conftest import empty

TITLES = (
    "株価の見通し",
    "Zebra",
    "apple",
    "Äpfel",
    "ｶﾞｲﾄﾞ",
    "ガイド",
    "𠮷野家",
    "_下線",
    "étude",
    "~波",
    "100円",
    "20円",
)
TAGS: tuple[list[str], ...] = (["AI", "投資"], ["ai"], ["ＡＩ", "Ω"], [], ["C++", "投資"], ["ß", "SS"])
DATES = (
    "2025-12-01",
    "2025-12-01",
    "2025-11-30T23:30:00-05:00",
    "2024-02-29",
    "2025-12-24T09:00:00+09:00",
    "0999-01-01",
)


def files() -> dict[str, str]:
    posts = {
        f"{'blog/' if number % 3 else ''}p{number:02}.md": markdown(
            f"# 見出し{number}\n\n本文 {number} です。\n" * (1 + number % 4),
            title=TITLES[number % len(TITLES)],
            date=DATES[number % len(DATES)],
            tags=TAGS[number % len(TAGS)],
            categories=["市場", "技術"][: number % 3],
            author=("花子", "Taro", "𠮷田")[number % 3],
            lang=("ja", "en")[number % 2],
            layout=("post", "page")[number % 2],
            part=number,
            series={"name": TITLES[number % 5], "no": number / 2},
            redirect_from=[f"/old/{number}.html"],
            _memo=f"覚え書き{number}",
        )
        for number in range(36)
    }
    return posts | {
        "draft.md": markdown(title="下書き", draft=True),
        "undated-draft.md": markdown(title="無題", draft=True, tags=["AI"]),
        "scheduled.md": markdown(title="予約", date="2026-02-01"),
        "expired.md": markdown(title="期限切れ", date="2025-01-01", expires_at="2025-02-01"),
    }


SORTS = ("-published_at", "published_at", "-updated_at", "updated_at", "title", "-title")
FILTERS = (
    "tag=ai",
    "tag=AI&tag=Ω",
    "tag__all=ai&tag__all=投資",
    "tag__not=投資",
    "tag=ss",
    "category=市場&category__not=技術",
    "author=𠮷田",
    "lang=ja&layout=page",
    "published_at=2025-12",
    "published_at__gte=2025-12-01&published_at__lt=2025-12-24",
    "published_at__lte=2024",
    "updated_at__gt=2025-11",
    "reading_time__lte=1",
    "front_matter.part__gte=10&front_matter.part__lt=20",
    "front_matter.series.no=2.5",
    "front_matter.series.name=ガイド",
    "front_matter.title__not=apple",
    "front_matter.date__gte=2025-12-01",
    "slug=p01&slug=p02",
    "alias=/old/7.html",
    "status=any",
    "status=draft&status=scheduled",
)
FIXED = (
    "/v1",
    "/v1/archives",
    "/v1/archives?by=year",
    "/v1/export.jsonl",
    "/v1/export.jsonl?sort=title&fields=slug,title",
    "/v1/export.jsonl?status=any&sort=published_at&fields=slug,published_at",
    *(f"/v1/suggest?q={typed}" for typed in ("a", "が", "ｶﾞ", "投", "c+", "100", "アッ", "")),
    "/v1/feed.json",
    "/v1/feed.json?status=any&limit=7",
    "/v1/feed.atom?tag=ai",
    "/v1/feed.atom?q=本文&limit=7",
    "/v1/sitemap.xml",
    "/v1/sources",
    "/v1/sources?prefix=blog/",
    "/v1/posts/nothing",
    "/v1/posts?limit=0",
    "/v1/posts?fields=nothing",
    *(f"/v1/posts?fields=slug&facets=tag,category,author,lang,year&{query}" for query in FILTERS),
    "/v1/posts?facets=year,tag&q=本文&sort=title&limit=3",
)


def requests() -> list[str]:
    lists = [f"/v1/posts?{query}&sort={sort}&limit=9" for query, sort in product(FILTERS, SORTS[:5])]
    pages = [f"/v1/posts?limit=10&sort={sort}&page={page}" for sort in SORTS for page in (1, 4)]
    details = [f"/v1/posts/p{number:02}" for number in range(36)] + ["/v1/posts/p03?tag=ai", "/v1/posts/draft"]
    terms = [f"/v1/{plural}?sort={sort}" for plural in ("categories", "tags", "authors") for sort in ("-count", "name")]
    return [*FIXED, *lists, *pages, *details, *terms]


@contextmanager
def service(url: str) -> Iterator[TestClient]:
    settings = Settings(
        _env_file=None, database_url=url, content_dir="", api_key=KEY, migrate=False, timezone="Asia/Tokyo"
    )
    with TestClient(create_app(settings, clock=FixedClock(NOW))) as client:
        stored(client, files())
        stored(client, {"p00.md": markdown(title="改題", slug="kaidai")})
        yield client


def walk(client: TestClient, sort: str) -> list[bytes]:
    """Every page of a list by its cursors, there and one back."""
    bodies, address = [], f"/v1/posts?status=any&limit=7&sort={sort}"
    while address:
        response = client.get(address, headers=AUTH)
        bodies.append(response.content)
        previous, address = response.json()["previous"], response.json()["next"]
    return [*bodies, client.get(previous, headers=AUTH).content]


def test_both_databases_answer_with_the_same_bytes(postgres_url: str, sqlite_template: Path, tmp_path: Path) -> None:
    copy(sqlite_template, tmp_path / "honbun.db")
    empty(postgres_url)
    with service(f"sqlite:///{tmp_path / 'honbun.db'}") as lite, service(postgres_url) as postgres:
        asked = requests()

        assert len(asked) > 150
        for request in asked:
            headers = AUTH | {"X-Request-ID": "same"}
            one, other = lite.get(request, headers=headers), postgres.get(request, headers=headers)
            assert (one.status_code, one.content) == (other.status_code, other.content), request
            assert one.status_code < 500
        for sort in SORTS:
            assert walk(lite, sort) == walk(postgres, sort), sort
