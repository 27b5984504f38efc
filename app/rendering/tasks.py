"""What goes to a render process and what comes back."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.documents.context import Context, Contexts
from app.documents.document import Document, parse
from app.documents.sources import Source
from app.errors import DocumentError, Finding

log = logging.getLogger("honbun")
Parsed: TypeAlias = Document | Finding
ParseEach: TypeAlias = Callable[[Sequence[Source], Contexts], Iterator[Parsed]]
"""What each source came to, in order."""

READY = "ready"  # the first thing that a process says


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Sources to parse, one after the other; none may take longer than `seconds`."""

    sources: tuple[Source, ...]
    contexts: Contexts
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a source came to. A document comes without its source, which whoever asked has."""

    parsed: Parsed
    is_tired: bool  # the process had better be replaced


def read(source: Source, context: Context) -> Parsed:
    """The document, or what is wrong with it, whatever exception said so."""
    try:
        return parse(source, context)
    except DocumentError as error:
        return error.finding
    except MemoryError:
        detail = "rendering it takes more memory than it may"
        return Finding(code="render_budget", detail=detail, hint="split the post, or repeat less in it")
    except Exception:
        log.exception("%r met a fault in the renderer", source.name)
        return Finding(code="render_failed", detail="the renderer met a fault of its own; the log says which")


def read_each(sources: Sequence[Source], contexts: Contexts) -> Iterator[Parsed]:
    """What each source came to, parsed in this very process: for sources that can be trusted."""
    return (read(source, contexts.of(source.name)) for source in sources)
