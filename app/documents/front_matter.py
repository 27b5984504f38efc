"""From bytes to named nodes: decode, split, parse.

The formats are those that Jekyll, Hugo, Zola and Middleman read: YAML between `---` (or up to `...`), TOML
between `+++`, JSON between `;;;` or as an object at the very start. Every failure is a DocumentError.
"""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from frontmatter.default_handlers import BaseHandler, JSONHandler, YAMLHandler

from app.documents.data_nodes import end_of_json, read_json, read_toml
from app.documents.encoding import decode
from app.documents.field_names import ALIASES
from app.documents.nodes import MAX_BYTES, MAX_DEPTH, MAX_NODES, Front, Node, Scalar, texts, to_json
from app.documents.yaml_hints import hint_at
from app.documents.yaml_nodes import read_yaml
from app.errors import DocumentError, Finding

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "Node",
    "Scalar",
    "Split",
    "decode",
    "parse",
    "split",
    "texts",
    "to_json",
]

Format = Literal["yaml", "toml", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A text cut in two. `front_line` and `body_line` are where the parts begin in the file."""

    format: Format | None
    front: str
    body: str
    front_line: int
    body_line: int
    warnings: tuple[Finding, ...] = ()


class _Fenced(BaseHandler):
    """A front matter between two fences. Blanks before the first are forgiven, as after either."""

    CLOSING: ClassVar[str]

    def split(self, text: str) -> tuple[str, str]:
        opening = self.opening(text)
        indent = opening[1].rpartition("\n")[2]
        closing = re.compile(rf"^(?:{indent})?{self.CLOSING}[ \t]*(?:\n|\Z)", re.MULTILINE).search(text, opening.end())
        if closing is None:
            raise _unclosed(text, opening.start(2), opening[2])
        return text[opening.end() : closing.start()], text[closing.end() :]

    def read(self, front: Front) -> Node | None:
        raise NotImplementedError

    def load(self, fm: str, **_: object) -> Any:
        return self.read(Front(fm))

    def opening(self, text: str) -> re.Match[str]:
        opening = self.FM_BOUNDARY.match(text) if self.FM_BOUNDARY else None
        if opening is None:
            raise ValueError("no front matter of this format")
        return opening


def _boundary(fence: str, language: str = "") -> re.Pattern[str]:
    """The opening fence; Eleventy and Gatsby let it name its language."""
    return re.compile(rf"([ \t\n\u3000]*)({re.escape(fence)})(?:{language})?[ \t]*(?:\n|\Z)")


class _Yaml(_Fenced, YAMLHandler):
    FM_BOUNDARY = _boundary("---", "yaml")
    CLOSING = r"(?:---|\.\.\.)"

    def read(self, front: Front) -> Node | None:
        return read_yaml(front)


class _Toml(_Fenced):
    FM_BOUNDARY = _boundary("+++")
    CLOSING = r"\+\+\+"

    def read(self, front: Front) -> Node | None:
        return read_toml(front)


class _Json(_Fenced, JSONHandler):
    FM_BOUNDARY = _boundary(";;;")
    CLOSING = ";;;"

    def read(self, front: Front) -> Node | None:
        """Read an object whose outer braces may be left out between the fences."""
        return read_json(front, braces=not front.text.lstrip().startswith("{"))


class _TomlNamed(_Toml):
    FM_BOUNDARY = re.compile(r"()(---)toml[ \t]*\n")
    CLOSING = "---"


class _JsonNamed(_Json):
    FM_BOUNDARY = re.compile(r"()(---)json[ \t]*\n")
    CLOSING = "---"


class _JsonObject(_Json):
    """An object at the very start, alone on its lines: prose that begins with a brace is not one."""

    FM_BOUNDARY = re.compile(r"()(?=(\{)\s*[\"}])")

    def detect(self, text: str) -> bool:
        if not super().detect(text):
            return False
        end = end_of_json(text)
        return end is None or not text[end:].partition("\n")[0].strip()

    def split(self, text: str) -> tuple[str, str]:
        end = end_of_json(text)
        if end is None:
            raise _unclosed(text, 0, "{")
        return text[:end], text[end:].partition("\n")[2]


# By the first that is detected.
_HANDLERS: tuple[tuple[Format, _Fenced], ...] = (
    ("yaml", _Yaml()),
    ("toml", _Toml()),
    ("toml", _TomlNamed()),
    ("json", _Json()),
    ("json", _JsonNamed()),
    ("json", _JsonObject()),
)
_READERS: dict[Format, _Fenced] = dict(reversed(_HANDLERS))
# Hexo took a front matter without its first fence for years.
_UNOPENED = re.compile(
    r"(?:title|date|layout)[ \t]*:(?:(?!---)(?=[^\n]*\S)[^\n]*+\n){1,200}+(?=---[ \t]*\n)", re.IGNORECASE
)
_PROGRAMME = re.compile(r"---[ \t]*(?:js|javascript|coffee|lua)[ \t]*\n(?:(?!---)[^\n]*\n){0,200}---[ \t]*(?:\n|\Z)")

_LOOKALIKE = re.compile(
    "[\\s\u200b-\u200f\u2060\ufeff]*((?:-{2,}+|[－ー−–—]{2,}+|[+＋]{2,}+|;{2,}+)[^\n]*+)\n"
    "(?=[\"']?[\\w.-]+[\"']?[ \t\u3000]*[:：=＝])((?:[^\n]*+\n?){1,200})"
)
_DECIDES = re.compile(  # whether and when a post is published
    "^[ \t\u3000]*[\"']?(?:"
    + "|".join(sum(map(ALIASES.__getitem__, ("draft", "published", "date", "expires")), ()))
    + ")"
    "[\"']?[ \t\u3000]*[:：=＝]",
    re.MULTILINE | re.IGNORECASE,
)


def split(text: str) -> Split:
    """Cut a decoded text into front matter and body.

    Raises:
        DocumentError: `front_matter_unclosed` where an opening fence has no closing one, `front_matter_lost` where it is
            no fence, though it was meant to say whether the post is published.

    """
    for name, handler in _HANDLERS:
        if handler.detect(text):
            opening = handler.opening(text)
            front, body = handler.split(text)
            return Split(
                format=name,
                front=front,
                body=body,
                front_line=1 + text.count("\n", 0, opening.end()),
                body_line=1 + text.count("\n", 0, len(text) - len(body)),
                warnings=_not_first(opening),
            )
    if unopened := _UNOPENED.match(text):
        body = text[unopened.end() :].partition("\n")[2]
        warnings = (_not_opened(),)
        body_line = 2 + unopened[0].count("\n")
        return Split(format="yaml", front=unopened[0], body=body, front_line=1, body_line=body_line, warnings=warnings)
    return Split(format=None, front="", body=text, front_line=1, body_line=1, warnings=_lookalike(text))


def parse(split: Split) -> tuple[dict[str, Node], tuple[Finding, ...]]:
    """Read the front matter of a split text; warnings come beside the fields.

    Raises:
        DocumentError: with line, column and where possible a field and a hint.

    """
    if split.format is None:
        return {}, ()
    front = Front(split.front, line=split.front_line)
    fields = _READERS[split.format].read(front)
    if fields is None or (isinstance(fields, Scalar) and not fields.text):
        return {}, tuple(front.findings)
    if not isinstance(fields, dict):
        first = re.search(r"\S", split.front)
        index = first.start() if first else 0
        hint = hint_at(front, index) or "write `key: value` lines between the fences"
        raise DocumentError(
            front.finding(
                "front_matter_not_a_map", "The front matter is not a map of keys to values.", index, hint=hint
            )
        )
    return fields, tuple(front.findings)


def _unclosed(text: str, index: int, fence: str) -> DocumentError:
    line = 1 + text.count("\n", 0, index)
    closing = "}" if fence == "{" else fence
    detail = f"The front matter that `{fence}` opens is never closed."
    hint = f"end it with a line that holds nothing but `{closing}`"
    if fence == "---":
        hint += "; if it is a rule, write `***`"
    return DocumentError(Finding(code="front_matter_unclosed", detail=detail, line=line, column=1, hint=hint))


def _not_opened() -> Finding:
    detail = "No `---` opens the front matter; it is read all the same."
    return Finding(code="front_matter_not_first", detail=detail, line=1, column=1, hint="begin the file with `---`")


def _not_first(opening: re.Match[str]) -> tuple[Finding, ...]:
    if not opening[1]:
        return ()
    detail = "Blanks stand before the front matter; it is read all the same."
    line = 1 + opening[1].count("\n")
    return (
        Finding(
            code="front_matter_not_first",
            detail=detail,
            line=line,
            column=1,
            hint=f"begin the file with `{opening[2]}`",
        ),
    )


def _lookalike(text: str) -> tuple[Finding, ...]:
    """A remark on a fence that is none; an error where what it opens says whether the post is published."""
    if _PROGRAMME.match(text):
        detail = "The front matter is a programme, which is never run."
        hint = "write it in YAML between `---`"
        raise DocumentError(Finding(code="front_matter_lost", detail=detail, line=1, column=1, hint=hint))
    match = _LOOKALIKE.match(text)
    if not match:
        return ()
    line = 1 + text.count("\n", 0, match.start(1))
    detail = f"The line {match[1][:40]!r} is no fence, so the file has no front matter."
    hint = "write exactly `---`, alone on the line"
    if _DECIDES.search(match[2].partition("\n\n")[0]):
        raise DocumentError(Finding(code="front_matter_lost", detail=detail, line=line, column=1, hint=hint))
    return (Finding(code="front_matter_not_read", detail=detail, line=line, column=1, hint=hint),)
