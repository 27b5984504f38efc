"""Jekyll's permalink styles and placeholders (jekyllrb.com/docs/permalinks)."""

import re
from datetime import datetime
from urllib.parse import unquote, urlsplit

from app.documents.slug import slugify

_STYLES = {
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
    "none": "/:categories/:title:output_ext",
}
_OF_DATES = {
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    "minute": "%M",
    "second": "%S",
    "y_day": "%j",
    "short_year": "%y",
    "short_month": "%b",
    "long_month": "%B",
    "short_day": "%a",
    "long_day": "%A",
    "i_month": "%m",
    "i_day": "%d",
    "week": "%V",
    "w_year": "%G",
    "w_day": "%u",
}
_PLACEHOLDER = re.compile(r":([a-z]+(?:_[a-z]+)*)")


def is_pattern(text: str) -> bool:
    """Whether a permalink is a style's name or holds placeholders, rather than being an address."""
    return text in _STYLES or text.startswith(":") or "/:" in text


def expand(text: str, *, slug: str, date: datetime | None, categories: tuple[str, ...]) -> str | None:
    """The address that a pattern makes, None where it needs a date and there is none; `date` is in the site's zone."""
    pattern = _STYLES.get(text, text)
    values = {
        "title": slug,
        "slug": slugify(slug) or slug,
        "name": slugify(slug) or slug,
        "categories": "/".join(category.lower() for category in categories),
        "slugified_categories": "/".join(filter(None, map(slugify, categories))),
        "output_ext": ".html",
    }
    if date is None and any(f":{name}" in pattern for name in _OF_DATES):
        return None
    if date is not None:
        values |= {name: date.strftime(_OF_DATES[name]) for name in _OF_DATES}
        values |= {name: values[name].lstrip("0") for name in ("i_month", "i_day")}
    address = _PLACEHOLDER.sub(lambda match: _value(match[1], values), pattern)
    return re.sub("/{2,}", "/", f"/{address}")


def _value(name: str, values: dict[str, str]) -> str:
    """The value of the longest placeholder that a name begins with: `:year_archive` is `:year` and `_archive`."""
    whole = name
    while name and name not in values:
        name = name.rpartition("_")[0]
    return values[name] + whole[len(name) :] if name else f":{whole}"


def is_address(text: str) -> bool:
    """Whether a permalink is an address as the author wants it: Eleventy has templates there too."""
    return "/" in text and not is_pattern(text) and "{{" not in text and "{%" not in text


def last_part(address: str) -> str:
    """The part of an address that names its post: without `index.html` and `.html`."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    parts = [part for part in unquote(path).split("/") if part]
    if parts and parts[-1] in ("index.html", "index.htm"):
        parts.pop()
    return parts[-1].removesuffix(".html").removesuffix(".htm") if parts else ""
