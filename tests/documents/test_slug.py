from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.slug import MAX_SLUG_BYTES, FileName, read_name, slug_from_name, slugify
from app.errors import DocumentError


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("AWS新GPU、Bedrockの性能2倍は？", "aws新gpu-bedrockの性能2倍は"),
        ("まちづくり・ラーメン", "まちづくり-ラーメン"),
        ("か\u3099く", "がく"),
        ("It's a Don’t", "its-a-dont"),
        ("  a / b\\c_d..e  ", "a-b-c-d-e"),
        ("C++", "c"),
        ("Ünïcode Größe", "ünïcode-größe"),
        ("❤️ love 1️⃣", "love-1"),
        ("ক্ষ হিন্দী", "ক্ষ-হিন্দী"),
        ("葛\U000e0100飾", "葛飾"),
        ("a\u202eb\u200bc\x07d", "abcd"),
        ("..", ""),
        ("？！", ""),
        ("", ""),
    ],
)
def test_title_becomes_slug(title: str, slug: str) -> None:
    assert slug == slugify(title)


def test_long_slugs_are_cut_at_a_character() -> None:
    assert slugify("日" * 100) == "日" * 66
    assert slugify("x" * 198 + "e\u0301\u0323\u0327") == "x" * 198
    assert slugify("x" * 199 + " y") == "x" * 199


@given(st.text())
def test_any_slug_is_safe_and_stays_what_it_is(text: str) -> None:
    slug = slugify(text)

    assert len(slug.encode()) <= MAX_SLUG_BYTES
    assert not set(slug) & set("/\\. \n\0\u202e\u200b")
    assert slug == slugify(slug)


@pytest.mark.parametrize(
    ("stem", "slug"),
    [
        ("Hello-WORLD", "Hello-WORLD"),
        ("v1.2.3", "v1.2.3"),
        ("a b\u3000c", "a-b-c"),
        ("か\u3099", "が"),
        ("title...", "title"),
        ("My Slug/日本", "My-Slug-日本"),
        ("a\u200bb", "ab"),
        (".", ""),
        ("..", ""),
        ("-", ""),
        ("日" * 100, "日" * 85),
    ],
)
def test_name_becomes_slug(stem: str, slug: str) -> None:
    assert slug == slug_from_name(stem)


@pytest.mark.parametrize("stem", ["a\u202eb", "a\0b", "a\nb", "\ud800"])
def test_names_that_deceive_are_refused(stem: str) -> None:
    with pytest.raises(DocumentError) as error:
        slug_from_name(stem)

    assert error.value.finding.code == "invalid_slug"


@pytest.mark.parametrize(
    ("name", "stem", "day", "lang"),
    [
        ("2025-12-24-kiji.md", "kiji", date(2025, 12, 24), None),
        ("2025-12-24-kiji.ja.md", "kiji", date(2025, 12, 24), "ja"),
        ("a/_posts/15-1-2-short.markdown", "short", date(2015, 1, 2), None),
        ("99-1-2-old.md", "old", date(1999, 1, 2), None),
        ("2025-12-24_zola.md", "zola", date(2025, 12, 24), None),
        ("2025-12-24T08:30:00Z_zola.md", "zola", date(2025, 12, 24), None),
        ("2025-12-24 zola.md", "zola", date(2025, 12, 24), None),
        ("2025-12-24.md", "2025-12-24", date(2025, 12, 24), None),
        ("2025-12-24-.md", "2025-12-24", date(2025, 12, 24), None),
        ("a/kiji/index.md", "kiji", None, None),
        ("a/2025-12-24-kiji/index.zh-hant-tw.md", "kiji", date(2025, 12, 24), "zh-Hant-TW"),
        ("a/kiji/_index.en_us.MD", "kiji", None, "en-US"),
        ("index.md", "index", None, None),
        ("2025-12-24-title....md", "title", date(2025, 12, 24), None),
        ("2025-12-24-v1.2.3.md", "v1.2.3", date(2025, 12, 24), None),
        ("2025-12-24-node.js.md", "node.js", date(2025, 12, 24), None),
        ("か\u3099.md", "が", None, None),
        ("2025-12-245-x.md", "2025-12-245-x", None, None),
        ("x.txt", "x.txt", None, None),
        (".md", ".md", None, None),
    ],
)
def test_file_name_says(name: str, stem: str, day: date | None, lang: str | None) -> None:
    assert FileName(stem=stem, date=day, lang=lang) == read_name(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("2024-13-45-bad.md", "invalid_date"),
        ("2023-02-29-bad.md", "invalid_date"),
        ("a\u202eb.md", "invalid_name"),
        ("a\0.md", "invalid_name"),
    ],
)
def test_impossible_names_are_refused(name: str, code: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_name(name)

    assert code == error.value.finding.code


@given(st.text())
def test_any_name_is_read_or_refused(text: str) -> None:
    try:
        name = read_name(text)
        slug = slug_from_name(name.stem)
    except DocumentError:
        return
    assert slug not in {".", ".."}
    assert "/" not in slug
    assert slug == slug_from_name(slug)
