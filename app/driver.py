"""Statements in the driver's own language: SQLAlchemy's way there takes as long as a short statement."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError


def fetch(connection: Connection, sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a statement, as the driver gives them. Raises DBAPIError."""
    for hear in connection.dispatch.before_cursor_execute:
        hear(connection, None, sql, parameters, None, False)
    driver: Any = connection.connection.dbapi_connection
    try:
        found: list[tuple[Any, ...]] = driver.execute(sql, parameters).fetchall()
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, parameters, error) from error
    return found


def execute_each(connection: Connection, sql: str, rows: Sequence[Any]) -> None:
    """Executes a statement that finds nothing, with each of some parameters. Raises DBAPIError."""
    for hear in connection.dispatch.before_cursor_execute:
        hear(connection, None, sql, rows, None, True)
    driver: Any = connection.connection.dbapi_connection
    try:
        driver.cursor().executemany(sql, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        raise _told(connection, sql, rows, error) from error


def _told(connection: Connection, sql: str, parameters: Any, error: Exception) -> BaseException:
    """A driver's error as SQLAlchemy has it; it names the parameters only where the engine lets errors name them."""
    is_hidden = connection.engine.hide_parameters
    return DBAPIError.instance(
        sql, parameters, error, connection.dialect.loaded_dbapi.Error, is_hidden, dialect=connection.dialect
    )
