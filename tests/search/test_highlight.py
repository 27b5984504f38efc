import re
from html import escape, unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.search.graphemes import is_boundary
from app.search.highlight import PASSAGE, highlights
from app.search.original import Original
from app.search.query import Phrase, matches, parse
from app.search.tokens import fold, normal_form

MARKED = re.compile("<mark>(.*?)</mark>", re.DOTALL)
WORDS = st.text(
    st.sampled_from("東京都aＡbｱﾞが\u3099\u0301㈱ﬁ🎉👨\u200d\ufe0f각\u1100\u1161\u11a8 。.<&\n"), max_size=60
)


@pytest.mark.parametrize(
    ("query", "title", "expected"),
    [
        ("投資", "個人投資の話", "個人<mark>投資</mark>の話"),
        ("都", "東京都と都市", "東京<mark>都</mark>と<mark>都</mark>市"),
        ("api", "ＡＰＩ & <b>", "<mark>ＡＰＩ</mark> &amp; &lt;b&gt;"),
        ("ガラス", "ｶﾞﾗｽ窓", "<mark>ｶﾞﾗｽ</mark>窓"),
        ("が", "か\u3099く", "<mark>か\u3099</mark>く"),
        ("cafe", "cafe\u0301 cafe", "cafe\u0301 <mark>cafe</mark>"),
        ("株", "㈱本文", "<mark>㈱</mark>本文"),
        ("fi", "ﬁ x", "<mark>ﬁ</mark> x"),
        ("AI投資", "生成AI投資額", "生成<mark>AI投資</mark>額"),
        ('"東京 大阪"', "東京、大阪", "<mark>東京、大阪</mark>"),
        ("東京 京都", "東京都", "<mark>東京都</mark>"),
        ("👨", "👨\u200d👩\u200d👧!", "<mark>👨\u200d👩\u200d👧</mark>!"),
        ("👩", "👨\u200d👩\u200d👧!", "<mark>👨\u200d👩\u200d👧</mark>!"),
        ("🇵", "🇯🇵🇺🇸", "<mark>🇯🇵</mark>🇺🇸"),
        ("葛城", "葛\U000e0100城山", "<mark>葛\U000e0100城</mark>山"),
        ("cooperation", "co\u00adoperation", "<mark>co\u00adoperation</mark>"),
        ("straße", "STRASSE", "<mark>STRASSE</mark>"),
        ("각", "\u1100\u1161\u11a8하", "<mark>\u1100\u1161\u11a8</mark>하"),
        ("a -b", "a b", "<mark>a</mark> b"),
        ("c++", "Ｃ＋＋とC#", "<mark>Ｃ＋＋</mark>とC#"),
        ("c#", "C++とC#8", "C++と<mark>C#</mark>8"),
        ("x", "a", "a"),
        ("!", "a!", "a!"),
        ("a", "", ""),
        ('"', '"quoted"', "&quot;quoted&quot;"),
        ("x", "<script>x</script>", "&lt;script&gt;<mark>x</mark>&lt;/script&gt;"),
    ],
)
def test_matches_are_marked_in_the_title_as_written(query: str, title: str, expected: str) -> None:
    assert highlights(parse(query), title, "")["title"] == expected


LONG = "これは検索と関わりのない長めの文であり、読む人を待たせるためだけに書かれている。"


@pytest.mark.parametrize(
    ("query", "body", "expected"),
    [
        ("投資", "", ""),
        ("投資", "短い本文。", "短い本文。"),
        ("投資", LONG * 9 + "ここで投資を語る。" + LONG * 9, "ここで<mark>投資</mark>を語る。" + LONG + LONG),
        ("投資 東京", "投資。" + LONG * 5 + "東京で投資。", None),
        ("x", LONG * 9, LONG * 3),
        ("14", "It is 3.14 now. " + "Then more follows. " * 20, None),
        ("ん", "あ" * 300 + "ん" + "い" * 300, "…" + "あ" * 30 + "<mark>ん</mark>" + "い" * 89 + "…"),
        ("二", "一行\n二行", "一行 <mark>二</mark>行"),
    ],
)  # fmt: skip
def test_passage_is_cut_at_sentences_around_what_matches(query: str, body: str, expected: str | None) -> None:
    shown = highlights(parse(query), "", body)["body"]

    if expected is not None:
        assert shown == expected
    assert len(unescape(shown.replace("<mark>", "").replace("</mark>", ""))) <= PASSAGE + 2


