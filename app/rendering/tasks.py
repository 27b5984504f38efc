"""What goes to a render process and what comes back."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from app.documents.context import Context, Contexts
from app.documents.document import Document, parse
from app.documents.sources import Source
from app.errors import DocumentError, Finding

T = TypeVar("T")
log = logging.getLogger("honbun")
Parsed: TypeAlias = Document | Finding


class ParseEach(Protocol):
    """How sources are parsed: in this very process, or in others."""

    def __call__(
        self, sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T], /
    ) -> Iterator[T | Finding]:
        """What `finish` makes of each document where it was parsed, or what is wrong with the source, in order."""


READY = "ready"  # the first thing that a process says


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Sources to parse, one after the other; none may take longer than `seconds`. `finish` makes the answer of each."""

    sources: tuple[Source, ...]
    contexts: Contexts
    finish: Callable[[Document], Any]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source came to, finished, or what is wrong with it."""

    parsed: Any
    is_tired: bool  # the process had better be replaced


def whole(document: Document) -> Document:
    return document


def read(source: Source, context: Context, finish: Callable[[Document], T]) -> T | Finding:
    """What `finish` makes of the document, or what is wrong with it, whatever exception said so."""
    try:
        return finish(parse(source, context))
    except DocumentError as error:
        return error.finding
    except MemoryError:
        detail = "rendering it takes more memory than it may"
        return Finding(code="render_budget", detail=detail, hint="split the post, or repeat less in it")
    except Exception:
        log.exception("%r met a fault in the renderer", source.name)
        return Finding(code="render_failed", detail="the renderer met a fault of its own; the log says which")


def finish_each(
    sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T]
) -> Iterator[T | Finding]:
    """What `finish` makes of each source in order, in this very process: for sources that can be trusted."""
    return (read(source.whole(), contexts.of(source.name), finish) for source in sources)
