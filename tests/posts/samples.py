"""Posts by way of the real ingestion, rows in bulk where that would take too long, and readers of them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Engine, insert, select

from app.database import reading, writing
from app.documents.document import Context, Document, parse
from app.documents.links import Links
from app.documents.normalize import sort_key
from app.documents.source_names import is_config
from app.documents.sources import Batch, Source
from app.posts.changes import State, read_state
from app.posts.epochs import Epochs, Snapshot
from app.posts.fields import Show
from app.posts.filters import ListQuery
from app.posts.ingest import Options, ingest
from app.posts.lists import list_posts
from app.posts.models import bodies, changes, instant_text, posts
from app.posts.pages import Page
from app.posts.parameters import Query
from app.posts.queries import Reader
from app.posts.report import Report
from tests.building import NOW, markdown

TOKYO = ZoneInfo("Asia/Tokyo")
PRIVATE = ("_*",)


def reader(now: datetime = NOW, zone: str = "UTC", dialect: str = "sqlite") -> Reader:
    return Reader(now=now, zone=ZoneInfo(zone), withheld=PRIVATE, dialect=dialect)


def links(**given: Any) -> Links:
    values: dict[str, Any] = {"root_path": "", "site_url": None, "template": None, "zone": ZoneInfo("UTC")}
    return Links(**(values | given))


def show(now: datetime = NOW) -> Show:
    return Show(now=instant_text(now), links=links(), withheld=PRIVATE)


def batch(files: Mapping[str, str | bytes]) -> Batch:
    received = [
        Source(name=name, content=content.encode() if isinstance(content, str) else content)
        for name, content in files.items()
    ]
    configs = [file for file in received if is_config(file.name)]
    return Batch(sources=[file for file in received if file not in configs], configs=configs)


def document(name: str, content: str | None = None, **front: Any) -> Document:
    text = markdown(**front) if content is None else content
    return parse(Source(name=name, content=text.encode()), Context())


def options(**given: Any) -> Options:
    values: dict[str, Any] = {"author": "tests", "via": "http"}
    return Options(**(values | given))


def take(
    engine: Engine,
    files: Mapping[str, str | bytes],
    *,
    now: datetime = NOW,
    context: Context | None = None,
    **given: Any,
) -> Report:
    """Ingests files as an upload over HTTP does."""
    return ingest(engine, batch(files), context=context or Context(), options=options(**given), now=now)


def actions(report: Report) -> dict[str, str]:
    return {result.name: result.action for result in report.results}


def codes(report: Report) -> dict[str, list[str]]:
    """Name -> the codes of its warnings and problem, of those that have any."""
    found = {
        result.name: [f.code for f in (*result.warnings, *([result.problem] if result.problem else []))]
        for result in report.results
    }
    return {name: remarks for name, remarks in found.items() if remarks}


def rows(engine: Engine) -> dict[str, Any]:
    """Source name -> the stored row."""
    with reading(engine) as connection:
        return {row.source_name: row for row in connection.execute(select(posts))}


def slugs(engine: Engine) -> dict[str, str]:
    return {name: row.slug for name, row in rows(engine).items()}


def history(engine: Engine) -> list[tuple[int, str, str]]:
    """Version, kind and name of every change, in order."""
    columns = (changes.c.version, changes.c.kind, changes.c.source_name)
    with reading(engine) as connection:
        return [(row.version, row.kind, row.source_name) for row in connection.execute(select(*columns).order_by("pk"))]


def state(engine: Engine, now: datetime = NOW) -> State:
    with reading(engine) as connection:
        return read_state(connection, now)


Q = TypeVar("Q", bound=Query)
LISTS = {name for name, field in ListQuery.model_fields.items() if get_origin(field.annotation) is tuple}


def query_of(model: type[Q], text: str = "", **parameters: Any) -> Q:
    """A query string and more parameters as the web framework hands them over: what may be repeated is a list."""
    given = parse_qs(text, keep_blank_values=True).items()
    single = {name: values if name in LISTS or "." in name else values[-1] for name, values in given}
    more = {name: [value] if name in LISTS and isinstance(value, str) else value for name, value in parameters.items()}
    return model.model_validate(single | more)


def page(
    engine: Engine, text: str = "", *, now: datetime = NOW, zone: str = "UTC", fields: str = "slug", **parameters: Any
) -> Page:
    query = query_of(ListQuery, text, fields=fields, **parameters)
    with seen(engine, now) as snapshot:
        return listed(snapshot, query, reader(now, zone, engine.dialect.name), show(now))


def listed(snapshot: Snapshot, query: ListQuery, reader: Reader, show: Show) -> Page:
    """A page whose items are maps."""
    page = list_posts(snapshot, query, reader, show)
    return replace(page, items=orjson.loads(orjson.dumps(page.items)))


@contextmanager
def seen(engine: Engine, now: datetime = NOW) -> Iterator[Snapshot]:
    """A snapshot in an epoch of its own."""
    with reading(engine) as connection:
        yield Epochs().snapshot(connection, now)


def on(step: dict[str, str] | None) -> dict[str, Any]:
    """The parameters of the way on or back, which must be there."""
    assert step is not None
    return dict(step)


def found(engine: Engine, text: str = "", **parameters: Any) -> list[str]:
    """The slugs of one page."""
    return [item["slug"] for item in page(engine, text, **parameters).items]


def bulk(connection: Connection, made: Iterable[dict[str, Any]]) -> None:
    """Inserts rows of `post_row` and an empty body for each."""
    listed = list(made)
    connection.execute(insert(posts), listed)
    body = {
        "html": "", "toc": "[]", "images": "[]", "front_matter": "{}", "aliases": "[]",
        "word_count": 0, "character_count": 0, "source": b"", "text": "",
    }  # fmt: skip
    connection.execute(insert(bodies), [body | {"post_pk": row["pk"]} for row in listed])


def fill(engine: Engine, number: int) -> None:
    """So many posts, three to an instant."""
    with writing(engine) as connection:
        bulk(connection, (post_row(published_at=NOW - timedelta(hours=n // 3 + 1)) for n in range(number)))


_numbers = count(1)


def post_row(**given: Any) -> dict[str, Any]:
    number = next(_numbers)
    title = given.get("title", f"Post {number}")
    instant = given.get("published_at", datetime(2025, 1, 1, tzinfo=UTC))
    return {
        "pk": number,
        "id": f"{number:036}",
        "source_name": f"post-{number:06}.md",
        "slug": f"post-{number:06}",
        "slug_wanted": f"post-{number:06}",
        "draft": False,
        "published_at": instant,
        "date": None,
        "updated_at": instant,
        "expires_at": None,
        "title": title,
        "title_key": sort_key(title),
        "layout": None,
        "lang": None,
        "categories": "[]",
        "tags": "[]",
        "authors": "[]",
        "excerpt": "",
        "excerpt_html": "",
        "reading_time": 1,
        "cover": None,
        "permalink": None,
        "sha256": f"{number:064}",
        "rendered_by": "tests",
        "ingested_at": NOW,
    } | given
