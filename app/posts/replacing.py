"""Stored posts replaced by what they have become; what did not change of one is not written again.

Most changes are of the text alone. Each row that stays as it is spares the pages of all its indexes, which a commit
would have to bring to the disk.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, select, update

from app.posts.models import AnyRow, aliases, bodies, field_values, keywords, posts, terms
from app.posts.prepared import read, write
from app.posts.records import Records
from app.posts.store import COPIED, PARTS, insert_rows
from app.search import index as search

_pks: Any = bindparam("pks", expanding=True)
_UPDATED = {
    table: update(table).where(key == bindparam("replaced"))
    for table, key in ((posts, posts.c.pk), (bodies, bodies.c.post_pk), (terms, terms.c.post_pk))
}
_DELETED = {table: delete(table).where(table.c.post_pk.in_(_pks)) for table in PARTS}
_DELETED[aliases] = _DELETED[aliases].where(aliases.c.kind == "path")
_FIELDS = select(field_values).where(field_values.c.post_pk.in_(_pks)).order_by(*field_values.primary_key)
_MADE_OF = {  # what the rows of a post in these tables are made of; another version may make others of the same
    terms: ("rendered_by", "categories", "tags", "authors"),
    keywords: ("rendered_by", "title", "tags", "excerpt", "draft", "published_at", "expires_at"),
    aliases: ("rendered_by", "aliases"),
}
# What is made of a text, in `post`; not the language, which may stand in the address that other posts link to.
_OF_TEXTS = frozenset(("sha256", "updated_at", "reading_time"))


def replace_posts(
    connection: Connection, changed: Sequence[tuple[dict[str, Any], Records]], before: Mapping[int, AnyRow]
) -> bool:
    """Writes changed posts in the place of those with their keys, whose slugs are free if they change.

    `before` are the stored posts whole, by key. Tells whether no more than their texts changed.
    """
    fields = _stored_fields(connection, before)
    anew: dict[Table, list[tuple[dict[str, Any], Records]]] = {table: [] for table in PARTS}
    copied: list[tuple[int, dict[str, Any]]] = []
    for row, records in changed:
        old, new = before[row["pk"]], row | records.body
        for table, names in _MADE_OF.items():
            if _news(old, new, names):
                anew[table].append((row, records))
            elif table is terms:
                copied.append((old.pk, _news(old, new, COPIED)))
        if list(PARTS[field_values](row, records)) != fields.get(old.pk, []):
            anew[field_values].append((row, records))
    news = [(row["pk"], _news(before[row["pk"]], row, row)) for row, _ in changed]
    _update(connection, posts, news)
    _update(connection, bodies, ((row["pk"], records.body) for row, records in changed))
    _update(connection, terms, copied)
    for table, pairs in anew.items():
        if pairs:
            connection.execute(_DELETED[table], {"pks": [row["pk"] for row, _ in pairs]})
            insert_rows(connection, table, (part for pair in pairs for part in PARTS[table](*pair)))
    search.insert(connection, ((row["pk"], records.entry) for row, records in changed))
    return all(_OF_TEXTS.issuperset(columns) for _, columns in news)


def _news(old: AnyRow, new: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: new[name] for name in names if new[name] != getattr(old, name)}


def _update(connection: Connection, table: Table, news: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Sets what is new of each post, by key: the posts with news of the same columns in one statement."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for pk, values in news:
        if values:
            alike.setdefault(tuple(values), []).append(values | {"replaced": pk})
    for rows in alike.values():
        write(connection, _UPDATED[table], rows)


def _stored_fields(connection: Connection, pks: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    fields: dict[int, list[dict[str, Any]]] = {}
    for row in read(connection, _FIELDS, pks=list(pks)):
        fields.setdefault(row.post_pk, []).append(row._asdict())
    return fields
