"""The tags by what they hold: each ending of a tag's form stands in an ordered index, so a range of it is the answer.

A tag stays when its last post goes: who reads asks anyway whether the tag has a post that may be seen.
"""

from collections.abc import Iterable

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    Select,
    SmallInteger,
    String,
    Table,
    bindparam,
    func,
    insert,
    select,
)

from app.documents.leaves import comparable
from app.documents.normalize import term_key
from app.search.typed import Typed, endings, form

_CODE_POINTS = String().with_variant(String(collation="C"), "postgresql")
_LENGTH = 60  # characters of an ending that are kept; the tag itself decides beyond
_endings = Table(
    "post_search_tag",
    MetaData(),
    Column("ending", _CODE_POINTS, primary_key=True),
    Column("key", _CODE_POINTS, primary_key=True, index=True),
    Column("is_start", SmallInteger, nullable=False),
)
_NOTED = select(_endings.c.key).where(_endings.c.key.in_(bindparam("keys", expanding=True))).distinct()


def create(connection: Connection) -> None:
    _endings.create(connection)


def drop(connection: Connection) -> None:
    _endings.drop(connection, checkfirst=True)


def write(connection: Connection, names: Iterable[str]) -> None:
    """Notes the tags that are not noted yet."""
    keys = {comparable(term_key(name)) for name in names}
    new = sorted(keys.difference(connection.execute(_NOTED, {"keys": list(keys)}).scalars())) if keys else []
    if rows := [row for key in new for row in _rows(key)]:
        connection.execute(insert(_endings), rows)


def _rows(key: str) -> Iterable[dict[str, str | int]]:
    found: dict[str, int] = {}
    for ending in endings(form(key)):
        found.setdefault(ending[:_LENGTH], int(not found))
    return ({"ending": ending, "key": key, "is_start": is_start} for ending, is_start in found.items())


def holding() -> Select[str]:
    """The keys of the tags that hold what `parameters` says; those that begin with it first."""
    begin, end = (bindparam(name, type_=_CODE_POINTS) for name in ("ending_begin", "ending_end"))
    return (
        select(_endings.c.key)
        .where(_endings.c.ending >= begin, _endings.c.ending < end)
        .group_by(_endings.c.key)
        .order_by(func.max(_endings.c.is_start).desc(), func.length(_endings.c.key), _endings.c.key)
    )


def parameters(typed: Typed) -> dict[str, str]:
    """The longest phrase of what is typed."""
    sought = max((phrase.needle.lstrip(" ") for phrase in typed.phrases), key=len)[:_LENGTH]
    return {"ending_begin": sought, "ending_end": sought + "\U0010ffff"}
