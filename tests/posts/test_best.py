"""Searches by relevance: what of them is found in a hurry, and what is found once in an epoch."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from app.posts.best import FEW, QUICK
from app.posts.epochs import Snapshot, Unhurried
from app.posts.filters import ListQuery
from tests.building import NOW, markdown
from tests.posts.recording import recorded
from tests.posts.samples import listed, query_of, reader, seen, show, take


def best(snapshot: Snapshot, text: str) -> tuple[list[str], int | None]:
    """The slugs of a page, and the total."""
    asking = reader(dialect=snapshot.connection.dialect.name)
    page = listed(snapshot, query_of(ListQuery, text, fields="slug"), asking, show())
    return [item["slug"] for item in page.items], page.total


def hidden(text: str) -> dict[str, str]:
    """Files with a text that nobody sees."""
    return {
        "draft.md": markdown(text, draft=True),
        "scheduled.md": markdown(text, date=str(NOW + timedelta(days=1))),
        "expired.md": markdown(text, expires_at=str(NOW - timedelta(days=1))),
    }


def test_a_total_leaves_out_what_nobody_sees(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown("株価") for n in range(3)} | hidden("株価"))
    with seen(engine) as snapshot:
        slugs, total = best(snapshot, "q=株価")
        with_others = best(snapshot, "q=株価&reading_time__gte=0&limit=1")[1]
        drafts = best(snapshot, "q=株価&status=draft")

    assert (sorted(slugs), total, with_others) == (["0", "1", "2"], 3, 3)
    assert drafts == (["draft"], 1)


def test_a_total_leaves_out_the_many_that_nobody_sees(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown("株価", draft=n > 1) for n in range(FEW + 3)})
    with seen(engine) as snapshot:
        assert best(snapshot, "q=株価") == (["1", "0"], 2)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_few_are_found_in_a_hurry(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown("株価") for n in range(3)} | hidden("株価"))
    with seen(engine) as snapshot:
        hurried = replace(snapshot, is_hurried=True)
        in_a_hurry = [best(hurried, text) for text in ("q=株価", "q=相場")]

        assert in_a_hurry == [(["2", "1", "0"], 3), ([], 0)]


@pytest.mark.parametrize("text", ["価", "株価 -相場", "-相場", " ".join(map(str, range(9)))])
def test_what_reads_much_of_the_index_is_not_asked_in_a_hurry(engine: Engine, text: str) -> None:
    take(engine, {"a.md": markdown("株価")})
    with seen(engine) as snapshot, pytest.raises(Unhurried):
        best(replace(snapshot, is_hurried=True), f"q={text}")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_many_are_found_in_a_hurry_where_they_are_known(engine: Engine) -> None:
    take(engine, {f"{n:04}.md": markdown("株価") for n in range(QUICK + 1)} | hidden("株価"))
    with seen(engine) as snapshot:
        hurried = replace(snapshot, is_hurried=True)
        for _ in range(2):
            with pytest.raises(Unhurried):
                best(hurried, "q=株価&limit=1")
        first = best(snapshot, "q=株価&limit=1")

        assert first == best(hurried, "q=株価&limit=1") == ([f"{QUICK:04}"], QUICK + 1)


def test_pages_after_the_second_are_known(engine: Engine) -> None:
    take(engine, {f"{n}.md": markdown("株価", date=f"2025-01-0{n + 1}") for n in range(5)})
    with seen(engine) as snapshot:
        pages = [best(snapshot, f"q=株価&limit=1&page={number}") for number in (1, 2)]
        with recorded(engine) as statements:
            pages += [best(snapshot, f"q=株価&limit=1&page={number}") for number in (3, 4, 5, 6)]

    assert pages == [([slug], 5) for slug in "43210"] + [([], 5)]
    assert not [statement for statement in statements if "ranked" in statement]
