"""Posts in tables: written in bulk, read back whole."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from types import SimpleNamespace
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, bindparam, delete, func, insert, select, update

from app.documents.document import Document
from app.errors import NotFound
from app.posts.keywords import rows_of
from app.posts.models import AnyRow, aliases, bodies, field_values, instant_text, keywords, posts, taken, terms
from app.posts.plan import Known
from app.posts.prepared import Prepared, read, write
from app.posts.records import Dates, Records, body_of, post_of
from app.search import index as search

T = TypeVar("T")
NAMESPACE = uuid.UUID("5c8f5f0a-6e0b-5d0e-9a3a-0d2f5a9b7c11")
CHUNK = 500


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


# Statements are built once: to build one takes longer than to run it, and a single write has many.
_pks: Any = bindparam("pks", expanding=True)
_STORED = select(
    *(posts.c.pk, posts.c.id, posts.c.source_name, posts.c.slug, posts.c.slug_wanted, posts.c.sha256),
    *(posts.c.rendered_by, posts.c.draft, posts.c.published_at, posts.c.expires_at, posts.c.ingested_at),
    *(posts.c.permalink, posts.c.categories, posts.c.lang),
)  # what the plan of an upload and its report ask for
_STORED_UNDER = _STORED.where(posts.c.source_name.in_(bindparam("names", expanding=True)))
_STORED_AS = select(posts).where(posts.c.slug == bindparam("slug"))
_STORED_WHOLE = (
    select(posts, bodies.c.html, bodies.c.front_matter, bodies.c.aliases)
    .join(bodies, bodies.c.post_pk == posts.c.pk)
    .where(posts.c.pk.in_(_pks))
)
_HOLDERS = select(posts.c.slug, posts.c.source_name).where(posts.c.slug.in_(bindparam("slugs", expanding=True)))
_LAST_PK = select(func.coalesce(func.max(posts.c.pk), 0))
_IDS = select(posts.c.id).where(posts.c.id.in_(bindparam("ids", expanding=True)))


def stored_under(connection: Connection, names: Iterable[str]) -> dict[str, AnyRow]:
    """The stored posts with these source names."""
    return {row.source_name: row for chunk in chunks(names) for row in read(connection, _STORED_UNDER, names=chunk)}


def stored_below(connection: Connection, prefix: str) -> dict[str, AnyRow]:
    """The stored posts whose source name begins with `prefix`."""
    end = prefix + "\U0010ffff"
    rows = connection.execute(_STORED.where(posts.c.source_name >= prefix, posts.c.source_name < end))
    return {row.source_name: row for row in rows}


def stored_as(connection: Connection, slug: str) -> AnyRow:
    """The stored post with this slug. Raises NotFound."""
    row = connection.execute(_STORED_AS, {"slug": slug}).one_or_none()
    if row is None:
        raise NotFound(f"there is no post {slug!r}")
    return row


def identity_of(connection: Connection, slug: str) -> Any:
    """What the stored post with this slug is called and told by; None where there is none."""
    return next(iter(_identity(connection.dialect).rows(connection, slug=slug)), None)


@lru_cache(maxsize=8)
def _identity(dialect: Dialect) -> Prepared:
    columns = (posts.c.id, posts.c.slug, posts.c.source_name, posts.c.sha256, posts.c.rendered_by)
    return Prepared(select(*columns).where(posts.c.slug == bindparam("slug", type_=posts.c.slug.type)), dialect)


def former_holder(connection: Connection, slug: str) -> str | None:
    """The slug now held by the post that last held this one."""
    statement = (
        select(posts.c.slug)
        .join(aliases, aliases.c.post_pk == posts.c.pk)
        .where(aliases.c.kind == "slug", aliases.c.value == slug)
        .order_by(aliases.c.pk.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def slug_holders(connection: Connection, slugs: Iterable[str]) -> dict[str, str]:
    """Slug -> the source that holds it."""
    return {row.slug: row.source_name for chunk in chunks(slugs) for row in read(connection, _HOLDERS, slugs=chunk)}


def known(row: AnyRow) -> Known:
    return Known(
        pk=row.pk,
        id=row.id,
        name=row.source_name,
        slug=row.slug,
        slug_wanted=row.slug_wanted,
        sha256=row.sha256,
        rendered_by=row.rendered_by,
    )


def next_pk(connection: Connection) -> int:
    """Writers take turns, so the next number is the writer's to give; rows then go in by the hundred."""
    return int(connection.execute(_LAST_PK).scalar_one()) + 1


