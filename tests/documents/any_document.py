"""What holds for whatever bytes come in as a file: it is refused by name, or it is a document that can be stored."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from app.documents.context import Context
from app.documents.document import Document, parse
from app.documents.markdown_budget import MIN_OUTPUT_BYTES, OUTPUT_PER_INPUT
from app.documents.sanitize import sanitize
from app.documents.sources import Source
from app.errors import DocumentError, Finding


def check(content: bytes, name: str = "a.md", context: Context | None = None) -> Document | Finding:
    """The document or why there is none. Raises AssertionError, or the exception that nobody caught."""
    context = context or Context()
    try:
        document = parse(Source(name=name, content=content), context)
    except DocumentError as error:
        _check_finding(error.finding, content)
        return error.finding
    assert len(document.html.encode()) <= max(MIN_OUTPUT_BYTES, OUTPUT_PER_INPUT * len(content))
    for html in (document.html, document.excerpt_html):
        assert sanitize(html, embed_hosts=context.embed_hosts) == html
    for finding in document.warnings:
        _check_finding(finding, content)
    json.dumps(document.front_matter, allow_nan=False)
    for text in _texts(asdict(document)):
        text.encode()
        assert "\0" not in text
    return document


def _check_finding(finding: Finding, content: bytes) -> None:
    lines = len(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"))

    assert finding.code
    assert finding.detail
    assert finding.line is None or 1 <= finding.line <= lines


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _texts(key)
            yield from _texts(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _texts(member)
