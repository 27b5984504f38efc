from datetime import UTC, datetime
from typing import Any

import pytest

from app.documents.document import Document
from app.errors import Conflict
from app.posts.plan import (
    Claim,
    Known,
    check_prune,
    find_renames,
    give_slugs,
    keeps_slug,
    missing_from,
    same_source,
    spared,
)
from tests.posts.samples import document


def known(name: str, slug: str = "kiji", pk: int = 1, **given: Any) -> Known:
    values = {"id": f"id of {name}", "slug_wanted": slug, "sha256": f"hash of {name}", "rendered_by": "r"}
    return Known(pk=pk, name=name, slug=slug, **(values | given))


def claim(name: str, post: Known | None = None, **front: Any) -> Claim:
    made = document(name, **front)
    return Claim(document=made, post=post, instant=made.date or datetime(2026, 1, 1, tzinfo=UTC))


def renames(gone: list[Known], come: list[Document]) -> dict[str, str]:
    return {name: post.name for name, post in find_renames(gone, come).items()}


class TestRenames:
    def test_same_bytes_under_another_name_are_a_rename(self) -> None:
        come = document("atarashii.md", title="同じ")

        assert renames([known("furui.md", sha256=come.sha256)], [come]) == {"atarashii.md": "furui.md"}

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("_drafts/kiji.md", "_posts/2025-12-24-kiji.md"),
            ("2025-01-01-kiji.md", "2025-12-24-kiji.md"),
            ("a/kiji.md", "b/kiji.markdown"),
            ("kiji.ja.md", "ja/kiji.ja.md"),
            ("kiji.md", "2025/kiji/index.md"),
        ],
    )
    def test_same_name_but_for_folder_and_date_is_a_rename(self, old: str, new: str) -> None:
        assert renames([known(old)], [document(new, title="書き直した")]) == {new: old}

    @pytest.mark.parametrize(("old", "new"), [("kiji.ja.md", "kiji.en.md"), ("kiji.md", "kiji-2.md")])
    def test_other_language_or_name_is_no_rename(self, old: str, new: str) -> None:
        assert renames([known(old)], [document(new)]) == {}

    def test_name_that_fits_two_posts_is_no_rename(self) -> None:
        gone = [known("a/kiji.md", pk=1), known("b/kiji.md", pk=2)]

        assert renames(gone, [document("c/kiji.md")]) == {}

    def test_of_equal_bytes_the_one_with_the_same_name_moved(self) -> None:
        come = [document("x/b.md", title="ひな形"), document("y/a.md", title="ひな形")]
        sha256 = come[0].sha256
        gone = [known("a.md", pk=1, sha256=sha256), known("b.md", pk=2, sha256=sha256)]

        assert renames(gone, come) == {"x/b.md": "b.md", "y/a.md": "a.md"}

    def test_post_moves_to_one_place_only(self) -> None:
        come = [document("b.md", title="写し"), document("c.md", title="写し")]

        assert renames([known("a.md", sha256=come[0].sha256)], come) == {"b.md": "a.md"}

    def test_name_that_is_no_date_is_compared_whole(self) -> None:
        assert renames([known("2025-13-01-kiji.md")], [document("kiji.md")]) == {}


def test_file_that_failed_spares_the_post_it_may_be_renamed_from() -> None:
    gone = ["_drafts/kiji.md", "hoka.md"]

    assert spared(gone, ["_posts/2025-12-24-kiji.md"]) == {"_drafts/kiji.md"}


class TestPrune:
    @pytest.mark.parametrize(
        ("deleted", "stored", "prune_max"), [(9, 9, None), (2, 10, None), (3, 10, 3), (100, 100, 100), (0, 10, 0)]
    )
    def test_prune_within_bounds_is_allowed(self, deleted: int, stored: int, prune_max: int | None) -> None:
        check_prune(deleted, stored, prune_max)

    @pytest.mark.parametrize(("deleted", "stored", "prune_max"), [(3, 10, None), (3, 10, 2), (21, 100, 20)])
    def test_prune_of_too_much_is_refused_with_the_way_to_allow_it(
        self, deleted: int, stored: int, prune_max: int | None
    ) -> None:
        with pytest.raises(Conflict) as caught:
            check_prune(deleted, stored, prune_max)

        assert (caught.value.reason, caught.value.hint) == (
            "prune_too_large",
            f"if that is meant, allow it with prune_max={deleted}",
        )


