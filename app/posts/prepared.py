"""Statements that are built and compiled once: building one anew takes longer than most reads take to run."""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import zip_longest
from typing import Any

from sqlalchemy import Boolean, Connection, Dialect, Insert, TypeDecorator, Update

from app.driver import execute_each, fetch
from app.posts.models import AnySelect


class Prepared:
    """A SELECT whose runs differ only in the values of its own bind parameters; its rows are named tuples.

    No value is converted on its way out: the columns must be of types that the drivers give as they are wanted.
    """

    def __init__(self, statement: AnySelect, dialect: Dialect, lists: Mapping[str, list[Any]] | None = None) -> None:
        compiled = statement.compile(dialect=dialect)
        expanded = compiled.construct_expanded_state({**compiled.params, **(lists or {})})
        self.expansions = expanded.parameter_expansion
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


def read(connection: Connection, statement: AnySelect, **values: Any) -> list[Any]:
    """The rows of a statement, which is kept with what it compiles to; their values are of its columns' types.

    A list is what a parameter of `in_` expands to. Raises SQLAlchemy's DBAPIError.
    """
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    sizes = tuple((name, 1 << (len(value) - 1).bit_length()) for name, value in lists.items())
    kept = _kept(statement, connection.dialect, sizes)
    for name, value in lists.items():  # filled up with nothing, so that few statements are kept for all lengths
        values |= zip_longest(kept.names[name], value)
        del values[name]
    rows = kept.prepared.rows(connection, **values)
    if not kept.converters:
        return rows
    return [kept.converted(row) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    prepared: Prepared
    names: Mapping[str, Sequence[str]]  # of a list's values, as parameters
    converters: tuple[tuple[int, Callable[[Any], Any]], ...]  # by the column's place

    def converted(self, row: Any) -> Any:
        values = list(row)
        for place, convert in self.converters:
            values[place] = convert(values[place])
        return tuple.__new__(type(row), values)


@lru_cache(maxsize=64)
def _kept(statement: AnySelect, dialect: Dialect, sizes: tuple[tuple[str, int], ...]) -> _Kept:
    prepared = Prepared(statement, dialect, {name: [None] * size for name, size in sizes})
    types = [column.type.dialect_impl(dialect) for column in statement.selected_columns]
    # A server's driver gives its own types as they are wanted.
    ours = [dialect.name == "sqlite" or isinstance(type_, TypeDecorator) for type_ in types]
    processors = [own and type_.result_processor(dialect, None) for own, type_ in zip(ours, types, strict=True)]
    converters = tuple((place, convert) for place, convert in enumerate(processors) if convert)
    return _Kept(prepared=prepared, names=prepared.expansions, converters=converters)


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
