"""What a render process makes of a document, and what must not come along with it."""

import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from app.documents.context import Context, Contexts
from app.documents.sources import Source
from app.errors import Finding
from app.posts.records import Packed, Records, pack
from app.rendering.pool import Renderers
from tests.posts.samples import document

TEXT = "---\ntitle: 株価の話\ntags: [AI, ａｉ, 投資]\nredirect_from: /old\n---\n本文 text\n"


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_render_process_packs_what_this_process_would(renderers: Renderers, dialect: str) -> None:
    sources = [Source(name="a.md", content=TEXT.encode()), Source(name="b.md", content=b"---\ntitle: [\n---\n")]
    contexts = Contexts(plain=Context(), sites={})

    good, bad = renderers.finish_each(sources, contexts, partial(pack, dialect))

    assert good == pack(dialect, document("a.md", TEXT))
    assert isinstance(bad, Finding)


def test_records_hold_each_term_once_and_the_source_byte_for_byte() -> None:
    packed = pack("sqlite", document("a.md", TEXT))
    records: Records = pickle.loads(packed.records)

    assert [(term["key"], term["name"]) for term in records.terms] == [("ai", "AI"), ("投資", "投資")]
    assert records.body["source"] == TEXT.encode()
    assert records.aliases == ["/old"]
    assert isinstance(packed, Packed)


def test_packing_loads_no_database() -> None:
    program = (
        "import sys, app.posts.records; print([name for name in ('sqlalchemy', 'pydantic') if name in sys.modules])"
    )
    root = Path(__file__).parents[2]

    assert subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, check=True).stdout == b"[]\n"
