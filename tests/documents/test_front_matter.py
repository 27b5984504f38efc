import json
import math
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.fields import read
from app.documents.front_matter import (
    MAX_BYTES,
    MAX_DEPTH,
    Scalar,
    decode,
    parse,
    split,
    texts,
    to_json,
)
from app.errors import DocumentError

CASES = Path(__file__).parents[1] / "cases" / "front_matter.md"


def cases() -> list[Any]:
    text = CASES.read_text(encoding="utf-8").partition("\n\n")[2]
    parts = [part.removeprefix("\n") for part in text.split("\n.\n")]
    return [
        pytest.param(parts[index + 1] + "\n", parts[index + 2], id=parts[index].strip())
        for index in range(0, len(parts) - 2, 3)
    ]


def outcome(text: str) -> str:
    try:
        parts = split(text)
        fields, findings = parse(parts)
    except DocumentError as error:
        finding = error.finding
        return f"{finding.code} {finding.line}:{finding.column} {finding.field or '-'}"
    codes = [finding.code for finding in (*parts.warnings, *findings)]
    return "\n".join([json.dumps(to_json(fields), ensure_ascii=False, allow_nan=False), *codes])


@pytest.mark.parametrize(("source", "expected"), cases())
def test_front_matter_comes_to(source: str, expected: str) -> None:
    assert expected == outcome(source)


@pytest.mark.parametrize(
    ("source", "body", "front_line", "body_line"),
    [
        ("---\na: 1\n---\n本文\n", "本文\n", 2, 4),
        ("\n\n---\na: 1\n...\n\n本文", "\n本文", 4, 6),
        ("+++\n+++\nx", "x", 2, 3),
        ('{\n"a": 1\n}\nx', "x", 1, 4),
        ("x\n---\n", "x\n---\n", 1, 1),
        ("---\na: 1\n---", "", 2, 3),
    ],
)
def test_parts_keep_their_place_in_the_file(source: str, body: str, front_line: int, body_line: int) -> None:
    parts = split(source)

    assert (body, front_line, body_line) == (parts.body, parts.front_line, parts.body_line)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("title: Foo: bar", "holds a colon"),
        ("title: [速報] お知らせ", "double quotes"),
        ("title: @user", "double quotes"),
        ("title: `code`", "double quotes"),
        ("title: *bold* text", "double quotes"),
        ("title: %s", "double quotes"),
        ("title: {a} b", "brace"),
        ("title: !important", "quote the value"),
        ("title: {{ page.x }}", "quote the value"),
        ("title: 'It's'", "apostrophe"),
        (r'title: "C:\path"', "backslash"),
        ('title: "x', "close the quotes"),
        ("title： x", "half-width colon"),
        ("title： x\ndate: 2024-01-01", "half-width colon"),
        ("title:x", "after the colon"),
        ("tags:\n\t- a", "indent with spaces"),
        ("tags:\n\u3000- a\nb: 1", "indent with ASCII spaces"),
        ("tags: - a", "next line"),
        ("title: a\u2028b\nc: d", "invisible line separator"),
    ],
)
def test_errors_say_what_to_do(source: str, hint: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse(split(f"---\n{source}\n---\n"))

    assert hint in (error.value.hint or "")


def test_scalars_keep_their_text_and_place() -> None:
    fields, _ = parse(split("\n---\ntitle: 12:30\ntags:\n  - 1.10\nf: >\n  a\n  b\n---\n"))

    assert fields == {
        "title": Scalar(text="12:30", value="12:30", line=3, column=8),
        "tags": [Scalar(text="1.10", value=1.1, line=5, column=5)],
        "f": Scalar(text="a b\n", value="a b\n", line=6, column=4),
    }


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ('+++\n[extra]\nx = 1\n[seo]\n"date" = 2\n+++\n', (4, 2)),
        ("+++\na = 1\nseo = 1\n+++\n", (3, 1)),
        ('{"a": {"seo": 1},\n "seo": 2}\n', (2, 2)),
    ],
)
def test_toml_and_json_values_have_the_place_of_their_key(source: str, place: tuple[int, int]) -> None:
    fields, _ = parse(split(source))
    seo = fields["seo"]
    scalar = seo["date"] if isinstance(seo, dict) else seo

    assert isinstance(scalar, Scalar)
    assert place == (scalar.line, scalar.column)


def test_texts_walk_maps_and_lists() -> None:
    fields, _ = parse(split("---\na: {b: [1.10, {c: yes}], d: ~}\ne: .nan\nf: []\n---\n"))

    assert list(texts(fields)) == [
        ("a.b", "1.10", 1.1),
        ("a.b.c", "yes", "yes"),
        ("a.d", "~", None),
        ("e", ".nan", None),
    ]


LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("fence", "front"),
    [
        ("---", "a: " + "x" * MAX_BYTES),
        ("---", "a: " + "[" * (MAX_DEPTH + 1)),
        ("---", "a: " + "[x," * 20_000),
        ("---", "a: [" + "x," * 10_001 + "]"),
        ("---", "[" * 60_000),
        ("---", "{" * 60_000),
        ("---", "- " * 30_000),
        ("---", "? " * 30_000),
        ("---", "? - " * 15_000),
        ("---", "a: " + "[" * 30_000 + "]" * 30_000),
        ("---", LAUGHS),
        ("---", 'a: &a "' + "x" * 60_000 + '"\nb: [' + "*a," * 9 + "]"),
        ("---", "\n".join(f"k{i}: &k{i} [[[[[[[[[[{f'*k{i - 1}' if i else 'x'}]]]]]]]]]]" for i in range(20))),
        ("+++", "a = " + "[" * 60_000),
        ("+++", "a = " + "{b = " * 10_000),
        ("+++", ".".join("a" * 30_000) + " = 1"),
        ("+++", ".".join(['"a"'] * 15_000) + " = 1"),
        (";;;", '"a": ' + "[" * 60_000),
        (";;;", '"a": ' + '{"a":' * 10_000),
        (";;;", '"a": [' + "1," * 10_001 + "1]"),
    ],
)
@pytest.mark.parametrize("in_thread", [False, True])
def test_hostile_front_matter_is_refused_at_once(fence: str, front: str, *, in_thread: bool) -> None:
    codes: list[str] = []

    def attempt() -> None:
        with pytest.raises(DocumentError) as error:
            parse(split(f"{fence}\n{front}\n{fence}\n"))
        codes.append(error.value.finding.code)

    if in_thread:
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    else:
        attempt()

    assert codes[0] in {"front_matter_too_large", "yaml_key"}


@pytest.mark.parametrize(
    "source",
    [
        "---\na: " + "9" * 60_000 + "\n---\n",
        '{"a": ' + "9" * 60_000 + "}\n",
        "---\n? " + "x" * 60_000 + "\n: y\n---\n",
        "---\n" + "a:\n " * 15_000 + "\n---\n",
        "---\n" + "title: x\n" * 4_000 + "---\n",
        "---\nt: " + "a" + " " * 60_000 + "b: c\n---\n",
        "+++\na = " + "9" * 60_000 + "\n+++\n",
        "+++\n" + '"\\' * 30_000 + "\n+++\n",
        '{"' + '\\"' * 30_000,
    ],
)
@pytest.mark.timeout(30)
def test_large_values_are_read_or_refused_in_time(source: str) -> None:
    outcome(source)  # what is not linear takes minutes


def test_results_can_be_pickled() -> None:
    parts = split("---\na: &a {b: 1}\nc: *a\n---\nx")
    parsed = parse(parts)

    assert parsed == pickle.loads(pickle.dumps(parsed))
    assert parts == pickle.loads(pickle.dumps(parts))


PIECES = st.sampled_from(
    [
        *(
            "---\n",
            "...\n",
            "+++\n",
            ";;;\n",
            "{",
            "}",
            "[",
            "]",
            '"',
            "'",
            ": ",
            "- ",
            "? ",
            "\n",
            "\t",
            " ",
            "=",
            "#",
            ",",
        ),
        *(
            "&a ",
            "*a ",
            "!x ",
            "!!int ",
            "<<",
            "|\n",
            ">\n",
            "%YAML 1.1\n",
            "\0",
            "\ud800",
            "\\u0000",
            "\u2028",
            "\ufeff",
        ),
        *("title", "tags", "date", "draft", "a", "1", "：", "日本"),
    ]
)


@given(
    st.one_of(
        st.text(),
        st.lists(PIECES).map("".join),
        st.lists(PIECES).map(lambda pieces: "---\n" + "".join(pieces) + "\n---\n"),
    )
)
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    try:
        fields, _ = parse(split(text))
        read(fields)
    except DocumentError:
        return
    assert all(not isinstance(value, float) or math.isfinite(value) for _, _, value in texts(fields))
    json.dumps(to_json(fields), allow_nan=False).encode()


@given(st.binary())
def test_any_bytes_are_decoded_or_refused_by_name(source: bytes) -> None:
    try:
        text = decode(source)
    except DocumentError:
        return
    assert "\r" not in text
