import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.documents.sanitize import is_web_address, sanitize

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
        "<p class='math evil' id=cookie>",
        "x",
    ),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_cleaning_twice_changes_nothing(html: str) -> None:
    cleaned = sanitize(html)

    assert sanitize(cleaned) == cleaned
    assert all(re.fullmatch(r'</?[a-z0-9]+(?: [a-z]+="[^"<>]*")*>', tag) for tag in re.findall("<[^>]*>?", cleaned))


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


def test_what_never_settles_becomes_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.documents.sanitize._clean", lambda html: html + "<b>x</b>")

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
            for address in ("javascript:x", " JavaScript:x", "java\tscript:x", "data:text/html,x", "a\0:b")
        ],
    ],
)
def test_address_of_the_web(address: str, *, is_web: bool) -> None:
    assert is_web_address(address) is is_web
