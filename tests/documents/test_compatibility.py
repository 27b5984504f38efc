"""What files of other generators come to, held by cases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.documents.context import Context
from app.documents.document import Document, parse
from app.documents.sources import Source
from app.errors import DocumentError

CASES = Path(__file__).parents[1] / "cases" / "compatibility.md"
CONTEXT = Context(timezone="Asia/Tokyo")
MARKS = {"␀": "\0", "␍": "\r", "⟨BOM⟩": "\ufeff"}


def cases() -> Iterator[object]:
    _, _, text = CASES.read_text(encoding="utf-8").split("\n\n", 2)  # the first two paragraphs are about the file
    for case in text.removesuffix("\n.\n").split("\n.\n\n"):
        title, source, expected = case.split("\n.\n")
        name, _, content = source.partition("\n")
        for mark, character in MARKS.items():
            content = content.replace(mark, character)
        yield pytest.param(name, content, expected, id=title)


def field(document: Document, name: str) -> Any:
    value = getattr(document, name)
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize(("name", "content", "expected"), list(cases()))
def test_file_comes_to(name: str, content: str, expected: str) -> None:
    try:
        document = parse(Source(name=name, content=f"{content}\n".encode()), CONTEXT)
    except DocumentError as error:
        finding = error.finding
        assert expected == f"{finding.code} {finding.line}:{finding.column} {finding.field or '-'}"
        return
    fields, _, codes = expected.partition("\n")
    wanted = json.loads(fields)

    assert {key: json.loads(json.dumps(field(document, key))) for key in wanted} == wanted
    assert [finding.code for finding in document.warnings] == codes.split()
