"""What the keys of a front matter mean, under whichever name a generator knows them."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from app.documents import language
from app.documents.field_names import ALIASES, IMAGE_KEYS, JOINED, NAME_KEYS, SINGULAR
from app.documents.nodes import Node, Scalar, first_scalar
from app.errors import DocumentError, Finding

_KNOWN = frozenset(key for keys in ALIASES.values() for key in keys)
_PATHS = tuple(key for key in _KNOWN if "." in key)
_FALSE = frozenset({"false", "no", "off", "n"})
_SHOWING = frozenset(key.casefold() for key in ALIASES["published"])
_NOT_DRAFT = _FALSE | {"0", ""}
_DAY_IN_PATH = re.compile(r"(?:^|/)([0-9]{4})/(0[1-9]|1[0-2])/(0[1-9]|[12][0-9]|3[01])(?:/|$)")
_MINUTES = re.compile(
    r"(?:約|about|~)?\s*(\d{1,4}(?:\.\d{1,3})?)\s*(?:m|mins?|minutes?|分間?)?\s*(?:read|reading)?\.?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontMatter:
    """The fields Honbun acts on, and `fields` with every key as it came.

    Dates are left as written: `date` is None only where no key for it is present. `excerpt` is None where it is not
    given and `""` where it is given empty.
    """

    title: Scalar | None
    layout: str | None
    slug: Scalar | None
    permalink: Scalar | None
    date: Scalar | None
    hidden_until: Scalar | None  # a day of publication beside the date, as Hugo has it
    updated: Scalar | None
    expires: Scalar | None
    draft: bool
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    aliases: tuple[str, ...]
    excerpt: str | None
    excerpt_separator: str | None
    reading_time: int | None
    lang: str | None
    cover: str | None
    title_kana: str | None
    fields: dict[str, Node]


def read(fields: dict[str, Node]) -> tuple[FrontMatter, tuple[Finding, ...]]:
    """Read the fields of a front matter; warnings come beside them.

    Raises:
        DocumentError: a title, slug, permalink or date that is a list or a map.

    """
    reader = _Reader(fields)
    front_matter = FrontMatter(
        title=reader.title(),
        layout=reader.text("layout"),
        slug=reader.filled("slug"),
        permalink=reader.filled("permalink"),
        date=reader.scalar("date") or reader.date_in_path(),
        hidden_until=reader.filled("hidden_until") if "date" in fields else None,
        updated=reader.filled("updated"),
        expires=reader.filled("expires"),
        draft=reader.draft(),
        categories=reader.terms("categories"),
        tags=reader.terms("tags"),
        authors=reader.names("authors"),
        aliases=reader.names("aliases"),
        excerpt=reader.text("excerpt", empty=True),
        excerpt_separator=reader.text("excerpt_separator", empty=True),
        reading_time=reader.minutes(),
        lang=reader.lang(),
        cover=reader.cover(),
        title_kana=reader.text("title_kana"),
        fields=fields,
    )
    return front_matter, tuple(reader.findings)


class _Reader:
    def __init__(self, fields: dict[str, Node]) -> None:
        self.fields = fields
        self.findings: list[Finding] = []
        within = {path: node for path in _PATHS if (node := _walk(fields, path)) is not None}
        self._nodes = {**fields, **within}  # by their paths
        first = {key.casefold(): key for key in reversed(fields)}
        self._other_case = {folded: key for folded, key in first.items() if key not in _KNOWN}
        self._remarked: set[str] = set()

    def title(self) -> Scalar | None:
        """Give the title as written, without blanks around it; an empty one stays empty, as in Jekyll."""
        scalar = self.scalar("title")
        return None if scalar is None or scalar.value is None else replace(scalar, text=scalar.text.strip())

    def text(self, field: str, *, empty: bool = False) -> str | None:
        """Give the text of a field that null and false leave out."""
        for key, node in self._present(field):
            if not isinstance(node, Scalar):
                self._ignore(key, node, "a string belongs here")
                return None
            if _off(node):
                return None
            return node.text if empty else node.text.strip() or None
        return None

    def scalar(self, field: str) -> Scalar | None:
        """Give a field's scalar, be it null; a list of one stands for its member."""
        for key, node in self._present(field):
            only = node[0] if isinstance(node, list) and len(node) == 1 and field != "title" else node
            if isinstance(only, Scalar):
                return only
            if field == "permalink":
                self._ignore(key, node, "a string belongs here")
                return None
            code = "invalid_date" if field in {"date", "updated", "expires"} else "invalid_field"
            detail = f"`{key}` is {_kind(node)}, where one value belongs."
            raise DocumentError(
                _finding(code, detail, key, node, hint=f'put the whole value in double quotes: `{key}: "…"`')
            )
        return None

    def date_in_path(self) -> Scalar | None:
        """Find the day in Zola's `path = "2025/12/24/kiji"`, where no key holds one."""
        path = self.fields.get("path")
        day = _DAY_IN_PATH.search(path.text) if isinstance(path, Scalar) else None
        if not isinstance(path, Scalar) or day is None:
            return None
        text = "-".join(day.groups())
        return replace(path, text=text, value=text)

    def filled(self, field: str) -> Scalar | None:
        """Give a field's scalar unless it is null, false or empty."""
        scalar = self.scalar(field)
        if scalar is None or not scalar.text.strip():
            return None
        return None if scalar.value is None or _off(scalar) else scalar

    def draft(self) -> bool:
        """Hide what either flag hides; an unclear `draft` hides too, an unclear `published` shows, as in Jekyll."""
        drafts = [self._flag(key, node) for key, node in self._present("draft")]
        published = [self._flag(key, node) for key, node in self._present("published")]
        return any(drafts) or not all(published)

    def terms(self, field: str) -> tuple[str, ...]:
        """Give terms as written: strings are divided at commas, else at blanks (U+3000 is none, as in Jekyll)."""
        return self._unique(
            term for key, node in self._present(field) for term in self._strings(key, node, _dividing(key))
        )

    def names(self, field: str) -> tuple[str, ...]:
        """Give whole strings: a name may hold blanks and commas."""
        return self._unique(name for key, node in self._present(field) for name in self._strings(key, node, _whole))

    def minutes(self) -> int | None:
        for key, node in self._present("reading_time"):
            if _off(node):
                return None
            text = unicodedata.normalize("NFKC", node.text[:100]).strip() if isinstance(node, Scalar) else ""
            match = _MINUTES.fullmatch(text)
            if match and float(match[1]) > 0:
                return math.ceil(float(match[1]))
            self._ignore(key, node, "write the minutes as a number")
        return None

    def lang(self) -> str | None:
        for key, node in self._present("lang"):
            if isinstance(node, Scalar) and (node.value is None or not node.text.strip()):
                return None
            tag = language.canonical(node.text) if isinstance(node, Scalar) else None
            if tag is None:
                self._ignore(key, node, "write a BCP 47 tag such as ja or en-GB")
            return tag
        return None

    def cover(self) -> str | None:
        """Give the first key that holds an address; theme options under the same name (`cover: true`) are none."""
        return next((address for _, node in self._present("cover") if (address := _address(node))), None)

    def _present(self, field: str) -> list[tuple[str, Node]]:
        """Give a field's keys and nodes by precedence: exact keys, then keys in another case, with a warning."""
        keys = ALIASES[field]
        present = [(key, self._nodes[key]) for key in keys if key in self._nodes]
        for name in keys if self._other_case else ():
            key = self._other_case.get(name.casefold())
            if key and (not present or (field in JOINED and key not in dict(present))):
                present.append((key, self.fields[key]))
                self._remark_case(key, name)
        return present

    def _flag(self, key: str, node: Node) -> bool:
        """Read a flag: null and Jekyll's falsy words are false, whatever is neither yes nor no is true."""
        is_draft = key.casefold() not in _SHOWING
        meaning = True
        if isinstance(node, Scalar):
            if isinstance(node.value, bool):
                return node.value
            if node.value is None and is_draft:
                return False
            words = _NOT_DRAFT if is_draft else _FALSE
            meaning = node.value is not None and node.text.strip().lower() not in words
        shown = str(meaning).lower()
        detail = f"`{key}` is neither true nor false; it is read as {shown}."
        self._warn("flag_not_boolean", detail, key, node, hint=f"write `{key}: {shown}`")
        return meaning

    def _strings(self, key: str, node: Node, divide: Callable[[str], list[str]]) -> Iterator[str]:
        """Yield the strings in a node, nested lists flattened, nulls left out."""
        if isinstance(node, list):
            for member in node:
                yield from self._strings(key, member, _whole)
        elif isinstance(node, Scalar):
            if node.value is not None:
                yield from divide(node.text)
        elif key in ALIASES["authors"] and (name := _first_text(node, NAME_KEYS)):
            yield name
        else:
            self._ignore(key, node, "a string or a list of strings belongs here")

    @staticmethod
    def _unique(strings: Iterator[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(stripped for string in strings if (stripped := _one_line(string))))

    def _remark_case(self, key: str, name: str) -> None:
        if key not in self._remarked:
            self._remarked.add(key)
            detail = f"The key `{key}` is read as `{name}`."
            self._warn("key_case", detail, key, self.fields[key], hint=f"write `{name}`")

    def _ignore(self, key: str, node: Node, hint: str) -> None:
        self._warn("field_ignored", f"`{key}` is ignored: {_kind(node)}.", key, node, hint=hint)

    def _warn(self, code: str, detail: str, key: str, node: Node, *, hint: str) -> None:
        self.findings.append(_finding(code, detail, key, node, hint=hint))


def _finding(code: str, detail: str, key: str, node: Node, *, hint: str) -> Finding:
    at = first_scalar(node)
    return Finding(
        code=code, detail=detail, line=at.line if at else None, column=at.column if at else None, field=key, hint=hint
    )


def _one_line(text: str) -> str:
    return " ".join(filter(None, map(str.strip, text.splitlines())))


def _off(node: Node) -> bool:
    return isinstance(node, Scalar) and (node.value is None or node.value is False)


def _kind(node: Node) -> str:
    if isinstance(node, Scalar):
        return repr(node.text[:60])
    return "a map" if isinstance(node, dict) else "a list"


def _walk(fields: dict[str, Node], path: str) -> Node | None:
    if path in fields:
        return fields[path]
    first, dot, rest = path.partition(".")
    inner = fields.get(first)
    return _walk(inner, rest) if dot and isinstance(inner, dict) else None


def _whole(text: str) -> list[str]:
    return [text]


def _dividing(key: str) -> Callable[[str], list[str]]:
    def divide(text: str) -> list[str]:
        if "," in text:
            return text.split(",")
        return [text] if key.casefold() in SINGULAR else re.split(r"[ \t\r\n\f\v]+", text)

    return divide


def _first_text(node: dict[str, Node], keys: tuple[str, ...]) -> str | None:
    values = (node.get(key) for key in keys)
    return next((value.text for value in values if isinstance(value, Scalar) and value.text.strip()), None)


def _address(node: Node) -> str | None:
    """Find an image's address in a string, a map that names one, or a list that begins with either."""
    if isinstance(node, list):
        return _address(node[0]) if node else None
    if isinstance(node, dict):
        return next((address for key in IMAGE_KEYS if key in node and (address := _address(node[key]))), None)
    return node.text.strip() or None if isinstance(node.value, str) else None
