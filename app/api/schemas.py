"""What goes out. No field has a default: in a generated client every field is there."""

from typing import (
    Any,
    Literal,
    NotRequired,  # pydantic asks for these before Python 3.12
)

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from app.posts.filters import Status


class Outgoing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PostSummary(BaseModel):
    """A post as lists show it. With `fields` or `include` an item has other fields: those asked for."""

    id: str
    slug: str
    url: str
    permalink: str | None
    title: str
    layout: str | None
    status: Status
    published_at: str | None
    date: str | None
    updated_at: str
    expires_at: str | None
    categories: list[str]
    tags: list[str]
    author: str | None
    authors: list[str]
    excerpt: str
    excerpt_html: str
    reading_time: int
    lang: str | None
    cover: str | None


class Heading(Outgoing):
    level: int
    id: str
    text: str


class Image(Outgoing):
    src: str
    alt: str


class SourceInfo(Outgoing):
    name: str
    sha256: str
    rendered_by: str


class PostLink(Outgoing):
    id: str
    slug: str
    url: str
    permalink: str | None
    title: str


class PostDetail(PostSummary):
    """A post whole."""

    html: str
    toc: list[Heading]
    front_matter: dict[str, Any]
    aliases: list[str]
    images: list[Image]
    word_count: int
    character_count: int
    source: SourceInfo
    older: PostLink | None
    newer: PostLink | None
    related: list[PostLink]


class Envelope(BaseModel):
    """What every list has beside its items; with `page` also `page` and `pages`."""

    total: int | None
    limit: int
    next: str | None
    previous: str | None
    next_cursor: str | None
    version: str


class FacetItem(Outgoing):
    value: str
    count: int
    url: str


class PostList(Envelope):
    items: list[PostSummary]
    facets: dict[str, list[FacetItem]] = Field(default_factory=dict, description="Where `facets` asks for them")


class TermItem(Outgoing):
    name: str
    slug: str
    count: int
    latest_at: str
    url: str


class TermList(Envelope):
    items: list[TermItem]


class ChangeItem(Outgoing):
    version: str
    at: str
    kind: Literal["created", "updated", "renamed", "deleted"]
    id: str
    name: str
    author: str
    via: str
    sha256: str | None


class ChangeList(Envelope):
    items: list[ChangeItem]


class ArchiveItem(Outgoing):
    period: str
    count: int
    url: str


class ArchiveList(Outgoing):
    items: list[ArchiveItem]
    total: int
    version: str


class SuggestedTag(Outgoing):
    name: str
    slug: str
    url: str


class Suggestions(Outgoing):
    """What is typed may become one of these; those that begin with it come first."""

    tags: list[SuggestedTag]
    posts: list[PostLink]
    version: str


class ServiceInfo(Outgoing):
    title: str
    description: str
    site_url: str | None
    timezone: str
    lang: str | None
    version: str
    posts: int
    links: dict[str, str]


class Remark(Outgoing):
    code: str
    detail: str
    line: int | None
    column: int | None
    field: str | None
    hint: str | None


class IngestResult(Outgoing):
    name: str
    action: Literal["created", "updated", "unchanged", "renamed", "deleted", "skipped", "failed"]
    id: str | None
    slug: str | None
    url: str | None
    permalink: str | None
    status: Status | None
    published_at: str | None
    sha256: str | None
    changed: list[str]
    warnings: list[Remark]
    problem: Remark | None


class IngestReport(Outgoing):
    version: str
    created: int
    updated: int
    unchanged: int
    renamed: int
    deleted: int
    skipped: int
    failed: int
    results: list[IngestResult]


class Health(Outgoing):
    status: Literal["ok", "ready"]


class ProblemError(TypedDict):
    """One thing that is wrong. Beside `code` and `detail` only what applies is there."""

    code: str
    detail: str
    hint: NotRequired[str]
    name: NotRequired[str]
    parameter: NotRequired[str]
    header: NotRequired[str]
    line: NotRequired[int]
    column: NotRequired[int]
    field: NotRequired[str]


class ProblemDetails(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[ProblemError]
    request_id: str
