import pytest

from app.errors import QueryError
from app.search.query import matches, parse
from app.search.tokens import normal_form


def runs(text: str) -> tuple[list[str], list[str]]:
    query = parse(text)
    return [" ".join(term.runs) for term in query.required], [" ".join(term.runs) for term in query.excluded]


@pytest.mark.parametrize(
    ("text", "required", "excluded"),
    [
        ("", [], []),
        ("東京 投資", ["東京", "投資"], []),
        ("東京\u3000投資", ["東京", "投資"], []),
        ("東京 東京", ["東京"], []),
        ('"big data" api', ["big data", "api"], []),
        ("＂big data＂ “a b”", ["big data", "a b"], []),
        ('"not closed', ["not closed"], []),
        ('one "two three" -four -"five six"', ["one", "two three"], ["four", "five six"]),
        ("－東京 −大阪", [], ["東京", "大阪"]),
        ("state-of-the-art", ["state of the art"], []),
        ('a"b c"d', ["a", "b c", "d"], []),
        ("Bedrockの性能2倍", ["bedrock の性能 2 倍"], []),
        ("A & B - C", ["a", "b", "c"], []),
        ('!! "" - -- -"" ・ 。 "、" * ( ) : ^ \\', [], []),
        ("OR AND NOT NEAR(a b, 2)", ["or", "and", "not", "near a", "b", "2"], []),
        ("title:x col*", ["title x", "col"], []),
    ],
)
def test_words_phrases_and_exclusions(text: str, required: list[str], excluded: list[str]) -> None:
    assert runs(text) == (required, excluded)


@pytest.mark.parametrize("text", ["あ" * 501, " ".join(f"w{number}" for number in range(17)), "\ufdfa" * 200])
def test_a_query_has_a_limit(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)

    assert (caught.value.reason, caught.value.parameter) == ("query_too_long", "q")


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("投資", "個人投資家", True),
        ("投資", "投票資格", False),
        ("資", "投資", True),
        ("都", "東京都", True),
        ("都", "都市", True),
        ("資東", "投資。東京", False),
        ("投資東京", "投資 東京", False),
        ('"投資 東京"', "投資、東京", True),
        ("まちづくり", "みんなのまちづくり会議", True),
        ("API", "ＡＰＩを", True),
        ("AP", "API", False),
        ("api", "rapid", False),
        ("AI投資", "生成AI投資額", True),
        ("AI投資", "AIと投資", False),
        ("AI投資", "OpenAI投資", False),
        ("性能2倍", "の性能2倍速", True),
        ("性能2倍", "の性能22倍", False),
        ("ｶﾞ", "カガミ", True),
        ("㈱", "(株)ほんぶん", True),
        ("々", "人々の", True),
        ("ー", "サーバー", True),
        ("バー", "ｻｰﾊﾞｰ", True),
        ("𠮷", "𠮷野家", True),
        ("野", "𠮷野家", True),
        ("국어", "한국어를", True),
        ("ไทย", "ภาษาไทยง่าย", True),
        ("👨", "👨‍👩‍👧", True),
        ("🎉", "祝🎉祭", True),
        ("がか", "か\u3099か", True),
        ("か\u0301き", "書か\u0301き", True),
        ("か", "が", False),
        ("don't", "I don’t", True),
        ("C++", "C++で書く", True),
        ("c++", "Ｃ＋＋", True),
        ("C++", "C と C# の話", False),
        ("C#", "C#入門", True),
        ("C#", "C++ C F#", False),
        ("C", "C++", True),
        ("C++", "C++17", True),
        ("google", "Google+", True),
        (".NET", "ASP.NET", True),
        ("GPT-5", "GPT-5", True),
        ("GPT-5", "GPT-4 5", False),
        ("S3バケット", "新しいS3バケットを", True),
        ("a -b", "a b", False),
        ("a -b", "a c", True),
        ("-b", "a c", True),
        ("-b", "b", False),
        ("a -a", "a", False),
        ("!?", "!?", False),
        ("-!?", "a", False),
    ],
)
def test_a_query_matches_by_this_rule(query: str, text: str, expected: bool) -> None:
    assert matches(parse(query), [normal_form(text)]) is expected


def test_words_may_stand_in_different_fields_and_phrases_may_not() -> None:
    fields = [normal_form(field) for field in ("東京", "の投資", "big", "data")]

    assert matches(parse("東京 投資 data big"), fields)
    assert not matches(parse("東京の"), fields)
    assert not matches(parse('"big data"'), fields)
