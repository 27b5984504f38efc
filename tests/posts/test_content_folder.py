"""What a start takes from the content folder, and what it leaves alone."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Engine

from app.documents.context import Context, Contexts
from app.documents.document import Document
from app.documents.sources import Limits, Source, gather, in_folder
from app.errors import Finding
from app.posts.content_folder import Taken, take_folder
from app.posts.ingest import delete_one, ingest
from app.rendering.pool import Renderers
from app.rendering.tasks import finish_each
from tests.building import NOW
from tests.posts.samples import actions, codes, history, options, rows, state, take

T = TypeVar("T")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "content"
    path.mkdir()
    (path / "a.md").write_text("一")
    (path / "b.md").write_text("二")
    return path


def start(engine: Engine, folder: Path, context: Context | None = None) -> Taken:
    return take_folder(engine, folder, context=context or Context(), now=NOW)


def test_first_start_takes_all_posts(engine: Engine, folder: Path) -> None:
    (folder / "README.md").write_text("これは記事ではない")
    taken = start(engine, folder)

    assert actions(taken.report) == {"README.md": "skipped", "a.md": "created", "b.md": "created"}
    assert taken.left_alone == ()


def test_second_start_takes_nothing(engine: Engine, folder: Path) -> None:
    start(engine, folder)
    before = (history(engine), state(engine))
    taken = start(engine, folder)

    assert actions(taken.report) == {}
    assert (history(engine), state(engine)) == before


def test_changed_file_is_taken_again(engine: Engine, folder: Path) -> None:
    start(engine, folder)
    (folder / "a.md").write_text("一の二")

    assert actions(start(engine, folder).report) == {"a.md": "updated"}


def test_removed_file_leaves_its_post(engine: Engine, folder: Path) -> None:
    start(engine, folder)
    (folder / "a.md").unlink()
    start(engine, folder)

    assert sorted(rows(engine)) == ["a.md", "b.md"]


def test_bad_file_is_reported_at_every_start_and_keeps_nothing_from_being_taken(engine: Engine, folder: Path) -> None:
    (folder / "bad.md").write_text("---\ntitle: [\n---\n")

    for _ in range(2):
        taken = start(engine, folder)
        assert actions(taken.report)["bad.md"] == "failed"
    assert sorted(rows(engine)) == ["a.md", "b.md"]


def test_mended_file_is_taken(engine: Engine, folder: Path) -> None:
    (folder / "bad.md").write_text("---\ntitle: [\n---\n")
    start(engine, folder)
    (folder / "bad.md").write_text("よい")

    assert actions(start(engine, folder).report) == {"bad.md": "created"}


def test_other_context_reads_the_folder_again(engine: Engine, folder: Path) -> None:
    start(engine, folder)

    assert actions(start(engine, folder, Context(timezone="Asia/Tokyo")).report) == {
        "a.md": "updated",
        "b.md": "updated",
    }


def test_name_written_over_http_is_left_alone_while_the_file_differs(engine: Engine, folder: Path) -> None:
    start(engine, folder)
    take(engine, {"a.md": "HTTP で改めた"})
    assert start(engine, folder).left_alone == ()
    (folder / "a.md").write_text("手元で改めた")
    taken = start(engine, folder)

    assert taken.left_alone == ("a.md",)
    assert rows(engine)["a.md"].excerpt == "HTTP で改めた"


def test_name_deleted_over_http_does_not_come_back(engine: Engine, folder: Path) -> None:
    start(engine, folder)
    delete_one(engine, "a", options=options(), now=NOW, guard=lambda _: None)
    (folder / "a.md").write_text("戻したい")

    assert start(engine, folder).left_alone == ("a.md",)
    assert list(rows(engine)) == ["b.md"]


def test_name_first_written_over_http_is_left_alone(engine: Engine, folder: Path) -> None:
    take(engine, {"a.md": "HTTP"})

    assert start(engine, folder).left_alone == ("a.md",)
    assert rows(engine)["a.md"].excerpt == "HTTP"


def test_name_written_from_the_command_line_is_the_folders_again(engine: Engine, folder: Path) -> None:
    take(engine, {"a.md": "HTTP"})
    take(engine, {"a.md": "命令"}, via="cli", now=NOW + timedelta(hours=1))

    assert start(engine, folder).left_alone == ()
    assert rows(engine)["a.md"].excerpt == "一"


def test_name_written_over_http_while_the_folder_is_read_is_left_alone(engine: Engine, folder: Path) -> None:
    writes = iter([{"a.md": "HTTP が先"}])

    def parse_while_http_writes(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T], /
    ) -> Iterator[T | Finding]:
        for files in writes:
            take(engine, files)
        return finish_each(sources, contexts, finish)

    taken = take_folder(engine, folder, context=Context(), now=NOW, parse_each=parse_while_http_writes)

    assert rows(engine)["a.md"].excerpt == "HTTP が先"
    assert taken.left_alone == ("a.md",)
    assert actions(taken.report) == {"b.md": "created"}


@pytest.mark.parametrize("times", [1, 2])
def test_file_that_is_another_one_only_while_it_is_read_is_not_lost(engine: Engine, folder: Path, times: int) -> None:
    """With one time the turn reads it as it was; with two the start takes what it read, and the next one the file."""
    left = iter(range(times))

    def parse_another(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T], /
    ) -> Iterator[T | Finding]:
        if next(left, None) is not None:
            (folder / "a.md").write_text("別のもの")
        parsed = list(finish_each(sources, contexts, finish))
        (folder / "a.md").write_text("一")
        return iter(parsed)

    take_folder(engine, folder, context=Context(), now=NOW, parse_each=parse_another)
    again = actions(start(engine, folder).report)

    assert again == ({} if times == 1 else {"a.md": "updated"})
    assert rows(engine)["a.md"].excerpt == "一"


def test_file_that_vanishes_before_it_is_read_fails_alone(engine: Engine, folder: Path, renderers: Renderers) -> None:
    """Once it is gone as soon as the folder is listed, once after its first reading; whoever parses."""
    entries = list(in_folder(folder))
    (folder / "b.md").unlink()
    batch = gather(entries, limits=Limits())

    assert [(name, finding.code) for name, finding in batch.refused] == [("b.md", "not_a_file")]

    (folder / "b.md").write_text("二")
    batch = gather(in_folder(folder), limits=Limits())
    (folder / "b.md").unlink()
    for parse_each in (finish_each, renderers.finish_each):
        report = ingest(
            engine,
            batch,
            context=Context(),
            options=options(atomic=False, dry_run=True),
            now=NOW,
            parse_each=parse_each,
        )

        assert actions(report) == {"a.md": "created", "b.md": "failed"}
        assert codes(report)["b.md"] == ["not_a_file"]


def test_configuration_of_the_folder_counts_and_its_change_moves_the_posts_below_it(
    engine: Engine, folder: Path
) -> None:
    (folder / "_posts").mkdir()
    (folder / "_posts" / "2025-01-01-c.md").write_text("三")
    (folder / "_config.yml").write_text("defaults:\n- values: {layout: x}\n")
    skipped = {"a.md": "skipped", "b.md": "skipped"}  # a site's posts lie in `_posts`

    assert actions(start(engine, folder).report) == skipped | {
        "_config.yml": "skipped",
        "_posts/2025-01-01-c.md": "created",
    }
    assert actions(start(engine, folder).report) == skipped

    (folder / "_config.yml").write_text("defaults:\n- values: {layout: y}\n")

    assert actions(start(engine, folder).report) == skipped | {
        "_config.yml": "skipped",
        "_posts/2025-01-01-c.md": "updated",
    }
    assert rows(engine)["_posts/2025-01-01-c.md"].layout == "y"


def test_configuration_last_written_over_http_is_left_alone(engine: Engine, folder: Path) -> None:
    (folder / "_config.yml").write_text("lang: ja")
    start(engine, folder)
    take(engine, {"_config.yml": "lang: en"})
    (folder / "_config.yml").write_text("lang: ko")

    assert start(engine, folder).left_alone == ("_config.yml",)
