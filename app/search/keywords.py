"""What a post is about, as numbers: its tags, and words of its title, tags and excerpt. Posts that share them are related.

A word is a pair of Chinese characters that stand together, a run of katakana, or a word of another script. Particles and
endings, which Japanese writes in hiragana, say nothing of a subject; nor do numbers.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from hashlib import blake2b

from app.documents.normalize import term_key
from app.search.tokens import is_spaceless, runs

_MAX_TAGS = 16
_MAX_WORDS = 16
_MAX_HEAD_WORDS = 12  # of title and tags, where those are many; the rest is for the excerpt
_SUBJECTS = re.compile("(?P<katakana>[ァ-ヺー]{2,})|(?P<pairs>[^ぁ-ゟァ-ヿー]{2,})")


def keywords_of(title: str, tags: Collection[str], excerpt: str) -> list[tuple[int, bool]]:
    """The keywords of a post, and of each whether it is a tag."""
    words = word_keywords(title, tags, excerpt)
    return [*((keyword, True) for keyword in tag_keywords(tags)), *((keyword, False) for keyword in words)]


def tag_keywords(tags: Iterable[str]) -> list[int]:
    keys = dict.fromkeys(term_key(tag) for tag in tags)
    return [_number(f"tag {key}") for key in keys][:_MAX_TAGS]


def word_keywords(title: str, tags: Iterable[str], excerpt: str) -> list[int]:
    """At most sixteen. Which of many is the same for all posts, so that those that share words keep the same ones."""
    head = {_number(word) for text in (title, *tags) for word in _words(text)}
    chosen = sorted(head)[:_MAX_HEAD_WORDS]
    others = {_number(word) for word in _words(excerpt)} | head
    return [*chosen, *sorted(others.difference(chosen))][:_MAX_WORDS]


def _words(text: str) -> Iterator[str]:
    for run in runs(text):
        if not is_spaceless(run):
            if len(run) > 1 and not run.isdigit():
                yield run
            continue
        for match in _SUBJECTS.finditer(run):
            if match["katakana"]:
                yield match["katakana"]
            else:
                yield from map("".join, zip(match["pairs"], match["pairs"][1:], strict=False))


def _number(keyword: str) -> int:
    """47 bits of a hash: SQLite keeps such numbers in six bytes."""
    return int.from_bytes(blake2b(keyword.encode(errors="surrogatepass"), digest_size=6).digest()) >> 1
