"""Liquid, Hugo's shortcodes, Hexo's tags: never executed.

What can be told without a site is translated: `raw` and `comment` are resolved, `highlight` and `codeblock` become
fenced blocks, `post_url`, `link`, `post_link`, `ref` and `relref` become addresses, and so does what is made of `site.url` and `site.baseurl`. Everything else stays
as text, and is counted where it shows (`Left`).

Jekyll runs Liquid in code as well. Here only `raw` is resolved in code, because nothing but Jekyll makes an author
write it there; the rest of code stays as written, so that posts about templates survive.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from urllib.parse import urlsplit

from app.documents.code_spans import code_ranges
from app.documents.source_names import is_markdown
from app.errors import Finding

# Each construct ends where another of its kind begins, so that the search for its end is never repeated.
_INSIDE_TAG = r"(?:[^%{]|%(?!\})|\{(?!%))*+"
_INSIDE_OUTPUT = r"(?:[^{}]|\}(?!\})|\{(?!\{))*+"
CONSTRUCT = re.compile(
    r"\{\{<(?P<angle>(?:[^>{]|>(?!\}\})|\{(?!\{))*+)>\}\}"
    r"|\{\{%(?P<percent>(?:[^%{]|%(?!\}\})|\{(?!\{))*+)%\}\}"
    rf"|\{{%-?(?P<tag>{_INSIDE_TAG})%\}}"
    rf"|\{{\{{-?(?P<output>{_INSIDE_OUTPUT})\}}\}}"
)
_TOKEN = re.compile(
    r"\{%-?[ \t\n]*+(?P<name>raw|endraw|comment|endcomment|highlight|endhighlight|codeblock|endcodeblock|post_url"
    rf"|link|post_link)\b(?P<arguments>{_INSIDE_TAG})%\}}"
    r"|\{\{[<%][ \t]*+(?:rel)?ref[ \t]++\"(?P<page>[^\"#{}\n]{1,500})(?P<fragment>#[^\"{}\n]{0,200})?\"[ \t]*+[>%]\}\}"
    rf"|\{{\{{-?(?P<output>(?![<%]){_INSIDE_OUTPUT})\}}\}}"
)
_RAW = re.compile(r"\{%-?[ \t\n]*+(?:end)?raw[ \t\n]*+-?%\}")
_NAME = re.compile(r"[ \t\n]*+(/?[\w./-]{1,60})")
_CONTINUATION = re.compile(r"end\w*|else|elsif|when|break|continue|/.*")
_STRING = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_MAX_KINDS = 12
_ENDS = {"raw": "endraw", "comment": "endcomment", "highlight": "endhighlight", "codeblock": "endcodeblock"}
_CODEBLOCK_LANGUAGE = re.compile(r"\blang:([\w+#.-]{1,40})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translated:
    """A body with as many lines as before.

    `targets` are the posts that tags name, with their lines; `literal` are the constructs that `raw` protects.
    """

    text: str
    targets: tuple[tuple[str, int], ...] = ()
    literal: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What `site.url` and `site.baseurl` say, and the address of the post or file that a tag names, if there is one."""

    url: str = ""
    address: Callable[[str], str | None] = lambda _: None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @property
    def base(self) -> str:
        return urlsplit(self.url).path.rstrip("/")


def translate(text: str, site: Site) -> Translated:
    """A body without the Liquid that can be told from it alone."""
    if "{%" not in text and "{{" not in text:
        return Translated(text=text)
    return _Translation(text, site).run()


