"""Logs on standard error: a JSON object a line, or plain lines at a terminal; and which request a line is about."""

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

Format = Literal["auto", "json", "text"]
Level = Literal["debug", "info", "warning", "error"]
EXTRAS = ("method", "path", "status", "milliseconds", "client")  # what a line may say beside its message
request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


class JsonFormatter(logging.Formatter):
    """One object a line: `time`, `level`, `logger`, `message`, and where there are such `request_id`, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _storable(record.getMessage()),
            "request_id": request_id.get(),
            **{name: getattr(record, name, None) for name in EXTRAS},
            "exception": _storable(self.formatException(record.exc_info)) if record.exc_info else None,
        }
        return orjson.dumps({name: value for name, value in line.items() if value is not None}).decode()


class TextFormatter(logging.Formatter):
    """`time LEVEL message`; what a client sent can begin no line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        extras = [f"{name}={value}" for name in EXTRAS if (value := getattr(record, name, None)) is not None]
        if (identifier := request_id.get()) is not None:
            extras.append(f"request_id={identifier}")
        line = " ".join([_time(record), record.levelname, record.getMessage(), *extras])
        line = "".join(character if character.isprintable() else repr(character)[1:-1] for character in line)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    instant = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
    return f"{instant.isoformat(timespec='milliseconds')}Z"


def _storable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()  # a lone surrogate has no UTF-8


def configuration(form: Format, level: Level) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`; a server hands it to its workers."""
    if form == "auto":
        form = "text" if sys.stderr.isatty() else "json"
    formatter = "app.logs.JsonFormatter" if form == "json" else "app.logs.TextFormatter"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"honbun": {"level": level.upper()}},
    }
