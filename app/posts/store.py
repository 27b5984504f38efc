"""Posts in tables: written in bulk, read back whole."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace
from typing import Any, TypeVar

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

from app.documents.document import Document, comparable
from app.documents.normalize import term_key
from app.errors import NotFound
from app.posts.keywords import keyword_rows
from app.posts.models import AnyRow, aliases, bodies, field_values, instant_text, keywords, posts, taken, terms
from app.posts.plan import Known
from app.search import index as search
from app.search.row import SearchRow

T = TypeVar("T")
NAMESPACE = uuid.UUID("5c8f5f0a-6e0b-5d0e-9a3a-0d2f5a9b7c11")
CHUNK = 500


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def stored_under(connection: Connection, names: Iterable[str]) -> dict[str, AnyRow]:
    """The stored posts with these source names."""
    found: dict[str, AnyRow] = {}
    for chunk in chunks(names):
        rows = connection.execute(select(posts).where(posts.c.source_name.in_(chunk)))
        found |= {row.source_name: row for row in rows}
    return found


def stored_below(connection: Connection, prefix: str) -> dict[str, AnyRow]:
    """The stored posts whose source name begins with `prefix`."""
    end = prefix + "\U0010ffff"
    rows = connection.execute(select(posts).where(posts.c.source_name >= prefix, posts.c.source_name < end))
    return {row.source_name: row for row in rows}


def stored_as(connection: Connection, slug: str) -> AnyRow:
    """The stored post with this slug. Raises NotFound."""
    row = connection.execute(select(posts).where(posts.c.slug == slug)).one_or_none()
    if row is None:
        raise NotFound(f"there is no post {slug!r}")
    return row


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
    found: dict[str, str] = {}
    for chunk in chunks(slugs):
        rows = connection.execute(select(posts.c.slug, posts.c.source_name).where(posts.c.slug.in_(chunk)))
        found |= {row.slug: row.source_name for row in rows}
    return found


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
    return int(connection.execute(select(func.coalesce(func.max(posts.c.pk), 0))).scalar_one()) + 1


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
    return {
        found
        for chunk in chunks(ids)
        for found in connection.execute(select(posts.c.id).where(posts.c.id.in_(chunk))).scalars()
    }


def row_of(document: Document, *, pk: int, id: str, slug: str, now: datetime, before: AnyRow | None) -> dict[str, Any]:  # noqa: A002, PLR0913
    """The row of `post` for a document; `before` is the row that it replaces."""
    ingested = now if before is None else before.ingested_at
    published = document.date or (None if document.draft else ingested)
    if document.hidden_until is not None and published is not None and document.hidden_until > max(now, published):
        published = document.hidden_until
    return {
        "pk": pk,
        "id": id,
        "source_name": document.name,
        "slug": slug,
        "slug_wanted": document.slug,
        "draft": document.draft,
        "published_at": published,
        "date": None if document.date is None else document.date.isoformat(timespec="seconds"),
        "updated_at": document.updated or _updated(document, published or ingested, now, before),
        "expires_at": document.expires,
        "title": document.title,
        "title_key": document.title_key,
        "layout": document.layout,
        "lang": document.lang,
        "categories": _json(document.categories),
        "tags": _json(document.tags),
        "authors": _json(document.authors),
        "excerpt": document.excerpt,
        "excerpt_html": document.excerpt_html,
        "reading_time": document.reading_time,
        "cover": document.cover,
        "permalink": document.permalink,
        "sha256": document.sha256,
        "rendered_by": document.rendered_by,
        "ingested_at": ingested,
    }


def _updated(document: Document, published: datetime, now: datetime, before: AnyRow | None) -> datetime:
    """Without a word of the author's: `published_at`, until the content changes after it was first ingested."""
    if before is None:
        return published
    if before.sha256 != document.sha256:
        return now
    was_published = before.published_at or before.ingested_at
    return published if before.updated_at == was_published else before.updated_at


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _body_row(pk: int, document: Document) -> dict[str, Any]:
    return {
        "post_pk": pk,
        "html": document.html,
        "text": document.text,
        "toc": _json(document.toc),
        "images": _json(document.images),
        "front_matter": _json(document.front_matter),
        "aliases": _json(document.aliases),
        "word_count": document.word_count,
        "character_count": document.character_count,
        "source": document.source,
    }


COPIED = ("source_name", "draft", "published_at", "updated_at", "expires_at")  # from a post to its terms


def _term_rows(post: dict[str, Any], document: Document) -> Iterator[dict[str, Any]]:
    """Each term once: `AI` beside `ai` on one post is one term, in the spelling that comes first."""
    copied = {name: post[name] for name in COPIED} | {"post_pk": post["pk"]}
    taxonomies = {"category": document.categories, "tag": document.tags, "author": document.authors}
    for taxonomy, names in taxonomies.items():
        spellings: dict[str, str] = {}
        for name in names:
            spellings.setdefault(comparable(term_key(name)), name)
        for position, (key, name) in enumerate(spellings.items()):
            yield {"taxonomy": taxonomy, "position": position, "key": key, "name": name, **copied}


