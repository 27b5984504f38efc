"""What sanitised HTML shows: its text, headings, images and first paragraph, gathered in one pass.

The sanitiser's output is regular: every `<` starts a tag, attributes are in double quotes, there are no comments. So
the HTML is split at its tags, and nothing has to guess where one ends.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

from app.documents.cjk import is_spaceless
from app.documents.headings import HeadingIds
from app.documents.html_names import BLOCKS, HEADINGS, VOID
from app.documents.liquid import CONSTRUCT

_TAGS = re.compile(r"(<[^>]*>)")
_ATTRIBUTE = re.compile(r' ([^\s="]+)="([^"]*)"')
_ID = re.compile(r'<[^>]* id="([^"]*)"')
_SPACE = re.compile(r"[ \t\n\r]+")
_COLLAPSED = ("\n", "  ", "\t", "\r")  # most lines hold none of these
_END_TAGS = {f"<{name}>": f"</{name}>" for name in (*HEADINGS, "li", "p", "td", "th")}
_TRANSPARENT = frozenset(("div", "section"))  # a paragraph in these is still one of the post's own
_NOT_IN_EXCERPTS = re.compile(r'<sup class="footnote-ref"><a [^>]*>[^<]*</a></sup>|<iframe [^>]*></iframe>')


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and its id in the HTML."""

    level: int
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    src: str
    alt: str


@dataclass(slots=True)
class _Lines:
    """Text that grows by pieces and blocks, with and without what is no prose; white space collapses as a browser shows it."""

    all: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    line: list[str] = field(default_factory=list)
    line_of_prose: list[str] | None = None  # where it is another

    def add(self, text: str, *, is_prose: bool) -> None:
        if not is_prose and self.line_of_prose is None:
            self.line_of_prose = self.line.copy()
        self.line.append(text)
        if is_prose and self.line_of_prose is not None:
            self.line_of_prose.append(text)

    def end(self) -> None:
        if not self.line:
            return
        text = _collapsed("".join(self.line))
        prose = text if self.line_of_prose is None else _collapsed("".join(self.line_of_prose))
        if text:
            self.all.append(text)
        if prose:
            self.prose.append(prose)
        self.line.clear()
        self.line_of_prose = None

    def add_line(self, text: str) -> None:
        self.end()
        if text := _collapsed(text):
            self.all.append(text)
            self.prose.append(text)

    def add_verbatim(self, text: str) -> None:
        self.end()
        if text := text.strip("\n"):
            self.all.append(text)


def _collapsed(text: str) -> str:
    text = text.strip(" ")
    for space in _COLLAPSED:
        if space in text:
            return _SPACE.sub(" ", text).strip(" ")
    return text


@dataclass(slots=True)
class Shown:
    """What one pass over the HTML found; `html` has an id at every heading."""

    html: str = ""
    text: str = ""
    prose: str = ""
    toc: list[Heading] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    first_paragraph: str = ""


