"""What an ingestion says: a result for each file, and the sum of them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.errors import Finding

Action = Literal["created", "updated", "unchanged", "renamed", "deleted", "skipped", "failed"]
ACTIONS: tuple[Action, ...] = ("created", "updated", "unchanged", "renamed", "deleted", "skipped", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What is needed of a stored post to show its address and status."""

    id: str
    slug: str
    draft: bool
    published_at: datetime | None
    expires_at: datetime | None
    permalink: str | None
    category: str | None
    lang: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one file."""

    name: str
    action: Action
    post: Stored | None = None
    sha256: str | None = None
    changed: tuple[str, ...] = ()  # the fields that an update changes
    warnings: tuple[Finding, ...] = ()
    problem: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results; `version` is the content's label after it; `committed` is false for a dry run or a refusal."""

    version: str
    results: tuple[Result, ...] = field(default=())
    committed: bool = True

    @property
    def counts(self) -> dict[Action, int]:
        found = Counter(result.action for result in self.results)
        return {action: found[action] for action in ACTIONS}

    @property
    def has_failures(self) -> bool:
        return any(result.action == "failed" for result in self.results)


def failed(refusals: Iterable[tuple[str, Finding]]) -> list[Result]:
    return [Result(name=name, action="failed", problem=finding) for name, finding in refusals]
