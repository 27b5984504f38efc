import json
import logging
import sys

from app.logs import JsonFormatter, TextFormatter, configuration, request_id


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.getLogger("honbun").makeRecord(
        "honbun", logging.WARNING, "x.py", 1, message, args, None, extra=extra
    )
    made.created = 1_768_478_400.25
    return made


def test_json_line_holds_what_is_known() -> None:
    token = request_id.set("abc")
    line = json.loads(JsonFormatter().format(record("%s fehlt", "株価\n", status=404)))
    request_id.reset(token)

    assert line == {
        "time": "2026-01-15T12:00:00.250Z",
        "level": "warning",
        "logger": "honbun",
        "message": "株価\n fehlt",
        "request_id": "abc",
        "status": 404,
    }


def test_json_line_takes_what_has_no_utf_8() -> None:
    assert json.loads(JsonFormatter().format(record("\ud800")))["message"] == "\\ud800"


def test_text_line_cannot_be_broken_by_what_a_client_sent() -> None:
    line = TextFormatter().format(record("GET /%s", "a\nb\x1b[2J", status=404))

    assert line == "2026-01-15T12:00:00.250Z WARNING GET /a\\nb\\x1b[2J status=404"


def test_exception_is_in_both() -> None:
    broken = record("failed")
    try:
        int("株価")
    except ValueError:
        broken.exc_info = sys.exc_info()

    assert (
        "ValueError: invalid literal for int() with base 10: '株価'"
        in json.loads(JsonFormatter().format(broken))["exception"]
    )
    assert TextFormatter().format(broken).endswith("ValueError: invalid literal for int() with base 10: '株価'")


def test_json_is_the_form_where_there_is_no_terminal() -> None:
    assert configuration("auto", "info")["formatters"]["line"]["()"] == "app.logs.JsonFormatter"
    assert configuration("text", "info")["formatters"]["line"]["()"] == "app.logs.TextFormatter"
    assert configuration("json", "error")["loggers"]["honbun"]["level"] == "ERROR"
