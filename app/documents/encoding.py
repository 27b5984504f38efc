"""Bytes to text: UTF-8, or an error that says what the bytes are and how to convert them."""

import re

from app.errors import DocumentError, Finding

_BOMS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fc]")
_HAN = re.compile("[\u4e00-\u9fff]")
_UNLIKELY = re.compile("[\uff61-\uff9f\x80-\x9f\ue000-\uf8ff]")  # what one encoding's kana are in another


def decode(source: bytes) -> str:
    """Decode UTF-8 without its byte order mark; CRLF and CR become LF.

    Raises:
        DocumentError: `encoding`, naming the likely encoding (Shift_JIS, EUC-JP, ISO-2022-JP, UTF-16).

    """
    other = _marked(source)
    if other:
        raise _error(other, 1, 1)
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
        raise _error(_guess(source), before.count("\n") + 1, len(before) - before.rfind("\n")) from None
    text = text.lstrip("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _marked(source: bytes) -> str | None:
    """Recognise what may well decode as UTF-8 and still is something else."""
    for mark, name in _BOMS:
        if source.startswith(mark):
            return name
    if 0 in source:
        even, odd = source[::2].count(0), source[1::2].count(0)
        # ASCII characters of UTF-16 have a NUL on one side; a stray NUL in a text is rare.
        if max(even, odd) * 10 > max(len(source), 10) and min(even, odd) * 10 <= max(even, odd):
            return "UTF-16BE" if even > odd else "UTF-16LE"
    if source.isascii() and b"\x1b$" in source and b"\x1b(" in source:
        return "ISO-2022-JP"
    return None


def _guess(source: bytes) -> str | None:
    """Name the Japanese encoding in which the bytes are kana rather than symbols."""
    scores: dict[str, int] = {}
    for name, codec in (("EUC-JP", "euc_jp"), ("Shift_JIS", "cp932")):
        try:
            text = source.decode(codec)
        except UnicodeDecodeError:
            continue
        scores[name] = len(_KANA.findall(text)) + len(_HAN.findall(text)) // 4 - 2 * len(_UNLIKELY.findall(text))
    best = max(scores, key=scores.__getitem__, default=None)
    return best if best and scores[best] > 0 else None


def _error(name: str | None, line: int, column: int) -> DocumentError:
    detail = f"The file is not UTF-8; it looks like {name}." if name else "The file is not UTF-8."
    command = f"iconv -f {name or 'ENCODING'} -t UTF-8 old.md > new.md".replace("Shift_JIS", "CP932")
    return DocumentError(
        Finding(
            code="encoding", detail=detail, line=line, column=column, hint=f"save it as UTF-8, or convert it: {command}"
        )
    )
