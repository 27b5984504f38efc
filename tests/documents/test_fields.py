from dataclasses import fields as fields_of
from typing import Any

import pytest

from app.documents.field_names import ALIASES
from app.documents.fields import FrontMatter, read
from app.documents.front_matter import Scalar, parse, split
from app.errors import DocumentError


def read_yaml(front: str) -> tuple[FrontMatter, list[str]]:
    fields, _ = parse(split(f"---\n{front}\n---\n"))
    front_matter, findings = read(fields)
    return front_matter, [finding.code for finding in findings]


@pytest.mark.parametrize(
    ("front", "field", "expected", "codes"),
    [
        # titles
        ("title: 12:30", "title", "12:30", []),
        ("title: 1.10", "title", "1.10", []),
        ("title: yes", "title", "yes", []),
        ("title: false", "title", "false", []),
        ("title: null", "title", None, []),
        ('title: "null"', "title", "null", []),
        ("title: ''", "title", "", []),
        ("title: >\n  long\n  title", "title", "long title", []),
        ("title: |\n  長い\n  題\n  and more", "title", "長い\n題\nand more", []),
        ("Title: x", "title", "x", ["key_case"]),
        ("Title: x\ntitle: y", "title", "y", []),
        # dates stay as written
        ("date: 2025-12-23 08:46:58 +0000", "date", "2025-12-23 08:46:58 +0000", []),
        ("date:", "date", "", []),
        ("date: [2025-12-23]", "date", "2025-12-23", []),
        ("pubDate: a\npublished_at: b", "date", "a", []),
        ("published_at: 2050-06-12 09:03", "date", "2050-06-12 09:03", []),
        ("path: 2020/08/24/release", "date", "2020-08-24", []),
        ("path: 2020/13/24/release", "date", None, []),
        ("path: [a]", "date", None, []),
        ("modified: a\nlastmod: b", "updated", "b", []),
        ("updated:", "updated", None, []),
        ("expiryDate: 2030-01-01", "expires", "2030-01-01", []),
        # tags
        ("tags: foo bar", "tags", ("foo", "bar"), []),
        ("tags: foo, bar baz", "tags", ("foo", "bar baz"), []),
        ('tags: "猫\u3000犬"', "tags", ("猫\u3000犬",), []),
        ("tag: foo bar", "tags", ("foo bar",), []),
        ("tag: foo, bar", "tags", ("foo", "bar"), []),
        ("tag: one\ntags: [two, three]", "tags", ("two", "three", "one"), []),
        (
            "tags: [2024, no, 1.10, null, [a, [b]], a, A, 'a ', 2024-01-01]",
            "tags",
            ("2024", "no", "1.10", "a", "b", "A", "2024-01-01"),
            [],
        ),
        ("tags: 2020", "tags", ("2020",), []),
        ("tags:", "tags", (), []),
        ("tags: {a: 1}", "tags", (), ["field_ignored"]),
        ("tags: ['a, b']", "tags", ("a, b",), []),
        ("topics: [zenn]\nTags: x", "tags", ("zenn", "x"), ["key_case"]),
        ("taxonomies: {tags: [a], categories: [b]}", "tags", ("a",), []),
        ("taxonomies: {tags: [a], categories: [b]}", "categories", ("b",), []),
        ("categories: [b]\ncategory: jekyll update", "categories", ("b", "jekyll update"), []),
        # people
        ("author: 山田 太郎", "authors", ("山田 太郎",), []),
        ("author: {name: A, url: x}", "authors", ("A",), []),
        ("authors: [A, {name: B}]\nauthor: A", "authors", ("A", "B"), []),
        ("extra: {author: A}", "authors", ("A",), []),
        ("author: {url: x}", "authors", (), ["field_ignored"]),
        ("tags: {name: x}", "tags", (), ["field_ignored"]),
        ("redirect_from: /a b\naliases: [/c]", "aliases", ("/a b", "/c"), []),
        # flags
        ("draft: true", "draft", True, []),
        ("draft: false", "draft", False, []),
        ("draft:", "draft", False, []),
        ("draft: yes", "draft", True, ["flag_not_boolean"]),
        ("draft: no", "draft", False, ["flag_not_boolean"]),
        ("draft: 0", "draft", False, ["flag_not_boolean"]),
        ("draft: soon", "draft", True, ["flag_not_boolean"]),
        ("draft: [x]", "draft", True, ["flag_not_boolean"]),
        ("published: false", "draft", True, []),
        ("published: true", "draft", False, []),
        ("published: no", "draft", True, ["flag_not_boolean"]),
        ("published: off", "draft", True, ["flag_not_boolean"]),
        ("published: 'false'", "draft", True, ["flag_not_boolean"]),
        ("published:", "draft", True, ["flag_not_boolean"]),
        ("published: 0", "draft", False, ["flag_not_boolean"]),
        ("draft: false\npublished: false", "draft", True, []),
        # the rest
        ("excerpt: これは**重要**です", "excerpt", "これは**重要**です", []),
        ("excerpt: ''", "excerpt", "", []),
        ("excerpt:", "excerpt", None, []),
        ("excerpt: false", "excerpt", None, []),
        ("excerpt: [a]", "excerpt", None, ["field_ignored"]),
        ("summary: x", "excerpt", "x", []),
        ("description: x", "excerpt", None, []),
        ("excerpt_separator: <!--more-->", "excerpt_separator", "<!--more-->", []),
        ("reading_time: 8", "reading_time", 8, []),
        ("reading_time: '8'", "reading_time", 8, []),
        ("reading_time: 8 min read", "reading_time", 8, []),
        ("reading_time: 約８分", "reading_time", 8, []),
        ("reading_time: 7.5", "reading_time", 8, []),
        ("reading_time: 0", "reading_time", None, ["field_ignored"]),
        ("reading_time: long", "reading_time", None, ["field_ignored"]),
        ("reading_time: {a: 1}", "reading_time", None, ["field_ignored"]),
        ("reading_time: false", "reading_time", None, []),
        ("lang: ja_JP", "lang", "ja-JP", []),
        ("language: EN", "lang", "en", []),
        ("lang: japanese", "lang", None, ["field_ignored"]),
        ("lang:", "lang", None, []),
        ("lang: []", "lang", None, ["field_ignored"]),
        ("image: /a.png", "cover", "/a.png", []),
        ("cover: true\nthumbnail: b.png", "cover", "b.png", []),
        ("heroImage: {src: c.png}", "cover", "c.png", []),
        ("image: {alt: x}", "cover", None, []),
        ("images: [d.png, e.png]", "cover", "d.png", []),
        ("images: []", "cover", None, []),
        ("slug: 2024", "slug", "2024", []),
        ("slug: ' '", "slug", None, []),
        ("permalink: false", "permalink", None, []),
        ("url: /a/", "permalink", "/a/", []),
        ("permalink: {a: b}", "permalink", None, ["field_ignored"]),
        ("layout: post", "layout", "post", []),
        ("layout: false", "layout", None, []),
        ("yomi: よみ", "title_kana", "よみ", []),
    ],
)
def test_field_is(front: str, field: str, expected: Any, codes: list[str]) -> None:
    front_matter, found = read_yaml(front)
    actual = getattr(front_matter, field)

    assert expected == (actual.text if isinstance(actual, Scalar) else actual)
    assert codes == found


@pytest.mark.parametrize(
    ("front", "code", "field"),
    [
        ("title: [速報]", "invalid_field", "title"),
        ("title: {a: b}", "invalid_field", "title"),
        ("title: []", "invalid_field", "title"),
        ("slug: [a, b]", "invalid_field", "slug"),
        ("date: {year: 2025}", "invalid_date", "date"),
        ("lastmod: [2025-01-01, 2025-01-02]", "invalid_date", "lastmod"),
    ],
)
def test_lists_and_maps_are_no_single_values(front: str, code: str, field: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_yaml(front)

    assert (code, field) == (error.value.finding.code, error.value.finding.field)
    assert error.value.finding.hint


def test_warnings_name_key_and_place() -> None:
    fields, _ = parse(split("---\ntitle: x\nTags:\n  a: [{b: 1}]\n---\n"))
    _, findings = read(fields)

    assert [(finding.code, finding.field, finding.line, finding.column) for finding in findings] == [
        ("key_case", "Tags", 4, 11),
        ("field_ignored", "Tags", 4, 11),
    ]


def test_every_field_of_the_table_is_read() -> None:
    names = {field.name for field in fields_of(FrontMatter)}

    assert names - {"fields"} == set(ALIASES) - {"published"}