def test_passage_shows_as_many_words_of_the_query_as_it_can() -> None:
    body = "投資。" + LONG * 5 + "東京で投資。" + LONG * 5

    assert "<mark>東京</mark>で<mark>投資</mark>。" in highlights(parse("投資 東京"), "", body)["body"]


def test_a_point_inside_a_number_or_name_ends_no_sentence() -> None:
    body = (
        "Nothing here at all, just words to fill a line. " * 4
        + "Version 3.14 of example.com runs. "
        + "Other words. " * 20
    )

    assert "Version 3.<mark>14</mark> of example.com runs." in highlights(parse("14"), "", body)["body"]


def test_a_match_far_into_a_long_body_is_shown() -> None:
    body = "\n".join([LONG * 20] * 200) + "\n蜃気楼を見た。"

    assert "<mark>蜃気楼</mark>を見た。" in highlights(parse("蜃気楼"), "", body)["body"]


def test_a_body_of_one_endless_line_has_a_passage() -> None:
    shown = highlights(parse("b"), "", "あ" * 250_000 + "b")["body"]

    assert shown == f"…{'あ' * 30}<mark>b</mark>"


@given(text=WORDS)
def test_original_has_the_normal_form_of_its_text(text: str) -> None:
    assert Original.of(text).normal_form == normal_form(text)


@given(text=WORDS, query=WORDS)
def test_highlights_say_what_matched_and_nothing_else(text: str, query: str) -> None:
    parsed = parse(query.replace("-", ""))
    shown = highlights(parsed, text, text)

    assert MARKED.sub(r"\1", shown["title"]) == escape(text)
    if matches(parsed, [normal_form(text)]):
        assert all(
            matches(parse(f'"{unescape(mark)}"'), [normal_form(text)]) for mark in MARKED.findall(shown["title"])
        )
        assert MARKED.search(shown["title"])
        assert all(matches(parse(f'"{unescape(mark)}"'), [normal_form(text)]) for mark in MARKED.findall(shown["body"]))


@given(text=WORDS)
def test_marks_and_passages_cut_no_character_a_reader_sees(text: str) -> None:
    for run in normal_form(text).split():
        title = highlights(parse(f'"{run}"'), text, "")["title"]
        plain = 0
        for piece in re.split("(</?mark>)", title):
            if piece in ("<mark>", "</mark>"):
                assert is_boundary(text, plain)
            else:
                plain += len(unescape(piece))


def test_phrases_are_found_where_they_overlap() -> None:
    assert list(Original.of("ああああ").spans_of(Phrase(runs=("ああ",)))) == [(0, 2), (1, 3), (2, 4)]


def test_only_what_the_search_takes_for_the_end_of_a_sentence_folds_to_one() -> None:
    ends = {chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000 and set("\n。") & set(fold(chr(code)))}

    assert ends == set("\n。｡\ufe12")


def test_a_passage_deep_in_a_text_is_marked_whole() -> None:
    body = "東京。" * 30 + "大阪と東京と大阪の話。東京の大阪。" + LONG * 5

    assert (
        "<mark>大阪</mark>と<mark>東京</mark>と<mark>大阪</mark>の話。"
        in highlights(parse("大阪 東京"), "", body)["body"]
    )


def test_a_word_is_found_behind_many_that_only_hold_it() -> None:
    body = "\n".join(["The rapid rapier."] * 50 + ["An api."])

    assert "An <mark>api</mark>." in highlights(parse("api"), "", body)["body"]


def test_a_phrase_is_marked_over_the_end_of_a_line() -> None:
    body = f"{LONG}\nwe like big\ndata here\n{LONG}"

    assert "big data</mark>" in highlights(parse('"big data"'), "", body)["body"]
    assert "<mark>" not in highlights(parse('"big dat"'), "", body)["body"]
