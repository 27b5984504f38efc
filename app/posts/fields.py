"""The fields of a post as clients see them: which columns each needs, and how it is made of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Column, ColumnElement

from app.documents.links import Links
from app.errors import QueryError
from app.posts.models import ShownInstant, UTCDateTime, bodies, posts
from app.posts.queries import leads_through, status_of

Shape = Mapping[str, frozenset[str] | None]  # field -> the front-matter keys asked for, None for the whole field


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """What a post is shown with: the clock as instants are written, addresses, the front-matter keys withheld."""

    now: str
    links: Links
    withheld: tuple[str, ...]


Make = Callable[[Any, Show], Any]


def _url(row: Any, show: Show) -> str:
    return show.links.url(row.slug)


def _permalink(row: Any, show: Show) -> str | None:
    if row.permalink is None and show.links.template is None:
        return None
    categories = orjson.loads(row.categories)
    return show.links.permalink(
        id=row.id,
        slug=row.slug,
        written=row.permalink,
        published_at=None if row.published_at is None else datetime.fromisoformat(row.published_at),
        category=categories[0] if categories else None,
        lang=row.lang,
    )


def _author(row: Any, _show: Show) -> str | None:
    return _first(row.authors)


@lru_cache(maxsize=1000)
def _first(names: str) -> str | None:
    found: list[str] = orjson.loads(names)
    return found[0] if found else None


def _front_matter(row: Any, show: Show) -> Any:
    return _public(orjson.loads(row.front_matter), show.withheld)


def _public(value: Any, withheld: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _public(item, withheld) for key, item in value.items() if not leads_through(key, withheld)}
    return [_public(item, withheld) for item in value] if isinstance(value, list) else value


Field = tuple[tuple[Column[Any], ...], Make | None]  # the columns it needs; what makes it of them, if not the one as is


def _column(column: Column[Any]) -> Field:
    return (column,), None


def _json(column: Column[Any]) -> Field:
    name = column.name
    return (column,), lambda row, _show: orjson.Fragment(getattr(row, name))


ADDRESS = (posts.c.id, posts.c.slug, posts.c.permalink, posts.c.published_at, posts.c.categories, posts.c.lang)

SUMMARY: dict[str, Field] = {
    "id": _column(posts.c.id),
    "slug": _column(posts.c.slug),
    "url": ((posts.c.slug,), _url),
    "permalink": (ADDRESS, _permalink),
    "title": _column(posts.c.title),
    "layout": _column(posts.c.layout),
    "status": (
        (posts.c.draft, posts.c.published_at, posts.c.expires_at),
        lambda row, show: status_of(row, show.now),
    ),
    "published_at": _column(posts.c.published_at),
    "date": _column(posts.c.date),
    "updated_at": _column(posts.c.updated_at),
    "expires_at": _column(posts.c.expires_at),
    "categories": _json(posts.c.categories),
    "tags": _json(posts.c.tags),
    "author": ((posts.c.authors,), _author),
    "authors": _json(posts.c.authors),
    "excerpt": _column(posts.c.excerpt),
    "excerpt_html": _column(posts.c.excerpt_html),
    "reading_time": _column(posts.c.reading_time),
    "lang": _column(posts.c.lang),
    "cover": _column(posts.c.cover),
}
WHOLE: dict[str, Field] = SUMMARY | {
    "html": _column(bodies.c.html),
    "toc": _json(bodies.c.toc),
    "front_matter": ((bodies.c.front_matter,), _front_matter),
    "aliases": _json(bodies.c.aliases),
    "images": _json(bodies.c.images),
    "word_count": _column(bodies.c.word_count),
    "character_count": _column(bodies.c.character_count),
    "source": (
        (posts.c.source_name, posts.c.sha256, posts.c.rendered_by),
        lambda row, _show: {"name": row.source_name, "sha256": row.sha256, "rendered_by": row.rendered_by},
    ),
}
NEIGHBOURS = ("older", "newer", "related")
LINK = ("id", "slug", "url", "permalink", "title")


def shape_of(fields: tuple[str, ...], include: tuple[str, ...], usual: Iterable[str], *, detail: bool) -> Shape:
    """Which fields `fields` and `include` ask for.

    Raises QueryError for a name that is no field, or that only the detail has.
    """
    known = (*WHOLE, *NEIGHBOURS) if detail else tuple(WHOLE)
    omitted = {name[1:] for name in fields if name.startswith("-")}
    wanted = [name for name in fields if not name.startswith("-")]
    if omitted and (not detail or wanted):
        raise QueryError(
            "leaving fields out goes alone, and on the detail only", parameter="fields", code="invalid_field"
        )
    shape: dict[str, frozenset[str] | None] = {}
    for parameter, names in (("fields", wanted or usual), ("include", include)):
        for name in names:
            _add(shape, name, parameter, known)
    for name in omitted:
        _check(name, "fields", known)
        shape.pop(name, None)
    return shape


def _add(shape: dict[str, frozenset[str] | None], name: str, parameter: str, known: tuple[str, ...]) -> None:
    if name.startswith("front_matter.") and name != "front_matter.":
        field, path = "front_matter", name.removeprefix("front_matter.")
    else:
        field, path = name, ""
    _check(field, parameter, known)
    before = shape.get(field, frozenset())
    shape[field] = None if not path or before is None else before | {path}


def _check(name: str, parameter: str, known: tuple[str, ...]) -> None:
    if name in known:
        return
    hint = f"known are {', '.join(known)}, front_matter.KEY"
    if name in NEIGHBOURS:
        hint = "only the detail has it"
    raise QueryError(f"there is no field {name!r}", parameter=parameter, code="unknown_field", hint=hint)


def columns_of(shape: Shape, *others: Column[Any]) -> list[ColumnElement[Any]]:
    """The columns that a shape needs and the others, each once, the source name always: every order ends in it.

    Instants are read as texts.
    """
    return [
        ShownInstant(column).label(column.name) if isinstance(column.type, UTCDateTime) else column
        for column in dict.fromkeys((posts.c.source_name, *_columns(shape), *others))
    ]


def _columns(shape: Shape) -> list[Column[Any]]:
    return [column for name in shape if name in WHOLE for column in WHOLE[name][0]]


def needs_bodies(shape: Shape) -> bool:
    return any(column.table is bodies for column in _columns(shape))


def show_post(row: Any, shape: Shape, show: Show) -> dict[str, Any]:
    """One post as clients see it, in the order of the shape; the row has the columns of the shape."""
    names, read, makes = _making(tuple(shape))
    shown = dict(zip(names, read(row), strict=False))
    for name, make in makes:
        shown[name] = make(row, show)
    if paths := shape.get("front_matter"):
        shown["front_matter"] = _picked(shown["front_matter"], paths) or {}
    return shown


@lru_cache(maxsize=1000)
def _making(shape: tuple[str, ...]) -> tuple[list[str], Callable[[Any], tuple[Any, ...]], list[tuple[str, Make]]]:
    """The fields that a row makes, what reads a column for each, and what makes those that are more than a column."""
    names = [name for name in shape if name in WHOLE]
    columns = (WHOLE[name][0][0].name for name in names)
    read = attrgetter(*columns, "__class__", "__class__")  # of two at least it reads a tuple
    return names, read, [(name, make) for name in names if (make := WHOLE[name][1]) is not None]


def _picked(value: Any, paths: frozenset[str]) -> Any:
    """What stands at dotted paths, in the maps and lists it stands in; None where nothing does.

    A key may hold dots itself; a path walks through the members of a list, as it does in filters.
    """
    if isinstance(value, list):
        members = [found for member in value if (found := _picked(member, paths)) is not None]
        return members or None
    if not isinstance(value, dict):
        return None
    picked: dict[str, Any] = {}
    for key, inner in value.items():
        below = frozenset(path[len(key) + 1 :] for path in paths if path.startswith(f"{key}."))
        if key in paths:
            picked[key] = inner
        elif below and (found := _picked(inner, below)) is not None:
            picked[key] = found
    return picked or None
