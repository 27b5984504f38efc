"""What the index holds of a post, for either database: made of its texts alone, so that any process can make it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.search import typed
from app.search.row import SearchRow
from app.search.tokens import SEPARATOR, encoded, encoded_tokens, normal_form

PARTIAL = "zpartial"  # stands in the vectors that do not hold all of their post; no text has this token
_MAX_VECTOR = 900_000  # bytes; Postgres refuses vectors of 1 MiB
_MAX_MENTIONS = 4  # of a token in a field; ts_rank counts the n-th by 1/n²


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The values of a row of the index but for its key, and the tags by name."""

    values: dict[str, Any]
    tags: tuple[str, ...]


def entry_of(dialect: str, row: SearchRow) -> Entry:
    """`dialect` is the `dialect.name` of the connections that will write it."""
    return Entry(values=_VALUES[dialect](row), tags=row.tags)


def _sqlite(row: SearchRow) -> dict[str, Any]:
    return {
        "title": encoded(row.title),
        "tags": f" {SEPARATOR} ".join(map(encoded, row.tags)),
        "excerpt": encoded(row.excerpt),
        "body": encoded(row.text),
        "typed": encoded(typed.form(row.title)),
    }


def _postgresql(row: SearchRow) -> dict[str, Any]:
    head = {"A": (row.title,), "B": row.tags, "C": (row.excerpt,)}
    lexemes = list(_lexemes({**head, "D": (row.text,)}))
    fitting = list(_fitting(lexemes))
    is_partial = len(fitting) < len(lexemes)
    fields = (row.title, *row.tags, row.excerpt, row.text)
    return {
        "normal_form": "\n".join(map(normal_form, fields)),
        "is_partial": is_partial,
        "head_vector": " ".join(_fitting(_lexemes(head))),
        "tokens_vector": " ".join([*fitting, PARTIAL] if is_partial else fitting),
        "typed_title": (typed_title := typed.form(row.title)),
        "title_vector": encoded(typed_title),
    }


def _lexemes(fields: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Each token once, in the form `token:1A,2D`: a position for each of its mentions, the best fields first."""
    mentions: dict[str, str] = {}
    for weight, texts in fields.items():
        for token, count in Counter(token for text in texts for token in encoded_tokens(text)).items():
            mentions[token] = mentions.get(token, "") + weight * min(count, _MAX_MENTIONS)
    return (token + _positions(weights) for token, weights in mentions.items())


@lru_cache(maxsize=1000)
def _positions(weights: str) -> str:
    if weights == "D":
        return ""  # what ts_rank takes a token without a position for
    return ":" + ",".join(f"{place}{weight}" for place, weight in enumerate(weights, start=1))


def _fitting(lexemes: Iterable[str]) -> Iterator[str]:
    size = 0
    for lexeme in lexemes:
        size += len(lexeme) + 4
        if size > _MAX_VECTOR:
            return
        yield lexeme


_VALUES: dict[str, Callable[[SearchRow], dict[str, Any]]] = {"sqlite": _sqlite, "postgresql": _postgresql}
