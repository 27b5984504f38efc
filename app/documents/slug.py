"""Slugs in any script, and what a file name says."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import PurePosixPath

from app.documents.dates import date_of
from app.documents.language import canonical
from app.errors import DocumentError, Finding

MAX_SLUG_BYTES = 200
_MAX_NAME_BYTES = 255  # what file systems allow: a slug from a name is never cut there
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_KEPT = {"L", "N", "M"}
_SUFFIXES = (".markdown", ".mkdn", ".mkd", ".md")
_BUNDLES = {"index", "_index"}
# Jekyll's form, Hugo's without a slug, and Zola's with a time and an underscore or a space.
_DATED = re.compile(
    r"(\d{2,4})-(\d{1,2})-(\d{1,2})(?:T\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)?)?(?:$|[-_ ]+(.*))", re.ASCII | re.DOTALL
)
# Of the two-letter codes only those that blogs are written in: `.js`, `.ts`, `.io`, `.so` end other names.
_LANGUAGES = (
    "af|ar|az|be|bg|bn|bs|ca|cs|cy|da|de|el|en|eo|es|et|eu|fa|fi|fr|ga|gl|gu|he|hi|hr|hu|hy|id|is|it|ja|ka|kk|km|kn|ko|"
    "ky|lo|lt|lv|mk|ml|mn|mr|ms|my|nb|ne|nl|nn|no|pa|pl|pt|ro|ru|si|sk|sl|sq|sr|sv|sw|ta|te|th|tl|tr|uk|ur|uz|vi|zh"
)
_LANGUAGE_SUFFIX = re.compile(
    rf"(.+)\.((?:{_LANGUAGES})(?:[-_][A-Za-z]{{4}})?(?:[-_](?:[A-Za-z]{{2}}|\d{{3}}))?)", re.DOTALL
)


def slugify(text: str) -> str:
    """Make a slug of a title: NFC, lower case, letters, digits and marks of any script, hyphens for the rest.

    Nothing is transliterated. What shows no glyph (zero-width and bidi characters, variation selectors) is dropped.
    At most 200 bytes of UTF-8; `""` where no letter or digit is left.
    """
    text = re.sub(r"(?<=\w)['’](?=\w)", "", unicodedata.normalize("NFC", text).lower())
    slug = "".join(filter(None, map(_glyph, text)))
    slug = re.sub("-+", "-", _loose_marks(slug))
    return _cut(unicodedata.normalize("NFC", slug).strip("-"), MAX_SLUG_BYTES).rstrip("-")


def slug_from_name(stem: str) -> str:
    """Make a slug of a file's stem or of a `slug:` as written: case, dots and punctuation stay, as in Jekyll.

    Blanks and slashes become hyphens; `""` where nothing is left (`.` and `..` are nothing).

    Raises:
        DocumentError: `invalid_slug` for control and bidi characters, which make one slug look like another.

    """
    _refuse_controls(stem, "invalid_slug")
    text = unicodedata.normalize("NFC", stem)
    if not text.isascii():
        text = "".join(character for character in text if not _invisible(character))
    text = re.sub(r"[\s/\\]+", "-", text.strip()).rstrip(".")
    return _cut(text.strip("-") if text.strip("-.") else "", _MAX_NAME_BYTES)


def derived_slug(stem: str) -> str:
    """The slug that a file's stem makes, `""` where it is punctuation alone."""
    slug = slug_from_name(stem)
    return slug if slugify(slug) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """What a source's name says: `stem` without folders, date, extension and language suffix."""

    stem: str
    date: date | None
    lang: str | None


def read_name(name: str) -> FileName:
    """Read `2025-12-24-kiji.ja.md`, `2025-12-24_kiji.md` and the bundle `2025-12-24-kiji/index.ja.md`.

    Years have two to four digits (15 is 2015, 69 is 1969), months and days one or two.

    Raises:
        DocumentError: `invalid_date` for a day that does not exist, `invalid_name` for control characters.

    """
    _refuse_controls(name, "invalid_name")
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    stem, lang = _language(_without_suffix(path.name))
    if stem in _BUNDLES and path.parent.name:
        stem = path.parent.name
    dated = _DATED.fullmatch(stem)
    if dated is None:
        return FileName(stem=stem.rstrip(".") or stem, date=None, lang=lang)
    year, month, day, rest = dated.groups()
    return FileName(stem=(rest or "").rstrip(".") or f"{year}-{month}-{day}", date=_day(year, month, day), lang=lang)


def _day(year: str, month: str, day: str) -> date:
    century = 0 if len(year) > 2 else 1900 if int(year) >= 69 else 2000
    try:
        return date_of(f"{year}-{month}-{day}", century + int(year), int(month), int(day))
    except ValueError as error:
        hint = "rename the file: a name that begins like a date must hold a real one"
        raise DocumentError(Finding(code="invalid_date", detail=f"In the file's name, {error}.", hint=hint)) from None


def _without_suffix(name: str) -> str:
    suffix = next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: len(name) - len(suffix)] or name


def _language(stem: str) -> tuple[str, str | None]:
    match = _LANGUAGE_SUFFIX.fullmatch(stem)
    if match is None:
        return stem, None
    return match[1], canonical(match[2])


def _invisible(character: str) -> bool:
    return (
        unicodedata.category(character) in {"Cf", "Cc", "Cs"}
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


@lru_cache(maxsize=20_000)
def _glyph(character: str) -> str:
    if _invisible(character) and not character.isspace():
        return ""
    category = unicodedata.category(character)
    return character if category[0] in _KEPT and category != "Me" else "-"


def _loose_marks(text: str) -> str:
    """Drop combining marks that lost what they stood on."""
    if text.isascii():
        return text
    kept: list[str] = []
    for character in text:
        if unicodedata.category(character)[0] != "M" or (kept and kept[-1] != "-"):
            kept.append(character)
    return "".join(kept)


def _cut(text: str, size: int) -> str:
    """Cut at a character that marks do not continue."""
    encoded = text.encode()
    if len(encoded) <= size:
        return text
    cut = encoded[:size].decode(errors="ignore")
    end = len(cut)
    while end and unicodedata.category(text[end])[0] == "M":
        end -= 1
    return text[:end]


def _refuse_controls(text: str, code: str) -> None:
    if text.isprintable():  # these characters are not
        return
    found = next((c for c in text if unicodedata.category(c) in {"Cc", "Cs"} or _BIDI.match(c)), None)
    if found:
        detail = f"{text[:80]!r} holds the invisible character U+{ord(found):04X}."
        raise DocumentError(Finding(code=code, detail=detail, hint="remove the character"))
