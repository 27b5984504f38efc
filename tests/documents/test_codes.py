"""The table of codes against the code that uses them."""

import re
from pathlib import Path

import pytest

from app.documents import codes
from app.documents.codes import CODES, FILE_CODES
from app.documents.document import Context, parse
from app.documents.sources import Source
from app.errors import DocumentError

DOCUMENTS = Path(codes.__file__).parent
SOURCES = sorted((*DOCUMENTS.glob("*.py"), *(DOCUMENTS.parent / "rendering").glob("*.py")))
# A code is the first argument of what makes a finding, or a keyword, or the first of a pair.
USED = re.compile(
    r"""(?:\bcode=|(?:finding|warn|_error|_refuse_controls)\(\s*(?:\w+,\s*)?|return\s|code\s=\s)"([a-z]+(?:_[a-z]+)+|encoding)["]"""
)


def used() -> set[str]:
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.name != "codes.py"]
    found = {code for text in texts for code in USED.findall(text)}
    return found | {"invalid_field", "shortcode_left"}


def test_every_code_in_use_is_in_the_table_and_none_else() -> None:
    assert used() == CODES.keys() | FILE_CODES.keys()


@pytest.mark.parametrize("code", CODES)
def test_example_gives_its_code(code: str) -> None:
    entry = CODES[code]
    source = Source(name=entry.name, content=entry.example.encode("utf-8", "surrogateescape"))

    try:
        severity, found = "warning", {finding.code for finding in parse(source, Context()).warnings}
    except DocumentError as error:
        severity, found = "error", {error.finding.code}

    assert code in found
    assert severity == entry.severity
    assert all((entry.means.endswith("."), entry.mend.endswith((".", "new.md"))))
