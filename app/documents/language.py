"""Language tags, and what the script alone tells."""

import re

# RFC 5646's langtag without extended subtags, extensions and grandfathered tags. Primary languages of four to eight
# letters are left out: none is registered, so `japanese` is a mistake.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}|\d{3}))?"
    r"(?P<variants>(?:[-_](?:[a-z\d]{5,8}|\d[a-z\d]{3}))*)(?P<private>-x(?:-[a-z\d]{1,8})+)?",
    re.IGNORECASE | re.ASCII,
)
_KANA_RANGES = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\u31f0-\u31ff\uff66-\uff9d"
_HAN_RANGES = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HANGUL_RANGES = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3"
_KANA, _HANGUL = re.compile(f"[{_KANA_RANGES}]+"), re.compile(f"[{_HANGUL_RANGES}]+")
_ANY_HANGUL = re.compile(f"[{_HANGUL_RANGES}]")
_CJK = re.compile(f"[{_KANA_RANGES}{_HAN_RANGES}{_HANGUL_RANGES}]+")
_ADDRESS = re.compile(r"https?://[!-~]+")
_LETTER = re.compile(r"[^\W\d_]+")


def is_bcp47(tag: str) -> bool:
    """Tell whether a tag is well-formed as BCP 47 has it; its subtags are not looked up."""
    return "_" not in tag and _TAG.fullmatch(tag) is not None


def canonical(tag: str) -> str | None:
    """Spell a tag as BCP 47 recommends: `ja_jp` and the POSIX `ja_JP.UTF-8` are `ja-JP`; None where it is none."""
    match = _TAG.fullmatch(tag.strip().partition(".")[0])
    if match is None:
        return None
    parts = [match["language"].lower(), (match["script"] or "").title(), (match["region"] or "").upper()]
    rest = (match["variants"] + (match["private"] or "")).replace("_", "-").lower()
    return "-".join(filter(None, parts)) + rest


def detect(text: str) -> str | None:
    """Tell Japanese, Korean and Chinese by their script, and nothing else.

    Latin letters do not prove English, nor Cyrillic ones Russian: None. One letter in twenty must be of the script,
    so that code and English words may stand in a Japanese post, and a quotation does not make an English one
    Japanese. Chinese needs twenty Han characters: `東京` alone is Japanese as well.
    """
    if text.isascii():
        return None
    text = _ADDRESS.sub(" ", text)
    # A third of most Japanese texts holds enough kana to settle it, whatever else there is; to count all takes long.
    if _length(_KANA, text[: len(text) // 3]) * 10 >= len(text) and not _ANY_HANGUL.search(text):
        return "ja"
    others = _CJK.sub("", text)  # long runs at once; each script by itself would be many short ones
    cjk = len(text) - len(others)
    if not cjk or cjk * 20 < cjk + _length(_LETTER, others):
        return None
    kana, hangul = _length(_KANA, text), _length(_HANGUL, text)
    han = cjk - kana - hangul
    if hangul > kana + han:
        return "ko"
    if kana * 10 >= cjk:
        return "ja"
    return "zh" if han >= 20 and kana * 20 < han and hangul * 20 < han else None


def _length(script: re.Pattern[str], text: str) -> int:
    return sum(map(len, script.findall(text)))
