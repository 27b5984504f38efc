"""A `_config.yml` that comes with posts is kept, and says what the posts below its folder mean."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from app.database import reading
from app.documents.context import Contexts
from app.documents.document import Context, Document
from app.documents.sources import Source
from app.errors import Conflict, Finding
from app.posts.ingest import delete_one, ingest
from app.posts.rerender import count_stale, rerender
from app.posts.sites import read_sites
from app.posts.state import export_sources
from app.rendering.tasks import finish_each
from tests.building import NOW, markdown
from tests.posts.samples import actions, batch, codes, history, options, rows, state, take

T = TypeVar("T")
POST = "blog/_posts/2025-12-24-kiji.md"
TOKYO = "timezone: Asia/Tokyo\ndefaults:\n- values: {layout: a}\n"
SEOUL = "timezone: Asia/Seoul\ndefaults:\n- values: {layout: b}\n"
FILES = {"blog/_config.yml": TOKYO, POST: markdown(title="記事"), "memo.md": markdown(title="覚え書き")}


def layouts(engine: Engine) -> dict[str, Any]:
    return {name: row.layout for name, row in rows(engine).items()}


def configs(engine: Engine) -> dict[str, bytes]:
    with reading(engine) as connection:
        return {name: config.content for name, config in read_sites(connection).items()}


def stale(engine: Engine, context: Context | None = None) -> int:
    return count_stale(engine, context or Context())


def test_configuration_is_no_post_but_is_kept_for_those_below_it(engine: Engine) -> None:
    report = take(engine, FILES)

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "created", "memo.md": "created"}
    assert report.results[0].changed == ("timezone", "defaults")
    assert layouts(engine) == {POST: "a", "memo.md": None}
    assert rows(engine)[POST].date == "2025-12-24T00:00:00+09:00"
    assert stale(engine) == 0


def test_later_upload_below_the_folder_is_read_by_it(engine: Engine) -> None:
    take(engine, FILES)
    other = "blog/ja/_posts/2025-12-25-kiji.md"
    take(engine, {other: markdown(title="二"), "blog2/a.md": markdown(title="三")})

    assert layouts(engine) == {POST: "a", "memo.md": None, other: "a", "blog2/a.md": None}


def test_nearest_configuration_counts_alone(engine: Engine) -> None:
    take(engine, FILES | {"_config.yml": "defaults:\n- values: {layout: root}\nlang: ja\n"})

    assert layouts(engine) == {POST: "a", "memo.md": "root"}
    assert stale(engine) == 0


def test_same_upload_again_writes_nothing(engine: Engine) -> None:
    take(engine, FILES)
    before = history(engine), state(engine)
    report = take(engine, FILES)

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "unchanged", "memo.md": "unchanged"}
    assert [result.changed for result in report.results] == [(), (), ()]
    assert (history(engine), state(engine)) == before


def test_changed_configuration_updates_the_posts_below_it_that_are_stored(engine: Engine) -> None:
    take(engine, FILES)
    report = take(engine, {"blog/_config.yml": SEOUL}, now=NOW + timedelta(days=1))

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "updated"}
    assert [result.changed for result in report.results] == [("timezone", "defaults"), ("layout", "front_matter")]
    assert layouts(engine) == {POST: "b", "memo.md": None}
    assert rows(engine)[POST].updated_at == rows(engine)[POST].published_at  # the author has changed nothing
    assert stale(engine) == 0


def test_changed_remark_in_a_configuration_touches_no_post(engine: Engine) -> None:
    take(engine, FILES)
    before = history(engine), state(engine)
    report = take(engine, {"blog/_config.yml": f"# 注\n{TOKYO}"})

    assert actions(report) == {"blog/_config.yml": "skipped"}
    assert configs(engine) == {"blog/_config.yml": f"# 注\n{TOKYO}".encode()}
    assert (history(engine), state(engine)) == before


def test_dry_run_says_what_a_configuration_would_change(engine: Engine) -> None:
    take(engine, FILES)
    report = take(engine, {"blog/_config.yml": SEOUL}, dry_run=True)

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "updated"}
    assert (layouts(engine)[POST], configs(engine)) == ("a", {"blog/_config.yml": TOKYO.encode()})


def test_broken_configuration_fails_and_leaves_the_stored_one_in_its_place(engine: Engine) -> None:
    take(engine, FILES)
    broken = {"blog/_config.yml": "a: b: c\n", POST: markdown(title="改")}

    assert codes(take(engine, broken)) == {"blog/_config.yml": ["yaml_syntax"], POST: ["left_out"]}
    assert codes(take(engine, broken, atomic=False)) == {"blog/_config.yml": ["yaml_syntax"]}
    assert (layouts(engine)[POST], rows(engine)[POST].title) == ("a", "改")
    assert configs(engine) == {"blog/_config.yml": TOKYO.encode()}


def test_what_another_file_keeps_from_being_stored_is_said_of_a_configuration_too(engine: Engine) -> None:
    report = take(engine, {"_config.yml": TOKYO, "a.md": "---\ntitle: [\n"})

    assert codes(report) == {"_config.yml": ["left_out"], "a.md": ["front_matter_unclosed"]}
    assert configs(engine) == {}


def test_pruning_removes_a_configuration_that_is_gone(engine: Engine) -> None:
    take(engine, FILES)
    report = take(engine, {POST: FILES[POST]}, prune_below="blog/")

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "updated"}
    assert (configs(engine), layouts(engine)) == ({}, {POST: None, "memo.md": None})


def test_pruning_spares_what_the_manifest_names(engine: Engine) -> None:
    take(engine, FILES)
    with reading(engine) as connection:
        manifest = {"blog/_config.yml": read_sites(connection)["blog/_config.yml"].sha256, "memo.md": "0" * 64}
    report = take(engine, {POST: FILES[POST]}, prune_below="", manifest=manifest, atomic=False)

    assert actions(report) == {POST: "unchanged", "memo.md": "failed"}
    assert configs(engine) == {"blog/_config.yml": TOKYO.encode()}


def test_pruned_post_is_not_read_again_by_the_new_configuration(engine: Engine) -> None:
    take(engine, FILES)
    report = take(engine, {"blog/_config.yml": SEOUL}, prune_below="blog/")

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "deleted"}


def test_too_large_a_prune_keeps_the_configuration(engine: Engine) -> None:
    take(engine, {"_config.yml": TOKYO} | {f"_posts/2025-01-{day:02}-x.md": f"{day}" for day in range(1, 12)})
    with pytest.raises(Conflict):
        take(engine, {}, prune_below="")

    assert configs(engine) == {"_config.yml": TOKYO.encode()}


def test_post_that_the_new_configuration_breaks_keeps_its_rendering_until_it_is_rendered_again(engine: Engine) -> None:
    take(engine, FILES)
    report = take(engine, {"blog/_config.yml": "defaults:\n- values: {date: いつか}\n"}, atomic=False)

    assert codes(report) == {POST: ["invalid_date"]}
    assert (layouts(engine)[POST], stale(engine)) == ("a", 1)


def test_rerendering_keeps_to_the_configurations(engine: Engine) -> None:
    take(engine, FILES)
    newer = Context(lang="ja")

    assert stale(engine, newer) == 2
    rerender(engine, newer, now=NOW)

    assert layouts(engine) == {POST: "a", "memo.md": None}
    assert {name: row.lang for name, row in rows(engine).items()} == {POST: "ja", "memo.md": "ja"}
    assert stale(engine, newer) == 0


def test_what_a_configuration_rerenders_is_still_its_writers_word(engine: Engine) -> None:
    take(engine, FILES)
    take(engine, {"blog/_config.yml": SEOUL}, via="cli")
    with reading(engine) as connection:
        last = connection.exec_driver_sql("SELECT kind, via FROM change ORDER BY pk DESC LIMIT 1").one()

    assert tuple(last) == ("updated", "rerender")


def test_export_gives_configurations_back_byte_for_byte(engine: Engine) -> None:
    take(engine, FILES)
    with reading(engine) as connection:
        exported = {source.name: source.content.decode() for source in export_sources(connection)}

    assert exported == FILES


def write_another(engine: Engine) -> None:
    take(engine, {POST: markdown(title="別")})


def delete(engine: Engine) -> None:
    delete_one(engine, "kiji", options=options(), now=NOW, guard=lambda _: None)


@pytest.mark.parametrize("meanwhile", [write_another, delete])
def test_post_that_is_another_one_only_while_it_is_rendered_again_keeps_its_words(
    engine: Engine, meanwhile: Callable[[Engine], None]
) -> None:
    take(engine, FILES)
    once = iter([meanwhile])

    def parse_meanwhile(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T], /
    ) -> Iterator[T | Finding]:
        for change in once:
            change(engine)
            parsed = list(finish_each(sources, contexts, finish))
            take(engine, {POST: FILES[POST]})
            return iter(parsed)
        return finish_each(sources, contexts, finish)

    report = ingest(
        engine,
        batch({"blog/_config.yml": SEOUL}),
        context=Context(),
        options=options(),
        now=NOW,
        parse_each=parse_meanwhile,
    )

    assert actions(report) == {"blog/_config.yml": "skipped", POST: "updated"}
    assert (rows(engine)[POST].title, layouts(engine)[POST]) == ("記事", "b")
