"""Every construct that a post may be made of, repeated or nested until a file is as large as it is asked to be."""

from collections.abc import Callable
from itertools import count, islice

Shape = Callable[[int], str]  # characters, about -> a file of so many


def repeated(unit: str, before: str = "", behind: str = "") -> Shape:
    return lambda size: before + unit * max(1, (size - len(before) - len(behind)) // len(unit)) + behind


def numbered(unit: str, before: str = "", behind: str = "") -> Shape:
    """`@` in the unit is a number that grows."""

    def shape(size: int) -> str:
        often = max(1, size // (len(unit) + 4))
        return before + "".join(unit.replace("@", str(number)) for number in islice(count(), often)) + behind

    return shape


def nested(opening: str, closing: str = "", inside: str = "a", before: str = "", behind: str = "") -> Shape:
    def shape(size: int) -> str:
        deep = max(1, size // (len(opening) + len(closing)))
        return before + opening * deep + inside + closing * deep + behind

    return shape


def halves(first: str, second: str, between: str = "\n\n") -> Shape:
    """One thing repeated, then another that may refer to it."""
    return lambda size: first * (size // 2 // len(first)) + between + second * (size // 2 // len(second))


def staircase(unit: str, step: str = " ") -> Shape:
    """Lines that are ever further indented."""

    def shape(size: int) -> str:
        lines = int((2 * size / len(step)) ** 0.5)
        return "".join(step * line + unit for line in range(lines))

    return shape


# Divided by `|` and line ends; what Python would write with a backslash is written so.
_UNITS = r"""
*|**|***|_|__|~~|*a|**a |*a*|**a**|_a*|*_|a**b|**a*|~a~|~~a|*「a」*|**「|」**|**。|a。**b|＊＊|～～
[|]|![|](|[a|[a]|[a](|[a](b|[a](b "|[a](b 'c|[a](<|[a][|[a][]|[a](b)|![a](b)|[![a](b)](c)|[^|[^a]|[^a|^[|^[a]|]: |[a]:
<|>|<a|<a |<a b|<a b=|<a b="|<a b='c|</|</a|<b>|</b>|<b|<!|<!-|<!--|<!-- -|-->|<!-- a -->|<?|<?a?>|<!A|<![CDATA[|]]>|<a@b|<a:|<http://a|<http://a>|<a@b.c>
&|&#|&#x|&a|&amp|&amp;|&#0;|&#x110000;|&lt;|&NotExists;|\\|\\\\|\\*|\\[|`|``|`a|`a`|``a`|~|~~~|^|=|==|:|::|!|@|#|{|}|{{|}}|{%|%}|{{a|{{ a }}|{% a|{% a %}
{:|{:.a}|*a*{:.a}|{: #a}|{::|{::comment}|{:/}|{:/comment}|{::nomarkdown}|{:toc}|{#a}|$|$$|$$a|$$a$$|$a$|{漢|{漢|か}|漢|、|「|」|{漢字\\|かん|@[|@[youtube](a)|@[card](https://a.b)|![a](b =1x1)|![a](b =
http://|http://a.b |http://a.b)|http://a.b(|https://a.b/*|mailto:a@b.c |mailto:|www.a.b |a@b.c |(c)|...|--|---|'|"|'a' |"a" |'" |<|｜|\t|\v|\f|\x00|\x01|\x85|\u2028|\u00a0|\u3000|\u200b|\u202e|\ufe0f|\ufeff|\u0301|\U0001f600|\U000e0100
<details>|<table>|<td>|<tr><td>|<p>|<li>|<pre>|<ruby>a<rt>|<svg>|<math>|<style>|<script>|<title>|<textarea>|<iframe>|<noscript>|<template>|<select>|<option>|<form>|<input>|<a href=b>|<font>|<nobr>|<button>|<plaintext>|<object>|<frameset>|<xmp>|<h1>|<dd>|<body>|<html>|<!DOCTYPE a>|<img src=a>|<b><p>|<a><b></a>|<i></b>
"""
_LINES = r"""
a|- a|* a|+ a|1. a|1) a|- [ ] a|- [x] a|-|- |> a|>|> - a|- > a|# a|#|###### a|a\n=|a\n-|---|***|***\n- a|    a|\ta|```|```a|```\na\n```|~~~|~~~a|: a|a\n: b|a\n\n: b|a\n: b\n: c
|a||\x7ca\x7cb|\x7ca\x7c\n\x7c-\x7c|a\x7cb\n-\x7c-|\x7ca\x7cb\x7c\n\x7c-\x7c-\x7c|\x7c-\x7c|[a]: b|[a]: <b|[a]: b "c|[a]: b "c"|[^a]: b|[^a]:|    [^a]: b|*[a]: b|{: .a}|{:a: .b}|{:toc}|{::comment}|{:/comment}|{::options a="b" /}|$$|$$ a|:::message|:::|::::details a|:::details|<div>|</div>|<div|<div markdown="1">|<p>|<!-- a|<!--|-->|<?|<![CDATA[|<a>|<b>|<pre>|<script>|</script>|<style>|<hr>|<details><summary>a</summary>|{% raw %}|{% endraw %}|{% highlight a %}|{% endhighlight %}|{% comment %}|{% endcomment %}|{{< a >}}|{{< a|{{% a %}}|{% post_url 2025-01-01-a %}|{% link _posts/a.md %}|[[toc]]|<!--more-->|<!-- truncate -->|> [!NOTE]|> [!NOTE]\n> a|![a](b)|a  |a\\\x7cあ|あ。\nい|+++|;;;|...|--- |%
"""
_NESTS = r"""
[|](a)
![|](a)
[|]
[a](|)
[![|](a)](b)
*|*
**|**
*a _b |_ c*
~~|~~
<b>|</b>
<p>|</p>
<a href=b>|</a>
<div>|</div>
<table><tr><td>|</td></tr></table>
<ul><li>|</li></ul>
<blockquote>|</blockquote>
<details>|</details>
<ruby>a<rt>|</rt></ruby>
<svg>|</svg>
<math><mi>|</mi></math>
<template>|</template>
<select>|</select>
<i><b>|</i></b>
> |
- |
1. |
> - |
* > 1. |
- [ ] |
: |
{{|}}
{% raw %}|{% endraw %}
{% comment %}|{% endcomment %}
{::comment}|{:/}
$$|$$
`|`
(|)
[^a|]
<!--|-->
"|"
「|」
<div>\n|\n</div>
<div markdown="1">\n|\n</div>
:::message\n|\n:::
::::details a\n|\n::::
"""


def _written(text: str) -> str:
    return text.encode("latin-1", "backslashreplace").decode("unicode_escape")


def _split(text: str) -> list[str]:
    return [_written(part) for part in text.strip("\n").replace("\n", "|").split("|") if part]


BODIES: dict[str, Shape] = {}
for _unit in dict.fromkeys(_split(_UNITS)):
    BODIES[f"span {_unit!r}"] = repeated(_unit)
    BODIES[f"span and blank {_unit!r}"] = repeated(f"{_unit} ")
    BODIES[f"span and letter {_unit!r}"] = repeated(f"{_unit}あ")
for _unit in dict.fromkeys(_split(_LINES)):
    BODIES[f"line {_unit!r}"] = repeated(f"{_unit}\n")
    BODIES[f"paragraph {_unit!r}"] = repeated(f"{_unit}\n\n")
    BODIES[f"quoted {_unit!r}"] = repeated("> " + _unit.replace("\n", "\n> ") + "\n")
    BODIES[f"stairs {_unit!r}"] = staircase(f"{_unit}\n")
for _pair in _NESTS.strip().split("\n"):
    _opening, _, _closing = map(_written, _pair.partition("|"))
    BODIES[f"nested {_pair}"] = nested(_opening, _closing)
    BODIES[f"nested, left open {_pair}"] = nested(_opening)
    if _closing:
        BODIES[f"closed, never opened {_pair}"] = nested(_closing, inside="")
BODIES |= {
    "references, long": halves("[1] ", "x", "\n\n[1]: urn:"),
    "references, many": halves("[1] [2]\n", "[1]: a\n[2]: b\n"),
    "references, each its own": numbered("[a@]\n\n[a@]: b\n\n"),
    "references, one label in many cases": numbered("[ẞ@][ss@]\n[SS@]: a\n"),
    "references, never defined": numbered("[a@][b@] "),
    "references with titles": halves("![1] ", "x", '\n\n[1]: a "'),
    "reference labels, long": lambda size: "[" + "a" * (size // 2) + "]\n\n[" + "a" * (size // 2) + "]: b",
    "footnotes, each its own": numbered("[^@]\n\n[^@]: b\n\n"),
    "footnotes, one used often": halves("[^a]", "b ", "\n\n[^a]: "),
    "footnotes in footnotes": numbered("[^@]: [^@] [^1]\n\n", behind="[^0]"),
    "footnotes in a chain": numbered("[^@]: x\n    [^0]\n\n", behind="[^0]"),
    "abbreviations, each its own": numbered("*[a@]: b\n", behind="\n\na1 a2 a3"),
    "abbreviations, one used often": halves("a ", "b", "\n\n*[a]: "),
    "abbreviations that overlap": halves("*[aa]: b\n*[aaa]: b\n*[aaaa]: b\n", "a "),
    "headings, each its own": numbered("# a@\n"),
    "headings with one id": repeated("# a {#b}\n"),
    "headings that count up": numbered("# a\n# a-@\n"),
    "table, wide": lambda size: "|" + "a|" * (size // 4) + "\n|" + "-|" * (size // 4) + "\n",
    "table, wide with short rows": lambda size: "|" + "a|" * (size // 6) + "\n|" + "-|" * (size // 6) + "\n" + "|\n" * (size // 6),
    "table, square": lambda size: "|" + "a|" * int(size**0.5) + "\n|" + "-|" * int(size**0.5) + "\n" + ("|" + "a|" * int(size**0.5 / 2) + "\n") * int(size**0.5),
    "tables, many": repeated("|a|\n|-|\n|b|\n\n"),
    "table with code": repeated("|`a|`|\n", "|a|b|\n|-|-|\n"),
    "backticks of every length": lambda size: "".join("`" * n + " " for n in range(int((2 * size) ** 0.5))),
    "tildes of every length": lambda size: "".join("~" * n + "\n" for n in range(int((2 * size) ** 0.5))),
    "fences of every length": lambda size: "".join("`" * n + "\n" for n in range(3, int((2 * size) ** 0.5))),
    "fence info, long": lambda size: "```" + "a" * size + "\nb\n```",
    "one line": lambda size: "あ" * (size // 3),
    "one word": lambda size: "a" * size,
    "one space": lambda size: "a" + " " * size + "b",
    "blank lines": lambda size: "a" + "\n" * size + "b",
    "carriage returns": repeated("a\r"),
    "tabs before a line": repeated("\t\t\t\t\t\t\t\ta\n\n"),
    "bold in bold": repeated("**a*b", behind="**"),
    "emphasis, odd lengths": lambda size: "".join("*" * (n % 7 + 1) + "a" for n in range(size // 5)),
    "emphasis, openers and closers": halves("*a ", "a* ", " "),
    "emphasis, two kinds": halves("*a _", "a_ b* ", " "),
    "emphasis beside Japanese": repeated("**「あ」**と*い。*"),
    "links in quotes": repeated("> [a](b)\n"),
    "link titles never closed": repeated('[a](b "c\n'),
    "links, parentheses in addresses": lambda size: "[a](" + "(" * size,
    "images in alternative texts": nested("![", "](a)"),
    "line breaks": repeated("a  \nb\\\n"),
    "list items with blank lines": repeated("- a\n\n  b\n\n"),
    "lists of lists": repeated("- - - - - - - - a\n"),
    "lists that change": repeated("- a\n+ b\n* c\n"),
    "numbers, long": repeated("123456789. a\n"),
    "HTML attributes, many": repeated(" a", "<p", ">"),
    "HTML attributes with values": numbered(' a@="b"', "<p", ">"),
    "HTML attribute, long": repeated("a", '<p title="', '">'),
    "HTML classes, many": repeated("language-a ", '<p class="', '">'),
    "HTML ids, all the same": repeated('<p id="location">a</p>\n'),
    "HTML names, long": repeated("a", "<", ">"),
    "HTML open formatting, then paragraphs": halves("<b>", "<p>a"),
    "HTML open links, then paragraphs": halves("<a href=b>", "a\n\n"),
    "HTML open fonts with attributes": halves('<font size="1">', "<p>"),
    "HTML formatting against blocks": repeated("<b><div></b></div>"),
    "HTML tables left open": repeated("<table><b>"),
    "HTML in table, fostered": repeated("<table>a<b>"),
    "HTML comments never closed": repeated("a <!-- b\n\n"),
    "HTML entities, long": repeated("&#00000000000000000000065;"),
    "Liquid never closed": halves("{% raw %}", "{{ a "),
    "Liquid and code": repeated("`{% raw %}`{{ a }}\n"),
    "Liquid and fences": repeated("```\n{{ a }}\n```\n{% raw %}\n"),
    "attribute lists, long": lambda size: "# a {" + "#b " * (size // 3) + "}",
    "attribute lists, defined": numbered("{:a@: .b}\n# c {:a@}\n"),
    "mathematics, never closed": halves("$$ a\n\n", "> $$ b\n"),
    "ruby, many readings": lambda size: "{漢" + "|か" * (size // 4) + "}",
    "boxes, never closed": halves(":::message\n", "a\n"),
    "combining marks": lambda size: "e" + "\u0301" * (size // 2),
    "decomposed": lambda size: "か\u3099" * (size // 6),
    "titles of Japanese": repeated("# これは**「見出し」**です\n\n本文。\n"),
}  # fmt: skip

_FENCES = {"yaml": ("---\n", "\n---\n本文\n"), "toml": ("+++\n", "\n+++\n本文\n"), "json": ("", "\n本文\n")}
_FRONTS: dict[str, dict[str, Shape]] = {
    "yaml": {
        "flow lists": nested("[", "]"),
        "flow lists, left open": nested("["),
        "flow maps": nested("{a: ", "}"),
        "flow maps, left open": nested("{a: "),
        "dashes": nested("- "),
        "question marks": nested("? "),
        "colons": nested(": "),
        "stairs": staircase("a:\n"),
        "keys": numbered("a@: b\n"),
        "keys that are one": repeated("a: b\n"),
        "key, long": lambda size: "a" * size + ": b",
        "key, long and quoted": lambda size: '"' + "a" * size + '": b',
        "scalar, long": lambda size: "title: " + "あ" * (size // 3),
        "scalar, quoted": lambda size: 'title: "' + "\\u3042" * (size // 6) + '"',
        "scalar, never closed": lambda size: 'title: "' + "a\n" * (size // 2),
        "scalar, folded": lambda size: "title: >\n" + "  a\n\n" * (size // 5),
        "scalar, lines": lambda size: "title: a\n" + "  b\n" * (size // 4),
        "list": repeated("- a\n", "tags:\n"),
        "list, flow": repeated("a,", "tags: [", "]"),
        "anchors": numbered("a@: &b@ c\n"),
        "aliases": repeated("- *a\n", "a: &a b\nc:\n"),
        "aliases of a long text": lambda size: f"a: &a {'b' * (size // 2)}\nc:\n" + "- *a\n" * (size // 10),
        "laughs": numbered("a@: &a@ [*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0,*a0]\n", "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"),
        "laughs of laughs": lambda size: (
            "a0: &a0 x\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 9}]\n" for n in range(1, max(2, size // 60)))
        ),
        "merges": numbered("a@: &a@\n  b@: c\n", behind="d:\n  <<: *a0\n"),
        "merges of merges": lambda size: (
            "a0: &a0 {x: y}\n" + "".join(f"a{n}: &a{n}\n  <<: *a{n - 1}\n  b{n}: c\n" for n in range(1, size // 25))
        ),
        "merges of many": lambda size: "a: &a {x: y}\nb:\n  <<: [" + "*a," * (size // 3) + "]",
        "merge into itself": lambda _: "a: &a\n  <<: *a\n",
        "cycle": lambda _: "a: &a [*a]\n",
        "tags": repeated("- !!str a\n", "a:\n"),
        "tag, long": lambda size: "a: !" + "b" * size + " c",
        "tag that makes objects": lambda _: 'a: !!python/object/apply:os.system ["true"]\n',
        "tag directives": numbered("%TAG !a@! b\n", behind="--- \na: b"),
        "documents": repeated("a: b\n--- \n"),
        "comments": repeated("# a\n", behind="b: c"),
        "integer of many digits": lambda size: "a: " + "9" * size,
        "integers of many digits": numbered("a@: " + "9" * 10_000 + "\n"),
        "integers of other bases": lambda size: "a: 0x" + "f" * (size // 2) + "\nb: 0o" + "7" * (size // 2),
        "floats": lambda size: f"a: 1e{'9' * (size // 3)}\nb: .{'9' * (size // 3)}\nc: -.inf\nd: .nan\n",
        "sexagesimal": repeated("59:", "a: ", "59"),
        "dates": lambda size: "date: " + "2025-" * (size // 5),
        "date that is none": lambda _: "date: 9999-99-99T99:99:99+99:99",
        "dates at the ends of time": lambda _: "date: 9999-12-31T23:59:59-23:59\nupdated: 0001-01-01T00:00:00+23:59",
        "blanks": lambda size: "a: b" + " " * size + "\n",
        "blank lines": lambda size: "a: b" + "\n" * size,
        "tabs": lambda size: "a:" + "\t" * size + "b",
        "controls": repeated("\x07\x85\x9b\u2028\ufeff", "a: "),
        "NULs": repeated("\0", "a: "),
        "surrogates": repeated("\\ud800", 'a: "', '"'),
        "escapes": repeated("\\x00\\N\\_", 'a: "', '"'),
        "terms": numbered("t@,", "tags: [", "]"),
        "excerpt": lambda size: "excerpt: '" + "**a** [b](c) " * (size // 13) + "'",
        "permalink": lambda size: "permalink: /" + ":year/:title/" * (size // 13),
        "slug": lambda size: "slug: " + "あ-" * (size // 4),
        "addresses of old": numbered("/a/@,", "aliases: [", "]"),
        "title in many scripts": repeated("Ａe\u0301か\u3099İß\ufb03", "title: "),
    },
    "toml": {
        "arrays": nested("[", "]", before="a = "),
        "arrays, left open": nested("[", before="a = "),
        "inline tables": nested("{a = ", "}", inside="1", before="a = "),
        "dotted keys": lambda size: "a." * (size // 2) + "b = 1",
        "dotted headers": lambda size: "[" + "a." * (size // 2) + "b]",
        "headers": numbered("[a@]\n"),
        "arrays of tables": repeated("[[a]]\nb = 1\n"),
        "keys": numbered("a@ = 1\n"),
        "integer of many digits": lambda size: "a = " + "9" * size,
        "hexadecimal": lambda size: "a = 0x" + "f" * size,
        "float": lambda size: "a = 1e" + "9" * size + "\nb = inf\nc = nan",
        "dates": numbered("a@ = 2025-01-01T00:00:00Z\n"),
        "text": lambda size: 'a = """' + "b\\\n" * (size // 3) + '"""',
        "text, never closed": lambda size: 'a = """' + "b\n" * (size // 2),
        "quotes": lambda size: "a = " + "'" * size,
    },
    "json": {
        "arrays": nested("[", "]", before='{"a": ', behind="}"),
        "objects": nested('{"a": ', "}", inside="1"),
        "objects, left open": nested('{"a": ', inside="1"),
        "keys": numbered('"a@": 1,', "{", '"z": 1}'),
        "keys that are one": repeated('"a": 1,', "{", '"a": 1}'),
        "integer of many digits": lambda size: '{"a": ' + "9" * size + "}",
        "float": lambda size: '{"a": 1e' + "9" * size + ', "b": NaN, "c": -Infinity}',
        "escapes": repeated("\\ud800\\u0000", '{"a": "', '"}'),
        "text, never closed": lambda size: '{"a": "' + "b" * size,
        "blanks": lambda size: '{"a"' + " " * size + ": 1}",
        "list": repeated('"a",', '{"tags": [', '"a"]}'),
    },
}


def _fenced(shape: Shape, kind: str) -> Shape:
    opening, closing = _FENCES[kind]
    return lambda size: opening + shape(size) + closing


FRONTS: dict[str, Shape] = {
    f"{kind}, {name}": _fenced(shape, kind) for kind, shapes in _FRONTS.items() for name, shape in shapes.items()
} | {
    "fences": repeated("---\n"),
    "fences, three kinds": repeated("---\n+++\n;;;\n"),
    "fence never closed": repeated("a: b\n", "---\n"),
    "fence behind blanks": lambda size: "\n" * size + "---\ntitle: a\n---\n",
    "no fence": repeated("title: a\n"),
    "no fence and one at the end": repeated("title: a\n", behind="---\n"),
    "look-alikes": repeated("－－－\ntitle: a\n"),
    "byte order marks": lambda size: "\ufeff" * (size // 3) + "---\ntitle: a\n---\n",
    "a programme": repeated("a\n", "---js\n", "---\n"),
    "braces": repeated('{"'),
}
