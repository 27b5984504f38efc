"""A parser that asks each rule only where its first character stands comes to what one that asks all of them does."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.documents import markdown_rules
from app.documents.markdown_budget import budget
from app.documents.markdown_parser import extended

_LINES = (
    *("a", "# a", "> a", "- a", "1. a", "* a", "***", "---", "===", "```", "~~~", "    a", "|a|b|", "|-|-|", "a|b"),
    *(
        ": a",
        "~ a",
        ":::message",
        ":::",
        "{: .note}",
        "{:.x: #y}",
        "{::comment}",
        "{:/comment}",
        "*[A]: b",
        "$$",
        "$$a$$",
    ),
    *("[a]: /b", "[^1]: a", "<div>", '<div markdown="1">', "</div>", "<!-- a -->", ""),
)
_INLINE = "a *_~`[]()!<>&;:\\{}$@^|#.%/=x1漢\n"


@pytest.fixture(scope="module")
def asking_all() -> MarkdownIt:
    """The parser that asks each rule everywhere."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(markdown_rules, "BLOCK_STARTS", {})
        patch.setattr(markdown_rules, "INLINE_STARTS", {})
        return extended()


@pytest.mark.parametrize("first", _LINES)
def test_blocks_are_those_of_all_rules(first: str, asking_all: MarkdownIt) -> None:
    texts = ["\n".join((first, *others)) for others in product(_LINES, repeat=2)]

    assert [_html(extended_once, text) for text in texts] == [_html(asking_all, text) for text in texts]


@given(st.text(alphabet=_INLINE, max_size=60))
def test_spans_are_those_of_all_rules(asking_all: MarkdownIt, text: str) -> None:
    assert _html(extended_once, text) == _html(asking_all, text)


extended_once = extended()


def _html(md: MarkdownIt, text: str) -> str:
    rendered = md.render(text, budget(len(text)))
    assert isinstance(rendered, str)
    return rendered
