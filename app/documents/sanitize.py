"""The last step of rendering: HTML that a page may show as it is.

Everything is an exact list: elements, attributes, classes, schemes. Table alignment is the `align` attribute with
three values, because a style attribute would need its own parser to be safe. An address without a scheme but with a
host (`//host/…`) gets `https:`, so that it does not depend on the page it ends up in. A frame is an embed of a host
that was named, sandboxed and empty, or it is not there.
"""

import re
from collections.abc import Collection
from functools import cache
from html import escape, unescape

import nh3

from app.documents.dom_names import unclobbering
from app.documents.html_names import names

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

_TAGS = names(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em figcaption figure "
    "h1 h2 h3 h4 h5 h6 hr i img input ins kbd li mark ol p pre q rp rt ruby s samp section small span strong sub "
    "summary sup table tbody td tfoot th thead time tr u ul var wbr"
)
_DROPPED_WITH_CONTENT = names(
    "audio canvas iframe math noembed noframes noscript object plaintext script select style svg template textarea "
    "title video xmp"
)
_ATTRIBUTES = {
    "*": names("class dir id lang title"),
    "a": names("href name"),
    "blockquote": names("cite"),
    "col": names("span"),
    "colgroup": names("span"),
    "del": names("datetime"),
    "details": names("open"),
    "iframe": names("allow allowfullscreen height src width"),
    "img": names("alt height src width"),
    "input": names("checked disabled type"),
    "ins": names("datetime"),
    "li": names("value"),
    "ol": names("reversed start type"),
    "q": names("cite"),
    "td": names("align colspan rowspan"),
    "th": names("align colspan rowspan scope"),
    "time": names("datetime"),
}
# Written by us, in this order: nh3 would set such attributes in another order in each process.
_CHECKBOX = {"type": "checkbox", "disabled": ""}
_SANDBOXED = (  # it may run and open a new window, but not lead the page elsewhere
    ' loading="lazy" referrerpolicy="strict-origin-when-cross-origin" sandbox="allow-forms allow-popups '
    'allow-popups-to-escape-sandbox allow-presentation allow-same-origin allow-scripts"'
)
_FEATURES = names(
    "accelerometer autoplay clipboard-write encrypted-media fullscreen gyroscope picture-in-picture web-share"
)
_CLASSES = names(
    "align-center align-left align-right alert caption caution center danger important info lead left no_toc right "
    "text-center text-left text-right tip warning "
    "contains-task-list footnote-backref footnote-item footnote-ref footnotes footnotes-list footnotes-sep math "
    "math-display math-inline message message-alert message-title note task-list task-list-item task-list-item-checkbox"
)
_LANGUAGE = re.compile(r"language-[A-Za-z0-9][A-Za-z0-9+#._-]{0,49}", re.ASCII)
_ALIGNMENTS = names("left center right")
_NUMBERS = names("colspan height rowspan span start value width")
_ADDRESSES = names("cite href src")
_HOST_ONLY = re.compile(r"[/\\]{2,}")
_IGNORED_IN_ADDRESSES = re.compile(r"[\t\n\r]")
_HOST = re.compile(r"https://([a-z0-9.-]+)(?=[/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile("[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_SCHEMES = names("http: https: mailto: tel:")
# What is not seen hides no scheme, even where a browser would take such a text for a relative address.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\xa0\xad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff]"
)
_ROUNDS = 8


def sanitize(html: str, *, is_ours: bool = False, embed_hosts: Collection[str] = ()) -> str:
    """Any HTML made safe and well-formed; doing it again changes nothing.

    `is_ours` says that a renderer wrote every tag of it, well nested: what a second cleaning would change is not there.
    `embed_hosts` are those whose frames stay. Attribute values hold `<` and `>` as entities, so that every `<` in the
    result starts a tag.
    """
    hosts = frozenset(embed_hosts)
    cleaned = _clean(html, hosts)
    if is_ours and '="//' not in html:  # what follows may be no host, once it has got a scheme
        return cleaned
    for _ in range(_ROUNDS):
        again = _clean(cleaned, hosts)
        if again == cleaned:
            return cleaned
        cleaned = again
    return escape(unescape(re.sub(r"<[^>]*>", "", cleaned)), quote=False)


def _clean(html: str, hosts: frozenset[str]) -> str:
    cleaner = _cleaner(hosts)
    html = CONTROL.sub("", html)
    cleaned = cleaner.clean(html)
    # Controls written as character references; what was hidden behind them is judged again.
    if "&#" in html and CONTROL.search(cleaned):
        cleaned = cleaner.clean(CONTROL.sub("", cleaned))
    if "<pre" in cleaned:
        cleaned = _PRE_NEWLINE.sub(r"\g<0>\n", cleaned)
    return _TAG.sub(_regular, cleaned)


_PRE_NEWLINE = re.compile(r'<pre(?: [^\s="]+="[^"]*")*>\n')  # HTML reads the first line break in it as none
_WRITTEN = r'(?: [^\s="]+="[^"]*")'  # an attribute
_NAME_WRITTEN = re.compile(r' ([^\s="]+)="[^"]*"')
# What a frame holds is no markup, so that it is read together with its tags, from left to right with all others.
# The `<` stands before the alternatives, not in each: the search for it is many times as fast.
_TAG = re.compile(rf"<(?:(?P<frame>iframe{_WRITTEN}*)>.*?</iframe>|input>|[a-z][a-z0-9]*{_WRITTEN}+>)", re.DOTALL)


def _regular(found: re.Match[str]) -> str:
    """A tag without `<` and `>` in its attributes, and with those that it always has; a frame that leads somewhere."""
    inner = found["frame"] or found[0][1:-1]
    if "<" in inner or ">" in inner:
        inner = inner.replace("<", "&lt;").replace(">", "&gt;")
    if found["frame"]:
        return f"<{inner}{_SANDBOXED}></iframe>" if "src" in _NAME_WRITTEN.findall(inner) else ""
    if inner.startswith("input"):
        written = _NAME_WRITTEN.findall(inner)
        inner += "".join(f' {name}="{value}"' for name, value in _CHECKBOX.items() if name not in written)
    return f"<{inner}>"


def _attribute(name: str, value: str) -> str | None:
    """The value that an attribute keeps, None for none."""
    if name == "class":
        return " ".join(word for word in value.split() if word in _CLASSES or _LANGUAGE.fullmatch(word)) or None
    if name in _ADDRESSES:
        return _address(value)
    if name in ("id", "name"):
        return unclobbering(value) if value and not re.search(r"\s", value) else None
    if name == "align":
        return value.lower() if value.lower() in _ALIGNMENTS else None
    if name in _NUMBERS:
        return value if re.fullmatch(r"-?[0-9]{1,5}%?", value) else None
    return value


def is_web_address(value: str) -> bool:
    """Whether an address, relative or not, leads to a page or a file on the web: it runs nothing wherever it is put."""
    if CONTROL.search(value):
        return False
    return _scheme(value) in (None, "http:", "https:")


def _scheme(value: str) -> str | None:
    found = _SCHEME.match(_UNSEEN.sub("", value).lstrip())
    return found[0].lower() if found else None


def _address(value: str) -> str | None:
    if CONTROL.search(value) or _scheme(value) not in _SCHEMES | {None}:
        return None
    value = _IGNORED_IN_ADDRESSES.sub("", value).strip(" ")
    if value.startswith("#"):
        return "#" + unclobbering(value[1:])
    return _HOST_ONLY.sub("https://", value, count=1) if _HOST_ONLY.match(value) else value


def _frame_attribute(name: str, value: str, hosts: frozenset[str]) -> str | None:
    if name == "src":
        address = _address(value)
        host = _HOST.match(address or "")
        return address if host and host[1].lower() in hosts else None
    if name == "allow":
        wanted = (feature.strip().lower() for feature in value.split(";"))
        return "; ".join(feature for feature in wanted if feature in _FEATURES) or None
    return _attribute(name, value)


@cache
def _cleaner(hosts: frozenset[str]) -> nh3.Cleaner:
    def attribute(tag: str, name: str, value: str) -> str | None:
        if tag == "iframe":
            return _frame_attribute(name, value, hosts)
        return _CHECKBOX[name] if tag == "input" and name in _CHECKBOX else _attribute(name, value)

    tags = _TAGS | {"iframe"} if hosts else _TAGS
    return nh3.Cleaner(
        tags=set(tags),
        clean_content_tags=set(_DROPPED_WITH_CONTENT - tags),
        attributes={tag: set(allowed) for tag, allowed in _ATTRIBUTES.items() if tag in tags or tag == "*"},
        attribute_filter=attribute,
        url_schemes={scheme.rstrip(":") for scheme in _SCHEMES},
        link_rel="noopener noreferrer",
    )
