from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, StatementError

from app.database import reading, writing
from app.posts.models import bodies, instant_text, posts
from app.posts.store import delete_posts
from tests.posts.samples import bulk, post_row

JST = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        (datetime(2025, 1, 1, 8, tzinfo=JST), datetime(2024, 12, 31, 23, tzinfo=UTC)),
        (datetime(2025, 1, 1, 0, 0, 0, 999999, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        (datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_instants_come_back_in_utc_and_whole_seconds(engine: Engine, stored: datetime, read: datetime) -> None:
    with writing(engine) as connection:
        bulk(connection, [post_row(published_at=stored, expires_at=None)])
    with reading(engine) as connection:
        row = connection.execute(select(posts.c.published_at, posts.c.expires_at)).one()

    assert (row.published_at, row.expires_at) == (read, None)
    assert row.published_at.tzinfo is UTC


def test_instant_without_a_zone_is_refused(engine: Engine) -> None:
    naive = datetime(2025, 1, 1)  # noqa: DTZ001 - what is refused

    with pytest.raises(StatementError), writing(engine) as connection:
        bulk(connection, [post_row(published_at=naive)])


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (datetime(2025, 1, 2, 3, 4, 5, 6, tzinfo=UTC), "2025-01-02T03:04:05Z"),
        (datetime(15, 1, 1, tzinfo=UTC), "0015-01-01T00:00:00Z"),
    ],
)
def test_instants_are_written_in_rfc_3339(instant: datetime, text: str) -> None:
    assert instant_text(instant) == text


@pytest.mark.parametrize("column", ["id", "source_name", "slug"])
def test_two_posts_cannot_share(engine: Engine, column: str) -> None:
    with pytest.raises(IntegrityError), writing(engine) as connection:
        bulk(connection, [post_row(**{column: "same"}), post_row(**{column: "same"})])


def test_what_belongs_to_a_post_goes_with_it(engine: Engine) -> None:
    row = post_row()
    with writing(engine) as connection:
        bulk(connection, [row])
        delete_posts(connection, [row["pk"]])
    with reading(engine) as connection:
        left = connection.execute(select(bodies)).all()

    assert left == []
