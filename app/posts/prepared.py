"""Statements that are built and compiled once: building one anew takes longer than most reads take to run."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, Insert, Update

from app.driver import execute_each, fetch
from app.posts.models import AnySelect


class Prepared:
    """A SELECT whose runs differ only in the values of its own bind parameters; its rows are named tuples.

    No value is converted on its way out: the columns must be of types that the drivers give as they are wanted.
    """

    def __init__(self, statement: AnySelect, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        expanded = compiled.construct_expanded_state(compiled.params)
        types = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
        self._sql = expanded.statement
        self._order = expanded.positiontup
        self._processors = {
            name: processor for name, type_ in types.items() if (processor := type_.bind_processor(dialect))
        } | dict(expanded.processors)
        self._values = {name: self._bound(name, value) for name, value in expanded.parameters.items()}
        row = _row_of(tuple(statement.selected_columns.keys()))
        self._row = partial(tuple.__new__, row)  # what its `_make` does, but for a call of Python's for each row

    def _bound(self, name: str, value: Any) -> Any:
        processor = self._processors.get(name)
        return processor(value) if processor and value is not None else value

    def given(self, values: Mapping[str, Any]) -> "Prepared":
        """The same with other values for some of its parameters; those of other statements are left out."""
        other = copy(self)
        other._values = self._values | {name: self._bound(name, value) for name, value in values.items()}  # noqa: SLF001
        return other

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """What the statement finds with these values.

        Raises SQLAlchemy's DBAPIError.
        """
        merged = self._values | {name: self._bound(name, value) for name, value in values.items()}
        parameters = merged if self._order is None else [merged[name] for name in self._order]
        return list(map(self._row, fetch(connection, self._sql, parameters)))


@lru_cache(maxsize=256)
def _row_of(columns: tuple[str, ...]) -> Any:
    """One class for all statements with these columns: each class takes as much memory as all else of a statement."""
    return namedtuple("Row", columns)  # noqa: PYI024


def write(connection: Connection, statement: Insert | Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Executes a statement, which is kept with what it compiles to, with each of some rows of the same columns.

    Raises SQLAlchemy's DBAPIError.
    """
    if not rows:
        return
    written = _written(statement, tuple(rows[0]), connection.dialect)
    execute_each(connection, written.sql, list(map(written.bound, rows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    sql: str
    names: tuple[str, ...]
    processors: tuple[tuple[int, Callable[[Any], Any]], ...]  # by the place of the name
    is_positional: bool

    def bound(self, row: Mapping[str, Any]) -> Any:
        values = list(map(row.__getitem__, self.names))
        for place, processor in self.processors:
            if values[place] is not None:
                values[place] = processor(values[place])
        return values if self.is_positional else dict(zip(self.names, values, strict=True))


@lru_cache(maxsize=128)  # of an update, one for each choice of columns
def _written(statement: Insert | Update, columns: tuple[str, ...], dialect: Dialect) -> _Written:
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(columns))
    types = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
    names = tuple(compiled.positiontup or types)
    # No driver needs help with a boolean, of which most rows have one.
    processors = (
        (place, type_.bind_processor(dialect))
        for place, name in enumerate(names)
        if not isinstance(type_ := types[name], Boolean)
    )
    return _Written(
        sql=compiled.string,
        names=names,
        processors=tuple((place, processor) for place, processor in processors if processor),
        is_positional=compiled.positional,
    )