class _Reader:
    """One pass over sanitised HTML."""

    def __init__(self, html: str, title: str | None) -> None:
        self.parts = _TAGS.split(html)
        self.title = _comparable(title or "")
        self.ids = HeadingIds(set(_ID.findall(html)))
        self.shown = Shown()
        self.lines = _Lines()
        self.open: list[str] = []
        self.code: list[str] | None = None
        self.heading: tuple[int, list[str]] | None = None
        self.paragraph: int | None = None
        self.silent = 0  # depth of <rp>, which browsers do not show
        self.back_arrow = False
        self.mark = False  # within the number of a footnote, which is no word of the text

    def read(self) -> Shown:
        parts = self.parts
        self._text(parts[0])
        tags = iter(range(1, len(parts), 2))  # each has a text behind it
        for index in tags:
            part = parts[index]
            if part in _END_TAGS and parts[index + 2] == _END_TAGS[part] and self._is_plain():
                self._block_of_text(index)
                behind = parts[next(tags) + 1]
                if behind != "\n":  # no line shows what white space it begins with
                    self._text(behind)
                continue
            if part[1] == "/":
                self._close(part[2:-1], index)
            else:
                self._open(part, index)
            self._text(parts[index + 1])
        self.shown.html = "".join(self.parts)
        self.lines.end()
        self.shown.text, self.shown.prose = "\n".join(self.lines.all), "\n".join(self.lines.prose)
        return self.shown

    def _is_plain(self) -> bool:
        """Whether what comes next is nothing but text of the post."""
        is_apart = self.silent or self.back_arrow or self.code is not None
        return not is_apart and self.heading is None and self.paragraph is None

    def _block_of_text(self, index: int) -> None:
        """What `_open`, `_text` and `_close` do with a block that holds no tag, as most blocks of a post are."""
        tag, text, _ = parts = self.parts[index : index + 3]
        text = unescape(text) if "&" in text else text
        self.lines.add_line(text)
        if tag[1] == "h":
            self._end_heading(index, text)
        elif tag == "<p>" and not self.shown.first_paragraph and _TRANSPARENT.issuperset(self.open):
            self._end_paragraph(parts)

    def _text(self, part: str) -> None:
        if self.silent or not part:
            return
        text = unescape(part) if "&" in part else part
        if self.code is not None:
            self.code.append(text)
            return
        self.lines.add(text, is_prose=not self.back_arrow)
        if self.heading:
            self.heading[1].append(text)

    def _open(self, part: str, index: int) -> None:
        tag = part[1:-1].split(" ", 1)[0]
        if tag in BLOCKS:
            self._block(tag)
        if tag == "pre":
            self.code = []
        elif tag == "img":
            self._image(part)
        elif tag in HEADINGS:
            self.heading = (index, [])
        elif tag == "rp":
            self.silent += 1
        elif tag == "a" and 'class="footnote-backref"' in part:
            self.back_arrow = True
        elif tag == "sup" and 'class="footnote-ref"' in part and not self.mark:
            self.silent += 1
            self.mark = True
        elif tag == "p" and not self.shown.first_paragraph and _TRANSPARENT.issuperset(self.open):
            self.paragraph = index
        if tag not in VOID:
            self.open.append(tag)

    def _close(self, tag: str, index: int) -> None:
        if self.open:
            self.open.pop()
        if tag == "pre" and self.code is not None:
            self.lines.add_verbatim("".join(self.code))
            self.code = None
        elif tag in HEADINGS and self.heading:
            self._end_heading(self.heading[0], "".join(self.heading[1]))
        elif tag == "rp":
            self.silent -= 1
        elif tag == "sup" and self.mark:
            self.silent -= 1
            self.mark = False
        elif tag == "a":
            self.back_arrow = False
        elif tag == "p" and self.paragraph is not None:
            self._end_paragraph(self.parts[self.paragraph : index + 1])
        if tag in BLOCKS:
            self._block(tag)

    def _block(self, tag: str) -> None:
        if self.code is None:
            self.lines.end()
        elif tag == "br":
            self.code.append("\n")

    def _image(self, part: str) -> None:
        attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(part)}
        if src := attributes.get("src"):
            self.shown.images.append(Image(src=src, alt=attributes.get("alt", "")))

    def _end_heading(self, index: int, text: str) -> None:
        text = _collapsed(text).strip()
        part = self.parts[index]
        given = _ID.match(part) if " id=" in part else None
        anchor = unescape(given[1]) if given else self.ids.id_for(text)
        if not given:
            self.parts[index] = f'{part[:3]} id="{anchor}"{part[3:]}'
        self.shown.toc.append(Heading(level=int(part[2]), id=anchor, text=text))
        self.heading = None

    def _end_paragraph(self, parts: list[str]) -> None:
        self.paragraph = None
        html = _NOT_IN_EXCERPTS.sub("", "".join(parts))
        text = CONSTRUCT.sub("", unescape(_TAGS.sub("", html))).strip()  # what templates alone make is not the post's
        if text and _comparable(text) != self.title and not _is_list_of_links(parts):
            self.shown.first_paragraph = html


def read(html: str, *, title: str | None = None) -> Shown:
    """Everything that sanitised HTML shows, and the HTML with ids at its headings."""
    return _Reader(html, title).read()


def text_of(html: str) -> str:
    """The text of sanitised HTML on one line: blocks are joined without a space between CJK characters, else by one."""
    if "<" not in html:
        return _SPACE.sub(" ", unescape(html)).strip(" ")
    return one_line(_Reader(html, None).read().text)


def one_line(text: str) -> str:
    return "".join(_joined(text.split("\n")))


def _joined(lines: list[str]) -> Iterator[str]:
    before = ""
    for line in filter(None, (line.strip(" ") for line in lines)):
        if before and not is_spaceless(before, line):
            yield " "
        yield line
        before = line


def _comparable(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _is_list_of_links(parts: list[str]) -> bool:
    """Whether there are several links in a paragraph and no word outside of them."""
    links = inside = 0
    for part in parts:
        if part.startswith("<a "):
            links, inside = links + 1, 1
        elif part == "</a>":
            inside = 0
        elif not inside and not part.startswith("<") and any(map(str.isalnum, unescape(part))):
            return False
    return links > 1
