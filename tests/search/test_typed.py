import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.typed import Typed, endings, form


@pytest.mark.parametrize(
    ("typed", "title", "expected"),
    [
        ("投", "個人投資", True),
        ("投資", "個人投資の話", True),
        ("資投", "投資", False),
        ("clou", "AWS Cloudの話", True),
        ("clou", "クラウド", False),
        ("loud", "Cloud", False),
        ("clou の", "Cloud の話", False),
        ("話 clou", "Cloud の話", True),
        ("aws clou", "AWS Cloud", True),
        ("aw cloud", "AWS Cloud", False),
        ("くら", "クラウド", True),
        ("ｸﾗ", "クラウド", True),
        ("クラ", "くらしの手帖", True),
        ("ＡＰ", "apiとは", True),
        ("c+", "C++ と C#", True),
        ("c#", "C++", False),
        ("s3バケ", "S3バケットを作る", True),
        ("gpt-", "GPT-5", True),
        ("gpt-5", "GPT-5", True),
        ("3.", "3.5", True),
        ("", "投資", False),
        ("「", "「投資」", False),
        ("が", "か\u3099", True),
        ("🎉", "祝🎉", True),
    ],
)
def test_what_is_typed_stands_in_a_title_by_this_rule(typed: str, title: str, expected: bool) -> None:
    assert Typed.of(typed).stands_in(form(title)) is expected


def test_endings_begin_where_phrases_can() -> None:
    assert list(endings(form("AI投資の話"))) == ["ai 投資の話 ", "投資の話 ", "資の話 ", "の話 ", "話 "]
    assert list(endings(form("Machine Learning"))) == ["machine learning ", "learning "]
    assert list(endings(form("!?"))) == []


@given(typed=st.text(st.sampled_from("投資クくa b1+ー")), title=st.text(st.sampled_from("投資クくa b1+ー")))
def test_a_phrase_stands_where_an_ending_begins_with_it(typed: str, title: str) -> None:
    parsed = Typed.of(typed)

    for phrase in parsed.phrases:
        found = any(ending.startswith(phrase.needle.lstrip(" ")) for ending in endings(form(title)))
        assert found is (phrase.needle in form(title))
