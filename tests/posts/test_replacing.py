"""Stored posts replaced: everything comes to what it would be, had only the last file been stored."""

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from app.database import reading, writing
from app.posts.models import aliases, bodies, field_values, keywords, posts, terms
from app.search.index import condition
from app.search.query import parse
from tests.building import markdown
from tests.posts.recording import recorded
from tests.posts.samples import take

FILES = {
    "plain": markdown("本文", title="題"),
    "text": markdown("別の文", title="題"),
    "title": markdown("本文", title="別の題"),
    "terms": markdown("本文", title="題", tags=["甲", "乙"], categories=["丙"], author="丁"),
    "other order": markdown("本文", title="題", tags=["乙", "甲"], categories=["丙"], author="丁"),
    "fields": markdown("本文", title="題", rating=1, seen="2026-01-01"),
    "written otherwise": markdown("本文", title="題", rating="1", seen="2026-01-01"),
    "aliases": markdown("本文", title="題", aliases=["/a", "/b"]),
    "later": markdown("本文", title="題", tags=["甲"], date="2026-01-02"),
    "draft": markdown("本文", title="題", tags=["甲"], draft=True),
    "expires": markdown("本文", title="題", tags=["甲"], expires="2030-01-01"),
}


@pytest.mark.parametrize("way", list(permutations(FILES, 2)), ids=" to ".join)
def test_a_replaced_post_is_as_if_it_had_come_first(engine: Engine, way: tuple[str, str]) -> None:
    before, after = (FILES[name] for name in way)
    take(engine, {"a.md": before, "b.md": after})
    take(engine, {"a.md": after})

    assert _all(engine, "a.md") == _all(engine, "b.md")
    assert _found(engine, "別") == (["a.md", "b.md"] if "別" in after else [])


def _all(engine: Engine, name: str) -> dict[str, Any]:
    """All rows of a post, without what names it or says when it was written."""
    with reading(engine) as connection:
        row = connection.execute(select(posts).where(posts.c.source_name == name)).mappings().one()
        found: dict[str, Any] = {"post": [{**row, "updated_at": None}]}
        for table in (bodies, terms, field_values, keywords, aliases):
            rows = connection.execute(select(table).where(table.c.post_pk == row["pk"])).mappings()
            found[table.name] = sorted(({**part, "pk": None} for part in rows), key=repr)
    assert all(part["updated_at"] == row["updated_at"] for part in found["term"])
    names = ("pk", "post_pk", "id", "source_name", "slug", "slug_wanted", "updated_at")
    return {
        table: [{name: value for name, value in part.items() if name not in names} for part in rows]
        for table, rows in found.items()
    }


def _found(engine: Engine, word: str) -> list[str]:
    with reading(engine) as connection:
        wanted = condition(parse(word), connection.dialect.name, posts.c.pk)
        return sorted(connection.execute(select(posts.c.source_name).where(wanted)).scalars())


def test_what_did_not_change_is_not_written_again(engine: Engine) -> None:
    front: dict[str, Any] = {
        "title": "題",
        "tags": ["甲"],
        "aliases": ["/a"],
        "date": "2026-01-01",
        "updated": "2026-01-02",
    }
    take(engine, {"a.md": markdown("本文", **front)})
    with recorded(engine) as statements:
        take(engine, {"a.md": markdown("別の文", excerpt="抜粋", **front)})
    with recorded(engine) as text_alone:
        take(engine, {"a.md": markdown("また別の文", excerpt="抜粋", **front)})

    assert _written(statements) - _written(text_alone) == {"field_value", "keyword"}
    assert _written(text_alone).isdisjoint({"term", "field_value", "keyword", "alias"})


def test_what_an_older_version_made_is_made_again(engine: Engine) -> None:
    file = markdown("本文", title="題", tags=["甲"], aliases=["/a"], date="2026-01-01")
    take(engine, {"a.md": file})
    with writing(engine) as connection:
        connection.execute(update(posts).values(rendered_by="older"))
        connection.execute(update(terms).values(key="older"))
        connection.execute(update(keywords).values(keyword=keywords.c.keyword + 1))
        connection.execute(update(aliases).values(value="/older"))
    take(engine, {"a.md": file})
    take(engine, {"b.md": file})

    assert _all(engine, "a.md") == _all(engine, "b.md")


def _written(statements: list[str]) -> set[str]:
    """The tables that are written to."""
    words = (statement.replace("INSERT OR REPLACE", "INSERT").replace("(", " ").split() for statement in statements)
    return {word[1] if word[0] == "UPDATE" else word[2] for word in words if word[0] in ("INSERT", "DELETE", "UPDATE")}
