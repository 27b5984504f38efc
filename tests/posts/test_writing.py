"""Plans written by the portion."""

from datetime import timedelta

from sqlalchemy import Engine

from app.posts.writing import PORTION
from tests.building import NOW, markdown
from tests.posts.samples import actions, history, slugs, take

MANY = PORTION + 5


def test_slugs_are_exchanged_across_portions(engine: Engine) -> None:
    names = [f"{number:03}.md" for number in range(MANY)]
    take(engine, {name: markdown(slug=f"s{number}") for number, name in enumerate(names)})
    report = take(engine, {name: markdown(slug=f"s{MANY - 1 - number}") for number, name in enumerate(names)})

    assert set(actions(report).values()) <= {"updated", "unchanged"}
    assert slugs(engine) == {name: f"s{MANY - 1 - number}" for number, name in enumerate(names)}


def test_all_portions_are_one_version_with_what_was_created_told_first(engine: Engine) -> None:
    old = {f"{number:03}.md": "一" for number in range(MANY)}
    take(engine, old)
    report = take(engine, dict.fromkeys(old, "二") | {"new.md": "三"}, now=NOW + timedelta(hours=1))

    assert [result.action for result in report.results] == ["created", *["updated"] * MANY]
    assert {version for version, _, _ in history(engine)[MANY:]} == {2}
    assert len(history(engine)) == 2 * MANY + 1
