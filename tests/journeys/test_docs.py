"""The page to try the API runs in a real browser, under its own Content-Security-Policy and with no outside network."""

import re
from pathlib import Path

import pytest

from tests.browser import browsed, needs_chromium
from tests.journeys.serving import serving


@pytest.mark.slow
@needs_chromium
def test_docs_show_every_operation_and_break_no_policy(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        document, said = browsed(f"{server.url}/docs")
        paths = server.client.get("/openapi.json").json()["paths"]

    shown = re.findall(r'data-path="([^"]+)"', document)
    assert sorted(set(shown)) == sorted(paths)
    assert len(shown) == sum(len(operations) for operations in paths.values())
    assert "Content Security Policy" not in said
