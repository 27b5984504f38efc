"""What a front matter holds, whatever its format: scalars with their place in the file, lists and maps.

Every reader (YAML, TOML, JSON) builds its nodes through one `Front`, which holds the limits and the remarks.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from app.errors import DocumentError, Finding

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_NODES = 10_000
MAX_CHARACTERS = 4 * MAX_BYTES  # of all keys and scalars once aliases are expanded
MAX_SAFE_INTEGER = 2**53  # JSON clients read numbers as IEEE 754 doubles (RFC 8259, section 6)

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BEGIN_NUMBERS = frozenset("+-.0123456789")
_MAX_DIGITS = 4000  # Python refuses to read integers of more than 4 300 digits

Value: TypeAlias = bool | int | float | str | None

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """`text` as written (quotes, escapes and folding resolved), `value` by YAML 1.2's core schema.

    Lines and columns count from 1 in the whole file.
    """

    text: str
    value: Value
    line: int
    column: int


Node: TypeAlias = Scalar | list["Node"] | dict[str, "Node"]


def core(text: str) -> Value:
    """Read a plain scalar by YAML 1.2's core schema (yaml.org/spec/1.2.2, section 10.3.2)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _BEGIN_NUMBERS or len(text) > _MAX_DIGITS:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def to_json(node: Node) -> Any:
    """JSON without surprises: NaN and Infinity are null, integers beyond 2^53 are strings."""
    if isinstance(node, dict):
        return {key: to_json(value) for key, value in node.items()}
    if isinstance(node, list):
        return [to_json(value) for value in node]
    if isinstance(node.value, float) and not math.isfinite(node.value):
        return None
    if isinstance(node.value, int) and abs(node.value) > MAX_SAFE_INTEGER:
        return node.text
    return node.value


def texts(fields: dict[str, Node]) -> Iterator[tuple[str, str, Any]]:
    """Yield every leaf as (dotted path, text as written, JSON value); list members come under their list's path."""
    for key, node in fields.items():
        yield from _leaves(key, node)


def _leaves(path: str, node: Node) -> Iterator[tuple[str, str, Any]]:
    if isinstance(node, Scalar):
        yield path, node.text, to_json(node)
    elif isinstance(node, list):
        for member in node:
            yield from _leaves(path, member)
    else:
        for key, member in node.items():
            yield from _leaves(f"{path}.{key}", member)


def first_scalar(node: Node) -> Scalar | None:
    """Tell where a list or map begins, as near as its first scalar."""
    while not isinstance(node, Scalar):
        members = list(node.values()) if isinstance(node, dict) else node
        if not members:
            return None
        node = members[0]
    return node


def height(node: Node) -> int:
    """Count levels: a scalar has none, an empty list one."""
    if isinstance(node, Scalar):
        return 0
    return 1 + max(map(height, node.values() if isinstance(node, dict) else node), default=0)


class Front:
    """A front matter being read: its text, its place in the file, what was spent and what was remarked.

    `index` is always a code point's position in `text`.
    """

    def __init__(self, text: str, *, line: int = 1) -> None:
        self.text = text
        self.line = line
        self.findings: list[Finding] = []
        self.nodes = 0
        self.characters = 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise self.too_large(f"it is larger than {MAX_BYTES // 1024} KiB")
        if forbidden := _FORBIDDEN.search(text):
            raise self._control_character(forbidden[0], forbidden.start())

    def place(self, index: int) -> tuple[int, int]:
        row = bisect_right(self._starts, index) - 1
        return self.line + row, index - self._starts[row] + 1

    def line_at(self, index: int) -> str:
        row = bisect_right(self._starts, index) - 1
        end = self._starts[row + 1] - 1 if row + 1 < len(self._starts) else len(self.text)
        return self.text[self._starts[row] : end]

    def finding(
        self, code: str, detail: str, index: int = 0, *, field: str | None = None, hint: str | None = None
    ) -> Finding:
        line, column = self.place(index)
        return Finding(code=code, detail=detail, line=line, column=column, field=field, hint=hint)

    def warn(
        self, code: str, detail: str, index: int = 0, *, field: str | None = None, hint: str | None = None
    ) -> None:
        self.findings.append(self.finding(code, detail, index, field=field, hint=hint))

    def too_large(self, reason: str, index: int = 0) -> DocumentError:
        hint = f"at most {MAX_BYTES // 1024} KiB, {MAX_DEPTH} levels and {MAX_NODES} values, aliases expanded"
        return DocumentError(
            self.finding("front_matter_too_large", f"The front matter is refused: {reason}.", index, hint=hint)
        )

    def enter(self, depth: int, index: int = 0) -> None:
        if depth > MAX_DEPTH:
            raise self.too_deep(index)

    def too_deep(self, index: int) -> DocumentError:
        return self.too_large(f"it nests deeper than {MAX_DEPTH} levels", index)

    def spend(self, *, nodes: int = 1, characters: int = 0, index: int = 0) -> None:
        self.nodes += nodes
        self.characters += characters
        if self.nodes > MAX_NODES or self.characters > MAX_CHARACTERS:
            raise self.too_large(f"it holds more than {MAX_NODES} values or {MAX_CHARACTERS} characters", index)

    def string(self, text: str, index: int) -> str:
        """Let pass what a JSON string, a database and a terminal can all hold."""
        if not text.isprintable() and (forbidden := _FORBIDDEN.search(text)):
            raise self._control_character(forbidden[0], index)
        return text

    def scalar(self, text: str, value: Value, index: int) -> Scalar:
        self.spend(characters=len(text), index=index)
        line, column = self.place(index)
        scalar = Scalar(text=self.string(text, index), value=value, line=line, column=column)
        if type(value) in (int, float) and to_json(scalar) != value:
            shown = "null" if isinstance(value, float) else "a string"
            self.warn("number_not_json", f"JSON has no exact number for {text[:40]}; it is shown as {shown}.", index)
        return scalar

    def add(self, fields: dict[str, Node], key: str, node: Node, index: int) -> None:
        """Put a key into a map. The last of equal ones wins, as it does in Jekyll."""
        if key in fields:
            self.warn("duplicate_key", f"The key {key[:80]!r} comes twice; the last one counts.", index, field=key[:80])
        fields[key] = node

    def _control_character(self, character: str, index: int) -> DocumentError:
        detail = f"The front matter holds the control character U+{ord(character):04X}."
        return DocumentError(
            self.finding("control_character", detail, index, hint="remove it; most editors do not show it")
        )