class TestSlugs:
    @pytest.mark.parametrize(
        ("post", "front", "kept"),
        [
            (None, {}, False),
            (known("a.md", "furui", slug_wanted="furui"), {}, True),
            (known("a.md", "kiji-2", slug_wanted="kiji"), {"slug": "kiji"}, True),
            (known("a.md", "kiji"), {"slug": "betsu"}, False),
            (known("a.md", "kiji", slug_wanted="kiji"), {"title": "改題"}, True),
        ],
    )
    def test_slug_once_held_stays_unless_the_author_asks_for_another(
        self, post: Known | None, front: dict[str, Any], *, kept: bool
    ) -> None:
        assert keeps_slug(claim("a.md", post, **front)) is kept

    @pytest.mark.parametrize(
        ("claims", "expected"),
        [
            ([claim("b/kiji.md"), claim("a/kiji.md")], {"a/kiji.md": "kiji", "b/kiji.md": "kiji-2"}),
            (
                [claim("a/kiji.md", date="2025-02-01"), claim("b/kiji.md", date="2025-01-01")],
                {"b/kiji.md": "kiji", "a/kiji.md": "kiji-2025-02-01"},
            ),
            (
                [claim("a/kiji.md"), claim("b/kiji.md", known("b/kiji.md", "moto"), slug="kiji")],
                {"b/kiji.md": "kiji", "a/kiji.md": "kiji-2"},
            ),
            ([claim("kiji.ja.md"), claim("kiji.en.md")], {"kiji.en.md": "kiji", "kiji.ja.md": "kiji-ja"}),
            (
                [claim(f"{n}/kiji.md", date="2025-02-01") for n in range(4)],
                {"0/kiji.md": "kiji", "1/kiji.md": "kiji-2025-02-01", "2/kiji.md": "kiji-2", "3/kiji.md": "kiji-3"},
            ),
            (
                [
                    claim("a.md", known("a.md", "a", slug_wanted="a", pk=1), slug="b"),
                    claim("b.md", known("b.md", "b", slug_wanted="b", pk=2), slug="a"),
                ],
                {"a.md": "b", "b.md": "a"},
            ),
        ],
        ids=["by name", "by date", "stored first", "language", "date then number", "exchanged"],
    )
    def test_slugs_are_given_in_one_order_whatever_the_order_of_files(
        self, claims: list[Claim], expected: dict[str, str]
    ) -> None:
        forward, _ = give_slugs(claims, lambda _: None)
        backward, _ = give_slugs(claims[::-1], lambda _: None)

        assert expected == forward == backward

    def test_taken_slug_is_passed_over_with_a_warning_that_names_both(self) -> None:
        slugs, warnings = give_slugs([claim("b/kiji.md")], {"kiji": "a/kiji.md"}.get)

        assert slugs == {"b/kiji.md": "kiji-2"}
        assert warnings["b/kiji.md"].code == "slug_taken"
        assert warnings["b/kiji.md"].detail == "the slug 'kiji' is held by a/kiji.md; b/kiji.md has 'kiji-2'"

    def test_each_number_is_tried_once_however_many_want_one_slug(self) -> None:
        asked: list[str] = []
        slugs, warnings = give_slugs([claim(f"{number}/kiji.md") for number in range(200)], asked.append)

        assert set(slugs.values()) == {"kiji", *(f"kiji-{number}" for number in range(2, 201))}
        assert len(asked) == 200
        assert "held by 0/kiji.md" in warnings["150/kiji.md"].detail

    def test_free_slug_brings_no_warning(self) -> None:
        _, warnings = give_slugs([claim("kiji.md")], lambda _: None)

        assert warnings == {}


def test_source_is_the_same_by_bytes_and_renderer() -> None:
    post = known("a.md", sha256="x", rendered_by="r1")

    assert same_source(post, "x", "r1")
    assert not same_source(post, "y", "r1")
    assert not same_source(post, "x", "r2")
    assert not same_source(None, "x", "r1")


def test_manifest_names_what_is_not_stored() -> None:
    stored = {"a.md": "x", "b.md": "y"}

    found = missing_from({"c.md": "z", "b.md": "changed", "a.md": "x"}, stored)

    assert [(name, finding.code) for name, finding in found] == [("b.md", "not_stored"), ("c.md", "not_stored")]
