"""What is asked of the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Connection, Engine, event


@contextmanager
def recorded(engine: Engine) -> Iterator[list[str]]:
    """The statements that are executed in the block."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@contextmanager
def worked(connection: Connection) -> Iterator[Callable[[], int]]:
    """How much SQLite works in the block, in hundreds of its machine's steps: the same on every computer."""
    driver: Any = connection.connection.driver_connection
    hundreds = count()
    driver.set_progress_handler(lambda: next(hundreds) < 0, 100)
    yield lambda: next(hundreds)
    driver.set_progress_handler(None, 0)
