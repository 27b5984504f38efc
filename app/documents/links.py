"""Where a post is found: its address in this service and its reader's address, known or told from its name alone."""

import posixpath
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from string import Formatter
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from app.documents.permalinks import expand, is_pattern
from app.documents.slug import FileName, derived_slug, read_name
from app.documents.source_names import is_markdown, is_post
from app.errors import DocumentError, Finding

PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")  # what needs no encoding (RFC 3986, 2.3)


def day_in(zone: ZoneInfo, instant: datetime) -> date:
    """The day of an instant in a zone; in UTC where the calendar has no such day (before year 1, after 9999)."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Computed when a post is shown, so that a changed template or site address needs no second ingestion."""

    root_path: str
    site_url: str | None
    template: str | None
    zone: ZoneInfo

    def url(self, slug: str) -> str:
        """The path of a post in this API, percent-encoded (RFC 3986)."""
        return f"{self.root_path}/v1/posts/{slug if PLAIN.fullmatch(slug) else quote(slug, safe='')}"

    def permalink(  # noqa: PLR0913 - the tokens of the template
        self,
        *,
        id: str,  # noqa: A002 - the token's name
        slug: str,
        written: str | None,
        published_at: datetime | None,
        category: str | None,
        lang: str | None,
    ) -> str | None:
        """The reader's absolute address: the one written in the front matter, else by the template."""
        if written is not None:
            return self._absolute(quote(written, safe="/:?#[]@!$&'()*+,;=%~"))
        if self.template is None:
            return None
        day = day_in(self.zone, published_at) if published_at else None
        return self._absolute(
            self.template.format(
                slug=quote(slug, safe=""),
                id=id,
                year=f"{day.year:04}" if day else "",
                month=f"{day.month:02}" if day else "",
                day=f"{day.day:02}" if day else "",
                category=quote(category or "", safe=""),
                lang=lang or "",
            )
        )

    def _absolute(self, address: str) -> str | None:
        if address.startswith(("http://", "https://")):
            return address
        return None if self.site_url is None else f"{self.site_url}/{address.lstrip('/')}"

    def of_name(self, name: str, pattern: str | None = None, root: str = "") -> str | None:
        """The address of the post that comes from a source of this name, None where the name makes no slug.

        The reader's address where the name tells every token of the template (without one, of Jekyll's `pattern`, whose
        categories are the folders below `root`); else the path in this API. A slug or date in that file's front matter is not known here.
        """
        try:
            file = read_name(name)
            slug = derived_slug(file.stem)
        except DocumentError:
            return None
        if not slug:
            return None
        categories = folders_above(name, root)
        return self._permalink_of_name(file, slug, pattern, categories) or self.url(slug)

    def _permalink_of_name(
        self, file: FileName, slug: str, pattern: str | None, categories: tuple[str, ...]
    ) -> str | None:
        at = None if file.date is None else datetime.combine(file.date, time(), tzinfo=self.zone)
        told = {"slug", *(("year", "month", "day") if at else ()), *(("lang",) if file.lang else ())}
        written = None
        if self.template is None:
            if pattern is None or not is_pattern(pattern):
                return None
            written = expand(pattern, slug=slug, date=at, categories=categories)
            if written is None:
                return None
        elif not {token for _, token, _, _ in Formatter().parse(self.template) if token} <= told | (
            {"category"} if categories else set()
        ):
            return None
        category = categories[0] if categories else None
        return self.permalink(id="", slug=slug, written=written, published_at=at, category=category, lang=file.lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A source or other file that a post links to or shows, by the name it should have.

    `anywhere`: Jekyll's tags name a post by the end of its path, and `post_url` leaves the suffix out.
    """

    name: str
    line: int
    anywhere: bool = False

    @property
    def missing(self) -> Finding:
        """The remark on a link that leads to no file."""
        return Finding(
            code="link_missing", detail=f"{self.name} is linked to, but there is no such file", line=self.line
        )


class FileNames:
    """The names of the files that there are, prepared for many links to be looked up among them."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = frozenset(names)
        pages = {page for name in self.names if is_markdown(name) for page in _pages(name)}
        self.endings = {"/".join(parts[n:]) for page in pages for parts in [page.split("/")] for n in range(len(parts))}

    def hold(self, target: Target) -> bool:
        return _without_suffix(target.name) in self.endings if target.anywhere else target.name in self.names


def _without_suffix(name: str) -> str:
    return name.rpartition(".")[0] if is_markdown(name) else name


def _pages(name: str) -> Iterator[str]:
    """The names under which Hugo's links know a source: with and without its language, and as a bundle's folder."""
    stem = _without_suffix(name)
    yield stem
    yield (plain := _LANGUAGE.sub("", stem))
    yield re.sub(r"/_?index$", "", plain)


_LANGUAGE = re.compile(r"\.[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?$")


def folders_above(name: str, root: str = "") -> tuple[str, ...]:
    """The folders between the site's root and `_posts`, which Jekyll takes for categories."""
    folders = name.removeprefix(f"{root}/").split("/")[:-1]
    return tuple(folders[: folders.index("_posts")]) if "_posts" in folders else ()


def source_linked(target: str, name: str) -> str | None:
    """The name of the source that a link target in the source `name` means: a path to a Markdown file."""
    path = _path(target)
    linked = _joined(path, name) if is_markdown(path) else None
    return linked if linked is not None and is_post(linked) else None


def file_linked(target: str, name: str) -> str | None:
    """The name of the file that a link or image target means: a relative path to what is no page."""
    path = _path(target)
    file = path.rpartition("/")[2]
    is_file = "." in file.strip(".") and not path.startswith("/") and "{" not in path and not file.endswith(_PAGES)
    return _joined(path, name) if is_file else None


_PAGES = (".html", ".htm")


def _path(target: str) -> str:
    """The path of a target in this site, `""` of any other."""
    if target.startswith(("https:", "http:")):
        return ""
    try:
        parts = urlsplit(target)
    except ValueError:
        return ""
    return "" if parts.scheme or parts.netloc else unquote(parts.path)


def _joined(path: str, name: str) -> str | None:
    """A path from the folder of the source `name`, None where it leads out of the site."""
    folder = "" if path.startswith("/") else posixpath.dirname(name)
    joined = posixpath.normpath(posixpath.join(folder, path.lstrip("/")))
    return None if joined.startswith("../") else unicodedata.normalize("NFC", joined)
