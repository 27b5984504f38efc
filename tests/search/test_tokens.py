import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.tokens import SEPARATOR, encode, encoded_tokens, normal_form, tokens

ENCODED = re.compile("[0-9a-z]{2,65}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" 。、・!? ", []),
        ("東京都", ["東京", "京都", "都"]),
        ("都", ["都"]),
        ("東京。大阪", ["東京", "京", "大阪", "阪"]),
        ("まちづくり", ["まち", "ちづ", "づく", "くり", "り"]),
        ("状々ー", ["状々", "々ー", "ー"]),
        ("〇〆ヶ", ["〇〆", "〆ヶ", "ヶ"]),
        ("𠮷野家", ["𠮷野", "野家", "家"]),
        ("한국어 검색", ["한국", "국어", "어", "검색", "색"]),
        ("ภาษา", ["ภา", "าษ", "ษา", "า"]),
        ("Hello, World", ["hello", "world"]),
        ("foo_bar don't", ["foo", "bar", "don", "t"]),
        ("3.14", ["3", "14"]),
        ("C++ Ｃ＃の f#/g++!", ["c", "++", "c", "#", "の", "f", "#", "g", "++"]),
        ("C++11 a+b", ["c", "++", "11", "a", "+", "b"]),
        ("# + 東京+大阪 #tag a #b", ["東京", "京", "大阪", "阪", "tag", "a", "b"]),
        ("Straße ΣΟΦΟΣ", ["strasse", "σοφοσ"]),
        ("Привет мир", ["привет", "мир"]),
        ("Bedrockの性能2倍", ["bedrock", "の性", "性能", "能", "2", "倍"]),
        ("AI投資", ["ai", "投資", "資"]),
        ("🎉", ["🎉"]),
        ("祭り🎉", ["祭り", "り🎉", "🎉"]),
        ("★", ["★"]),
        ("\u0301", []),
        ("\ud800x", ["x"]),
    ],
)
def test_text_is_cut_into_words_and_pairs_of_characters(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ＡＰＩ", "api"),
        ("ﾃｽﾄ", "テスト"),
        ("ｶﾞ", "ガ"),
        ("か\u3099", "が"),
        ("cafe\u0301", "CAFÉ"),
        ("㈱テスト", "(株)テスト"),
        ("①", "1"),
        ("㍿", "株式会社"),
        ("⼀", "一"),
        ("葛\U000e0100城", "葛城"),
        ("co\u00adop\u200bera\ufefftion", "cooperation"),
        ("か\u200d\u3099", "が"),
        ("❤\ufe0f", "❤"),
        ("각", unicodedata.normalize("NFD", "각")),
        ("東京\u3000大阪", "東京 大阪"),
        ("ſ", "s"),
    ],
)
def test_forms_that_mean_the_same_meet(left: str, right: str) -> None:
    assert normal_form(left) == normal_form(right) != ""


@pytest.mark.parametrize(("left", "right"), [("カ", "か"), ("カ", "ガ"), ("ハ", "パ"), ("cafe", "café"), ("ー", "-")])
def test_forms_that_differ_for_a_reader_stay_apart(left: str, right: str) -> None:
    assert normal_form(left) != normal_form(right)


def test_normal_form_sets_single_spaces_around_every_run() -> None:
    assert normal_form("「Bedrockの性能」、2倍!") == " bedrock の性能 2 倍 "


@given(st.text())
def test_tokens_of_any_text_are_encoded_in_letters_and_digits(text: str) -> None:
    encoded = {token: encode(token) for token in tokens(text)}

    assert encoded_tokens(text) == [encode(token) for token in tokens(text)]
    assert all(map(ENCODED.fullmatch, encoded.values()))
    assert len(set(encoded.values())) == len(encoded)
    assert SEPARATOR not in encoded.values()


@given(st.text(alphabet=st.sampled_from("aé+#1 、。「Жяが\u0301\u0e32カー々都〇한→★ﾃ\u200d\ue000")))
def test_tokens_of_a_text_are_the_same_beside_a_rare_character(text: str) -> None:
    assert tokens(f"{text} 🎉") == [*tokens(text), "🎉"]
    assert encoded_tokens(f"{text} 🎉") == [*encoded_tokens(text), encode("🎉")]


def test_every_code_point_is_cut_the_same_beside_a_rare_character() -> None:
    for code in (*range(0x3400), *range(0x3400, 0x10000, 61)):
        text = f"a{chr(code)} b+{chr(code)}都{chr(code)}"
        assert tokens(f"{text} 🎉") == [*tokens(text), "🎉"]


def test_a_character_is_a_prefix_of_exactly_the_tokens_that_begin_with_it() -> None:
    encoded = {token: encode(token) for token in tokens("都内の都市に都、𠮷都")}

    assert {token for token, code in encoded.items() if code.startswith(encode("都"))} == {"都内", "都市", "都"}


def test_every_code_point_has_a_kind_and_a_code() -> None:
    for code in range(0, sys.maxunicode + 1, 61):
        for token in tokens(f"a{chr(code)}"):
            assert ENCODED.fullmatch(encode(token))


def test_long_words_are_hashed() -> None:
    longest = {encode("a" * length) for length in (32, 33, 100_000)}

    assert len(longest) == 3
    assert max(map(len, longest)) == 33
