"""Texts as they are compared: terms that are one, titles in their sorting order."""

import unicodedata

# Katakana ァ–ヶ stand 96 code points above their hiragana.
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
MAX_SORT_KEY = 200  # characters; beyond it the source name decides


def term_key(name: str) -> str:
    """The form in which equal terms are equal: NFKC, casefolded, white space collapsed."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def sort_key(title: str) -> str:
    """The form in which titles are sorted: as terms, with katakana among hiragana, so that ア stands beside あ."""
    return term_key(title).translate(_HIRAGANA)[:MAX_SORT_KEY]
