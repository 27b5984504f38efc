import pytest

from app.documents.absolute import absolute_in, with_absolute_links


def test_every_address_is_made_whole_and_nothing_else_is_touched() -> None:
    html = (
        '<p title=" href=&quot;x&quot;">href="y" <a class="z" href="/a?b=1&amp;c=2" title="t">あ</a></p>\n'
        '<img alt="src=" src="i.png"><blockquote cite="#c">"</blockquote><pre><code>&lt;a href="/x"&gt;</code></pre>'
    )

    assert with_absolute_links(html, lambda target: f"https://h{target}") == (
        '<p title=" href=&quot;x&quot;">href="y" <a class="z" href="https://h/a?b=1&amp;c=2" title="t">あ</a></p>\n'
        '<img alt="src=" src="https://hi.png"><blockquote cite="https://h#c">"</blockquote>'
        '<pre><code>&lt;a href="/x"&gt;</code></pre>'
    )


def test_made_address_cannot_leave_its_attribute() -> None:
    assert with_absolute_links('<a href="x">a</a>', lambda _: '"><b>&') == '<a href="&quot;&gt;&lt;b&gt;&amp;">a</a>'


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("#x", "https://h/a/b#x"),
        ("/x", "https://h/x"),
        ("x.png", "https://h/a/x.png"),
        ("", "https://h/a/b"),
        ("https://o/x", "https://o/x"),
        ("mailto:a@b", "mailto:a@b"),
        ("http://[bad", "http://[bad"),
    ],
)
def test_target_is_resolved_as_a_browser_does(target: str, expected: str) -> None:
    assert absolute_in("https://h/a/b", target) == expected
