"""A slice of a list, and the way on and back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from app.posts.cursor import Cursor, Key, encode_cursor

Item = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A slice of a list. `next` and `previous` are the parameters that lead there: a cursor or a page number."""

    items: list[Any]  # each an Item, or an orjson.Fragment of one
    total: int | None
    limit: int
    next: dict[str, str] | None
    previous: dict[str, str] | None
    page: int | None = None

    @property
    def pages(self) -> int | None:
        return None if self.total is None else -(-self.total // self.limit)


class Paged(Protocol):
    """A query that is answered by the page."""

    @property
    def limit(self) -> int: ...
    @property
    def page(self) -> int | None: ...
    @property
    def identity(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    rows: list[Any]
    next: dict[str, str] | None
    previous: dict[str, str] | None


def window_of(found: Iterable[Any], query: Paged, cursor: Cursor | None, key: Callable[[Any], Key]) -> Window:
    """The rows of a page, of at most one more that were found, and the way on and back."""
    rows = list(found)
    has_more = len(rows) > query.limit
    rows = rows[: query.limit]
    if query.page is not None:
        return Window(
            rows=rows,
            next={"page": str(query.page + 1)} if has_more else None,
            previous={"page": str(query.page - 1)} if query.page > 1 else None,
        )
    backward = cursor is not None and cursor.backward
    if backward:
        rows.reverse()
    has_next, has_previous = (True, has_more) if backward else (has_more, cursor is not None)

    def way(edge: int, *, backward: bool) -> dict[str, str]:
        if rows or cursor is None:
            position = Cursor(key=key(rows[edge]), backward=backward)
        else:  # all that stood there is gone: back over the same place, the item that named it included
            position = Cursor(key=cursor.key, backward=backward, inclusive=not cursor.inclusive)
        return {"cursor": encode_cursor(position, query.identity)}

    return Window(
        rows=rows,
        next=way(-1, backward=False) if has_next else None,
        previous=way(0, backward=True) if has_previous else None,
    )
