import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.markdown import RENDERER, Heading, Image, render, render_excerpt, text_of
from app.documents.markdown_budget import budget
from app.documents.markdown_parser import commonmark
from app.documents.sanitize import sanitize
from app.errors import DocumentError

CASES = Path(__file__).parents[1] / "cases" / "markdown"
UNSANITISED = ("commonmark", "emphasis")


def cases() -> Iterator[object]:
    """The cases of all files: a title, the source between two lines of one dot each, the HTML up to a third."""
    for path in sorted(CASES.glob("*.md")):
        lines = iter(path.read_text(encoding="utf-8").split("\n"))
        for title in filter(None, lines):
            assert next(lines) == "."
            source, expected = ("\n".join(iter(lines.__next__, ".")) for _ in range(2))
            yield pytest.param(path.stem, source.replace("␀", "\0"), expected, id=f"{path.stem}: {title}")


def core(source: str) -> str:
    html: str = commonmark().enable("strikethrough").render(source + "\n", budget(len(source)))
    return html


@pytest.mark.parametrize(("file", "source", "expected"), list(cases()))
def test_renders_as_in_the_case_files(file: str, source: str, expected: str) -> None:
    html = core(source) if file in UNSANITISED else render(source + "\n").html

    assert html.rstrip("\n") == expected


def test_headings_are_listed_with_the_ids_in_the_html() -> None:
    rendered = render("# 一 **二**\n\n## location\n\n<h3>raw</h3>\n\n## 一 二\n")

    assert rendered.toc == (
        Heading(level=1, id="一-二", text="一 二"),
        Heading(level=2, id="user-content-location", text="location"),
        Heading(level=3, id="raw", text="raw"),
        Heading(level=2, id="一-二-1", text="一 二"),
    )
    assert all(f' id="{heading.id}"' in rendered.html for heading in rendered.toc)


def test_heading_ids_are_composed() -> None:
    assert [heading.id for heading in render("# か\u3099\n# 葛\U000e0100").toc] == ["が", "葛"]


def test_images_are_listed_in_order_with_raw_ones() -> None:
    rendered = render('![図 *一*](a.png)\n\n<p><img src="b.png" alt="a &lt; b"></p>\n\n<!-- <img src="c.png"> -->\n')

    assert rendered.images == (Image(src="a.png", alt="図 一"), Image(src="b.png", alt="a < b"))


def test_targets_and_sources_are_resolved_in_markdown_and_raw_html() -> None:
    source = "[a](b%20c) ![](図.png) [d][e] <a href=f>g</a> https://h.example/\n\n<img alt='>' src='i.png'>\n\n[e]: j\n"

    rendered = render(source, resolve=lambda address: f"/at/{address}")

    assert [image.src for image in rendered.images] == ["/at/%E5%9B%B3.png", "/at/i.png"]
    assert all(f'href="/at/{target}"' in rendered.html for target in ("b%20c", "j", "f", "https://h.example/"))


def test_an_address_resolved_to_a_script_is_dropped() -> None:
    assert "script" not in render("[a](b)", resolve=lambda _: "javascript:alert(1)").html


def test_text_joins_inline_parts_and_separates_blocks() -> None:
    source = "# 題\n\n日本の\n**経済**は\ngood\nだ  \n次。\n\n- 一\n- `二`\n\n```py\na <b>\n  c\n```\n\n|x|y|\n|-|-|\n|1|2|\n"

    rendered = render(source)

    assert rendered.text == "題\n日本の経済は good だ\n次。\n一\n二\na <b>\n  c\nx\ny\n1\n2"
    assert rendered.prose == "題\n日本の経済は good だ\n次。\n一\n二\nx\ny\n1\n2"


def test_prose_has_no_footnote_marks() -> None:
    rendered = render("本文[^1]\n\n[^1]: 注\n")

    assert rendered.text == "本文\n注 ↩︎"
    assert rendered.prose == "本文\n注"


