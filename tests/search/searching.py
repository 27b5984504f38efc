"""Posts in an index, and what it finds, for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from app.posts.models import posts
from app.search import index
from app.search.query import SearchQuery, parse
from app.search.row import SearchRow
from app.search.tokens import normal_form

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def search_row(pk: int = 1, title: str = "", tags: Sequence[str] = (), excerpt: str = "", text: str = "") -> SearchRow:
    return SearchRow(pk=pk, title=title, tags=tuple(tags), excerpt=excerpt, text=text)


def fields_of(row: SearchRow) -> list[str]:
    return [normal_form(field) for field in (row.title, *row.tags, row.excerpt, row.text)]


def post_row(pk: int, **fields: Any) -> dict[str, Any]:
    name = f"{pk:06}.md"
    texts = dict.fromkeys(("title", "title_key", "excerpt", "excerpt_html", "rendered_by"), "")
    lists = dict.fromkeys(("categories", "tags", "authors"), "[]")
    names = {"id": name, "source_name": name, "slug": name, "slug_wanted": name, "sha256": ""}
    nothing = dict.fromkeys(("date", "expires_at", "layout", "lang", "cover", "permalink"))
    times = dict.fromkeys(("published_at", "updated_at", "ingested_at"), WHEN)
    return {"pk": pk, "draft": False, "reading_time": 1} | texts | lists | names | nothing | times | fields


def store(connection: Connection, rows: Sequence[SearchRow]) -> None:
    """Bare posts for the rows, indexed."""
    connection.execute(insert(posts), [post_row(row.pk) for row in rows])
    index.write(connection, rows)


def found(connection: Connection, query: str | SearchQuery) -> list[int]:
    """The keys of the posts that a query finds, as a list sorted by source name."""
    parsed = parse(query) if isinstance(query, str) else query
    condition = index.condition(parsed, connection.dialect.name, posts.c.pk)
    statement = select(posts.c.pk).where(condition).order_by(posts.c.source_name)
    return list(connection.execute(statement).scalars())


def best(connection: Connection, query: str) -> list[int]:
    """The keys of the posts that a query finds, best first."""
    ranked = index.rank(parse(query), connection.dialect.name, posts.c.pk)
    statement = (
        select(posts.c.pk)
        .join(ranked, ranked.c.pk == posts.c.pk)
        .order_by(ranked.c.score.desc(), posts.c.published_at.desc(), posts.c.source_name.desc())
    )
    return list(connection.execute(statement).scalars())
