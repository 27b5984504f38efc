import pytest
from markdown_it.rules_inline.state_inline import StateInline

from app.documents.cjk import CjkState, is_cjk, is_hangul, is_spaceless, is_wide
from app.documents.markdown_budget import budget
from app.documents.markdown_parser import commonmark


def inline(source: str) -> str:
    html: str = commonmark().enable("strikethrough").render(source, budget(len(source)))
    return html.strip().removeprefix("<p>").removesuffix("</p>")


@pytest.mark.parametrize(
    "character",
    [*"あア亜ｱ。「ＡＰＩ￥㈱々〆한ㄱﾡ₩〈䷀☰", "\u1160", "\ud7b0", "\U0001f200", "\U0003134b", "\U000323b0"],
)
def test_cjk_characters(character: str) -> None:
    assert is_cjk(character)


@pytest.mark.parametrize(
    "character", [*"aé。"[:2], "“", "…", "①", "😀", "✅", "⌚", "🈁", "🀄", "α", "\u0378", "\U000e0100"]
)
def test_no_cjk_characters(character: str) -> None:
    assert not is_cjk(character)


def test_emoji_are_wide_and_hangul_is_told_apart() -> None:
    assert is_wide("😀")
    assert is_hangul("한")
    assert not is_hangul("漢")


FLANKING = [
    # source, marker's place, may open, may close
    ("あ*「", 1, True, True),
    ("a*「", 1, True, True),
    ('a*"', 1, False, True),
    ('あ*"', 1, True, True),
    ('"*a', 1, True, False),
    ('"*あ', 1, True, True),
    ("。*あ", 1, True, True),
    ("*あ", 0, True, False),
    ("あ*", 1, False, True),
    ("\u3000*あ", 1, True, False),
    ("あ* ", 1, False, True),
    ("葛\U000e0100*(", 2, True, True),
    ("羽\ufe00*(", 2, True, True),
    ("a\ufe00*(", 2, False, True),
    ("”\ufe01*a", 2, True, True),
    ("”\ufe00*a", 2, True, False),
    ("”*a", 1, True, False),
    ("\ufe00*a", 1, True, True),
    (" \ufe00*a", 2, True, True),
    ("あ\ufe0f*(", 2, False, True),
    ("あ_「", 1, False, True),
    ("「_あ", 1, True, False),
    ("あ_い", 1, False, False),
    ("あ_「い", 1, False, True),
    ("。\ufe00_あ", 2, True, False),
]


@pytest.mark.parametrize(("source", "at", "opens", "closes"), FLANKING)
def test_markers_open_and_close(source: str, at: int, opens: bool, closes: bool) -> None:
    scanned = CjkState(source, commonmark(), {}, []).scanDelims(at, source[at] != "_")

    assert (scanned.can_open, scanned.can_close, scanned.length) == (opens, closes, 1)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("これは**「強調」**です", "これは<strong>「強調」</strong>です"),
        ("*（注）*と_（注）_と", "<em>（注）</em>と_（注）_と"),
        ("a~~「b」~~c", "a<s>「b」</s>c"),
        ("~一~と~~二~~", "~一~と<s>二</s>"),
        ("**見よ[「これ」](/a)**を", '<strong>見よ<a href="/a">「これ」</a></strong>を'),
    ],
)
def test_emphasis(source: str, expected: str) -> None:
    assert inline(source) == expected


def test_the_library_is_left_as_it_was() -> None:
    commonmark()

    assert StateInline('あ*"', commonmark(), {}, []).scanDelims(1, canSplitWord=True).can_open is False


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("日", "本", True),
        ("ｶ", "ナ", True),
        ("。", "「", True),
        ("葛\U000e0100", "城", True),
        ("日", "a", False),
        ("a", "日", False),
        ("한", "국", False),
        ("日", "한", False),
        ("", "日", False),
        ("日", "", False),
        ("\ufe00", "日", False),
    ],
)
def test_no_space_stands_between_wide_characters(left: str, right: str, expected: bool) -> None:
    assert is_spaceless(left, right) is expected
