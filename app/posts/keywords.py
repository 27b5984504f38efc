"""The rows by which related posts are found."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from app.posts.models import keywords, posts
from app.search.keywords import keywords_of

NEVER = 2**40  # seconds; after the year 9999
CHUNK = 200


def keyword_rows(post: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a post, which is one of `post`."""
    return rows_of(post, keywords_of(post["title"], orjson.loads(post["tags"]), post["excerpt"]))


def rows_of(post: dict[str, Any], found: Iterable[tuple[int, bool]]) -> Iterator[dict[str, Any]]:
    """The rows of a post whose keywords are known."""
    shared = {"post_pk": post["pk"], "shows_from": _seconds(post["published_at"]), "shows_until": 0}
    if post["draft"]:
        shared["shows_from"] = NEVER
    elif post["expires_at"] is not None:
        shared["shows_until"] = _seconds(post["expires_at"])
    return ({"keyword": keyword, "is_tag": is_tag, **shared} for keyword, is_tag in found)


def _seconds(instant: datetime | None) -> int:
    return NEVER if instant is None else int(instant.timestamp())


def fill(connection: Connection) -> None:
    """Makes the rows of every stored post anew: wanted when the rules of keywords change."""
    connection.execute(delete(keywords))
    columns = ("pk", "title", "tags", "excerpt", "draft", "published_at", "expires_at")
    statement = select(*(posts.c[name] for name in columns)).order_by(posts.c.pk).limit(CHUNK)
    last = 0
    while page := connection.execute(statement.where(posts.c.pk > last)).mappings().all():
        write(connection, (row for post in page for row in keyword_rows(dict(post))))
        last = page[-1]["pk"]


def write(connection: Connection, rows: Iterable[dict[str, Any]]) -> None:
    iterator = iter(rows)
    while chunk := list(islice(iterator, 10 * CHUNK)):
        connection.execute(insert(keywords), chunk)
