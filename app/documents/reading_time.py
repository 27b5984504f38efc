"""How long a text is, and how long it takes to read, in scripts with and without spaces."""

import re
from functools import lru_cache

# Han, kana (half-width too), bopomofo, CJK and full-width punctuation. Hangul is written with spaces: words.
_CJK = re.compile(
    "[\u2e80-\u303f\u3041-\u30ff\u3100-\u312f\u31a0-\u31ff\u3200-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff01-\uff60\uff61-\uff9f\uffe0-\uffe6\U00020000-\U000323af]+"
)
_WORD = re.compile(r"[^\W_]")  # searched word by word: one pattern for words would take quadratic time on ------
_UNSEEN = re.compile(  # besides white space
    r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+", re.IGNORECASE)


def count(text: str) -> tuple[int, int]:
    """Count (words, characters) as word processors do for Japanese.

    Characters are the visible ones, without white space. Words are the CJK characters, punctuation among them, and
    what stands between blanks or CJK characters in other scripts (Korean too) and holds a letter or a digit.
    """
    cjk, words = _measure(text)
    return cjk + words, len(_UNSEEN.sub("", "".join(text.split())))


def minutes(text: str, *, cjk_per_minute: int = 500, words_per_minute: int = 238) -> int:
    """Estimate the whole minutes, rounded up, at least 1.

    238 words a minute is the mean of Brysbaert (2019) for English; 500 characters is what Japanese services use
    (Kobayashi and Kawashima, 2018, measured 653). Web addresses are not read.
    """
    has_address = "://" in text or "www." in text.lower()  # most have none, and to look for one takes longer
    cjk, words = _measure(_ADDRESS.sub(" ", text) if has_address else text)
    # In whole numbers, so that 500 characters are one minute and not a rounding error more.
    amount = cjk * words_per_minute + words * cjk_per_minute
    return max(1, -(-amount // (cjk_per_minute * words_per_minute)))


@lru_cache(maxsize=1)  # the same text is asked for twice, unless it holds an address
def _measure(text: str) -> tuple[int, int]:
    rest, runs = _CJK.subn(" ", text)
    return len(text) - len(rest) + runs, sum(1 for word in rest.split() if word.isalnum() or _WORD.search(word))
