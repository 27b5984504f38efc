"""HTML that is read away from its page: every address in it whole."""

import re
from collections.abc import Callable
from html import escape, unescape
from urllib.parse import urljoin

_TAG = re.compile(r"<[a-z][^>]*>")  # the sanitiser's output is regular: every `<` starts a tag
_ADDRESS = re.compile(r' (href|src|cite)="([^"]*)"')


def with_absolute_links(html: str, absolute: Callable[[str], str]) -> str:
    """Sanitised HTML with `absolute` of each of its addresses."""

    def address(match: re.Match[str]) -> str:
        return f' {match[1]}="{escape(absolute(unescape(match[2])))}"'

    return _TAG.sub(lambda tag: _ADDRESS.sub(address, tag[0]), html)


def absolute_in(page: str, target: str) -> str:
    """What a target on the page at this address leads to (RFC 3986); what cannot be read stays as it is."""
    try:
        return urljoin(page, target)
    except ValueError:
        return target
