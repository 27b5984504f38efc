"""The content folder, taken in the background while the service starts."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import anyio.to_thread

from app.api.service import Service
from app.documents.context import Contexts
from app.documents.document import Document
from app.documents.sources import Source
from app.errors import DatabaseUnavailable, Finding
from app.posts.content_folder import take_folder
from app.rendering.tasks import ParseEach

T = TypeVar("T")
log = logging.getLogger("honbun")
RETRY = 1.0  # seconds until it is tried again


class _Ended(Exception):
    pass


async def take_content(service: Service, content_dir: str) -> None:
    """Takes the content folder; what fails is said, and the service serves all the same."""
    while content_dir:
        try:
            await _taking(service, Path(content_dir))
            break
        except DatabaseUnavailable as error:
            log.warning("%s waits for the database: %s", content_dir, error.detail)
            await asyncio.sleep(RETRY)
        except OSError as error:
            log.warning("%s cannot be taken: %s", content_dir, error.strerror)
            break
        except Exception:
            log.exception("%s cannot be taken", content_dir)
            raise
    service.watch.forget()
    service.readiness.is_taken = True


async def _taking(service: Service, folder: Path) -> None:
    """Takes the folder in a thread; where the service ends meanwhile, so does the thread, before the engine does."""
    ended = threading.Event()
    taking = asyncio.create_task(anyio.to_thread.run_sync(_take, service, folder, ended))
    try:
        await asyncio.shield(taking)
    except asyncio.CancelledError:
        ended.set()
        await asyncio.wait([taking])
        if not isinstance(taking.exception(), _Ended | None):
            log.warning("%s was not taken: %s", folder, taking.exception())
        raise


def _until(ended: threading.Event, parse_each: ParseEach) -> ParseEach:
    """Parses until the service ends; the next start takes the folder."""

    def parse(
        sources: Iterable[Source], contexts: Contexts, finish: Callable[[Document], T], /
    ) -> Iterator[T | Finding]:
        for parsed in parse_each(sources, contexts, finish):
            if ended.is_set():
                raise _Ended
            yield parsed

    return parse


def _take(service: Service, folder: Path, ended: threading.Event) -> None:
    if not folder.is_dir():
        log.warning("there is no content folder %s", folder)
        return
    taken = take_folder(
        service.engine,
        folder,
        context=service.context,
        now=service.clock(),
        parse_each=_until(ended, service.renderers.finish_each),
    )
    for result in taken.report.results:
        if result.problem is not None:
            place = f"{folder / result.name}:{result.problem.line or 1}:{result.problem.column or 1}"
            log.warning("%s: %s: %s", place, result.problem.code, result.problem.detail)
    for name in taken.left_alone:
        log.warning("%s: left alone, since it was last written or deleted over HTTP", folder / name)
    counts = [f"{count} {action}" for action, count in taken.report.counts.items() if count and action != "skipped"]
    log.info("%s: %s", folder, ", ".join(counts) or "nothing new")
