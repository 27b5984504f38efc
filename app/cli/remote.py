"""A folder sent to a service over HTTP: only what changed, in as many uploads as its limits ask for."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

from app.documents.sources import Batch, Source
from app.errors import HonbunError
from app.posts.options import Options

MAX_BYTES = 16 * 1024 * 1024  # of one upload; a service with tighter limits answers 413, and halves are sent
MAX_FILES = 2000
PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0)  # seconds between tries
LONGEST = 300.0  # seconds that a service may ask to be waited for
PASSING = frozenset((429, 502, 503, 504))


class Unreachable(HonbunError):
    """The service was not reached, or refused."""

    code = "service_unreachable"


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What the service said of all uploads together."""

    counts: dict[str, int] = field(default_factory=dict)
    results: list[dict[str, Any]] = field(default_factory=list)

    def add(self, report: dict[str, Any]) -> None:
        self.results += report["results"]
        for result in report["results"]:
            self.counts[result["action"]] = self.counts.get(result["action"], 0) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A service, and how often it is asked again before giving up."""

    client: httpx2.Client
    sleep: Callable[[float], None] = time.sleep

    def send(self, batch: Batch, options: Options, *, on_sent: Callable[[int], None] = lambda _: None) -> Outcome:
        """Makes the service have what the batch holds; where the options prune, nothing else below the prefix.

        Several uploads are no one transaction: a rename is seen where its file is in the last one.
        `on_sent` hears how many files are done. Raises Unreachable.
        """
        prefix = options.prune_below or ""  # all names begin with it
        stored = self._stored(prefix)
        files = (*batch.configs, *batch.sources)  # the posts are read by the configurations, so those go first
        changed = [source for source in files if stored.get(source.name) != source.sha256]
        same = len(files) - len(changed)
        outcome = Outcome(counts={"unchanged": same} if same else {})
        on_sent(same)
        others = stored.keys() - {source.name for source in files} - {name for name, _ in batch.refused}
        prunes = options.prune_below is not None and bool(others)
        queue = list(_parts(changed)) or ([[]] if prunes else [])
        while queue:
            part = queue.pop(0)
            parameters = {"atomic": "false", "dry_run": str(options.dry_run).lower(), "prefix": prefix}
            manifest = None
            if prunes and not queue:  # the last upload knows of all the others
                manifest = _manifest(batch, stored, {source.name for source in part}, dry_run=options.dry_run)
                parameters |= {"prune": "true"}
                parameters |= {} if options.prune_max is None else {"prune_max": str(options.prune_max)}
            report = self._upload(part, parameters, manifest)
            if report is None:
                queue[:0] = [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            outcome.add(report)
            on_sent(len(part))
        return outcome

    def _stored(self, prefix: str) -> dict[str, str]:
        response = self._request("GET", "/v1/sources", params={"prefix": prefix})
        lines = (json.loads(line) for line in response.text.splitlines() if line)
        return {line["name"]: line["sha256"] for line in lines}

    def _upload(
        self, part: Sequence[Source], parameters: dict[str, str], manifest: dict[str, str] | None
    ) -> dict[str, Any] | None:
        """The report on one upload; None where it is too large and can be halved."""
        cut = len(parameters["prefix"])  # the service puts it before each name again
        files = [("files", (source.name[cut:], source.content, "text/markdown")) for source in part]
        if manifest is not None:
            relative = json.dumps({name[cut:]: sha256 for name, sha256 in manifest.items()}).encode()
            files.append(("manifest", ("manifest.json", relative, "application/json")))
        response = self._request("POST", "/v1/ingest", params=parameters, files=files, refused=(413,))
        if response.status_code == 413:
            if len(part) < 2:
                raise Unreachable(f"the service takes no file as large as {part[0].name if part else 'its manifest'}")
            return None
        report: dict[str, Any] = response.json()
        return report

    def _request(self, method: str, path: str, *, refused: Sequence[int] = (), **request: Any) -> httpx2.Response:
        """An answer, asked for again while the failure may pass. Raises Unreachable."""
        for pause in (*PATIENCE, None):
            try:
                response = self.client.request(method, path, **request)
            except httpx2.TransportError as error:
                reason, wait = f"the service at {self.client.base_url} was not reached: {error}", pause
            else:
                if response.is_success or response.status_code in refused:
                    return response
                reason, wait = _refusal(response), pause
                if response.status_code not in PASSING:
                    break
                wait = _retry_after(response, pause)
            if wait is None:
                break
            self.sleep(wait)
        raise Unreachable(reason)


def _retry_after(response: httpx2.Response, pause: float | None) -> float | None:
    header = response.headers.get("retry-after", "")
    return pause if pause is None or not header.isdigit() else min(max(pause, float(header)), LONGEST)


def _refusal(response: httpx2.Response) -> str:
    try:
        problem = response.json()
        hints = [error["hint"] for error in problem.get("errors", []) if error.get("hint")]
        detail = "; ".join([problem["detail"], *hints])
    except (ValueError, KeyError, TypeError):
        detail = response.reason_phrase
    return f"the service refused ({response.status_code}): {detail}"


def _parts(sources: Sequence[Source]) -> Iterator[list[Source]]:
    """The sources in uploads of a bearable size."""
    part: list[Source] = []
    size = 0
    for source in sources:
        if part and (len(part) == MAX_FILES or size + source.size > MAX_BYTES):
            yield part
            part, size = [], 0
        part.append(source)
        size += source.size
    if part:
        yield part


def _manifest(batch: Batch, stored: dict[str, str], sent: set[str], *, dry_run: bool) -> dict[str, str]:
    """Every other name of the folder with what the service has under it; what could not be read is not to be pruned.

    In a dry run the earlier uploads were not kept: what they would have created is not claimed to be there.
    """
    hashes = {source.name: source.sha256 for source in (*batch.configs, *batch.sources)}
    unread = {name for name, _ in batch.refused}
    manifest: dict[str, str] = {}
    for name in {*hashes, *unread} - sent:
        if name in stored and (dry_run or name in unread):
            manifest[name] = stored[name]
        elif not dry_run and name in hashes:
            manifest[name] = hashes[name]
    return manifest