def test_text_has_what_a_browser_shows_of_ruby_and_pre() -> None:
    rendered = render("<ruby>字<rp>(</rp><rt>じ</rt><rp>)</rp></ruby>\n\n<pre>a<br>b</pre>\n")

    assert rendered.text == "字じ\na\nb"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# 見出し\n\n本文。\n\n次。", "<p>本文。</p>"),
        ("![図](a.png)\n\n本文。", "<p>本文。</p>"),
        ("[一](#a) | [二](#b)\n\n本文。", "<p>本文。</p>"),
        ("- [一](#a)\n- [二](#b)\n\n本文。", "<p>本文。</p>"),
        ("題　名\n\n本文。", "<p>本文。</p>"),
        ("> 引用\n\n本文。", "<p>本文。</p>"),
        ("<div>\n\n本文。\n\n</div>", "<p>本文。</p>"),
        ("[一つのリンク](/a)", '<p><a href="/a" rel="noopener noreferrer">一つのリンク</a></p>'),
        ("[一](/a)と[二](/b)。", None),
        ("本文[^1]。\n\n[^1]: 注", "<p>本文。</p>"),
        ("# 見出しだけ", ""),
        ("", ""),
    ],
)
def test_first_paragraph_is_the_first_of_the_text_itself(source: str, expected: str | None) -> None:
    rendered = render(source, title="題 名")

    assert rendered.first_paragraph_html == (rendered.html.strip() if expected is None else expected)


def test_control_characters_are_left_out_with_their_line() -> None:
    rendered = render("一\r\n二\x00三\r四\x07\t&#12;")

    assert rendered.html == "<p>一二三四\t</p>\n"
    (warning,) = rendered.warnings
    assert (warning.code, warning.line) == ("control_character", 2)
    assert warning.detail.startswith("2 control characters, the first U+0000")


def test_line_endings_alone_are_no_warning() -> None:
    assert render("a\r\nb\rc\td").warnings == ()


def test_excerpt_knows_the_definitions_of_the_body() -> None:
    html, text = render_excerpt("**[a][b]**[^n]\n\n続き", definitions_of="x\n\n[b]: /c\n\n[^n]: 注\n")

    assert html == '<p><strong><a href="/c" rel="noopener noreferrer">a</a></strong></p>\n<p>続き</p>\n'
    assert text == "a 続き"


def test_excerpt_drops_footnotes_of_its_own() -> None:
    assert render_excerpt("一[^n]\n\n[^n]: 注\n\n二") == ("<p>一</p>\n<p>二</p>\n", "一二")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>日本</p>\n<p>経済</p>", "日本経済"),
        ("<p>a</p>\n<p>b</p>", "a b"),
        ("<p>한국</p><p>한국</p>", "한국 한국"),
        ("a\n &lt; b", "a < b"),
        ("<pre>a\n\n  b</pre>", "a b"),
        ("", ""),
    ],
)
def test_text_of_is_one_line(html: str, expected: str) -> None:
    assert text_of(html) == expected


