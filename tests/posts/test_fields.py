from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import QueryError
from app.posts.fields import (
    NEIGHBOURS,
    SUMMARY,
    WHOLE,
    columns_of,
    needs_bodies,
    shape_of,
    show_post,
)
from app.posts.models import bodies
from app.posts.queries import leads_through
from tests.posts.samples import show

FRONT = {
    "title": "題",
    "series": {"name": "連載", "part": 2, "_note": "内緒"},
    "a.b": {"c": 1},
    "a": {"b": {"c": 2}, "x": "y"},
    "places": [{"city": "東京", "_pin": 1}, {"city": "大阪"}, "名古屋"],
    "text": "文字",
    "nothing": None,
    "_secret": {"key": 1},
}


def front_matter(*paths: str) -> Any:
    """What is shown of FRONT when these paths are asked for."""
    names = tuple(f"front_matter.{path}" for path in paths)
    shape = shape_of(names, (), SUMMARY, detail=False)
    row = SimpleNamespace(front_matter=orjson.dumps(FRONT))
    return show_post(row, shape, show())["front_matter"]


class TestShape:
    @pytest.mark.parametrize(
        ("fields", "include", "expected"),
        [
            ("", "", {"slug": None, "title": None}),
            ("html", "", {"html": None}),
            ("title,slug", "", {"title": None, "slug": None}),
            ("", "toc", {"slug": None, "title": None, "toc": None}),
            ("front_matter.a", "", {"front_matter": {"a"}}),
            ("front_matter.a,front_matter.b.c", "", {"front_matter": {"a", "b.c"}}),
            ("front_matter.a,front_matter", "", {"front_matter": None}),
            ("front_matter", "front_matter.a", {"front_matter": None}),
            ("slug", "front_matter.a", {"slug": None, "front_matter": {"a"}}),
        ],
    )
    def test_fields_and_include_choose(self, fields: str, include: str, expected: dict[str, Any]) -> None:
        shape = shape_of(names(fields), names(include), ("slug", "title"), detail=False)

        assert expected == shape
        assert list(expected) == list(shape)

    def test_detail_can_leave_fields_out(self) -> None:
        shape = shape_of(("-html", "-related"), (), (*WHOLE, *NEIGHBOURS), detail=True)

        assert set(WHOLE) | set(NEIGHBOURS) == set(shape) | {"html", "related"}

    @pytest.mark.parametrize(
        ("fields", "include", "detail", "parameter", "code"),
        [
            ("nothing", "", False, "fields", "unknown_field"),
            ("", "nothing", True, "include", "unknown_field"),
            ("title.x", "", False, "fields", "unknown_field"),
            ("title.", "", False, "fields", "unknown_field"),
            ("front_matter.", "", False, "fields", "unknown_field"),
            ("older", "", False, "fields", "unknown_field"),
            ("", "related", False, "include", "unknown_field"),
            ("-nothing", "", True, "fields", "unknown_field"),
            ("-html", "", False, "fields", "invalid_field"),
            ("-html,slug", "", True, "fields", "invalid_field"),
        ],
    )
    def test_wrong_field_is_named(self, fields: str, include: str, parameter: str, code: str, *, detail: bool) -> None:
        with pytest.raises(QueryError) as caught:
            shape_of(names(fields), names(include), SUMMARY, detail=detail)

        assert (caught.value.parameter, caught.value.reason) == (parameter, code)

    def test_field_of_the_detail_alone_says_so_in_a_list(self) -> None:
        with pytest.raises(QueryError) as caught:
            shape_of(("older",), (), SUMMARY, detail=False)

        assert caught.value.hint == "only the detail has it"

    def test_summary_needs_no_bodies(self) -> None:
        shape = shape_of((), (), SUMMARY, detail=False)

        assert not needs_bodies(shape)
        assert not [column for column in columns_of(shape) if column.table is bodies]

    @pytest.mark.parametrize("field", sorted(set(WHOLE) - set(SUMMARY) - {"source"}))
    def test_parts_of_the_body_need_bodies(self, field: str) -> None:
        assert needs_bodies({field: None})


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


class TestFrontMatter:
    @pytest.mark.parametrize(
        ("paths", "expected"),
        [
            (["title"], {"title": "題"}),
            (["series.name"], {"series": {"name": "連載"}}),
            (["series.name", "series.part"], {"series": {"name": "連載", "part": 2}}),
            (["series", "series.name"], {"series": {"name": "連載", "part": 2}}),
            (["a.b"], {"a.b": {"c": 1}, "a": {"b": {"c": 2}}}),
            (["a.b.c"], {"a.b": {"c": 1}, "a": {"b": {"c": 2}}}),
            (["places.city"], {"places": [{"city": "東京"}, {"city": "大阪"}]}),
            (["nothing"], {"nothing": None}),
            (["missing", "series.missing", "text.x.y", "nothing.x"], {}),
            (["text", "text.x", "text.x.y"], {"text": "文字"}),
            (["_secret", "_secret.key", "series._note", "places._pin"], {}),
        ],
    )
    def test_paths_walk_maps_and_lists(self, paths: list[str], expected: dict[str, Any]) -> None:
        assert front_matter(*paths) == expected

    @given(st.lists(st.text("ab._", min_size=1, max_size=9), min_size=1, max_size=6))
    def test_any_path_is_answered(self, paths: list[str]) -> None:
        assert isinstance(front_matter(*paths), dict)

    def test_whole_front_matter_leaves_private_keys_out_at_every_depth(self) -> None:
        row = SimpleNamespace(front_matter=orjson.dumps(FRONT))
        shown = show_post(row, {"front_matter": None}, show())["front_matter"]

        assert "_secret" not in shown
        assert shown["series"] == {"name": "連載", "part": 2}
        assert shown["places"] == [{"city": "東京"}, {"city": "大阪"}, "名古屋"]


@pytest.mark.parametrize(
    ("patterns", "path", "private"),
    [
        (["_*"], "_a", True),
        (["_*"], "a._b.c", True),
        (["_*"], "a_", False),
        (["secret", "x?"], "secret", True),
        (["secret", "x?"], "xy", True),
        (["secret"], "Secret", False),
        ([], "_a", False),
    ],
)
def test_patterns_make_keys_private(patterns: list[str], path: str, *, private: bool) -> None:
    assert leads_through(path, patterns) is private
