"""Texts that repeat one thing until they are as large as a file may be: what makes parsers slow, deep or large."""

from collections.abc import Callable, Iterator
from itertools import permutations

Shape = Callable[[int], str]

_UNITS = [
    "*",
    "**",
    "***",
    "_",
    "__",
    "~",
    "~~",
    "~~~",
    "`",
    "``",
    "```",
    "^",
    "^^",
    "==",
    "++",
    "--",
    "---",
    "…",
    ":",
    "::",
    ":::",
    ";",
    "|",
    "||",
    "\\",
    "\\\\",
    "/",
    "//",
    "<",
    "<<",
    ">",
    ">>",
    "<>",
    "[",
    "[[",
    "]",
    "]]",
    "![",
    "](",
    "[]",
    "()",
    "{",
    "{{",
    "{{{",
    "}",
    "}}",
    "{%",
    "%}",
    "{{<",
    ">}}",
    "{:.",
    "{:",
    "}",
    "{::",
    "[^",
    "[^a]:",
    "[a]:",
    "*[a]:",
    "#",
    "##",
    "######",
    "=",
    "-",
    "+",
    "1.",
    "1)",
    "a.",
    ">",
    ">>>>",
    "$",
    "$$",
    "$$$",
    "&",
    "&#",
    "&#x",
    "&a;",
    "&amp;",
    "@",
    "!",
    "!!!",
    "'",
    '"',
    "“",
    "(",
    ")",
    "((",
    "．。",
    "、",
    "「",
    "」",
    "『",
    "｜",
    "《",
    "》",
    "\u200d",
    "\ufeff",
    "́",
    "\u202e",
    "�",
    "𠮷",
    "👨\u200d👩\u200d👧",
    "が",
    "が",
    "a*",
    "*a",
    "a**",
    "**a",
    "*a_",
    "_a*",
    "a_b",
    "__a**b",
    "`a",
    "``a",
    "a`",
    "[a",
    "[a]",
    "[a](b",
    "[a](b)",
    "[a](<b",
    "[a][",
    "![a](b)",
    "[a]:",
    "[^a]",
    "[^a]:x",
    "<a",
    "<a>",
    "</a>",
    "<a",
    'b="',
    "<!--",
    "-->",
    "<?",
    "?>",
    "<![CDATA[",
    "]]>",
    "<div>",
    "</div>",
    "<p>",
    "<b>",
    "<i>",
    "<b><p>",
    "<table><td>",
    "<svg>",
    "<math>",
    "<style>",
    "<script>",
    "<select>",
    "<template>",
    "<title>",
    "<plaintext>",
    "<details>",
    "<ruby><rt>",
    "http://",
    "https://a",
    "www.",
    "a@b",
    "mailto:",
    "javascript:",
    "ftp://a",
    "http://a(",
    "http://a&amp;",
    "http://あ",
]

# Joined without a space, by a space, by a line break, by an empty line; half of a thing and then the other half.
_JOINTS = ("", " ", "\n", "\n\n")

_PAIRS = (
    *(("[", "]"), ("(", ")"), ("{", "}"), ("<", ">"), ("![", "](a)"), ("[", "](a)"), ("*a **", "b* c**")),
    *(("**", "a**"), ("_", "a_"), ("*", "_"), ("`", "``"), ("<b>", "</b>"), ("<div>\n", "</div>\n"), ("<p>", "x")),
    *(("> ", "a"), ("- ", "a"), ("1. ", "a"), ("  - ", "\n"), ("{{", "}}"), ("{%", "%}"), ("[^a", "]"), ("$", "$ ")),
    *(("'", '"'), ("「", "」"), ("**「", "」**"), ("\\", "`"), ("<a href='", "'>"), ('<a b="', '">'), ("&", ";")),
    *(("<!-", "->"), ("<b ", "a=1 "), ("[a](", " b"), ('[a](b "', '" '), ("|", "|\n"), ("#", "\n"), ("==", "a==")),
)


