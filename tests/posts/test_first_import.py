"""The first import parses and writes at once, and comes to what any other import comes to."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

import pytest
from sqlalchemy import Engine, delete, select

from app.database import reading, writing
from app.documents.context import Context, Contexts
from app.documents.document import Document
from app.documents.sources import Source
from app.errors import Finding, RendererUnavailable
from app.posts.ingest import ingest
from app.posts.models import aliases, bodies, field_values, keywords, posts, site_files, terms
from app.posts.store import delete_posts
from app.rendering.tasks import finish_each
from tests.building import NOW, markdown
from tests.posts.recording import recorded
from tests.posts.samples import batch, history, options, page, slugs, take

T = TypeVar("T")
TABLES = (posts, bodies, terms, field_values, keywords, aliases)
FILES = {
    "_config.yml": "permalink: /:categories/:title/\ncategories: 経済\n",
    **{f"{number:03}.md": markdown(title=f"記事 {number}", tags=["AI"]) for number in range(70)},
    # Who is earliest gets a slug, whoever comes first.
    "a.md": markdown(slug="same", date="2026-01-03", rating=1),
    "b.md": markdown(slug="same", date="2026-01-02", author="著者"),
    "c.md": markdown(slug="same", date="2026-01-01"),
    "d.md": markdown(slug="same-2026-01-02", date="2026-01-05"),
    "e.md": markdown(slug="same"),
    "broken.md": "---\ntitle: [\n---\n",
    "empty.md": "",
    "z/news.en.md": markdown(lang="en"),
    "z/news.md": markdown(aliases=["/old"], draft=True),
}


def everything(engine: Engine) -> dict[str, list[str]]:
    """All rows that posts have, without the numbers of those that are many to a post."""
    with reading(engine) as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*columns))))
            for table in TABLES
            if (columns := [column for column in table.c if column.name != "pk" or table is posts])
        }


def emptied(engine: Engine) -> None:
    with writing(engine) as connection:
        delete_posts(connection, connection.execute(select(posts.c.pk)).scalars().all())
        connection.execute(delete(site_files))


def test_the_first_import_comes_to_what_any_import_comes_to(engine: Engine) -> None:
    other = take(engine, FILES, via="http", atomic=False)
    expected, planned = everything(engine), history(engine)
    emptied(engine)
    report = take(engine, FILES, via="cli", atomic=False)

    assert everything(engine) == expected
    assert report.results == other.results
    assert [change[1:] for change in history(engine)[len(planned) :]] == [change[1:] for change in planned]
    assert page(engine, "q=記事").total == 70


def test_files_are_written_while_others_are_parsed(engine: Engine) -> None:
    seen: list[bool] = []  # at each file, whether any was written

    def parse_each(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T]
    ) -> Iterator[T | Finding]:
        for parsed in finish_each(sources, contexts, finish):
            seen.append(any(statement.startswith("INSERT INTO post ") for statement in statements))
            yield parsed

    with recorded(engine) as statements:
        ingest(engine, batch(FILES), context=Context(), options=options(via="cli"), now=NOW, parse_each=parse_each)

    assert seen[0] is False
    assert seen[-1] is True


@pytest.mark.parametrize("stop", [RendererUnavailable("it is gone"), KeyboardInterrupt()])
def test_nothing_is_stored_of_an_import_that_stops(engine: Engine, stop: BaseException) -> None:
    def parse_each(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T]
    ) -> Iterator[T | Finding]:
        yield from islice(finish_each(sources, contexts, finish), 50)
        raise stop

    with pytest.raises(type(stop)):
        ingest(engine, batch(FILES), context=Context(), options=options(via="cli"), now=NOW, parse_each=parse_each)

    assert everything(engine) == {table.name: [] for table in TABLES}
    assert history(engine) == []


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_first_import_that_is_refused_or_tried_keeps_nothing(engine: Engine, dry_run: bool) -> None:
    report = take(engine, FILES, via="cli", atomic=not dry_run, dry_run=dry_run)

    assert not report.committed
    assert slugs(engine) == {}
