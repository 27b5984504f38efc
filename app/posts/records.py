"""All that the tables hold of a document but for what only the writer knows. Pure: a render process makes it.

So the writer, who is one, has nothing to do but to write; and what waits for it waits packed, outside of memory.
"""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self

import orjson

from app.documents.document import Document
from app.documents.leaves import comparable
from app.documents.normalize import term_key
from app.errors import Finding
from app.search.entries import Entry, entry_of
from app.search.keywords import keywords_of
from app.search.row import SearchRow


class Planned(Protocol):
    """What the plan of an upload asks of a document."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def slug(self) -> str: ...
    @property
    def slug_is_given(self) -> bool: ...
    @property
    def lang_suffix(self) -> str | None: ...
    @property
    def date(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A document as the plan sees it; its records lie at `place` until they are written."""

    name: str
    sha256: str
    slug: str
    slug_is_given: bool
    lang_suffix: str | None
    date: datetime | None
    warnings: tuple[Finding, ...]
    place: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Dates:
    """The author's word on when a post appears and changed."""

    date: datetime | None
    hidden_until: datetime | None
    updated: datetime | None

    @classmethod
    def of(cls, document: Document) -> Self:
        return cls(date=document.date, hidden_until=document.hidden_until, updated=document.updated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Columns of `post` and `body`, and the rows beside them without their keys."""

    dates: Dates
    post: dict[str, Any]
    body: dict[str, Any]
    terms: list[dict[str, Any]]
    fields: list[dict[str, Any]]
    aliases: list[str]
    keywords: list[tuple[int, bool]]
    entry: Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A document ready to be written: `records` is a pickle of them."""

    outline: Outline
    records: bytes


def pack(dialect: str, document: Document) -> Packed:
    """`dialect` is the `dialect.name` of the connections that will write it."""
    outline = Outline(
        name=document.name,
        sha256=document.sha256,
        slug=document.slug,
        slug_is_given=document.slug_is_given,
        lang_suffix=document.lang_suffix,
        date=document.date,
        warnings=document.warnings,
    )
    return Packed(outline=outline, records=pickle.dumps(records_of(dialect, document), pickle.HIGHEST_PROTOCOL))


def records_of(dialect: str, document: Document) -> Records:
    row = SearchRow(pk=0, title=document.title, tags=document.tags, excerpt=document.excerpt, text=document.text)
    return Records(
        dates=Dates.of(document),
        post=post_of(document),
        body=body_of(document),
        terms=list(_terms(document)),
        fields=list(_fields(document)),
        aliases=[comparable(value) for value in document.aliases],
        keywords=keywords_of(document.title, document.tags, document.excerpt),
        entry=entry_of(dialect, row),
    )


def post_of(document: Document) -> dict[str, Any]:
    return {
        "source_name": document.name,
        "draft": document.draft,
        "date": None if document.date is None else document.date.isoformat(timespec="seconds"),
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
    }


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def body_of(document: Document) -> dict[str, Any]:
    return {
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


def _terms(document: Document) -> Iterator[dict[str, Any]]:
    """Each term once: `AI` beside `ai` on one post is one term, in the spelling that comes first."""
    taxonomies = {"category": document.categories, "tag": document.tags, "author": document.authors}
    for taxonomy, names in taxonomies.items():
        spellings: dict[str, str] = {}
        for name in names:
            spellings.setdefault(comparable(term_key(name)), name)
        for position, (key, name) in enumerate(spellings.items()):
            yield {"taxonomy": taxonomy, "position": position, "key": key, "name": name}


def _fields(document: Document) -> Iterator[dict[str, Any]]:
    for position, field in enumerate(document.fields):
        yield {
            "position": position,
            "path": field.path,
            "text": field.text,
            "number": field.number,
            "instant": field.instant,
        }
