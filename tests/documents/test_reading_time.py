import pytest

from app.documents.reading_time import count, minutes


@pytest.mark.parametrize(
    ("text", "words", "characters"),
    [
        ("", 0, 0),
        ("two words", 2, 8),
        ("don't well-known Swift.org -- 3", 4, 27),
        ("日本語です。", 6, 6),
        ("AWSの新GPU、2倍", 7, 11),
        ("한국어 문장", 2, 5),
        ("ｶﾀｶﾅ\u3000ｗ", 6, 5),
        ("a\u200b b\n", 2, 2),
    ],
)
def test_words_and_characters_are_counted(text: str, words: int, characters: int) -> None:
    assert (words, characters) == count(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("日" * 500, 1),
        ("日" * 501, 2),
        ("word " * 238, 1),
        ("word " * 239, 2),
        ("日" * 250 + " word" * 119, 1),
        ("日" * 250 + " word" * 120, 2),
        ("https://example.com/a " * 1000, 1),
    ],
)
def test_minutes_are_rounded_up(text: str, expected: int) -> None:
    assert expected == minutes(text)


def test_speeds_can_be_set() -> None:
    assert minutes("日" * 600, cjk_per_minute=600) == 1
    assert minutes("word " * 400, words_per_minute=200) == 2


@pytest.mark.parametrize("text", ["-" * 1_000_000, "日a" * 500_000, "https://" * 100_000])
def test_time_is_linear(text: str) -> None:
    count(text)
    minutes(text)
