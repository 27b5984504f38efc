"""How an upload is taken, who sends it, and what an export says of its posts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostState:
    """What a post is beside its bytes, as an export says it; a new post of that name takes it over."""

    id: str
    slug: str
    former_slugs: tuple[str, ...]
    ingested_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How an upload is taken, and who sends it."""

    author: str
    via: str  # "http", "cli", "folder" or "rerender"
    atomic: bool = True
    dry_run: bool = False
    prune_below: str | None = None  # posts whose names begin so and are not in the upload are removed
    prune_max: int | None = None
    manifest: Mapping[str, str] = field(default_factory=dict)  # name -> sha256 that the service has already
    slug: str | None = None  # the slug that the one file of this upload has, whatever its name
    states: Mapping[str, PostState] = field(default_factory=dict)  # name -> what an export says of it
