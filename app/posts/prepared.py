"""Statements that are built and compiled once: building one anew takes longer than most reads take to run."""

from collections import namedtuple
from collections.abc import Mapping
from copy import copy
from typing import Any

from sqlalchemy import Connection, Dialect

from app.database import fetch
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
        self._row: Any = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]  # noqa: PYI024

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
        return list(map(self._row._make, fetch(connection, self._sql, parameters)))
