import pytest

from app.search.keywords import tag_keywords, word_keywords


def shared(one: str, other: str) -> int:
    """How many words of two titles are the same."""
    return len(set(word_keywords(one, (), "")) & set(word_keywords(other, (), "")))


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("電気自動車の電池", "電気自動車の充電", 4),
        ("クラウドの料金", "クラウド費用", 1),
        ("クラウドの料金", "ｸﾗｳﾄﾞ", 1),
        ("The Python API", "python入門", 1),
        ("それはそれとして", "それはそれとして", 0),
        ("2025年", "2025年", 0),
        ("a b c", "a b c", 0),
        ("データ", "データセンター", 0),
        ("서울 여행", "서울", 1),
    ],
)
def test_words_that_say_something_are_shared(one: str, other: str, words: int) -> None:
    assert shared(one, other) == words


def test_tags_are_one_by_their_key_and_no_words() -> None:
    assert tag_keywords(["AI", "ａｉ", "投資"]) == tag_keywords(["ai", "投資"])
    assert not set(tag_keywords(["投資"])) & set(word_keywords("投資", (), ""))


def test_words_are_few_and_of_the_excerpt_only_where_there_is_room() -> None:
    long = " ".join(f"word{number}x" for number in range(500))

    assert len(word_keywords(long, [long], long)) == 16
    assert len(set(word_keywords(long, (), "")) & set(word_keywords(long, (), "別の話題"))) >= 12
    assert set(word_keywords("", (), "別の話題 word")) == set(word_keywords("話題 word", (), ""))


def test_long_texts_that_share_most_words_share_keywords() -> None:
    words = [f"word{number}x" for number in range(60)]

    assert len(set(word_keywords(" ".join(words[:55]), (), "")) & set(word_keywords(" ".join(words[5:]), (), ""))) > 6


def test_numbers_fit_the_column() -> None:
    assert all(0 <= number < 2**47 for number in (*tag_keywords(["\ud800", ""]), *word_keywords("字字", (), "")))
