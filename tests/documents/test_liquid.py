"""Liquid and shortcodes: what is translated, what is left and how that is told."""

import pytest

from app.documents.code_spans import code_ranges
from app.documents.liquid import Site, translate
from app.documents.markdown import render

SITE = Site(url="https://example.com/blog", address=lambda name: f"/at/{name}" if name.endswith(".md") else f"/{name}")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{% raw %}{{ a }}{% endraw %}", "{{ a }}"),
        ("`{% raw %}{{ a }}{% endraw %}`", "`{{ a }}`"),
        ("```\n{%- raw -%}\n{{ site.url }}\n{%- endraw -%}\n```", "```\n\n{{ site.url }}\n\n```"),
        ("{% raw %}{% comment %}a{% endcomment %}{% endraw %}", "{% comment %}a{% endcomment %}"),
        ("一{% comment %}二{{ a }}{% endcomment %}三", "一三"),
        ("一\n{% comment %}\n二\n{% endcomment %}\n三", "一\n\n\n\n三"),
        ("{% highlight ruby linenos %}\nputs 1\n{% endhighlight %}", "```ruby\nputs 1\n```"),
        ("- a\n\n  {% highlight ruby %}\n  `\n  {% endhighlight %} ", "- a\n\n  ```ruby\n  `\n  ``` "),
        ("{% highlight md %}\n````\n{% endhighlight %}", "`````md\n````\n`````"),
        ("{% highlight %}\n{% raw %}{{ a }}{% endraw %}\n{% endhighlight %}", "```\n{{ a }}\n```"),
        (
            '一{% highlight "x %}a < b{% endhighlight %}二',
            '一<pre><code class="language-&quot;x">a &lt; b</code></pre>二',
        ),
        ("[a]({% post_url 2025-12-01-kaze %})", "[a](/at/2025-12-01-kaze.md)"),
        ("[a]({% link _posts/2025-12-01-kaze.md %}#b)", "[a](/at/_posts/2025-12-01-kaze.md#b)"),
        ("{% link /files/a.pdf %}", "/files/a.pdf"),
        ("{{ site.url }}{{ site.baseurl }}{% post_url /a/b %}", "/at/a/b.md"),
        ("{{ site.url }}{{site.baseurl}}/x", "https://example.com/blog/x"),
        ("{{ '/x' | relative_url }} {{ \"y\" | absolute_url }}", "/blog/x https://example.com/blog/y"),
        ("{{ 'https://a.example/' | relative_url }}", "https://a.example/"),
        ("{{ '/a.css' | prepend: site.baseurl | prepend: site.url }}", "https://example.com/blog/a.css"),
        ("{{ site.url | append: '/x' }}", "https://example.com/x"),
        ('[a]({{< relref "kaze.md#mado" >}})', "[a](/at/kaze.md#mado)"),
        ('[a]({{% ref "/blog/kaze" %}})', "[a](/at/blog/kaze.md)"),
        ('[a]({{<ref "blog/kaze/">}})', "[a](/at/blog/kaze.md)"),
        ("{% post_link kaze %}", "[kaze](/at/kaze.md)"),
        ("{% post_link kaze '朝の風' %}", "[朝の風](/at/kaze.md)"),
        ("{% codeblock title lang:js %}\na\n{% endcodeblock %}", "```js\na\n```"),
        ("{% codeblock %}\na\n{% endcodeblock %}", "```\na\n```"),
    ],
)
def test_what_needs_no_site_is_translated(source: str, expected: str) -> None:
    assert translate(source, SITE).text == expected


