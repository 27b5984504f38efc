import pytest

from app.documents.normalize import sort_key, term_key


@pytest.mark.parametrize(
    ("one", "other"),
    [("ai", "ＡＩ"), ("ﾃｽﾄ", "テスト"), ("Straße", "STRASSE"), ("が", "か\u3099"), ("a  b", " a b "), ("㈱", "(株)")],
)
def test_spellings_of_one_term_have_one_key(one: str, other: str) -> None:
    assert term_key(one) == term_key(other)


def test_katakana_and_hiragana_are_two_terms_but_sort_together() -> None:
    assert term_key("アイ") != term_key("あい")
    assert sort_key("アイ") == sort_key("あい")


@pytest.mark.parametrize("text", ["ǰ\u0323", "ΐ", "İ", "ﬃ", "ゔ"])
def test_key_of_a_key_is_itself(text: str) -> None:
    assert term_key(term_key(text)) == term_key(text)
