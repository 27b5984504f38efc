"""`_config.yml`: what it says of posts, and which post it says it of."""

from datetime import datetime
from typing import Any

import pytest

from app.documents.document import Context, Document, parse
from app.documents.site_config import Default, SiteConfig, parse_config
from app.documents.sources import Source
from app.errors import DocumentError
from tests.building import markdown

NAME = "_posts/2025-12-24-kiji.md"


def config(text: str, folder: str = "") -> SiteConfig:
    return parse_config(text.encode(), folder=folder)


def document(settings: SiteConfig, name: str = NAME, body: str = "本文\n", **front: Any) -> Document:
    return parse(Source(name=name, content=markdown(body, **front).encode()), Context().with_config(settings))


def defaults(*sets: tuple[str, str, str]) -> SiteConfig:
    lines = [
        f'  - scope: {{path: "{path}"{f", type: {kind}" if kind else ""}}}\n    values: {values}\n'
        for path, kind, values in sets
    ]
    return config("defaults:\n" + "".join(lines))


def test_settings_are_read() -> None:
    text = 'title: x\ntimezone: Asia/Tokyo\nlang: ja_jp\nexcerpt_separator: "<!--続き-->"\npermalink: pretty\n'

    assert config(text) == SiteConfig(
        timezone="Asia/Tokyo", lang="ja-JP", excerpt_separator="<!--続き-->", permalink="pretty"
    )


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "timezone:\ndefaults: x\npermalink: [a]\n", "defaults:\n- 1\n- {}\n"]
)
def test_what_says_nothing_is_empty(text: str) -> None:
    assert config(text) == SiteConfig()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: b: c\n", "yaml_syntax", 1),
        ("- a\n", "config_not_a_map", 1),
        ("a: 1\ntimezone: Tokyo\n", "invalid_timezone", 2),
        ("timezone: ../x\n", "invalid_timezone", 1),
        ("a: !ruby/object:X {}\n", "yaml_tag", 1),
        ("a: " + "[" * 40 + "]" * 40, "front_matter_too_large", 1),
    ],
)
def test_what_cannot_be_read_fails_with_its_place(text: str, code: str, line: int) -> None:
    with pytest.raises(DocumentError) as caught:
        config(text)

    assert (caught.value.finding.code, caught.value.finding.line) == (code, line)


def test_zone_and_language_apply_where_no_setting_says_another() -> None:
    settings = config("timezone: Asia/Tokyo\nlang: en\n")

    assert document(settings, title="題").date == datetime.fromisoformat("2025-12-24T00:00:00+09:00")
    assert document(settings, title="題").lang == "en"
    told = Context(timezone="Asia/Seoul", timezone_is_set=True, lang="ja").with_config(settings)
    assert (told.timezone, told.lang) == ("Asia/Seoul", "ja")
    assert Context(timezone_is_set=True).with_config(settings).timezone == "UTC"
    assert Context().with_config(None) == Context()


def test_defaults_stand_beneath_the_front_matter() -> None:
    settings = defaults(("", "posts", "{layout: post, author: 経済班, seo: {a: 1, b: 2}, reading_time: 7}"))
    post = document(settings, title="題", author="文化部", seo={"b": 3})

    assert (post.layout, post.authors, post.reading_time) == ("post", ("文化部",), 7)
    assert post.front_matter["seo"] == {"a": 1, "b": 3}


def test_default_gives_way_to_the_same_field_under_another_name() -> None:
    settings = defaults(("", "", "{author: 経済班, tags: [a]}"))

    assert document(settings, title="題", authors=["文化部"]).authors == ("文化部",)
    assert document(settings, title="題", tag="b").tags == ("b",)


def test_categories_are_joined() -> None:
    settings = defaults(("", "", "{categories: [一]}"))

    assert document(settings, title="題", categories=["二"]).categories == ("一", "二")
    assert document(settings, title="題").categories == ("一",)


@pytest.mark.parametrize(
    ("sets", "layout"),
    [
        ([("_posts", "", "{layout: a}"), ("", "", "{layout: b}")], "a"),
        ([("", "", "{layout: a}"), ("_posts", "", "{layout: b}")], "b"),
        ([("", "posts", "{layout: a}"), ("", "", "{layout: b}")], "a"),
        ([("", "", "{layout: a}"), ("", "", "{layout: b}")], "b"),
        ([("", "post", "{layout: a}"), ("", "pages", "{layout: b}")], "a"),
    ],
)
def test_more_specific_scope_wins(sets: list[tuple[str, str, str]], layout: str) -> None:
    assert document(defaults(*sets), title="題").layout == layout


