"""What a reader typed, understood: `words "a phrase" -without`. The rule of what it finds is `matches`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.errors import QueryError
from app.search.tokens import encode, is_spaceless, runs, tokens_of

MAX_CHARACTERS = 500
MAX_TERMS = 16  # Postgres looks for each phrase in every candidate's text
MAX_TOKENS = 500  # as many as characters; one character can stand for eighteen (NFKC)
# A minus and a quote as they are typed in every width; a quote that is not closed closes at the end.
_QUOTES = '"\uff02“”„'
_TERM = re.compile(
    rf"(?P<minus>[-\uff0d\u2212]?)(?:[{_QUOTES}](?P<phrase>[^{_QUOTES}]*)[{_QUOTES}]?|(?P<word>[^\s{_QUOTES}]+))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Runs that stand one after another. A word is whole; a spaceless run at either end may go on in the text.

    With `may_go_on` a word at the end may, too.
    """

    runs: tuple[str, ...]
    may_go_on: bool = False

    @property
    def needle(self) -> str:
        """The phrase as a substring of the normal form of a text that has it."""
        before = "" if is_spaceless(self.runs[0]) else " "
        after = "" if self.may_go_on or is_spaceless(self.runs[-1]) else " "
        return f"{before}{' '.join(self.runs)}{after}"

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens, encoded, that follow each other in a text that has the phrase."""
        found = [token for run in self.runs for token in tokens_of(run)]
        if len(self.runs[-1]) > 1 and is_spaceless(self.runs[-1]):
            found.pop()  # in the text another character may follow the last one
        return tuple(map(encode, found))

    @property
    def is_open(self) -> bool:
        """Whether the last token is the beginning of others: a single character, or a word that may go on."""
        return len(self.runs[-1]) == 1 if is_spaceless(self.runs[-1]) else self.may_go_on


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchQuery:
    """All of `required` must stand in a post and none of `excluded`; with neither, nothing is found."""

    required: tuple[Phrase, ...] = ()
    excluded: tuple[Phrase, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.required or self.excluded)


@lru_cache(maxsize=64)  # one read asks several times
def parse(text: str) -> SearchQuery:
    """Any text is a query; what holds no letter, digit or symbol asks for nothing.

    Raises QueryError for more than 500 characters or 16 terms.
    """
    if len(text) > MAX_CHARACTERS:
        raise _too_long(f"the query has {len(text)} characters")
    required: dict[Phrase, None] = {}
    excluded: dict[Phrase, None] = {}
    for match in _TERM.finditer(text):
        if found := runs(match["phrase"] or match["word"] or ""):
            terms = excluded if match["minus"] else required
            terms[Phrase(runs=tuple(found))] = None
    if len(required) + len(excluded) > MAX_TERMS:
        raise _too_long(f"the query has {len(required) + len(excluded)} terms")
    if sum(len(phrase.tokens) for phrase in (*required, *excluded)) > MAX_TOKENS:
        raise _too_long("the query is long when its characters are written out")
    return SearchQuery(required=tuple(required), excluded=tuple(excluded))


def _too_long(what: str) -> QueryError:
    hint = f"at most {MAX_CHARACTERS} characters and {MAX_TERMS} terms"
    return QueryError(what, parameter="q", code="query_too_long", hint=hint)


def matches(query: SearchQuery, fields: Iterable[str]) -> bool:
    """Whether a post is found; `fields` are the normal forms of its title, each tag, its excerpt and its text.

    This is the rule; the indexes answer by it.
    """
    listed = tuple(fields)

    def stands(phrase: Phrase) -> bool:
        return any(phrase.needle in field for field in listed)

    return (
        not query.is_empty and all(map(stands, query.required)) and not any(stands(phrase) for phrase in query.excluded)
    )
