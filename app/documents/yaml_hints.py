"""What a YAML error means to somebody who wrote a title."""

import re
from typing import Any

import yaml

from app.documents.nodes import Front
from app.errors import DocumentError

_KEY = re.compile(r"([^\s:#'\"\[\]{}-][^:#\n]*):(?:[ \t]|$)")
_FULL_WIDTH_COLON = re.compile(r"^[^\s:：\"'#\[{]+：")
QUOTE = 'put the whole value in double quotes, as in `title: "…"`'

# What the offending line looks like -> what to do. The first that matches is given.
_LINES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        ("[\u0085\u2028\u2029]", "the line holds an invisible line separator (U+2028 or the like): remove it"),
        (r"^[ ]*\t", "indent with spaces: YAML does not take tabs"),
        ("^ *[\u3000\u00a0]", "indent with ASCII spaces: the line begins with a full-width or no-break space"),
        ("^-{4,}", "only three dashes, alone on a line, close the front matter"),
        (_FULL_WIDTH_COLON.pattern, "write a half-width colon and a space after the key: `title: …`"),
        (r":[ \t]+\"[^\"]*\\", "inside double quotes a backslash is special: double it, or use single quotes"),
        (r":[ \t]+'[^']*'[^\s]", "inside single quotes write two for an apostrophe (''), or use double quotes"),
        (r":[ \t]+[\"']", "close the quotes on the value, and write nothing after them"),
        (r":[ \t]+\[", f"a value that begins with a bracket is a list: {QUOTE}"),
        (r":[ \t]+\{", f"a value that begins with a brace is a map: {QUOTE}"),
        (r":[ \t]+[@`%&*!|>,\]}]", f"the value begins with a character that means something to YAML: {QUOTE}"),
        (r":[ \t]+[^\n]*:(?:\s|$)", f"the value holds a colon: {QUOTE}"),
        (r":[ \t]+-[ \t]", "begin a list on the next line, or write it as `[a, b]`"),
        (r"^[^\s:]+:[^\s/]", "write a space after the colon"),
    )
)
# Errors whose cause is where the construct began, not where the reader noticed.
_BEGINNINGS = ("while scanning a simple key", "while parsing a flow", "while scanning an alias")
_PLAIN_WORDS = {
    "mapping values are not allowed in this context": "a colon where no key can stand",
    "found character that cannot start any token": "a value cannot begin with this character",
    "did not find expected key": "something stands after the value, or the indentation is off",
    "could not find expected ':'": "a key without a colon",
    "found unexpected end of stream": "quotes that are never closed",
    "did not find expected alphabetic or numeric character": "a value cannot begin with this character",
    "block sequence entries are not allowed in this context": "a list item where none can stand",
    "found unknown escape character": "a backslash that YAML does not know",
}


def field_at(front: Front, index: int) -> str | None:
    """Name the key on the line, where one begins it."""
    key = _KEY.match(front.line_at(index))
    return key[1].strip()[:80] if key else None


def hint_at(front: Front, index: int) -> str | None:
    line = front.line_at(index)[:1000]
    return next((hint for pattern, hint in _LINES if pattern.search(line)), None)


def syntax_error(front: Front, error: Exception) -> DocumentError:
    """Turn whatever PyYAML raises into a finding with a place, plain words and a hint."""
    index = min(_index(error), len(front.text))
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    if "nesting depth" in problem:  # libyaml has a limit of its own from 0.2.6 on
        return front.too_deep(index)
    line = front.line_at(index)
    before = front.text[: max(front.text.rfind("\n", 0, index), 0)]
    hint = hint_at(front, index)
    if "mapping values" in problem or (hint is None and not _KEY.match(line.strip())):
        # A line without a proper colon is only noticed on the next one.
        previous = before.rpartition("\n")[2]
        if index and _FULL_WIDTH_COLON.search(previous):
            index = len(before) - len(previous)
            hint = hint_at(front, index)
    detail = f"The front matter is not valid YAML: {_PLAIN_WORDS.get(problem, problem)}."
    return DocumentError(front.finding("yaml_syntax", detail, index, field=field_at(front, index), hint=hint))


def _index(error: Any) -> int:
    if not isinstance(error, yaml.MarkedYAMLError):
        return int(getattr(error, "position", 0) or 0)
    at_beginning = (error.context or "").startswith(_BEGINNINGS) or "end of stream" in (error.problem or "")
    mark = (error.context_mark if at_beginning else None) or error.problem_mark or error.context_mark
    return mark.index if mark else 0