HOSTILE = {
    "a long definition used often": "[1] " * 5_000 + "\n\n[1]: urn:" + "a" * 20_000,
    "a long title used often": "![x][1] " * 5_000 + '\n\n[1]: u "' + "t" * 20_000 + '"',
    "table cells out of nothing": "|a" * 250 + "|\n" + "|-" * 250 + "|\n" + "|\n" * 250,
    "footnote marks": "[^a]: x\n\n" + "[^a]" * 25_000,
    "formatting opened again in each paragraph": "".join(f"<p><b title={i}>" for i in range(2_000)),
    "formatting opened inline": "".join(f"<b title={i}>" for i in range(2_000)) + "\n\n" + "x\n\n" * 2_000,
    "ends hidden in raw text": "".join(f"<b title={i}><style></b></style>\n\n" for i in range(2_000)),
    "ends hidden in drawings": "<svg>\n\n" + "".join(f"<b title={i}></b><title></b></title>\n\n" for i in range(2_000)),
    "ends hidden in attributes": "".join(f'<p><b title={i}><p x"></b>\n' for i in range(2_000)),
    "deep elements": "<div>" * 20_000,
    "an abbreviation used often": "*[A]: " + "x" * 20_000 + "\n\n" + "A " * 5_000,
    "scripts with comments": "<script><!--</script>" + "<i></i>" * 3_000,
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.timeout(60)
def test_a_source_that_would_multiply_is_refused(source: str) -> None:
    with pytest.raises(DocumentError) as caught:
        render(source)

    assert caught.value.finding.code == "render_budget"


LONG = {
    "brackets": "[" * 8_000,
    "images": "![" * 4_000,
    "quotes": "> " * 10_000,
    "emphasis": "_a*" * 6_000,
    "backticks": "".join("`" * i + " " for i in range(200)),
    "footnote openers": "[^a]: x\n\n" + "[^" * 4_000,
    "addresses": "http://a.b)" * 2_000,
    "mail": "mailto:" + "a" * 20_000,
    "comments": "a " + "<!-- a " * 3_000,
    "CDATA": "a " + "<![CDATA[" * 1_000,
    "entities": "&amp;" * 4_000,
    "lists": "".join(" " * i + "- a\n" for i in range(200)),
    "one line": "あ" * 20_000,
    "attribute lists": "*a*{:.b}" * 5_000 + "{:" * 5_000 + "{: " + " " * 20_000,
    "lines of attributes": "a\n{: .b}\n" * 3_000,
    "comments never closed in a quotation": "> {::comment} a\n\n> {::comment}\n" * 1_500 + "\n{:/}",
    "comments never closed in lines": "{::comment} a " * 4_000,
    "abbreviations": "".join(f"*[A{i}]: b\n" for i in range(2_000)) + "\n" + "A1 A2000 " * 2_000,
    "mathematics": "$$ a\n\n" * 3_000 + "> $$ a\n" * 3_000 + "$$" * 5_000,
    "tables that are none": "|a\n" * 5_000 + "b",
    "boxes in boxes": ":::message\n" * 5_000,
    "tags that ask for Markdown": ("<div " + " markdown=1" * 44 + "\n") * 100 + '<div markdown="1">\n' * 500,
    "templates never closed": "{%" * 10_000 + "{{" * 10_000 + "{{< a " * 5_000,
    "templates in HTML": "<div>" + "{{ a }}\n" * 5_000,
    "images with sizes": "![](" * 2_000 + ("![](" + "a" * 900 + " ") * 30 + "![![a](b =1x)](c =1x)" * 1_000,
    "ruby": "{漢" * 5_000 + "{漢" + "|か" * 10_000,
    "heading ids": "# a {#" * 3_000 + "\n" + "# a {#b}\n" * 2_000,
}


@pytest.mark.parametrize("source", LONG.values(), ids=LONG.keys())
@pytest.mark.timeout(60)
def test_a_pathological_source_is_rendered_in_time(source: str) -> None:
    assert sanitize(render(source).html)


def test_well_formed_raw_html_is_within_the_budget() -> None:
    source = "<iframe src='x'></iframe><script>if (a<b) {}</script>\n\n" + "<p><b>a</b> <i><br>b</i></p>\n\n" * 2_000

    assert render(source).html.count("<b>") == 2_000


def test_markdown_nested_beyond_the_stack_is_refused() -> None:
    def deep(_: str) -> str:
        raise RecursionError

    with pytest.raises(DocumentError, match="too deeply"):
        render("[a](b)", resolve=deep)


def test_result_can_be_pickled_and_names_its_renderer() -> None:
    rendered = render("# a\n\n![b](c)\0")

    assert pickle.loads(pickle.dumps(rendered)) == rendered
    assert RENDERER.startswith("honbun-markdown/")


def test_threads_can_render_at_the_same_time() -> None:
    sources = [f"# {i}\n\n**「{i}」**と[a][b]\n\n[b]: /{i}\n" for i in range(50)]

    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(render, sources))

    assert at_once == [render(source) for source in sources]


PIECES = [
    *"*_~`[]()<>!|\n \\#-:$あ「。a",
    *("[^a]", "<b>", "</b>", "<p>", "http://a.b", "{:.a}", "\n{: #b}\n", "{{ a }}", "{% b %}", "$$", "{漢|か}"),
    *("\n:::message\n", "\n:::\n", "{::comment}", "{:/}", "\n*[a]: b\n", "\n{:toc}\n", "\n{:a: .b}\n", "{#c}\n"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_source_comes_out_sanitised(pieces: list[str]) -> None:
    html = render("".join(pieces)).html

    assert sanitize(html) == html
