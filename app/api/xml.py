"""XML 1.0 as text."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # no reference may name these either


def text(value: str) -> str:
    """Text that stands for itself between tags; what XML cannot hold is left out."""
    return escape(_FORBIDDEN.sub("", value), {"\r": "&#13;"})


def element(name: str, content: str = "", attributes: Mapping[str, str] | None = None) -> str:
    """An element; its content is XML."""
    given = "".join(f" {key}={quoteattr(_FORBIDDEN.sub('', value))}" for key, value in (attributes or {}).items())
    return f"<{name}{given}>{content}</{name}>" if content else f"<{name}{given}/>"