class _Translation:
    def __init__(self, text: str, site: Site) -> None:
        self.text, self.site = text, site
        self.tokens = list(_TOKEN.finditer(text))
        self.code = code_ranges(text)
        self.code_starts = [start for start, _ in self.code]
        self.positions: dict[str, list[int]] = {}
        for index, token in enumerate(self.tokens):
            self.positions.setdefault(token["name"] or "", []).append(index)
        self.leads = self._leading()
        self.newlines = [match.start() for match in re.finditer("\n", text)]
        self.targets: list[tuple[str, int]] = []
        self.literal: set[str] = set()

    def run(self) -> Translated:
        pieces: list[str] = []
        at = index = 0
        while index < len(self.tokens):
            token = self.tokens[index]
            replaced, index_after = self._replace(index)
            if replaced is not None:
                pieces += (self.text[at : token.start()], replaced)
                at = self.tokens[index_after - 1].end()
            index = index_after
        return Translated(
            text="".join((*pieces, self.text[at:])), targets=tuple(self.targets), literal=frozenset(self.literal)
        )

    def _replace(self, index: int) -> tuple[str | None, int]:
        """What stands for a token, None for itself, and the token to go on with."""
        token = self.tokens[index]
        name = token["name"]
        in_code = self._in_code(token.start())
        if name in _ENDS and (name == "raw" or not in_code):
            return self._block(index, name)
        if in_code:
            return None, index + 1
        if token["output"] is None:
            return self._linked(token), index + 1
        return "" if self.leads[index] else evaluate(token["output"], self.site), index + 1

    def _linked(self, token: re.Match[str]) -> str | None:
        """What stands for a tag that names a post."""
        if token["page"]:
            return self._page(token)
        if token["name"] == "post_link":
            return self._post_link(token)
        return self._address(token) if token["name"] in ("post_url", "link") else None

    def _block(self, index: int, name: str) -> tuple[str | None, int]:
        ends = self.positions.get(_ENDS[name], [])
        place = bisect_right(ends, index)
        if place == len(ends):
            return None, index + 1
        start, end = self.tokens[index], self.tokens[ends[place]]
        inside = self.text[start.end() : end.start()]
        if name == "raw":
            self.literal.update(match[0] for match in CONSTRUCT.finditer(inside))
        elif name == "comment":
            inside = "\n" * inside.count("\n")
        else:
            inside = self._highlighted(start, end, inside)
        return inside, ends[place] + 1

    def _highlighted(self, start: re.Match[str], end: re.Match[str], inside: str) -> str:
        language = _language(start)
        inside = _RAW.sub("", inside)
        line = self.text.rfind("\n", 0, start.start()) + 1
        alone = not self.text[line : start.start()].strip() and inside.startswith("\n")
        if alone and not inside.rpartition("\n")[2].strip() and self._ends_its_line(end):
            fence = "`" * max(3, 1 + max(map(len, re.findall("`+", inside)), default=0))
            return f"{fence}{language}{inside}{fence}"
        name = f' class="language-{escape(language)}"' if language else ""
        return f"<pre><code{name}>{escape(inside, quote=False)}</code></pre>"

    def _ends_its_line(self, token: re.Match[str]) -> bool:
        end = self.text.find("\n", token.end())
        return not self.text[token.end() : None if end < 0 else end].strip()

    def _address(self, token: re.Match[str]) -> str | None:
        name = token["arguments"].strip(" \t\n-").strip("\"'").removeprefix("/")
        if not name or "{" in name or "|" in name:
            return None
        return self._targeted(name if token["name"] == "link" else f"{name}.md", token)

    def _targeted(self, name: str, token: re.Match[str]) -> str | None:
        address = self.site.address(name)
        if address is not None:
            self.targets.append((name, bisect_left(self.newlines, token.start()) + 1))
        return address

    def _page(self, token: re.Match[str]) -> str | None:
        """Hugo's `ref` and `relref`, which name a file, with or without its suffix, or the folder of a bundle."""
        address = self._address_of(token["page"].strip(), token)
        return None if address is None else address + (token["fragment"] or "")

    def _post_link(self, token: re.Match[str]) -> str | None:
        """Hexo's `post_link slug [title]`."""
        slug, _, title = token["arguments"].strip(" \t\n-").partition(" ")
        address = self._address_of(slug, token) if slug else None
        shown = title.strip().removesuffix(" false").removesuffix(" true").strip("\"'")
        return None if address is None else f"[{(shown or slug).replace(']', '')}]({address})"

    def _address_of(self, name: str, token: re.Match[str]) -> str | None:
        name = name.lstrip("/").rstrip("/")
        return self._targeted(name if is_markdown(name) else f"{name}.md", token)

    def _leading(self) -> list[bool]:
        """Which outputs stand right before an address that is whole already."""
        leads = [False] * (len(self.tokens) + 1)
        for index in range(len(self.tokens) - 2, -1, -1):
            token, following = self.tokens[index], self.tokens[index + 1]
            if token["output"] is not None and token.end() == following.start():
                ends = following["name"] in ("post_url", "link") or leads[index + 1]
                leads[index] = ends and (token["output"].strip(" -") in ("site.url", "site.baseurl"))
        return leads

    def _in_code(self, position: int) -> bool:
        place = bisect_right(self.code_starts, position) - 1
        return place >= 0 and position < self.code[place][1]


