"""The pipeline from bytes to a document, held by case files and by tables."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from app.documents.document import Context, Document, parse
from app.documents.site_config import parse_config
from app.documents.sources import Source
from app.errors import DocumentError, Finding
from tests.building import markdown

TOKYO = Context(timezone="Asia/Tokyo")


def document(text: str, name: str = "2025-12-23-kiji.md", context: Context = TOKYO) -> Document:
    return parse(Source(name=name, content=text.encode()), context)


def failure(text: str, name: str = "2025-12-23-kiji.md") -> Finding:
    with pytest.raises(DocumentError) as caught:
        document(text, name)
    return caught.value.finding


TYPICAL = """\
---
layout: post
title: "半導体の新工場、雇用はどれだけ増える？"
date: 2025-12-23 08:46:58 +0000
categories: ["投資分析"]
tags: ["AI", "半導体", "雇用"]
author: "経済班"
excerpt: "**新工場**の効果を三つの数字で読みます。"
reading_time: 6
---

工場が一つ建つと、町の地図が変わります。

## 三つの数字

一つ目は**「人数」**です。
"""


def test_typical_post_comes_out_field_by_field() -> None:
    post = document(TYPICAL, "2025-12-23-koujou.md")

    assert post.title == "半導体の新工場、雇用はどれだけ増える？"
    assert post.slug == "koujou"
    assert post.date == datetime.fromisoformat("2025-12-23T08:46:58+00:00")
    assert (post.categories, post.tags, post.authors) == (("投資分析",), ("AI", "半導体", "雇用"), ("経済班",))
    assert post.excerpt == "新工場の効果を三つの数字で読みます。"
    assert "<strong>新工場</strong>" in post.excerpt_html
    assert (post.reading_time, post.layout, post.lang) == (6, "post", "ja")
    assert "<strong>「人数」</strong>です" in post.html
    assert post.toc == ({"level": 2, "id": "三つの数字", "text": "三つの数字"},)
    assert post.warnings == ()
    assert post.source == TYPICAL.encode()


@pytest.mark.parametrize(
    ("text", "name", "slug", "is_given"),
    [
        (markdown(title="題", slug="Kiji"), "2025-01-01-x.md", "Kiji", True),
        (markdown(title="題", permalink="/2025/ことし/"), "2025-01-01-x.md", "ことし", True),
        (markdown(title="題", permalink="/blog/matome.html"), "x.md", "matome", True),
        (markdown(title="題", permalink="/blog/matome/index.html"), "x.md", "matome", True),
        (markdown(title="題", permalink="/:year/:title/"), "2025-01-01-x.md", "x", False),
        (markdown(title="題"), "2025-01-01-年の初め.md", "年の初め", False),
        (markdown(title="題"), "posts/kaze/index.md", "kaze", False),
        (markdown(title="風と 雲"), "！.md", "風と-雲", False),
    ],
)
def test_slug_is_taken_from_the_first_that_has_one(text: str, name: str, slug: str, is_given: bool) -> None:
    post = document(text, name)

    assert (post.slug, post.slug_is_given) == (slug, is_given)


def test_post_without_any_name_has_a_short_identifier_as_slug() -> None:
    post = document(markdown(title="？？？"), "！.md")

    assert post.slug.startswith("p-")
    assert len(post.slug) == 10


@pytest.mark.parametrize("slug", ["あ" * 1000, "…", "ab\u0000c"])
def test_slug_that_cannot_be_one_fails_with_its_place(slug: str) -> None:
    finding = failure(markdown(title="題", slug=slug))

    assert finding.code in ("invalid_slug", "control_character")
    assert finding.line == 3


@pytest.mark.parametrize(
    ("front", "name", "expected"),
    [
        ({"date": "2025-12-23"}, "x.md", "2025-12-23T00:00:00+09:00"),
        ({"date": "2025-12-23 08:46:58"}, "x.md", "2025-12-23T08:46:58+09:00"),
        ({"date": "2025-12-23 08:46:58 +0000"}, "2020-01-01-x.md", "2025-12-23T08:46:58+00:00"),
        ({}, "2020-01-01-x.md", "2020-01-01T00:00:00+09:00"),
        ({}, "x.md", None),
    ],
)
def test_date_is_an_aware_instant_with_the_offset_as_written(
    front: dict[str, Any], name: str, expected: str | None
) -> None:
    post = document(markdown(title="題", **front), name)

    assert (post.date and post.date.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "code", "field", "line"),
    [
        ("---\ntitle: 題\ndate: soon\n---\n", "invalid_date", "date", 3),
        ("---\ntitle: 題\ndate: 2025-02-31\n---\n", "invalid_date", "date", 3),
        ("---\ntitle: 題\ndate:\n---\n", "invalid_date", "date", 3),
        ("---\ntitle: 題\nexpires_at: いつか\n---\n", "invalid_date", "expires_at", 3),
        ("---\ntitle: 題\nupdated: 昨日\n---\n", "invalid_date", "updated_at", 3),
        ("---\ntitle: 速報: 続報\n---\n", "yaml_syntax", "title", 2),
        ("---\ntitle: 題\n\n本文\n", "front_matter_unclosed", None, 1),
    ],
)
def test_failure_names_line_and_field(text: str, code: str, field: str | None, line: int) -> None:
    finding = failure(text)

    assert (finding.code, finding.field, finding.line) == (code, field, line)


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff\n"])
def test_file_that_holds_nothing_fails(text: str) -> None:
    assert failure(text).code == "empty_file"


def test_line_of_a_remark_on_the_body_counts_in_the_file() -> None:
    post = document("---\ntitle: 題\n---\n一行目\n二行\x01目\n")

    assert [(finding.code, finding.line) for finding in post.warnings] == [("control_character", 5)]


def test_title_of_a_file_without_front_matter_is_its_first_heading() -> None:
    post = document("# 朝の風\n\n風が吹きました。\n", "asa.md")

    assert post.title == "朝の風"
    assert [finding.code for finding in post.warnings] == ["title_derived"]


def test_title_missing_from_the_front_matter_is_made_of_the_name() -> None:
    post = document("---\nlayout: post\n---\n# 見出し\n", "2024-05-01-hello-WORLD-foo.md")

    assert post.title == "Hello World Foo"


def test_folders_above_posts_are_categories() -> None:
    post = document(markdown(title="題", categories=["c", "ja"]), "ja/news/_posts/2025-01-01-x.md")

    assert post.categories == ("ja", "news", "c")


@pytest.mark.parametrize(
    ("config", "name", "categories"),
    [
        ("", "site/_posts/x.md", ()),
        ("", "site/ja/_posts/x.md", ("ja",)),
        ("source_dir: source", "site/source/_posts/x.md", ()),
        ("source: ./src", "site/src/news/_posts/x.md", ("news",)),
        ("source: .", "site/news/_posts/x.md", ("news",)),
    ],
)
def test_folders_count_from_the_root_of_the_site(config: str, name: str, categories: tuple[str, ...]) -> None:
    context = Context().with_config(parse_config(config.encode(), folder="site"))

    assert document(markdown(title="題"), name, context).categories == categories


def test_post_that_has_only_been_changed_is_dated_by_that() -> None:
    assert document(
        markdown(title="題", updated_at="2023-07-01T12:34:56+09:00"), "x.md"
    ).date == datetime.fromisoformat("2023-07-01T12:34:56+09:00")
    assert document(markdown(title="題", updated="2023-07-01"), "2020-01-02-x.md", Context()).date == datetime(
        2020, 1, 2, tzinfo=UTC
    )


@pytest.mark.parametrize("permalink", ["/{{ title | slug }}/", "/{% if x %}a{% endif %}/"])
def test_template_is_no_address(permalink: str) -> None:
    post = document(markdown(title="題", permalink=permalink), "kaze.md")

    assert (post.slug, post.permalink) == ("kaze", None)


@pytest.mark.parametrize("key", ["draft", "isDraft", "private", "ignorePublish"])
def test_post_is_a_draft_under_any_generators_word_for_it(key: str) -> None:
    assert document(f"---\ntitle: 題\n{key}: true\n---\n", "x.md").draft
    assert not document(f"---\ntitle: 題\n{key}: false\n---\n", "x.md").draft


def test_paragraph_of_templates_alone_is_no_excerpt() -> None:
    text = markdown('{{< figure src="a.png" >}}\n\n{% include a.html %}\n\n{{ a }}の本文\n', title="題")

    assert document(text, "x.md").excerpt == "{{ a }}の本文"


@pytest.mark.parametrize(
    ("front", "name", "draft"),
    [
        ({"draft": True}, "x.md", True),
        ({}, "_drafts/x.md", True),
        ({"published": False}, "x.md", True),
        ({}, "x.md", False),
    ],
)
def test_draft_is_said_by_front_matter_or_folder(front: dict[str, Any], name: str, draft: bool) -> None:
    assert document(markdown(title="題", **front), name).draft is draft


@pytest.mark.parametrize(
    ("front", "name", "context", "lang"),
    [
        ({"lang": "en"}, "x.ja.md", TOKYO, "en"),
        ({}, "x.fr.md", TOKYO, "fr"),
        ({}, "x.md", Context(lang="ko"), "ko"),
        ({}, "x.md", TOKYO, "ja"),
    ],
)
def test_language_is_said_or_seen(front: dict[str, Any], name: str, context: Context, lang: str) -> None:
    assert document(markdown(title="題", **front), name, context).lang == lang


def test_relative_images_and_covers_are_made_absolute() -> None:
    text = markdown("![図](zu/a.png) ![図](/b.png) ![図](https://example.com/c.png)\n", title="題", image="cover.png")
    post = document(text, "2025/x.md", Context(asset_url="https://assets.example.com"))

    assert post.cover == "https://assets.example.com/2025/cover.png"
    assert [image["src"] for image in post.images] == [
        "https://assets.example.com/2025/zu/a.png",
        "https://assets.example.com/b.png",
        "https://example.com/c.png",
    ]


def test_context_changes_what_rendered_a_document() -> None:
    contexts = [
        Context(),
        TOKYO,
        Context(lang="ja"),
        Context(asset_url="https://a.example"),
        Context(characters_per_minute=600),
        Context(embed_hosts=("player.vimeo.com",)),
    ]

    assert len({context.rendered_by for context in contexts}) == len(contexts)


def test_frames_of_the_hosts_in_the_context_stay_in_the_html_and_not_in_the_excerpt() -> None:
    body = '<p>動画<iframe src="https://e.jp/1"></iframe></p>\n\n<iframe src="https://x.jp/2"></iframe>\n\n本文'
    frame = "\nexcerpt: 抜粋<iframe src='https://e.jp/3'></iframe>"
    embedding = Context(embed_hosts=("e.jp",))

    post = document(f"---\ntitle: 題\n---\n{body}", context=embedding)
    given = document(f"---\ntitle: 題{frame}\n---\n{body}", context=embedding)

    assert re.findall(r'src="[^"]*"', post.html) == ['src="https://e.jp/1"']
    assert post.excerpt_html == "<p>動画</p>"
    assert given.excerpt_html.rstrip("\n") == "<p>抜粋</p>"
    assert "<iframe" not in document(f"---\ntitle: 題\n---\n{body}").html


def test_leaves_of_the_front_matter_are_there_for_filters() -> None:
    post = document(markdown(title="題", part=2, seo={"day": "2025-01-02", "long": "長" * 300}, list=["a", 1.5]))
    fields = {(field.path, field.text, field.number) for field in post.fields}

    assert {("part", "2", 2.0), ("list", "a", None), ("list", "1.5", 1.5)} <= fields
    assert next(field.instant for field in post.fields if field.path == "seo.day") is not None
    assert next(field.text for field in post.fields if field.path == "seo.long").startswith("sha256:")


def test_reading_time_is_estimated_where_none_is_written() -> None:
    assert document(markdown("あ" * 1200, title="題")).reading_time == 3
