"""Jekyll's `_config.yml`, as far as it says what posts mean."""

from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache, reduce
from hashlib import sha256
from zoneinfo import ZoneInfo

from app.documents import language
from app.documents.encoding import decode
from app.documents.field_names import ALIASES
from app.documents.nodes import Front, Node, Scalar
from app.documents.yaml_nodes import read_yaml
from app.errors import DocumentError, Finding

_OLD_TYPES = {"post": "posts", "draft": "drafts", "page": "pages"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """Values for every post below a path, which may hold `*` and `**`; of one type where a type is given."""

    path: str
    type: str | None
    values: dict[str, Node]

    def covers(self, name: str) -> bool:
        types = ("posts", "drafts") if "_drafts" in name.split("/")[:-1] else ("posts",)
        return (self.type is None or self.type in types) and _is_below(name, self.path)

    def yields_to(self, other: "Default") -> bool:
        """Jekyll's rule: the longer path is the more specific, then the one with a type, then the later."""
        if len(other.path) != len(self.path):
            return len(other.path) > len(self.path)
        return other.type is not None or self.type is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """What a site's configuration says of its posts. `folder` is where the file lies: it says nothing of others."""

    folder: str = ""
    timezone: str | None = None
    lang: str | None = None
    excerpt_separator: str | None = None
    permalink: str | None = None
    source: str = ""  # the folder in it that holds the site's files: Hexo has them in `source`
    defaults: tuple[Default, ...] = ()

    @property
    def digest(self) -> str:
        """Equal for configurations that mean the same."""
        return sha256(repr(self).encode()).hexdigest()

    def differs_in(self, other: "SiteConfig") -> tuple[str, ...]:
        """The settings that the other one has otherwise."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name) != getattr(other, field.name))

    @property
    def root(self) -> str:
        return "/".join(filter(None, (self.folder, self.source)))

    def covers(self, name: str) -> bool:
        return not self.folder or name.startswith(f"{self.folder}/")

    def under(self, name: str, fields: dict[str, Node]) -> dict[str, Node]:
        """A front matter with the defaults for its source beneath it; categories are joined, as in Jekyll."""
        if not self.covers(name):
            return fields
        defaults = self._for(name[len(self.folder) :].lstrip("/"))
        kept = {key: node for key, node in defaults.items() if key in fields or not _is_given(key, fields)}
        merged = _merged(kept, fields)
        both = [fields.get("categories"), defaults.get("categories")]
        if all(isinstance(node, list) for node in both):
            merged["categories"] = [*_members(both[1]), *_members(both[0])]
        return merged

    def _for(self, name: str) -> dict[str, Node]:
        values: dict[str, Node] = {}
        before: Default | None = None
        for default in self.defaults:
            if not default.covers(name):
                continue
            if before is None or before.yields_to(default):
                values, before = _merged(values, default.values), default
            else:
                values = _merged(default.values, values)
        return values


@lru_cache(maxsize=16)  # an upload asks for the same few again and again
def parse_config(content: bytes, *, folder: str = "") -> SiteConfig:
    """Read a `_config.yml` that lies in `folder`.

    Raises:
        DocumentError: for what is no YAML, passes the limits of a front matter or names an unknown time zone.

    """
    front = Front(decode(content))
    root = read_yaml(front)
    if root is None or (isinstance(root, Scalar) and not root.text):
        return SiteConfig(folder=folder)
    if not isinstance(root, dict):
        hint = "write `key: value` lines"
        raise DocumentError(front.finding("config_not_a_map", "The file is not a map of keys to values.", hint=hint))
    lang = _text(root, "lang") or _text(root, "locale")
    return SiteConfig(
        folder=folder,
        timezone=_timezone(root),
        lang=language.canonical(lang) if lang else None,
        excerpt_separator=_text(root, "excerpt_separator"),
        permalink=_text(root, "permalink"),
        source=(_text(root, "source") or _text(root, "source_dir") or "").strip("./"),
        defaults=tuple(filter(None, map(_default, _members(root.get("defaults"))))),
    )


def _default(node: Node) -> Default | None:
    values = node.get("values") if isinstance(node, dict) else None
    if not isinstance(node, dict) or not isinstance(values, dict):
        return None
    scope = node.get("scope")
    scope = scope if isinstance(scope, dict) else {}
    kind = _text(scope, "type")
    path = (_text(scope, "path") or "").strip("/")
    return Default(
        path="" if path == "." else path,
        type=_OLD_TYPES.get(kind, kind) if kind else None,
        values={key: _placeless(value) for key, value in values.items()},
    )


def _placeless(node: Node) -> Node:
    """A node that findings place at the top of the post, as it has no place in it."""
    if isinstance(node, Scalar):
        return replace(node, line=1, column=1)
    if isinstance(node, list):
        return [_placeless(member) for member in node]
    return {key: _placeless(member) for key, member in node.items()}


def _timezone(root: dict[str, Node]) -> str | None:
    node = root.get("timezone")
    name = _text(root, "timezone")
    if name is None or not isinstance(node, Scalar):
        return None
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        detail = f"{name[:60]!r} is no time zone."
        raise DocumentError(
            Finding(
                code="invalid_timezone",
                detail=detail,
                line=node.line,
                column=node.column,
                field="timezone",
                hint="write a name of the IANA database, such as Asia/Tokyo",
            )
        ) from None
    return name


def _text(fields: dict[str, Node], key: str) -> str | None:
    node = fields.get(key)
    return node.text if isinstance(node, Scalar) and node.value is not None and node.text else None


def _members(node: Node | None) -> list[Node]:
    return node if isinstance(node, list) else []


def _is_given(key: str, fields: dict[str, Node]) -> bool:
    """Whether a field is there under another of its names, so that the default for it is not meant."""
    return any(key in keys and any(name in fields for name in keys) for keys in ALIASES.values())


def _merged(below: dict[str, Node], above: dict[str, Node]) -> dict[str, Node]:
    def put(result: dict[str, Node], item: tuple[str, Node]) -> dict[str, Node]:
        key, node = item
        under = result.get(key)
        result[key] = _merged(under, node) if isinstance(under, dict) and isinstance(node, dict) else node
        return result

    return reduce(put, above.items(), dict(below))


def _is_below(name: str, path: str) -> bool:
    """Whether a path is the name or one of its folders; `*` stands for one part of it, `**` for any number."""
    reached = {0}  # how many parts of the name are used up
    parts = name.split("/")
    for pattern in filter(None, path.split("/")):
        if pattern == "**":
            reached = set(range(min(reached, default=len(parts)), len(parts) + 1))
        else:
            reached = {place + 1 for place in reached if place < len(parts) and fnmatchcase(parts[place], pattern)}
    return bool(reached)
