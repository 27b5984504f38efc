import pytest

from app.documents.language import canonical, detect, is_bcp47


@pytest.mark.parametrize(
    ("tag", "spelt"),
    [
        ("ja", "ja"),
        ("EN-gb", "en-GB"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
        ("de-1996", "de-1996"),
        ("en-x-twain", "en-x-twain"),
        ("fil", "fil"),
    ],
)
def test_tag_is_well_formed(tag: str, spelt: str) -> None:
    assert is_bcp47(tag)
    assert spelt == canonical(tag)


@pytest.mark.parametrize("tag", ["", "j", "japanese", "日本語", "ja-", "ja JP", "ja-JP-", "en--gb"])
def test_tag_is_not_well_formed(tag: str) -> None:
    assert not is_bcp47(tag)
    assert canonical(tag) is None


@pytest.mark.parametrize(("tag", "spelt"), [("ja_JP", "ja-JP"), ("ja_JP.UTF-8", "ja-JP"), (" en ", "en")])
def test_tag_of_another_system_is_respelt(tag: str, spelt: str) -> None:
    assert not is_bcp47(tag)
    assert spelt == canonical(tag)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("これは日本語の文章です。", "ja"),
        ("ﾃｽﾄ", "ja"),
        ("AWSの新しいGPU instances and a long English product name", "ja"),
        ("see https://example.com/a/very/long/address/that/does/not/count/at/all/for/any/language の", "ja"),
        ("「東京都庁展望室」の公開日程変更について", "ja"),
        ("안녕하세요 세계", "ko"),
        ("ありがとうございます" + "는 고맙다는 뜻의 일본어 인사말입니다" * 2, "ko"),
        ("这是一个关于编程语言的中文博客文章，我们讨论许多问题。", "zh"),
        ("東京都庁", None),
        ("This is English.", None),
        ("The word ありがとう " + "and plenty of English prose around it, " * 5, None),
        ("Это по-русски", None),
        ("12:30 !?", None),
        ("", None),
    ],
)
def test_language_shows_in_the_script(text: str, lang: str | None) -> None:
    assert lang == detect(text)