@pytest.mark.parametrize(
    ("path", "kind", "name", "covers"),
    [
        ("_posts/2025", None, "_posts/2025/a.md", True),
        ("_posts/2025", None, "_posts/20256/a.md", False),
        ("_posts/2025/a.md", None, "_posts/2025/a.md", True),
        ("*/_posts", None, "ja/_posts/a.md", True),
        ("*/_posts", None, "ja/b/_posts/a.md", False),
        ("**/_posts", None, "ja/b/_posts/a.md", True),
        ("**/b*/*.md", None, "ja/bc/a.md", True),
        ("**/c", None, "ja/bc/a.md", False),
        ("", "drafts", "_drafts/a.md", True),
        ("", "posts", "_drafts/a.md", True),
        ("", "drafts", "_posts/a.md", False),
        ("", "pages", "_posts/a.md", False),
    ],
)
def test_scope_covers_names(path: str, kind: str | None, name: str, covers: bool) -> None:
    assert Default(path=path, type=kind, values={}).covers(name) is covers


def test_hostile_scope_ends_in_time() -> None:
    assert not Default(path="/".join(["**", "*a*a*a*b"] * 100), type=None, values={}).covers("a" * 500 + "/a" * 250)


def test_config_says_nothing_of_posts_outside_its_folder() -> None:
    settings = config("permalink: pretty\nexcerpt_separator: 続\ndefaults:\n- values: {layout: a}\n", folder="blog")

    assert document(settings, f"blog/{NAME}", title="題").layout == "a"
    assert document(settings, f"blog2/{NAME}", title="題").layout is None
    assert document(settings, NAME, title="題").permalink is None


def test_excerpt_separator_is_the_sites_unless_the_post_has_one() -> None:
    settings = config("excerpt_separator: 〆\n")

    assert document(settings, body="# 見出し\n\n一\n〆\n二\n", title="題").excerpt == "見出し一"
    assert document(settings, body="一\n〆\n二\n〇\n三", title="題", excerpt_separator="〇").excerpt == "一〆二"


def test_finding_on_a_default_stands_at_the_top_of_the_post() -> None:
    (finding,) = document(defaults(("", "", "{reading_time: すぐ, a: [{b: c}]}")), title="題").warnings

    assert (finding.code, finding.line) == ("field_ignored", 1)


def test_what_rendered_a_document_tells_configurations_apart() -> None:
    texts = ["", "a: 1", "lang: ja", "permalink: none", "excerpt_separator: x", "timezone: Asia/Tokyo"]
    texts.append("defaults:\n- values: {a: 1}\n")
    rendered = [Context(config=config(text)).rendered_by for text in texts]

    assert rendered[0] == rendered[1]
    assert len(set(rendered)) == len(texts) - 1


@pytest.mark.parametrize(
    ("permalink", "address"),
    [
        ("date", "/c/%E6%97%A5/2025/01/02/Asa-kaze.html"),
        ("pretty", "/c/日/2025/01/02/Asa-kaze/"),
        ("ordinal", "/c/日/2025/002/Asa-kaze.html"),
        ("weekdate", "/c/日/2025/W01/Thu/Asa-kaze.html"),
        ("none", "/c/日/Asa-kaze.html"),
        ("/:year/:month/:title/", "/2025/01/Asa-kaze/"),
        ("/:short_year/:i_month/:i_day/:hour:minute:second/:slug", "/25/1/2/084600/asa-kaze"),
        ("/:slugified_categories/:long_month/:unknown/:year_archive", "/c/日/January/:unknown/2025_archive"),
        (":title.html", "/Asa-kaze.html"),
    ],
)
def test_permalink_placeholders_take_the_documents_values(permalink: str, address: str) -> None:
    front: dict[str, Any] = {"title": "題", "date": "2025-01-01 23:46 +0000", "categories": ["C", "日"]}
    own = parse(
        Source(name="2020-01-01-Asa-kaze.md", content=markdown(**front, permalink=permalink).encode()),
        Context(timezone="Asia/Tokyo"),
    )
    sites = parse(
        Source(name="2020-01-01-Asa-kaze.md", content=markdown(**front).encode()),
        Context(timezone="Asia/Tokyo", config=SiteConfig(permalink=permalink)),
    )

    assert own.permalink == sites.permalink == address.replace("%E6%97%A5", "日")
    assert (own.slug, own.slug_is_given) == ("Asa-kaze", False)


def test_dated_style_makes_no_address_of_a_draft() -> None:
    assert document(SiteConfig(), "_drafts/a.md", title="題", permalink="pretty").permalink is None
    assert document(SiteConfig(), "_drafts/a.md", title="題", permalink="none").permalink == "/a.html"


def test_setting_wins_over_the_sites_style_and_the_post_over_both() -> None:
    context = Context(post_url_template="/{slug}", config=SiteConfig(permalink="none"))

    def permalink(**front: str) -> str | None:
        return parse(Source(name=NAME, content=markdown(title="題", **front).encode()), context).permalink

    assert permalink() is None
    assert permalink(permalink="/a/") == "/a/"
    assert permalink(permalink="none") == "/kiji.html"
