import pytest

from app.documents.source_names import is_post, posts_among, source_name
from app.errors import SourceError


@pytest.mark.parametrize(
    ("name", "strip", "prefix", "expected"),
    [
        ("a.md", 0, "", "a.md"),
        ("./a//b.md", 0, "", "a/b.md"),
        ("repo/posts/a.md", 1, "", "posts/a.md"),
        ("a.md", 0, "blog/", "blog/a.md"),
        ("か\u3099.md", 0, "", "が.md"),
    ],
)
def test_name_is_brought_into_its_one_form(name: str, strip: int, prefix: str, expected: str) -> None:
    assert source_name(name, strip=strip, prefix=prefix) == expected


@pytest.mark.parametrize(
    "name",
    [
        "/etc/a.md",
        "../a.md",
        "a/../../b.md",
        "C:/a.md",
        "a\0.md",
        "a\nb.md",
        "\u202eda.md",
        "あ" * 400 + ".md",
        "",
        "\ud800.md",
    ],
)
def test_name_that_leads_out_or_holds_controls_is_refused(name: str) -> None:
    with pytest.raises(SourceError) as caught:
        source_name(name)

    assert caught.value.reason == "invalid_name"


def test_dropping_more_folders_than_there_are_is_refused() -> None:
    with pytest.raises(SourceError):
        source_name("a.md", strip=1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.md", True),
        ("a.markdown", True),
        ("a.mkdn", True),
        ("a.mkd", True),
        ("a.MD", True),
        ("a.txt", False),
        (".a.md", False),
        (".github/a.md", False),
        ("README.md", False),
        ("LICENSE.md", False),
        ("CONTRIBUTING.ja.md", False),
        ("node_modules/a.md", False),
        ("vendor/x/a.md", False),
        ("__MACOSX/a.md", False),
        ("_includes/a.md", False),
        ("_posts/a.md", True),
        ("_drafts/a.md", True),
    ],
)
def test_which_names_can_be_posts(name: str, expected: bool) -> None:
    assert is_post(name) is expected


def test_only_posts_and_drafts_of_a_site_hold_posts() -> None:
    names = ["about.md", "_config.yml", "_posts/a.md", "_drafts/b.md", "ja/_posts/c.md", "docs/d.md"]

    assert [name for name in names if posts_among(names)(name)] == ["_posts/a.md", "_drafts/b.md", "ja/_posts/c.md"]


def test_folder_beside_a_site_keeps_its_posts() -> None:
    names = ["site/_posts/a.md", "site/about.md", "notes/b.md"]

    assert [name for name in names if posts_among(names)(name)] == ["site/_posts/a.md", "notes/b.md"]
