"""YAML as nodes, from the parser's events: nothing is constructed, so no tag can make an object.

The limits hold while the events are read: libyaml overflows the C stack where deep nesting is composed
(50 000 brackets end the process), and its parser takes 10 s for 60 000 of them.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from app.documents.nodes import Front, Node, Scalar, Value, core, height
from app.documents.yaml_hints import QUOTE, field_at, syntax_error
from app.errors import DocumentError

# The parser in C reads what Ruby's does; the one in Python refuses a tab after a colon.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*")  # a string by the core schema, but YAML 1.1 sees a date
_SWALLOWED = re.compile(r"[ \t]+#[^\s#]")  # title: C# の話 #1


def _typed(*types: type) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        value = core(text)
        if type(value) not in types:
            raise ValueError(text)
        return value

    return read


def _float(text: str) -> Value:
    value = _typed(int, float)(text)
    return float(value) if isinstance(value, int) else value


_SCALAR_TAGS: dict[str, Callable[[str], Value]] = {
    "!": str,
    _PREFIX + "str": str,
    _PREFIX + "timestamp": str,  # dates stay as written whatever they are called
    _PREFIX + "int": _typed(int),
    _PREFIX + "float": _float,
    _PREFIX + "bool": _typed(bool),
    _PREFIX + "null": _typed(type(None)),
}
_MAP_TAGS = {None, "!", _PREFIX + "map"}
_LIST_TAGS = {None, "!", _PREFIX + "seq"}


@dataclass(slots=True)
class _Anchor:
    """A node that aliases may repeat, and what each repetition costs. `node` is None while it is still open."""

    node: Node | None = None
    nodes: int = 0
    characters: int = 0


def read_yaml(front: Front) -> Node | None:
    """Give the one document of a front matter, None where it is empty.

    Raises:
        DocumentError: syntax, unknown tags, cycles, complex keys, several documents, limits.

    """
    try:
        return _Reader(front).document()
    except DocumentError:
        raise
    except Exception as error:  # noqa: BLE001 - PyYAML lets ValueError, UnicodeError and others through
        raise syntax_error(front, error) from None


class _Reader:
    def __init__(self, front: Front) -> None:
        self.front = front
        self.events: Iterator[Any] = yaml.parse(front.text, Loader=_LOADER)
        self.anchors: dict[str, _Anchor] = {}

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    hint = "a line that begins with `--- ` starts another document: quote or remove it"
                    raise self._error("yaml_documents", "The front matter holds several YAML documents.", event, hint)
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, 1)
        return root

    def _node(self, event: Any, depth: int) -> Node:
        """Build the node that `event` opens."""
        if event.anchor is None:
            return self._value(event, depth)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        anchor = _Anchor(nodes=-self.front.nodes, characters=-self.front.characters)
        self.anchors[event.anchor] = anchor
        anchor.node = node = self._value(event, depth)
        anchor.nodes += self.front.nodes
        anchor.characters += self.front.characters
        return node

    def _value(self, event: Any, depth: int) -> Node:
        return self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)

    def _scalar(self, event: Any) -> Scalar:
        front, index = self.front, event.start_mark.index
        if event.tag is None:
            if event.implicit[0] and _SWALLOWED.match(front.text, event.end_mark.index):
                detail = "YAML takes what follows a blank and a # for a comment; it is left out."
                front.warn("yaml_comment", detail, event.end_mark.index, field=field_at(front, index), hint=QUOTE)
            return front.scalar(event.value, core(event.value) if event.implicit[0] else event.value, index)
        read = _SCALAR_TAGS.get(event.tag)
        if read is None:
            raise self._unknown_tag(event)
        try:
            return front.scalar(event.value, read(event.value), index)
        except ValueError:
            detail = f"{event.value[:80]!r} is not what its tag {event.tag.replace(_PREFIX, '!!')} promises."
            raise self._error("yaml_tag", detail, event, "remove the tag or correct the value") from None

    def _collection(self, event: Any, depth: int) -> Node:
        self.front.enter(depth, event.start_mark.index)
        self.front.spend(index=event.start_mark.index)
        is_map = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (_MAP_TAGS if is_map else _LIST_TAGS):
            raise self._unknown_tag(event)
        return self._map(depth) if is_map else self._list(depth)

    def _list(self, depth: int) -> list[Node]:
        members = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            members.append(self._node(event, depth + 1))
        return members

    def _map(self, depth: int) -> dict[str, Node]:
        """Read a map; its own keys win over merged ones, and of those the first (yaml.org/type/merge.html)."""
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]:
                self._merge(merged, self._node(next(self.events), depth + 1), event)
            else:
                key = self._key(event)
                self.front.add(own, key, self._node(next(self.events), depth + 1), event.start_mark.index)
        return merged | own

    def _merge(self, merged: dict[str, Node], node: Node, event: Any) -> None:
        for source in node if isinstance(node, list) else [node]:
            if not isinstance(source, dict):
                raise self._error("yaml_merge", "The merge key `<<` takes a map or a list of maps.", event)
            for key, value in source.items():
                merged.setdefault(key, value)

    def _key(self, event: Any) -> str:
        if isinstance(event, yaml.CollectionStartEvent):
            raise self._complex_key(event)
        node = self._node(event, 1)
        if not isinstance(node, Scalar):
            raise self._complex_key(event)
        if not isinstance(node.value, str) or (event.implicit[0] and _DATE.fullmatch(node.text)):
            detail = f"The key {node.text[:80]!r} is not a string; it is kept as one."
            self.front.warn(
                "key_not_string", detail, event.start_mark.index, field=node.text[:80], hint="quote the key"
            )
        return node.text

    def _alias(self, event: Any, depth: int) -> Node:
        """Repeat an anchored node by reference; its whole size is spent again, as it will be in JSON."""
        index = event.start_mark.index
        anchor = self.anchors.get(event.anchor)
        if anchor is None:
            hint = "quote the value if the asterisk is part of the text"
            raise self._error("yaml_alias", f"The alias *{event.anchor} has no anchor before it.", event, hint)
        if anchor.node is None:
            raise self._error("yaml_alias", f"The alias *{event.anchor} stands inside what it repeats.", event)
        self.front.spend(nodes=anchor.nodes, characters=anchor.characters, index=index)
        self.front.enter(depth - 1 + height(anchor.node), index)
        return anchor.node

    def _unknown_tag(self, event: Any) -> DocumentError:
        tag = event.tag.replace(_PREFIX, "!!")
        hint = "quote the value if the exclamation mark is part of the text"
        return self._error("yaml_tag", f"The YAML tag {tag[:80]} is not supported.", event, hint)

    def _complex_key(self, event: Any) -> DocumentError:
        hint = "quote the value: what begins with { or [ is a map or a list to YAML"
        return self._error("yaml_key", "A map or a list cannot be a key.", event, hint)

    def _error(self, code: str, detail: str, event: Any, hint: str | None = None) -> DocumentError:
        index = event.start_mark.index
        return DocumentError(self.front.finding(code, detail, index, field=field_at(self.front, index), hint=hint))
