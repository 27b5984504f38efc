import pytest

from app.documents.document import Context, parse
from app.documents.sources import Source
from tests.building import markdown


@pytest.mark.parametrize(
    ("body", "front", "text"),
    [
        ("一段目。\n\n二段目。\n", {}, "一段目。"),
        ("# 見出し\n\n![図](a.png)\n\n本文。\n", {}, "本文。"),
        ("題\n\n本文。\n", {}, "本文。"),
        ("一段目。\n\n二段目。\n\n<!--more-->\n\n三段目。\n", {}, "一段目。二段目。"),
        ("One.\n\nTwo.\n<!-- more -->\nThree.\n", {}, "One. Two."),
        ("前。\n\n```\n<!--more-->\n```\n\n後。\n", {}, "前。"),
        ("前。\n\n===\n\n後。\n", {"excerpt_separator": "==="}, "前。"),
        ("<!--more-->\n\n本文。\n", {}, "本文。"),
        ("本文。\n", {"excerpt": "これは**「抜粋」**です"}, "これは「抜粋」です"),
        ("本文。\n", {"excerpt": ""}, ""),
        ("本文。\n", {"excerpt": None}, "本文。"),
        ("[参照][a]です。\n\n[a]: https://example.com/\n", {}, "参照です。"),
        ("", {}, ""),
    ],
)
def test_excerpt_is_given_or_found(body: str, front: dict[str, str | None], text: str) -> None:
    source = Source(name="x.md", content=markdown(body, title="題", **front).encode())

    assert parse(source, Context()).excerpt == text


@pytest.mark.parametrize("definition", ["[a]:", "[a]\x01:"])
def test_link_definitions_of_the_body_hold_in_the_excerpt(definition: str) -> None:
    body = f"本文。\n\n{definition} https://example.com/\n"
    source = Source(name="x.md", content=markdown(body, title="題", excerpt="[参照][a]").encode())

    assert '<a href="https://example.com/"' in parse(source, Context()).excerpt_html
