import pytest

from app.documents.encoding import decode
from app.errors import DocumentError

TEXT = "---\ntitle: 日本語のタイトル\n---\n本文はここから始まります。\n"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (b"", ""),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("\ufeff日本".encode(), "日本"),
        (b"a NUL \0 in a long enough text", "a NUL \0 in a long enough text"),
    ],
)
def test_utf8_is_decoded(source: bytes, text: str) -> None:
    assert text == decode(source)


@pytest.mark.parametrize(
    ("codec", "name", "command"),
    [
        ("cp932", "Shift_JIS", "iconv -f CP932"),
        ("euc_jp", "EUC-JP", "iconv -f EUC-JP"),
        ("iso2022_jp", "ISO-2022-JP", "iconv -f ISO-2022-JP"),
        ("utf-16", "UTF-16", "iconv -f UTF-16 "),
        ("utf-16-le", "UTF-16LE", "iconv -f UTF-16LE"),
        ("utf-16-be", "UTF-16BE", "iconv -f UTF-16BE"),
        ("utf-32", "UTF-32", "iconv -f UTF-32"),
    ],
)
def test_other_encodings_are_named(codec: str, name: str, command: str) -> None:
    with pytest.raises(DocumentError) as error:
        decode(TEXT.encode(codec))

    assert error.value.finding.code == "encoding"
    assert f"looks like {name}." in error.value.detail
    assert command in (error.value.hint or "")


def test_what_is_no_known_encoding_has_its_place() -> None:
    with pytest.raises(DocumentError) as error:
        decode(b"one\r\ntwo \xff\xfe\xff\n")

    assert (error.value.finding.line, error.value.finding.column) == (2, 5)
    assert error.value.detail == "The file is not UTF-8."
