import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.sanitize import _cleaner, is_web_address, sanitize

PIECES = [
    *(
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        '<a href="x">',
        "</a>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<pre>",
        "\n",
    ),
    *("<svg>", "</svg>", "<math>", "<mtext>", "<style>", "</style>", "<select>", "<template>", "<li>", "<ul>", "<h1>"),
    *(
        "<button>",
        "<input type=text>",
        "<img src=//e alt='a<b>'>",
        "<object>",
        "</object>",
        "<ruby>",
        "<rt>",
        "&#1;",
        "\0",
    ),
    *(
        "&lt;",
        "<!--",
        "-->",
        "<noscript>",
        "<title>",
        "<nobr>",
        "<a name=location>",
        "<iframe src=https://e.jp/v?a=b allow='camera; fullscreen'>",
        "<iframe src='https://x.jp'>",
        "<iframe title='</iframe>' src=//e.jp>",
        "</iframe>",
        "<p class='math evil' id=cookie>",
        "x",
    ),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.sampled_from([(), ("e.jp",)]))
def test_cleaning_twice_changes_nothing(html: str, hosts: tuple[str, ...]) -> None:
    cleaned = sanitize(html, embed_hosts=hosts)
    tags = re.findall("<[^>]*>?", cleaned)
    frames = [tag for tag in tags if tag.startswith("<iframe")]

    assert sanitize(cleaned, embed_hosts=hosts) == cleaned
    assert all(re.fullmatch(r'</?[a-z0-9]+(?: [a-z]+="[^"<>]*")*>', tag) for tag in tags)
    assert all(' src="https://e.jp' in frame and ' sandbox="' in frame and "camera" not in frame for frame in frames)
    assert cleaned.count("></iframe>") == len(frames)
    assert hosts or not frames


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="JavaScript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="java&#10;script:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="java&#1;script:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<a href="&#1;javascript:alert(1)">a</a>', '<a rel="noopener noreferrer">a</a>'),
        ('<img src="data:image/png;base64,AAAA">', "<img>"),
        ('<img src="/&#9;/host/a.png">', '<img src="https://host/a.png">'),
        ('<a href="#name">a</a>', '<a href="#user-content-name" rel="noopener noreferrer">a</a>'),
        ("<svg><style><img src=x onerror=alert(1)></style></svg>", '<img src="x">'),
        ('<svg><set attributeName="href" to="javascript:alert(1)"/></svg>a', "a"),
        ('<img src="&#1;x">', "<img>"),
        (
            '<q cite="javascript:a">a</q><blockquote cite="/b">b</blockquote>',
            '<q>a</q><blockquote cite="/b">b</blockquote>',
        ),
        ("<a href='\u202ejavascript:a'>a</a><a href='\ufeffdata:a'>a</a>", '<a rel="noopener noreferrer">a</a>' * 2),
        ("<a href='java\u200bscript:a'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ('<a href="図: 1.png">a</a>', '<a href="図: 1.png" rel="noopener noreferrer">a</a>'),
        ('<math><annotation-xml encoding="text/html"><p>a', ""),
        ("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", '<img src="x">\'&gt;'),
        ('<p title="a < b > c">', '<p title="a &lt; b &gt; c"></p>'),
        ('<p id="a b">x</p><p id="">y</p>', "<p>x</p><p>y</p>"),
        ('<table><tr><td align="LEFT" style="color:red">a</td><td align="char">b</td></tr></table>', None),
        ('<img width="100" height="50%"><img width="1e9">', '<img width="100" height="50%"><img>'),
        ("<video src=a></video><audio></audio>", ""),
        ("<base href=//e><meta http-equiv=refresh><link rel=stylesheet>", ""),
        ('<a target="_blank" href="/a">b</a>', '<a href="/a" rel="noopener noreferrer">b</a>'),
        ("<input type=hidden name=a value=b form=c>", '<input type="checkbox" disabled="">'),
        ("a &#x80; &#12; b", "a €  b"),
    ],
)
def test_what_is_not_listed_is_dropped(html: str, expected: str | None) -> None:
    if expected is None:
        expected = '<table><tbody><tr><td align="left">a</td><td>b</td></tr></tbody></table>'

    assert sanitize(html) == expected


