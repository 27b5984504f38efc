"""The index in SQLite: FTS5 over our tokens, a column for each field, so that no phrase crosses from one to the next.

The table keeps no content; FTS5 has no limits that a post could reach, and finds phrases by position.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    func,
    literal_column,
    select,
    table,
    text,
)

from app.driver import execute_each
from app.search.query import Phrase, SearchQuery

_INDEX: ColumnElement[Any] = literal_column("post_search")  # the table named as FTS5 wants it: as a column
_rows = table("post_search", column("rowid"))
_TITLE_INDEX: ColumnElement[Any] = literal_column("post_search_title")
_titles = table("post_search_title", column("rowid"))  # as they are found by what is typed
# One mention in a better field outweighs any number in the next: bm25() saturates, a thousand does not reach over.
_WEIGHTS = (1e9, 1e6, 1e3, 1.0)
_INSERT = (
    "INSERT OR REPLACE INTO post_search(rowid, title, tags, excerpt, body) VALUES (:pk, :title, :tags, :excerpt, :body)"
)
_INSERT_TITLE = "INSERT OR REPLACE INTO post_search_title(rowid, title) VALUES (:pk, :typed)"
_DELETES = (text("DELETE FROM post_search WHERE rowid = :pk"), text("DELETE FROM post_search_title WHERE rowid = :pk"))
# Bytes that a transaction gathers before FTS5 writes them. By default 1 MB: to merge the pieces that a large import is
# written in takes as long as all the rest of it.
_GATHER = "INSERT INTO post_search(post_search, rank) VALUES ('hashsize', 8388608)"


def create(connection: Connection) -> None:
    # Before 3.43 a table without content cannot delete; there it keeps the tokens' text as well.
    version = connection.execute(select(func.sqlite_version())).scalar_one()
    is_recent = tuple(map(int, version.split("."))) >= (3, 43)
    content = "content = '', contentless_delete = 1, " if is_recent else ""
    for name, columns in (("post_search", "title, tags, excerpt, body"), ("post_search_title", "title")):
        connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {name} USING fts5({columns}, {content}tokenize = 'ascii')")
    connection.exec_driver_sql(_GATHER)


def drop(connection: Connection) -> None:
    for name in ("post_search", "post_search_title"):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    execute_each(connection, _INSERT, rows)
    execute_each(connection, _INSERT_TITLE, rows)


def remove(connection: Connection, pks: Iterable[int]) -> None:
    if values := [{"pk": pk} for pk in pks]:
        for statement in _DELETES:
            connection.execute(statement, values)


def parameters(query: SearchQuery) -> dict[str, Any]:
    """What `found`, `unwanted` and `ranked` look for."""
    excluded = " OR ".join(map(_expression, query.excluded))
    required = _all(query.required)
    return {"search_match": f"({required}) NOT ({excluded})" if required and excluded else required or excluded}


def found(query: SearchQuery) -> Select[int]:
    """The posts that have all that is required and nothing that is excluded, as a column `pk`."""
    match = bindparam("search_match", parameters(query)["search_match"], Text)
    return select(_rows.c.rowid.label("pk")).where(_INDEX.op("MATCH")(match))


def unwanted(query: SearchQuery) -> Select[int]:
    """The posts that have anything excluded, as a column `pk`; the query requires nothing."""
    return found(query)


def titled() -> Select[int]:
    """The posts whose title, as it is typed, has all of the phrases of `typed_parameters`."""
    match = bindparam("typed_match", type_=Text)
    return select(_titles.c.rowid.label("pk")).where(_TITLE_INDEX.op("MATCH")(match))


def typed_parameters(phrases: tuple[Phrase, ...]) -> dict[str, Any]:
    return {"typed_match": _all(phrases)}


def among(pk: ColumnElement[Any], found_posts: Select[int]) -> ColumnElement[bool]:
    return pk.in_(found_posts)


def _all(phrases: tuple[Phrase, ...]) -> str:
    return " AND ".join(map(_expression, phrases))


def _expression(phrase: Phrase) -> str:
    """A phrase in FTS5's language; the tokens are letters and digits, so nothing in it can be an operator."""
    return f'"{" ".join(phrase.tokens)}"{"*" if phrase.is_open else ""}'


def ranked(query: SearchQuery) -> Select[tuple[int, float]]:
    """The posts found and how well, the better the higher; of many, as many as a parameter `search_most` says.

    They are in order: of their posts those of a page are looked up, and none behind them.
    """
    score = -func.bm25(_INDEX, *_WEIGHTS, type_=Float)
    most = bindparam("search_most", -1, Integer)  # all
    hits = found(query).add_columns(score.label("score")).limit(most).subquery()
    return select(hits.c.pk, hits.c.score).order_by(hits.c.score.desc())
