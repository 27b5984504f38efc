"""A coverage-guided fuzz target for `documents.parse`, under libFuzzer by way of atheris.

    uv run --group fuzz python tests/documents/fuzz.py CORPUS -max_total_time=600

CORPUS is a folder that keeps what was found between runs; where it is empty, the cases of the tests and the sample posts
begin it. What makes the target fail is written to the working directory; it becomes a case of test_any_document.py.
"""

import re
import sys
from pathlib import Path

import atheris

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP))

with atheris.instrument_imports(include=["app.documents", "markdown_it", "mdit_py_plugins", "frontmatter"]):
    from app.documents.context import Context
    from tests.documents.any_document import check

CONTEXTS = (
    ("2025-12-24-kiji.md", Context()),
    ("_posts/a.ja.md", Context(timezone="Asia/Tokyo", asset_url="https://a.jp", post_url_template="/{year}/{slug}/")),
    ("b.markdown", Context(embed_hosts=("e.jp",), site_url="https://b.jp", root_path="/c")),
)


def one(data: bytes) -> None:
    """The first byte says which name and context, the others are the file."""
    name, context = CONTEXTS[data[0] % len(CONTEXTS)] if data else CONTEXTS[0]
    check(data[1:], name, context)


def begin(corpus: Path) -> None:
    """Fills an empty corpus."""
    if any(corpus.iterdir()):
        return
    cases = [file.read_text(encoding="utf-8") for file in sorted((TOP / "tests/cases").rglob("*.md"))]
    pieces = [piece for text in cases for piece in re.split(r"^\.\n", text, flags=re.MULTILINE)]
    samples = [file.read_text(encoding="utf-8") for file in sorted((TOP / "content").rglob("*.md"))]
    for number, text in enumerate([*pieces, *samples]):
        (corpus / f"seed-{number}").write_bytes(bytes([number % len(CONTEXTS)]) + text.encode())


if __name__ == "__main__":
    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    for folder in folders[:1]:
        folder.mkdir(parents=True, exist_ok=True)
        begin(folder)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
