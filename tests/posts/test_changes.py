"""The label of the content: equal while nothing visible changed, and never going back."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, update

from app.database import writing
from app.posts.changes import State, label_key
from app.posts.ingest import delete_one
from app.posts.models import content
from tests.building import NOW, markdown
from tests.posts.samples import found, options, state, take

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def at(instant: datetime) -> str:
    return instant.isoformat()


def test_empty_content_is_version_zero(engine: Engine) -> None:
    assert state(engine) == State(
        version=0,
        label="0",
        changed_at=datetime.fromisoformat("2020-01-01T00:00:00Z"),
        is_exact=True,
        next_flip=None,
    )


def test_visible_change_makes_a_new_version(engine: Engine) -> None:
    report = take(engine, {"a.md": "一"})

    assert report.version == state(engine).label == "1"
    assert state(engine).changed_at == NOW


@pytest.mark.parametrize(
    "front",
    [{"draft": True}, {"date": at(NOW + HOUR)}, {"date": "2019-01-01", "expires_at": "2019-02-01"}],
    ids=["draft", "scheduled", "expired long ago"],
)
def test_change_that_nobody_sees_leaves_the_label(engine: Engine, front: dict[str, Any]) -> None:
    take(engine, {"a.md": "一"})
    before = state(engine)
    take(engine, {"b.md": markdown(**front)}, now=NOW + MINUTE)
    take(engine, {"b.md": markdown("改", **front)}, now=NOW + MINUTE)
    delete_one(engine, "b", options=options(), now=NOW + MINUTE, guard=lambda _: None)

    after = state(engine, NOW + MINUTE)
    assert (after.label, after.changed_at) == (before.label, before.changed_at)


def test_publication_by_the_clock_is_a_change(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date=at(NOW + HOUR))})
    before, after = state(engine, NOW + HOUR - MINUTE), state(engine, NOW + HOUR)

    assert before.next_flip == NOW + HOUR
    assert after.label != before.label
    assert (after.changed_at, after.next_flip, after.is_exact) == (NOW + HOUR, None, True)


def test_expiry_by_the_clock_is_a_change(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date="2025-12-01", expires_at=at(NOW + HOUR))})
    before, after = state(engine, NOW + HOUR - MINUTE), state(engine, NOW + HOUR)

    assert before.next_flip == NOW + HOUR
    assert after.label != before.label
    assert after.changed_at == NOW + HOUR


def test_next_flip_is_the_first_one(engine: Engine) -> None:
    take(
        engine,
        {
            "a.md": markdown(date=at(NOW + 3 * HOUR)),
            "b.md": markdown(date="2025-12-01", expires_at=at(NOW + 2 * HOUR)),
            "c.md": markdown(date=at(NOW + HOUR), draft=True),
        },
    )

    assert state(engine).next_flip == NOW + 2 * HOUR
    assert state(engine, NOW + 2 * HOUR).next_flip == NOW + 3 * HOUR


def test_post_that_never_shows_brings_no_flip(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date=at(NOW + 2 * HOUR), expires_at=at(NOW + HOUR))})

    assert state(engine).next_flip is None
    assert state(engine, NOW + 3 * HOUR).label == state(engine).label


def test_label_does_not_go_back_when_an_expired_post_goes(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date="2025-12-01", expires_at=at(NOW + HOUR))})
    shown = state(engine).label
    expired = state(engine, NOW + HOUR).label
    delete_one(engine, "a", options=options(), now=NOW + 2 * HOUR, guard=lambda _: None)
    gone = state(engine, NOW + 2 * HOUR).label

    assert label_key(shown) < label_key(expired) < label_key(gone)


def test_flip_in_the_second_of_a_commit_is_not_exact(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date=at(NOW + HOUR))})
    take(engine, {"b.md": "一"}, now=NOW + HOUR)

    assert state(engine, NOW + HOUR).changed_at == NOW + HOUR
    assert not state(engine, NOW + HOUR).is_exact


def test_two_commits_in_one_second_are_not_exact(engine: Engine) -> None:
    take(engine, {"a.md": markdown(date="2025-12-01")})
    once = state(engine)
    take(engine, {"b.md": markdown(date="2025-12-01")}, now=NOW + timedelta(milliseconds=300))

    assert once.is_exact
    assert not state(engine).is_exact


def test_commit_of_a_writer_whose_clock_is_behind_is_not_exact(engine: Engine) -> None:
    take(engine, {"a.md": "一"})
    take(engine, {"b.md": "二"}, now=NOW - MINUTE)

    assert not state(engine).is_exact


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("9", "10"), ("2", "2.5"), ("2.9", "2.10"), ("2.99", "3")])
def test_labels_have_an_order(first: str, second: str) -> None:
    assert label_key(first) < label_key(second)


@pytest.mark.parametrize("text", ["", "x", "1.x", "1.2.3"])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        label_key(text)


steps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["write", "draft", "delete", "wait"]),
        st.integers(-2, 3),
        st.one_of(st.none(), st.integers(-1, 4)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_equal_labels_mean_equal_lists_and_labels_only_grow(
    engine: Engine, made: list[tuple[str, str, int, int | None]]
) -> None:
    now = NOW
    start = NOW - timedelta(days=1)
    for slug in found(engine, status="any"):
        delete_one(engine, slug, options=options(), now=now, guard=lambda _: None)
    with writing(engine) as connection:
        connection.execute(update(content).values(visible_at=start))
    seen: dict[str, list[str]] = {}
    labels: list[tuple[int, int]] = []

    for one in made:
        now += timedelta(seconds=30)
        step(engine, now, one)
        for _ in range(2):
            now += timedelta(seconds=30)
            label = state(engine, now).label
            visible = found(engine, now=now)
            labels.append(label_key(label))
            assert seen.setdefault(label, visible) == visible

    assert labels == sorted(labels)


def step(engine: Engine, now: datetime, made: tuple[str, str, int, int | None]) -> None:
    name, action, date, expiry = made
    front: dict[str, Any] = {"date": at(now + date * MINUTE)}
    if expiry is not None:
        front["expires_at"] = at(now + expiry * MINUTE)
    match action:
        case "write":
            take(engine, {f"{name}.md": markdown(at(now), **front)}, now=now)
        case "draft":
            take(engine, {f"{name}.md": markdown(at(now), draft=True, **front)}, now=now)
        case "delete" if found(engine, status="any", slug=name):
            delete_one(engine, name, options=options(), now=now, guard=lambda _: None)
        case _:
            pass
