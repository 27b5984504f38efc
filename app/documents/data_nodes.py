"""TOML and JSON as nodes, with the limits that YAML has.

Neither `tomllib` nor `json` tells where a value stood: a value has the place of its outermost key.
"""

import datetime as dt
import json
import re
import tomllib
from typing import Any

from app.documents.nodes import MAX_DEPTH, Front, Node, Scalar, Value, core
from app.errors import DocumentError

# Strings and comments first, so that brackets and dots inside them count for nothing. An unclosed string
# reaches to the end: the pattern never starts over, and a hostile text costs one pass.
_TOML_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"""|\Z)|'
    r"'''(?:[^']|'(?!''))*+(?:'''|\Z)|"
    r'"(?:[^"\\\n]|\\.)*+(?:"|$)|'
    r"'[^'\n]*+(?:'|$)|#[^\n]*|[\[\]{}.=,\n]",
    re.DOTALL | re.MULTILINE,
)
_TOML_KEY = re.compile(
    r"""^[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([\w-]+))[ \t]*[.=\]]|^\[+[ \t]*["']?([\w-]+)""", re.MULTILINE
)
_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_JSON_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"(\s*:)?|\Z)|[\[\]{}]', re.DOTALL)


def read_toml(front: Front) -> Node:
    """Read TOML 1.0. Integers come back in decimal, dates and times in ISO 8601, other numbers as written."""
    _guard_toml(front)
    try:
        table = tomllib.loads(front.text, parse_float=lambda text: _Number(text, float(text)))
    except Exception as error:  # noqa: BLE001 - ValueError for 5 000 digits; whatever a later version raises
        raise _toml_error(front, error) from None
    return _Builder(front, _toml_places(front.text)).node(table, 0, 1)


def read_json(front: Front, *, braces: bool = False) -> Node:
    """Read a JSON object (RFC 8259); `braces` puts the outer ones around it."""
    offset = int(braces)
    text = "{" * offset + front.text + "}" * offset
    places = _guard_json(front, text, offset)
    builder = _Builder(front, places)
    decoder = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=_number, parse_float=_number, parse_constant=_number)
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        index = min(max(error.pos - offset, 0), len(front.text))
        detail = f"The front matter is not valid JSON: {error.msg}."
        raise DocumentError(front.finding("json_syntax", detail, index)) from None
    return builder.node(value, 0, 1)


class _Number:
    """A number with its text."""

    __slots__ = ("text", "value")

    def __init__(self, text: str, value: Value) -> None:
        self.text = text
        self.value = value


class _Pairs(list[tuple[str, Any]]):
    """A JSON object before duplicate keys are lost."""


_CONSTANTS = {"NaN": ".nan", "Infinity": ".inf", "-Infinity": "-.inf"}


def _number(text: str) -> _Number:
    return _Number(text, core(_CONSTANTS.get(text, text)))


class _Builder:
    def __init__(self, front: Front, places: dict[str, int]) -> None:
        self.front = front
        self.places = places

    def node(self, value: Any, index: int, depth: int) -> Node:
        if isinstance(value, dict | list):
            self.front.enter(depth, index)
            self.front.spend(index=index)
        if isinstance(value, dict):
            return self._map(list(value.items()), index, depth)
        if isinstance(value, _Pairs):
            return self._map(value, index, depth)
        if isinstance(value, list):
            return [self.node(member, index, depth + 1) for member in value]
        return self._scalar(value, index)

    def _map(self, pairs: list[tuple[str, Any]], index: int, depth: int) -> Node:
        fields: dict[str, Node] = {}
        for key, value in pairs:
            place = self.places.get(key, index) if depth == 1 else index
            self.front.spend(characters=len(key), index=place)
            self.front.add(fields, self.front.string(key, place), self.node(value, place, depth + 1), place)
        return fields

    def _scalar(self, value: Any, index: int) -> Scalar:
        if isinstance(value, _Number):
            return self.front.scalar(value.text, value.value, index)
        if value is None or isinstance(value, bool):
            return self.front.scalar(str(json.dumps(value)), value, index)
        if isinstance(value, dt.datetime):
            text = value.isoformat(" " if value.tzinfo is None else "T")
            return self.front.scalar(text, text, index)
        if isinstance(value, dt.date | dt.time):
            return self.front.scalar(value.isoformat(), value.isoformat(), index)
        try:
            return self.front.scalar(str(value), value, index)
        except ValueError:  # Python writes out no integer of more than 4 300 digits
            raise self.front.too_large("it holds an integer of thousands of digits", index) from None


def _guard_toml(front: Front) -> None:
    """Refuse nesting before `tomllib` recurses into it; long dotted keys cost it the square of their length."""
    depth = dots = 0
    for token in _TOML_TOKEN.finditer(front.text):
        character = token[0]
        dots = dots + 1 if character == "." else dots if character[0] in "\"'" else 0
        depth += (character in ("[", "{")) - (character in ("]", "}"))
        front.enter(max(depth, dots), token.start())


def _toml_places(text: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for match in _TOML_KEY.finditer(text):
        group = match.lastindex or 0
        places.setdefault(match[group], match.start(group))
    return places


def _toml_error(front: Front, error: Exception) -> DocumentError:
    place = _TOML_PLACE.search(str(error))
    reason = _TOML_PLACE.sub("", str(error))
    index = 0
    if place:
        lines = front.text.split("\n")
        row, column = (int(place[1]), int(place[2])) if place[1] else (len(lines), 1)
        index = min(sum(len(line) + 1 for line in lines[: row - 1]) + column - 1, len(front.text))
    return DocumentError(front.finding("toml_syntax", f"The front matter is not valid TOML: {reason}.", index))


def _guard_json(front: Front, text: str, offset: int) -> dict[str, int]:
    """Refuse nesting before `json` recurses into it, and note where the outermost keys stand."""
    places: dict[str, int] = {}
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        index = max(token.start() - offset, 0)
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        front.enter(min(depth, MAX_DEPTH + 1), min(index, len(front.text)))
        if depth == 1 and token[2]:
            places[token[1]] = index
    return places


def end_of_json(text: str) -> int | None:
    """Find where the object that opens `text` ends, None where it does not."""
    depth = 0
    for token in _JSON_TOKEN.finditer(text):
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        if depth == 0:
            return token.end()
    return None
