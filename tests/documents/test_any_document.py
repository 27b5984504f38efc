"""Whole files of any kind: no exception that is not ours, and what comes out can be stored and shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.context import Context
from app.documents.document import MAX_WARNINGS, Document
from app.errors import Finding
from tests.documents.any_document import check
from tests.documents.shapes import BODIES, FRONTS

FIELDS = st.sampled_from(
    [
        "title",
        "slug",
        "permalink",
        "date",
        "updated",
        "expiryDate",
        "draft",
        "published",
        "tags",
        "categories",
        "authors",
        "excerpt",
        "image",
        "aliases",
        "lang",
        "reading_time",
        "layout",
        "excerpt_separator",
        "seo",
        "_private",
    ]
)
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        (
            *(
                "true",
                "no",
                "~",
                "1",
                "-1",
                "0x1f",
                "1e999",
                ".nan",
                "12:30",
                "2025-12-23",
                "9999-12-31T23:59:59-23:59",
            ),
            *(
                "0001-01-01",
                "[a, b]",
                "{a: b}",
                "&a b",
                "*a",
                "!!int x",
                "|\n  a\n  b",
                '"\\ud800"',
                "'a",
                "/a/:title/",
            ),
            *(
                "javascript:a",
                "<b>",
                "２０２５年１２月",
                "[" * 40,
                "9" * 5000,
                "{{ a }}",
                "\u202e",
                "\x85",
                "..",
                "日本",
            ),
        )
    ),
)
FRONT_MATTER = st.lists(st.tuples(FIELDS, VALUES), max_size=6).map(
    lambda pairs: "".join(f"{field}: {value}\n" for field, value in pairs)
)
FENCES = st.sampled_from(
    (("---\n", "---\n"), ("---\n", "...\n"), ("+++\n", "+++\n"), ("---\n", ""), ("", ""), (";;;\n", ";;;\n"))
)
BODY = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from([*BODIES.values()]).map(lambda shape: shape(24)),
        st.sampled_from(("\n", "\n\n", "    ", "> ", "- ", "<!--more-->", "# ", "\ufeff", "\r", "\x0b", "\ud800")),
    ),
    max_size=12,
).map("".join)
ENCODINGS = (
    "utf-8",
    "utf-8",
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "cp932",
    "euc_jp",
    "iso2022_jp",
    "latin-1",
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A front matter and a body, in some encoding, and perhaps damaged."""
    opening, closing = draw(FENCES)
    text = f"{opening}{draw(FRONT_MATTER)}{closing}{draw(BODY)}"
    encoding = draw(st.sampled_from(ENCODINGS))
    content = bytearray(text.encode(encoding, "surrogatepass" if encoding.startswith("utf") else "replace"))
    for place, value in draw(st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=3)):
        if content:
            content[place % len(content)] = value
    return bytes(content)


NAMES = st.sampled_from(
    ("a.md", "2025-12-24-kiji.md", "_drafts/日本.ja.md", "2025-13-45-.md", "....md", "a/b/c.markdown")
)
CONTEXTS = st.sampled_from(
    (
        Context(),
        Context(timezone="Asia/Tokyo", asset_url="https://a.jp", post_url_template="/{year}/{category}/{slug}/"),
        Context(embed_hosts=("e.jp",), site_url="https://b.jp", root_path="/c", lang="ja"),
    )
)


@settings(max_examples=150, deadline=None)
@given(content=st.one_of(files(), st.binary(max_size=60)), name=NAMES, context=CONTEXTS)
def test_any_file_is_a_document_or_refused_by_name(content: bytes, name: str, context: Context) -> None:
    check(content, name, context)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(content=st.one_of(files(), st.binary()), name=NAMES, context=CONTEXTS)
def test_many_files_are_documents_or_refused_by_name(content: bytes, name: str, context: Context) -> None:
    check(content, name, context)


# Found by the fuzz target.
@pytest.mark.parametrize(
    "text",
    [
        "[x](<//javascript:hit()>)",
        '<p>a<sup class="footnote-ref">b<sup>c</sup>d</sup>e',
        '<p>本文<a href="#a">と</a><sup class="footnote-ref"><i>a</sup></i>',
    ],
)
def test_what_was_found_comes_out_sanitised(text: str) -> None:
    assert isinstance(check(text.encode()), Document)


@pytest.mark.parametrize("size", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_any_shape_is_a_document_or_refused_by_name(size: int) -> None:
    for shape in (*BODIES.values(), *FRONTS.values()):
        check(shape(size).encode())


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("title: a\n" * 100, None),
        ("title: a\n" * 100 + "---\n", None),
        ("+++\na = 0x" + "f" * 4_000 + "\n+++\n", "front_matter_too_large"),
        ("+++\na = " + "9" * 5_000 + "\n+++\n", "toml_syntax"),
    ],
)
def test_what_was_found_is_read_or_refused_in_time(text: str, code: str | None) -> None:
    found = check(text.encode())

    assert (found.code if isinstance(found, Finding) else None) == code


def test_a_report_holds_no_more_than_so_many_warnings() -> None:
    found = check(b"---\n" + b"a: b\n" * 4_000 + b"---\n")

    assert isinstance(found, Document)
    assert len(found.warnings) == MAX_WARNINGS