def _language(start: re.Match[str]) -> str:
    """The language of `highlight ruby linenos`, or of Hexo's `codeblock title lang:ruby`."""
    if start["name"] == "codeblock":
        named = _CODEBLOCK_LANGUAGE.search(start["arguments"])
        return named[1] if named else ""
    return (start["arguments"].split() or [""])[0].strip("-")


def evaluate(expression: str, site: Site) -> str | None:
    """The text of an expression made of the site's address, strings and filters for addresses; None for any other."""
    base, *filters = (part.strip(" \t\n-") for part in expression.split("|"))
    value = _operand(base, site)
    for name in filters:
        if value is None:
            return None
        value = _filtered(value, name, site)
    return value if filters or not _STRING.fullmatch(base) else None


def _operand(text: str, site: Site) -> str | None:
    if text in ("site.url", "site.baseurl"):
        return site.origin if text == "site.url" else site.base
    string = _STRING.fullmatch(text)
    return (string[1] or string[2] or "") if string else None


def _filtered(value: str, name: str, site: Site) -> str | None:
    if name in ("relative_url", "absolute_url"):
        if urlsplit(value).scheme:
            return value
        path = f"/{value.lstrip('/')}" if value else ""
        return (site.origin if name == "absolute_url" else "") + site.base + path
    function, colon, argument = name.partition(":")
    operand = _operand(argument.strip(), site) if colon else None
    if operand is None or function.strip() not in ("append", "prepend"):
        return None
    return value + operand if function.strip() == "append" else operand + value


@dataclass(slots=True)
class Left:
    """Counts the constructs that are left as text, by kind; the line of the first of each is kept."""

    literal: frozenset[str] = frozenset()
    kinds: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # [how many, the first's line]

    def note(self, construct: re.Match[str], line: int) -> None:
        kind = None if construct[0] in self.literal else kind_of(construct)
        if kind is None:
            return
        if kind not in self.kinds and len(self.kinds) >= _MAX_KINDS:
            kind = (kind[0], "others")
        counted = self.kinds.setdefault(kind, [0, line])
        counted[0] += 1
        counted[1] = min(counted[1], line)

    def note_all(self, text: str, line: int) -> None:
        """Note what a text holds that begins on a line."""
        if "{{" not in text and "{%" not in text:
            return
        at = 0
        for construct in CONSTRUCT.finditer(text):
            line += text.count("\n", at, construct.start())
            at = construct.start()
            self.note(construct, line)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(
            Finding(code=code, detail=_left(name, count), line=line, hint=_HINTS[code])
            for (code, name), (count, line) in sorted(self.kinds.items(), key=lambda item: item[1][1])
        )


def kind_of(construct: re.Match[str]) -> tuple[str, str] | None:
    """The code and the name under which a construct is counted; what continues or ends another is no kind."""
    if construct["output"] is not None:
        return "liquid_left", "{{ … }}"
    content = next(filter(None, (construct["angle"], construct["percent"], construct["tag"])), "")
    name = _NAME.match(content.lstrip("-"))
    if name is None or _CONTINUATION.fullmatch(name[1]):
        return None
    if construct["angle"] is not None:
        return "shortcode_left", f"{{{{< {name[1]} >}}}}"
    if construct["percent"] is not None:
        return "shortcode_left", f"{{{{% {name[1]} %}}}}"
    return "liquid_left", f"{{% {name[1]} %}}"


_HINTS = {
    "liquid_left": "write what it stands for, or protect it with {% raw %} if it is meant to be read",
    "shortcode_left": "write the Markdown or HTML that it stands for",
}


def _left(name: str, count: int) -> str:
    times = "once" if count == 1 else f"{count} times"
    return f"`{name}` is left as text {times}: templates are never executed."
