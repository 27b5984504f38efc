from dataclasses import replace

from sqlalchemy import Engine, func, select, update

from app.database import reading, writing
from app.documents.document import Context
from app.documents.sources import Batch, Source
from app.posts.ingest import Options, ingest
from app.posts.models import bodies, changes, posts
from app.posts.report import Result
from app.posts.rerender import CHUNK, count_stale, rerender
from tests.building import NOW, markdown

OLD, NEW = Context(), Context(timezone="Asia/Tokyo")


def fill(engine: Engine, number: int) -> None:
    sources = [Source(name=f"2025-01-01-{i}.md", content=markdown(title=f"題{i}").encode()) for i in range(number)]
    ingest(engine, Batch(sources=sources), context=OLD, options=Options(author="t", via="http"), now=NOW)


def test_stale_posts_are_rendered_again_in_chunks(engine: Engine) -> None:
    fill(engine, CHUNK + 5)
    done: list[Result] = []

    assert count_stale(engine, NEW) == CHUNK + 5
    rerender(engine, NEW, now=NOW, on_result=done.append)

    assert {result.action for result in done} == {"updated"}
    assert len(done) == CHUNK + 5
    assert count_stale(engine, NEW) == 0
    with reading(engine) as connection:
        assert connection.execute(select(func.count(changes.c.version.distinct()))).scalar_one() == 3
        assert connection.execute(select(posts.c.date).distinct()).scalars().all() == ["2025-01-01T00:00:00+09:00"]


def test_what_is_up_to_date_is_left_alone(engine: Engine) -> None:
    fill(engine, 3)
    done: list[Result] = []
    rerender(engine, OLD, now=NOW, on_result=done.append)

    assert done == []


def test_post_that_fails_keeps_its_old_rendering_and_is_reported(engine: Engine) -> None:
    fill(engine, 2)
    with writing(engine) as connection:
        connection.execute(update(bodies).where(bodies.c.post_pk == 1).values(source=b"---"))
    done: list[Result] = []
    rerender(engine, replace(NEW, lang="ja"), now=NOW, on_result=done.append)

    assert sorted(result.action for result in done) == ["failed", "updated"]
    assert count_stale(engine, replace(NEW, lang="ja")) == 1