ALWAYS = (
    'loading="lazy" referrerpolicy="strict-origin-when-cross-origin" sandbox="allow-forms allow-popups '
    'allow-popups-to-escape-sandbox allow-presentation allow-same-origin allow-scripts"'
)


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ('<iframe src="https://e.jp/v?t=1#a"></iframe>', 'src="https://e.jp/v?t=1#a"'),
        ("<iframe src=//e.jp/v></iframe>", 'src="https://e.jp/v"'),
        ("<iframe src=HTTPS://E.JP></iframe>", 'src="HTTPS://E.JP"'),
        ("<iframe src=https://e.jp width=560 height=315 allowfullscreen>", None),
        ("<iframe src=https://e.jp allow='autoplay; camera; Fullscreen *; web-share'>x", 'src="https://e.jp" allow="autoplay; web-share"'),
        ("<iframe src=https://e.jp onload=a() srcdoc=a name=top csp=a style=a><script>a()</script></iframe>", 'src="https://e.jp"'),
        ("<iframe src=https://e.jp sandbox='allow-top-navigation' referrerpolicy=unsafe-url>", 'src="https://e.jp"'),
    ],
)  # fmt: skip
def test_frame_of_a_named_host_stays_sandboxed_and_empty(html: str, kept: str | None) -> None:
    cleaned = sanitize(f"<p>a {html}", embed_hosts=["e.jp"])
    kept = kept or 'src="https://e.jp" width="560" height="315" allowfullscreen=""'

    assert re.sub(r" (loading|referrerpolicy|sandbox)=\"[^\"]*\"", "", cleaned) == f"<p>a <iframe {kept}></iframe></p>"
    assert all(attribute in cleaned for attribute in re.findall(r'\w+="[^"]*"', ALWAYS))
    assert sanitize(cleaned, embed_hosts=["e.jp"]) == cleaned
    assert sanitize(cleaned) == "<p>a </p>"


@pytest.mark.parametrize(
    "address",
    [
        "http://e.jp/",
        "https://x.e.jp/",
        "https://e.jp.x.jp/",
        "https://e.jp:444/",
        "https://e.jp@x.jp/",
        "https://x.jp@e.jp/",
        "https://x.jp/https://e.jp/",
        "https://e.jp\\@x.jp/",
        "https:\\\\x.jp/e.jp",
        "https:e.jp",
        "https:/e.jp",
        "https:///x.jp/e.jp",
        "https://e.jp.",
        "https://e%2ejp/",
        "https://ｅ.jp/",
        "https://e。jp/",
        "/e.jp",
        "e.jp",
        "#e.jp",
        "",
        "javascript://e.jp/%0aalert(1)",
        "java&#9;script:https://e.jp",
        "data:text/html,https://e.jp/",
        "blob:https://e.jp/1",
        "about:srcdoc",
        "&#1;https://e.jp/",
        "&#8232;https://e.jp/",
    ],
)
def test_frame_of_another_address_is_gone(address: str) -> None:
    html = f'<p>a<iframe src="{address}">b</iframe>c<iframe>d</iframe></p>'

    assert sanitize(html, embed_hosts=["e.jp"]) == "<p>ac</p>"


def test_what_is_always_written_is_written_in_one_order() -> None:
    html = (
        '<p><input><input title="a disabled="><iframe src="https://e.jp/"></iframe><iframe title="a src="></iframe></p>'
    )
    cleaned = set()
    for _ in range(20):
        _cleaner.cache_clear()  # what another process would make
        cleaned.add(sanitize(html, embed_hosts=["e.jp"]))

    checkbox = 'type="checkbox" disabled=""'
    assert cleaned == {
        f'<p><input {checkbox}><input title="a disabled=" {checkbox}><iframe src="https://e.jp/" {ALWAYS}></iframe></p>'
    }


def test_reference_that_a_dropped_control_character_broke_leaves_no_other() -> None:
    assert sanitize("a&\x01#1;b", is_ours=True) == "ab"


def test_what_never_settles_becomes_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.sanitize._clean", lambda html, _: html + "<b>x</b>")

    assert sanitize("<p>a &lt; b</p>") == "a &lt; b" + "x" * 9


@pytest.mark.parametrize(
    ("address", "is_web"),
    [
        *[
            (address, True)
            for address in ("/a.png", "a:b/c.png?"[2:], "https://a.jp/x", "HTTP://a", "", "//a.jp/x", "図.png")
        ],
        *[
            (address, False)
            for address in (
                "javascript:x",
                " JavaScript:x",
                "java\tscript:x",
                "data:text/html,x",
                "a\0:b",
                "\ufeffjavascript:x",
            )
        ],
    ],
)
def test_address_of_the_web(address: str, *, is_web: bool) -> None:
    assert is_web_address(address) is is_web
