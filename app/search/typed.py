"""What a reader has typed so far, and which titles and tags it may become.

Looser than a search: hiragana finds katakana and the other way round, for that is how Japanese is typed, and the last
word may go on: `くら` finds クラウド, `clou` finds Cloud.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.documents.normalize import sort_key
from app.search.query import MAX_TERMS, Phrase
from app.search.tokens import is_spaceless, normal_form, runs, spans


def form(text: str) -> str:
    """A title or a tag as it is compared with what is typed."""
    return normal_form(sort_key(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """`key` as titles are sorted, for those that begin with it; and the phrases that the others must all hold."""

    key: str
    phrases: tuple[Phrase, ...]

    @classmethod
    def of(cls, text: str) -> "Typed":
        key = sort_key(text)
        words = [found for word in key.split()[:MAX_TERMS] if (found := tuple(runs(word)))]
        closed = (Phrase(runs=word) for word in words[:-1])
        last = (Phrase(runs=word, may_go_on=True) for word in words[-1:])
        start = next((start for start, _ in spans(key)), 0)  # behind a quote that is not closed yet
        return cls(key=key[start:], phrases=tuple(dict.fromkeys((*closed, *last))))

    @property
    def longest_run(self) -> str:
        """The longest run that all titles with what is typed have."""
        return max((run for phrase in self.phrases for run in phrase.runs), key=len)

    def stands_in(self, text_form: str) -> bool:
        """Whether all of it stands in the form of a title or tag; nothing stands nowhere."""
        return bool(self.phrases) and all(phrase.needle in text_form for phrase in self.phrases)


def endings(text_form: str) -> Iterator[str]:
    """A form from each place on where a phrase can begin, the whole first."""
    for run in _runs_to_the_end(text_form):
        yield run
        if is_spaceless(run):
            yield from (run[start:] for start in range(1, run.index(" ")))


def _runs_to_the_end(text_form: str) -> Iterator[str]:
    rest = text_form[1:]
    while rest:
        yield rest
        rest = rest.partition(" ")[2]
