from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from app.database import reading, writing
from app.documents.document import Context
from app.documents.source_names import is_config
from app.documents.sources import Batch, Source
from app.errors import SourceError
from app.posts.ingest import Options, ingest
from app.posts.report import Report
from app.posts.state import export_sources, export_state, read_state_file
from app.posts.store import delete_posts, former_holder, stored_under
from tests.building import NOW, markdown
from tests.posts.samples import take as ingest_files

LATER = datetime(2026, 3, 1, tzinfo=UTC)
FILES = {
    "_posts/2025-01-01-kaze.md": markdown(title="風"),
    "_posts/2025-01-02-kumo.md": markdown(title="雲", slug="kaze"),
    "memo.md": "\ufeff# 日付のない覚え書き\r\n\r\n本文。",
}


def take(engine: Engine, files: dict[str, str], *, now: datetime = NOW, **options: object) -> Report:
    sources = [Source(name=name, content=content.encode()) for name, content in files.items()]
    chosen = Options(author="t", via="cli", **options)  # type: ignore[arg-type]
    return ingest(engine, Batch(sources=sources), context=Context(), options=chosen, now=now)


def exported(engine: Engine) -> tuple[dict[str, bytes], bytes]:
    with reading(engine) as connection:
        return {source.name: source.content for source in export_sources(connection)}, export_state(connection)


def test_sources_come_out_byte_for_byte(engine: Engine) -> None:
    take(engine, FILES)

    assert exported(engine)[0] == {name: content.encode() for name, content in FILES.items()}


def test_state_gives_back_ids_slugs_aliases_and_dates(engine: Engine) -> None:
    take(engine, FILES)
    take(engine, FILES | {"_posts/2025-01-02-kumo.md": markdown(title="雲", slug="kumo-2")})
    sources, state = exported(engine)
    with writing(engine) as connection:
        delete_posts(connection, [row.pk for row in stored_under(connection, FILES).values()])

    take(
        engine, {name: content.decode() for name, content in sources.items()}, now=LATER, states=read_state_file(state)
    )

    assert exported(engine) == (sources, state)
    with reading(engine) as connection:
        assert former_holder(connection, "kaze-2025-01-02") == "kumo-2"
        assert stored_under(connection, ["memo.md"])["memo.md"].published_at == NOW


def test_state_does_not_touch_posts_that_are_there(engine: Engine) -> None:
    take(engine, FILES)
    before = exported(engine)
    other = before[1].replace(b'"kaze"', b'"arashi"')

    take(engine, FILES | {"memo.md": markdown(title="改")}, states=read_state_file(other))

    assert exported(engine)[1].count(b"arashi") == 0


def test_update_names_the_fields_that_change(engine: Engine) -> None:
    take(engine, FILES)
    changed = markdown("別の本文。\n", title="風", tags=["新"], draft=True)
    report = take(engine, {"_posts/2025-01-01-kaze.md": changed}, dry_run=True)

    assert [result.changed for result in report.results] == [
        ("status", "tags", "excerpt", "excerpt_html", "front_matter", "html")
    ]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"posts": {"a.md": {}}}', b'{"posts": {"a.md": 1}}'])
def test_file_that_is_no_state_is_refused(content: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        read_state_file(content)

    assert caught.value.reason == "invalid_state"


NAMES = st.sampled_from(
    [
        "_config.yml",
        "_posts/2025-01-01-kaze.md",
        "_posts/2025-02-01-kaze.md",
        "_drafts/kaze.md",
        "_posts/2025-01-02-雲と風.markdown",
        "_posts/2025-01-02-が.md",
        "_posts/ja/2025-01-03-a b.mkd",
        "blog/_config.yml",
        "blog/_posts/2025-01-01-kaze.ja.md",
        "blog/_posts/2025-01-01-kaze.en.md",
    ]
)
BODIES = st.text(st.characters(codec="utf-8"), max_size=30)
POSTS = st.builds(
    lambda slug, body, end: f"---{end}title: 題{end}{f'slug: {slug}{end}' if slug else ''}---{end}{body}".encode(),
    st.sampled_from(["", "kaze", "kumo"]),
    BODIES,
    st.sampled_from(["\n", "\r\n"]),
)
CONFIGS = st.sampled_from(
    [b"", b"# \xe6\xb3\xa8\r\n", b"timezone: Asia/Tokyo\n", b"defaults:\n- values: {layout: a}\n"]
)
FOLDERS = st.lists(NAMES, unique=True, max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: CONFIGS if is_config(name) else POSTS for name in names})
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=FOLDERS, after=FOLDERS)
def test_export_is_the_folder_and_with_its_state_the_same_posts(
    engine: Engine, before: dict[str, bytes], after: dict[str, bytes]
) -> None:
    mirrored: dict[str, Any] = {"prune_below": "", "prune_max": 100, "atomic": False, "via": "cli"}
    ingest_files(engine, {}, **mirrored)
    ingest_files(engine, before, **mirrored)
    ingest_files(engine, after, now=LATER, **mirrored)
    sources, state = exported(engine)

    assert sources == after

    ingest_files(engine, {}, **mirrored)
    ingest_files(engine, sources, now=LATER, states=read_state_file(state), via="cli")

    assert exported(engine) == (sources, state)