def _field_rows(pk: int, document: Document) -> Iterator[dict[str, Any]]:
    for position, field in enumerate(document.fields):
        yield {
            "post_pk": pk,
            "position": position,
            "path": field.path,
            "text": field.text,
            "number": field.number,
            "instant": field.instant,
        }


def _alias_rows(pk: int, document: Document) -> Iterator[dict[str, Any]]:
    for value in document.aliases:
        yield {"post_pk": pk, "kind": "path", "value": comparable(value)}


def _search_row(pk: int, document: Document) -> SearchRow:
    return SearchRow(pk=pk, title=document.title, tags=document.tags, excerpt=document.excerpt, text=document.text)


def write_posts(
    connection: Connection,
    *,
    new: Sequence[tuple[dict[str, Any], Document]],
    changed: Sequence[tuple[dict[str, Any], Document, str]],
) -> None:
    """Inserts the new posts and replaces the changed ones; a changed post's third part is the slug it had."""
    _replace_rows(connection, [row for row, _, _ in changed], changed)
    if new:
        connection.execute(insert(posts), [row for row, _ in new])
    written = [*new, *((row, document) for row, document, _ in changed)]
    for chunk in chunks(written, 100):
        _insert(connection, bodies, (_body_row(row["pk"], document) for row, document in chunk))
        _insert(connection, terms, (r for row, document in chunk for r in _term_rows(row, document)))
        _insert(connection, field_values, (r for row, document in chunk for r in _field_rows(row["pk"], document)))
        _insert(connection, keywords, (r for row, _ in chunk for r in keyword_rows(row)))
        _insert(connection, aliases, (r for row, document in chunk for r in _alias_rows(row["pk"], document)))
        search.write(connection, (_search_row(row["pk"], document) for row, document in chunk))


COMPARED = (
    *("slug", "title", "layout", "draft", "published_at", "expires_at", "categories", "tags", "authors"),
    *("excerpt", "excerpt_html", "reading_time", "lang", "cover", "permalink"),
)


def changed_fields(
    connection: Connection, changed: Sequence[tuple[dict[str, Any], Document, str]], before: Mapping[str, AnyRow]
) -> dict[str, tuple[str, ...]]:
    """Source name -> the fields that its new row has otherwise than the stored one."""
    old: dict[int, AnyRow] = {}
    for chunk in chunks([row["pk"] for row, _, _ in changed]):
        statement = select(bodies.c.post_pk, bodies.c.html, bodies.c.front_matter)
        rows = connection.execute(statement.where(bodies.c.post_pk.in_(chunk)))
        old |= {row.post_pk: row for row in rows}
    found: dict[str, tuple[str, ...]] = {}
    for row, document, _ in changed:
        stored, body = before[document.name], old[row["pk"]]
        names = [name for name in COMPARED if row[name] != getattr(stored, name)]
        names += ["front_matter"] if _json(document.front_matter) != body.front_matter else []
        names += ["html"] if document.html != body.html else []
        found[document.name] = tuple("status" if name == "draft" else name for name in names)
    return found


def write_former_slugs(connection: Connection, former: Mapping[int, Iterable[str]]) -> None:
    rows = [{"post_pk": pk, "kind": "slug", "value": slug} for pk, slugs in former.items() for slug in slugs]
    _insert(connection, aliases, iter(rows))


def _insert(connection: Connection, table: Any, rows: Iterator[dict[str, Any]]) -> None:
    if listed := list(rows):
        connection.execute(insert(table), listed)


def _replace_rows(
    connection: Connection, rows: list[dict[str, Any]], changed: Sequence[tuple[dict[str, Any], Document, str]]
) -> None:
    for chunk in chunks([row["pk"] for row in rows]):
        for table in (bodies, terms, field_values, keywords):
            connection.execute(delete(table).where(table.c.post_pk.in_(chunk)))
        connection.execute(delete(aliases).where(aliases.c.post_pk.in_(chunk), aliases.c.kind == "path"))
        # Two posts may exchange their slugs; no slug holds a slash, so these are nobody's.
        connection.execute(update(posts).where(posts.c.pk.in_(chunk)).values(slug="/" + posts.c.id))
    for row, _, old_slug in changed:
        connection.execute(update(posts).where(posts.c.pk == row["pk"]).values(row))
        if old_slug != row["slug"]:
            connection.execute(insert(aliases).values(post_pk=row["pk"], kind="slug", value=old_slug))


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
    row = row_of(document, pk=0, id=_id(document.name), slug=document.slug, now=now, before=None)
    texts = {name: instant_text(value.astimezone(UTC)) for name, value in row.items() if isinstance(value, datetime)}
    return SimpleNamespace(**(row | texts), **_body_row(0, document))