def new_ids(connection: Connection, names: Iterable[str], restored: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name -> UUIDv5 of it (RFC 9562); of it and a number, where a renamed post took that id along.

    `restored` are the ids that posts of an export had.
    """
    ids = {name: (restored or {}).get(name) or _id(name) for name in names}
    number = 1
    while taken_ids := _existing(connection, ids.values()):
        number += 1
        ids |= {name: _id(f"{name}\n{number}") for name, id_ in ids.items() if id_ in taken_ids}
    return ids


def _id(text: str) -> str:
    return str(uuid.uuid5(NAMESPACE, text))


def _existing(connection: Connection, ids: Iterable[str]) -> set[str]:
    return {row.id for chunk in chunks(ids) for row in read(connection, _IDS, ids=chunk)}


def row_of(columns: dict[str, Any], dates: Dates, own: dict[str, Any], *, now: datetime, before: Any) -> dict[str, Any]:
    """The row of `post` for a document's columns and dates; `own` are its keys and slugs, `before` is the row that it replaces."""
    ingested = now if before is None else before.ingested_at
    published = dates.date or (None if columns["draft"] else ingested)
    if dates.hidden_until is not None and published is not None and dates.hidden_until > max(now, published):
        published = dates.hidden_until
    return {
        **columns,
        **own,
        "published_at": published,
        "updated_at": dates.updated or _updated(columns["sha256"], published or ingested, now, before),
        "ingested_at": ingested,
    }


def _updated(sha256: str, published: datetime, now: datetime, before: Any) -> datetime:
    """Without a word of the author's: `published_at`, until the content changes after it was first ingested."""
    if before is None:
        return published
    if before.sha256 != sha256:
        return now
    was_published = before.published_at or before.ingested_at
    return published if before.updated_at == was_published else before.updated_at


COPIED = ("source_name", "draft", "published_at", "updated_at", "expires_at")  # from a post to its terms


def insert_posts(connection: Connection, new: Sequence[tuple[dict[str, Any], Records]]) -> None:
    insert_rows(connection, posts, (row for row, _ in new))
    insert_rows(connection, bodies, ({"post_pk": row["pk"], **records.body} for row, records in new))
    for table, rows_in in PARTS.items():
        insert_rows(connection, table, (part for row, records in new for part in rows_in(row, records)))
    search.insert(connection, ((row["pk"], records.entry) for row, records in new))


def _term_rows(row: dict[str, Any], records: Records) -> Iterator[dict[str, Any]]:
    copied = {name: row[name] for name in COPIED} | {"post_pk": row["pk"]}
    return (term | copied for term in records.terms)


def _field_rows(row: dict[str, Any], records: Records) -> Iterator[dict[str, Any]]:
    return ({"post_pk": row["pk"], **field} for field in records.fields)


def _keyword_rows(row: dict[str, Any], records: Records) -> Iterator[dict[str, Any]]:
    return rows_of(row, records.keywords)


def _alias_rows(row: dict[str, Any], records: Records) -> Iterator[dict[str, Any]]:
    return ({"post_pk": row["pk"], "kind": "path", "value": value} for value in records.aliases)


PARTS = {terms: _term_rows, field_values: _field_rows, keywords: _keyword_rows, aliases: _alias_rows}
"""The tables that a post has any number of rows in, and what makes them of its own row and what belongs to it."""


def free_slugs(connection: Connection, held: Mapping[int, str]) -> None:
    """Takes slugs from the posts that give them up, by key, and keeps them as former ones.

    Two posts may exchange their slugs; no slug holds a slash, so what they have meanwhile is nobody's.
    """
    for chunk in chunks(held):
        connection.execute(update(posts).where(posts.c.pk.in_(chunk)).values(slug="/" + posts.c.id))
    write_former_slugs(connection, {pk: (slug,) for pk, slug in held.items()})


COMPARED = (
    *("title", "layout", "draft", "published_at", "expires_at", "categories", "tags", "authors"),
    *("excerpt", "excerpt_html", "reading_time", "lang", "cover", "permalink"),
)


def stored_whole(connection: Connection, pks: Sequence[int]) -> dict[int, AnyRow]:
    """The stored posts with these keys, and what of their bodies is compared with what they become."""
    return {row.pk: row for row in read(connection, _STORED_WHOLE, pks=list(pks))}


def changed_fields(before: AnyRow, row: dict[str, Any], records: Records) -> tuple[str, ...]:
    """The fields that a post's new row has otherwise than the stored one, but for the slug."""
    names = [name for name in COMPARED if row[name] != getattr(before, name)]
    names += [name for name in ("front_matter", "html") if records.body[name] != getattr(before, name)]
    return tuple("status" if name == "draft" else name for name in names)


def write_former_slugs(connection: Connection, former: Mapping[int, Iterable[str]]) -> None:
    rows = [{"post_pk": pk, "kind": "slug", "value": slug} for pk, slugs in former.items() for slug in slugs]
    insert_rows(connection, aliases, rows)


_INSERTS = {table: insert(table) for table in (posts, bodies, *PARTS)}


def insert_rows(connection: Connection, table: Any, rows: Iterable[dict[str, Any]]) -> None:
    write(connection, _INSERTS[table], list(rows))


def delete_posts(connection: Connection, pks: Iterable[int]) -> None:
    for chunk in chunks(pks):
        search.remove(connection, chunk)
        connection.execute(delete(posts).where(posts.c.pk.in_(chunk)))


def note_taken(connection: Connection, files: Iterable[tuple[str, str]]) -> None:
    """Remembers what was last taken from the content folder: names and hashes."""
    for chunk in chunks(dict(files).items()):
        connection.execute(delete(taken).where(taken.c.name.in_([name for name, _ in chunk])))
        connection.execute(insert(taken), [{"name": name, "sha256": sha256} for name, sha256 in chunk])


def preview_row(document: Document, now: datetime) -> Any:
    """A document as lists read it, bodies included, though nothing is stored."""
    own = {"pk": 0, "id": _id(document.name), "slug": document.slug, "slug_wanted": document.slug}
    row = row_of(post_of(document), Dates.of(document), own, now=now, before=None)
    texts = {name: instant_text(value.astimezone(UTC)) for name, value in row.items() if isinstance(value, datetime)}
    return SimpleNamespace(**(row | texts), **body_of(document), post_pk=0)