@pytest.mark.parametrize(
    "source",
    [
        "{% raw %} without an end",
        "{% endraw %}",
        "{% include a.html %}",
        "{% post_url {{ page.x }} %}",
        '{{< relref path="a.md" lang="en" >}}',
        '`{{< relref "a.md" >}}`',
        "{% post_link %}",
        "{{ page.title }}",
        "{{ 'text' }}",
        "{{ '/x' | relative_url | upcase }}",
        "{{ '/x' | append: page.title }}",
        "`{{ site.url }}` {%",
        "```\n{% post_url a %}\n{% highlight x %}a{% endhighlight %}\n```",
        "    {{ site.url }}",
        "~~~\n{{ site.url }}",
        "text",
    ],
)
def test_what_is_code_or_cannot_be_told_is_left(source: str) -> None:
    assert translate(source, SITE).text == source


def test_site_without_an_address_has_empty_ones() -> None:
    assert translate("[a]({{ site.url }}{{ site.baseurl }}/x)", Site()).text == "[a](/x)"


def test_post_that_has_no_address_leaves_its_tag() -> None:
    assert translate("{% post_url ! %}", Site()).text == "{% post_url ! %}"


def test_targets_have_their_lines() -> None:
    translated = translate("一\n{% post_url a %}\n\n{% link b.pdf %} {% link _posts/c.md %}", SITE)

    assert translated.targets == (("a.md", 2), ("b.pdf", 4), ("_posts/c.md", 4))


def test_lines_stay_where_they_are() -> None:
    source = "{% comment %}\na\n{% endcomment %}\n{% highlight a %}\nb\n{% endhighlight %}\n{% raw %}\n{% endraw %}\n"

    assert translate(source, SITE).text.count("\n") == source.count("\n")


def warnings(source: str) -> list[tuple[str, int | None, str]]:
    translated = translate(source, SITE)
    found = render(translated.text, literal=translated.literal).warnings
    return [(finding.code, finding.line, finding.detail.split("` is")[0].strip("`")) for finding in found]


def test_each_kind_that_is_left_is_named_once_with_the_line_of_its_first() -> None:
    source = (
        "一 {{ a }}\n{{ b }}\n\n{% if x %}二{% else %}三{% endif %}\n\n- {% include a %}\n\n|{{< gist 1 >}}|\n|-|\n\n"
        "{% include b %}\n<b title='{% for a in b %}'>\n\n<div>\n{{% note %}}a{{% /note %}}\n</div>\n\n[a]({{c}}/d)\n"
    )

    assert warnings(source) == [
        ("liquid_left", 1, "{{ … }}"),
        ("liquid_left", 4, "{% if %}"),
        ("liquid_left", 6, "{% include %}"),
        ("shortcode_left", 8, "{{< gist >}}"),
        ("liquid_left", 12, "{% for %}"),
        ("shortcode_left", 15, "{{% note %}}"),
    ]


def test_uses_are_counted() -> None:
    finding = render("{{ a }} {{ b }}").warnings[0]

    assert "2 times" in finding.detail


def test_kinds_beyond_a_dozen_are_counted_together() -> None:
    found = warnings("".join(f"{{% tag{number} %}}" for number in range(20)))

    assert len(found) == 13
    assert found[-1][2] == "others"


@pytest.mark.parametrize(
    "source",
    ["{% raw %}{{ a }} {% b %}{% endraw %}", "`{{ a }}`", "```\n{% a %}\n```\n\n    {{< b >}}", "{{ a }", "{% %}"],
)
def test_nothing_is_said_of_code_and_of_what_raw_protects(source: str) -> None:
    assert warnings(source) == []


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("a `b` c ``d ` e`` f ` g", ["`b`", "``d ` e``"]),
        ("`a\n\nb`", []),
        ("```\na\n\nb\n````\nc", ["```\na\n\nb\n````\n"]),
        ("> ~~~ a`\n> b\n> ~~~\n", ["> ~~~ a`\n> b\n> ~~~\n"]),
        ("- a\n\n    b\n\nc\n\n    d", ["    d"]),
        ("a\n    b", []),
        ("\\`a`", []),
        ("```", ["```"]),
    ],
)
def test_code_is_found(source: str, code: list[str]) -> None:
    assert [source[start:end] for start, end in code_ranges(source)] == code