def _fill(unit: str, size: int) -> str:
    return unit * (size // max(len(unit.encode()), 1) + 1)


def _repeated(unit: str) -> Shape:
    return lambda size: _fill(unit, size)


def _nested(opening: str, closing: str) -> Shape:
    return lambda size: _fill(opening, size // 2) + _fill(closing, size // 2)


def _numbered(pattern: str) -> Shape:
    """A pattern with a running number in each repetition."""
    return lambda size: "".join(pattern.replace("N", str(number)) for number in range(size // len(pattern)))


def _indented(unit: str) -> Shape:
    """Each line deeper than the one before."""
    return lambda size: "".join(" " * number + unit + "\n" for number in range(int((2 * size) ** 0.5)))


_NUMBERED = (
    *("[N]: /N\n", "[N] [^N] ", "[^N]: N\n", "[^N]\n\n[^N]: x\n\n", "*[AN]: x\n", "# N\n", "# あ\n", "- [ ] N\n"),
    *("|N|N|\n|-|-|\n|N|N|\n\n", "<a id=N>", "<h1 id='N'>N</h1>\n", "N\n: N\n\n", "![N](N.png)\n", "http://a.jp/N "),
    *("{#N}\n# N {#N}\n", "N{:.N}\n", "[N][]\n", "<div id=N>\n", "`N`", "$N$", "```N\nN\n```\n", ":::N\nN\n:::\n"),
    *("[a](N 'N')", "*N*", "**N**", "~~N~~", "{{ N }}", "{% N %}", "{{< N >}}", "{%raw%}N{%endraw%}", "<!--N-->"),
)

_WHOLE: dict[str, Shape] = {
    "definition written out by each use": lambda size: "[a]: /" + "x" * (size // 2) + "\n\n" + _fill("[a] ", size // 2),
    "title written out by each use": lambda size: f"[a]: b '{'x' * (size // 2)}'\n\n" + _fill("[a]", size // 2),
    "definition of NULs": lambda size: _fill("[1] ", size // 2) + "\n\n[1]: urn:" + "\0" * (size // 2),
    "footnote used everywhere": lambda size: _fill("[^a]", size) + "\n\n[^a]: x\n",
    "footnotes within footnotes": _numbered("[^N]: [^N1] \n"),
    "table with empty cells": lambda size: _fill("|a", size // 4) + "\n" + _fill("|-", size // 4) + "\n" + "|\n" * size,
    "table of many columns and rows": lambda size: (
        _fill("|a", 2 * int(size**0.5)) + "|\n" + _fill("|-", 2 * int(size**0.5)) + "|\n" + _fill("|x\n", size)
    ),
    "abbreviation of one letter": lambda size: "*[a]: " + "x" * 200 + "\n\n" + _fill("a ", size),
    "abbreviations and a long text": lambda size: (
        _numbered("*[aN]: x\n")(size // 2) + "\n" + _fill("a1 a22 a333 ", size // 2)
    ),
    "one word": lambda size: "a" * size,
    "one Japanese word": lambda size: "あ" * (size // 3),
    "one line of spaces": lambda size: "a" + " " * size + "b",
    "lines of spaces": lambda size: (" " * 100 + "\n") * (size // 101),
    "tabs": lambda size: "-\t" * (size // 2),
    "line breaks": lambda size: "\n" * size,
    "carriage returns": lambda size: "\r" * size,
    "unclosed everything": lambda size: _fill("<div><b>*_`[![(<a href='{{{%", size),
    "formatting left open in each paragraph": lambda size: _fill("<b><i><u><s>\n\n", size),
    "formatting left open, then paragraphs": lambda size: _fill("<b>", size // 2) + _fill("\n\nx", size // 2),
    "tables left open": lambda size: _fill("<table><tr><td>", size),
    "lists within lists": lambda size: _fill("- ", size) + "a",
    "quotes within quotes": lambda size: _fill("> ", size) + "a",
    "quotes and lists": lambda size: _fill("> - 1. ", size) + "a",
    "fences left open": lambda size: _fill("```\n~~~\n", size),
    "backticks of every length": lambda size: " ".join("`" * n for n in range(1, int((2 * size) ** 0.5))),
    "fences of every length": lambda size: "\n".join("`" * n for n in range(3, int((2 * size) ** 0.5))),
    "colons of every length": lambda size: "\n".join(":" * n + "message" for n in range(3, int((2 * size) ** 0.5))),
    "stars of every length": lambda size: "a".join("*" * n for n in range(1, int((2 * size) ** 0.5))),
    "excerpt without an end": lambda size: "---\nexcerpt_separator: zz\n---\n" + _fill("a\n\n", size),
    "more than one more": lambda size: _fill("<!--more-->\n", size),
    "a title repeated": lambda size: "---\ntitle: a a a\n---\n" + _fill("# a a a\n\n", size),
    "attributes of one tag": lambda size: "<a" + _fill(" href=x", size) + ">",
    "attribute of many quotes": lambda size: '<a title="' + _fill("'", size) + '">',
    "entities in an address": lambda size: "[a](" + _fill("&amp;", size) + ")",
    "escapes in an address": lambda size: "[a](" + _fill("%41", size) + ")",
    "combining marks": lambda size: "a" + "\u0301" * (size // 2),
    "combining marks of every class": lambda size: "a" + "\u0301\u0323\u05b0" * (size // 6),
    "headings of combining marks": lambda size: ("# a" + "\u0323\u0301" * 500 + "\n") * (size // 2004),
    "flags": lambda size: "🇯🇵" * (size // 8),
}

_FRONT: dict[str, Shape] = {
    "brackets": _repeated("["),
    "braces": _repeated("{"),
    "key and brackets": lambda size: "a = " + _fill("[", size),
    "json brackets": lambda size: '"a": ' + _fill("[", size),
    "balanced brackets": lambda size: "a = " + _nested("[", "]")(size),
    "dashes": _repeated("- "),
    "dashes on lines": _indented("-"),
    "keys on lines": _indented("a:"),
    "questions": _repeated("? "),
    "dotted key": lambda size: _fill("a.", size) + "b = 1",
    "quoted dotted key": lambda size: _fill('"a".', size) + "b = 1",
    "tables": _numbered("[aN]\n"),
    "arrays of tables": _repeated("[[a]]\n"),
    "nested tables": lambda size: "[" + _fill("a.", size) + "b]",
    "inline tables": lambda size: "a = " + _fill("{b=", size),
    "number": lambda size: "a: " + "9" * size,
    "toml number": lambda size: "a = " + "9" * size,
    "toml hex number": lambda size: "a = 0x" + "f" * size,
    "hex number": lambda size: "a: 0x" + "f" * size,
    "float": lambda size: "a: " + "9" * size + ".0e" + "9" * 30,
    "json number": lambda size: '"a": ' + "9" * size,
    "json exponent": lambda size: '"a": 1e' + "9" * size,
    "sexagesimal": lambda size: "a: " + _fill("1:", size) + "1",
    "underscores": lambda size: "a: 1" + "_" * size,
    "anchors": _numbered("aN: &bN x\n"),
    "aliases": lambda size: "a: &a x\n" + _fill("b: *a\n", size),
    "laughs": lambda _: (
        "a: &a [x]\n" + "".join(f"b{n}: &b{n} [{'*a' if n == 0 else f'*b{n - 1},' * 9}]\n" for n in range(30))
    ),
    "cycle": lambda _: "a: &a [*a]",
    "merge cycle": lambda _: "a: &a {<<: *a}",
    "merges": lambda size: "a: &a {b: c}\n" + _fill("d: {<<: [*a, *a, *a]}\n", size),
    "quotes": _repeated('"'),
    "single quotes": _repeated("'"),
    "open string": lambda size: 'a: "' + "x" * size,
    "toml open string": lambda size: 'a = """' + _fill('""x\\', size),
    "escapes": lambda size: 'a: "' + _fill("\\u00e9", size) + '"',
    "colons": _repeated(": "),
    "comments": _repeated("#\n"),
    "hashes": lambda size: "a: b" + _fill(" #c", size),
    "tags": _repeated("!a "),
    "python tags": _repeated("!!python/object/apply:os.system ['true']\n"),
    "percent": _repeated("%YAML 1.2\n"),
    "block": lambda size: "a: |\n" + _fill(" x\n", size),
    "folded": lambda size: "a: >\n" + _fill(" x\n\n", size),
    "duplicate keys": _repeated("a: 1\n"),
    "keys": _numbered("aN: 1\n"),
    "toml keys": _numbered("aN = 1\n"),
    "json keys": _numbered('"aN":1,'),
    "many tags": lambda size: "tags: [" + _numbered("aN,")(size) + "]",
    "one long tag": lambda size: "tags: " + _fill("a ", size),
    "one long title": lambda size: "title: " + _fill("あ/", size),
    "one long slug": lambda size: "slug: " + _fill("a-", size),
    "one long date": lambda size: "date: 2025-" + "1" * size,
    "date of spaces": lambda size: "date: 2025-12-01" + " " * size + "x",
    "date of digits": lambda size: "date: " + "2" * size,
    "one long permalink": lambda size: "permalink: /" + _fill(":title/", size),
    "permalink of slashes": lambda size: "permalink: " + "/" * size,
    "one long excerpt": lambda size: "excerpt: '" + _fill("*a [b](", size) + "'",
    "one long language": lambda size: "lang: " + _fill("a-", size),
    "one long image": lambda size: "image: " + _fill("../", size),
    "many aliases": lambda size: "aliases: [" + _numbered("/N,")(size) + "]",
}


def _fenced(fence: str, shape: Shape) -> Shape:
    return lambda size: f"{fence}\n{shape(size)}\n{fence}\nx\n"


def shapes() -> Iterator[tuple[str, Shape]]:
    """Every shape with its name; a shape makes a text of about so many bytes."""
    for unit in dict.fromkeys(_UNITS):
        for joint in _JOINTS:
            yield f"{unit!r} joined by {joint!r}", _repeated(unit + joint)
        yield f"{unit!r} indented", _indented(unit)
    for opening, closing in _PAIRS:
        yield f"{opening!r} closed by {closing!r}", _nested(opening, closing)
        yield f"{opening!r} and {closing!r}", _repeated(opening + closing)
        yield f"{opening!r}, text, {closing!r}", _repeated(f"{opening} a {closing}\n")
    for one, other in permutations(("*", "_", "[", "`", "<", "!", "$", "~"), 2):
        yield f"{one}{other} alternating", _repeated(f"{one}a{other} ")
    for pattern in _NUMBERED:
        yield f"{pattern!r} numbered", _numbered(pattern)
    yield from _WHOLE.items()
    for fence in ("---", "+++", ";;;"):
        for name, shape in _FRONT.items():
            yield f"{name} in {fence}", _fenced(fence, shape)
