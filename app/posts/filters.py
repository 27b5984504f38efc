"""What a reader may ask for: one frozen value from the query string to the SQL."""

import re
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Literal, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.documents.dates import Period, parse_period
from app.posts.cursor import digest
from app.posts.parameters import MAX_INTEGER, MAX_VALUES, Integer, Names, Paged, PeriodText, Query, Values, remembered

Status = Literal["published", "scheduled", "draft", "expired"]
Sort = Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"]
ListSort = Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title", "relevance"]
BEST = 1000  # how far a list by relevance goes
FACETS: Final = ("tag", "category", "author", "lang", "year")
FACETS_SCHEMA: Final[dict[str, Any]] = {"items": {"type": "string", "enum": list(FACETS)}}
Operator = Literal["", "not", "all", "gte", "gt", "lte", "lt"]
RANGES: Final = ("gte", "gt", "lte", "lt")
FIELD_PREFIX = "front_matter."
FIELD_PARAMETER = re.compile(r"front_matter\.(?P<path>.+?)(?:__(?P<operator>not|all|gte|gt|lte|lt))?", re.DOTALL)


class FieldFilter(NamedTuple):
    """`front_matter.PATH__OPERATOR`, with the values given for it."""

    path: str
    operator: Operator
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        return f"{FIELD_PREFIX}{self.path}" + (f"__{self.operator}" if self.operator else "")


class PostFilter(Query):
    """Which posts. Repeated values mean any of them; `__all` all of them; `__not` none of them."""

    category: Values = Field(default=())
    category__all: Values = Field(default=())
    category__not: Values = Field(default=())
    tag: Values = Field(default=())
    tag__all: Values = Field(default=())
    tag__not: Values = Field(default=())
    author: Values = Field(default=())
    author__all: Values = Field(default=())
    author__not: Values = Field(default=())
    lang: Values = Field(default=())
    layout: Values = Field(default=())
    published_at: PeriodText | None = Field(default=None, description="A year, month, day or instant")
    published_at__gte: PeriodText | None = None
    published_at__gt: PeriodText | None = None
    published_at__lte: PeriodText | None = None
    published_at__lt: PeriodText | None = None
    updated_at: PeriodText | None = None
    updated_at__gte: PeriodText | None = None
    updated_at__gt: PeriodText | None = None
    updated_at__lte: PeriodText | None = None
    updated_at__lt: PeriodText | None = None
    reading_time: Integer | None = Field(default=None, description="Minutes")
    reading_time__gte: Integer | None = None
    reading_time__gt: Integer | None = None
    reading_time__lte: Integer | None = None
    reading_time__lt: Integer | None = None
    id: Values = Field(default=())
    slug: Values = Field(default=())
    alias: Values = Field(default=(), description="A former address from `redirect_from` or `aliases`")
    q: str | None = Field(
        default=None, max_length=2000, description='Full-text search: words (all of them), `"a phrase"`, `-without`'
    )
    status: tuple[Literal["published", "scheduled", "draft", "expired", "any"], ...] = Field(
        default=(), description="Other than `published` needs scope `read`", max_length=MAX_VALUES
    )
    front_matter: tuple[FieldFilter, ...] = Field(
        default=(), description="As `front_matter.KEY=value`, with the suffixes of the other filters"
    )

    @classmethod
    def _gather(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        fields = {name: value for name, value in parameters.items() if name.startswith(FIELD_PREFIX)}
        rest = {name: value for name, value in parameters.items() if name not in fields}
        return super()._gather(rest) | {"front_matter": tuple(_field_filter(*field) for field in fields.items())}

    @property
    def statuses(self) -> frozenset[Status]:
        """The statuses asked for; published alone unless said otherwise."""
        if "any" in self.status:
            return frozenset(("published", "scheduled", "draft", "expired"))
        return frozenset(status for status in self.status if status != "any") or frozenset(("published",))

    @property
    def filters(self) -> frozenset[str]:
        """The filters in use; without any, all public posts are found."""
        fields = PostFilter.model_fields
        return frozenset(
            name
            for name in self.model_fields_set
            if name in fields and name not in Query.model_fields and getattr(self, name) != fields[name].default
        )

    def period(self, name: str, zone: ZoneInfo) -> Period | None:
        text = getattr(self, name)
        return None if text is None else parse_period(text, zone=zone)


HIDDEN = PostFilter(status=["draft", "scheduled", "expired"])


def _field_filter(name: str, value: Any) -> FieldFilter:
    match = FIELD_PARAMETER.fullmatch(name)
    values = tuple(value) if isinstance(value, list) else (str(value),)
    if match is None or len(values) > MAX_VALUES or any(len(text) > 2000 for text in values):
        raise PydanticCustomError("invalid_parameter", "write front_matter.KEY=value", {"parameter": name[:100]})
    return FieldFilter(match["path"], match["operator"] or "", values)  # type: ignore[arg-type]


class Fields(BaseModel):
    """Which fields of a post to show."""

    model_config = ConfigDict(frozen=True)

    fields: Names = Field(default=(), description="Just these, split by commas; on the detail `-html` leaves one out")
    include: Names = Field(default=(), description="These beside the usual ones, split by commas")


class ListQuery(PostFilter, Fields, Paged):
    sort: ListSort | None = Field(
        default=None, description="`-published_at`, or with `q` `relevance`: the best thousand"
    )
    highlight: bool = Field(default=False, description="With `q`: title and best passage with `<mark>` around matches")
    facets: Annotated[Names, Field(json_schema_extra=FACETS_SCHEMA)] = Field(
        default=(), description=f"Which values the posts have, and how many: {', '.join(FACETS)}"
    )

    @field_validator("facets")
    @classmethod
    def _known_facets(cls, facets: tuple[str, ...]) -> tuple[str, ...]:
        for name in facets:
            if name not in FACETS:
                raise PydanticCustomError(
                    "invalid_parameter", "there is no such facet", {"hint": f"known are {', '.join(FACETS)}"}
                )
        return facets

    @model_validator(mode="after")
    def _search_has_words(self) -> Self:
        for name, is_asked in (("sort", self.sort == "relevance"), ("highlight", self.highlight)):
            if is_asked and self.q is None:
                raise PydanticCustomError("invalid_parameter", "this needs q", {"parameter": name})
        return self

    @property
    def order(self) -> str:
        """The sort asked for, or the usual one."""
        return self.sort or ("-published_at" if self.q is None else "relevance")

    @cached_property
    @remembered
    def of_first_page(self) -> Self:
        """The same list, whichever page of it is asked for."""
        return self.model_copy(update=_defaults("cursor", "page", "limit", "total", "facets", *Query.model_fields))

    @cached_property
    @remembered
    def of_posts(self) -> Self:
        """The same posts, whatever is shown of them and in which order."""
        return self.model_copy(update=_defaults("sort", "highlight", *Fields.model_fields))

    @cached_property
    @remembered
    def identity(self) -> str:
        """What a cursor belongs to: the filters and the sort, not how many are shown or which fields."""
        others = {*Paged.model_fields, "facets", "highlight", *Fields.model_fields, *Query.model_fields}
        return digest(self.model_dump(mode="json", exclude_defaults=True, exclude=others) | {"sort": self.order})


@lru_cache
def _defaults(*names: str) -> dict[str, Any]:
    return {name: ListQuery.model_fields[name].default for name in names}


class FeedQuery(PostFilter):
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=4000)

    def as_list(self, fields: tuple[str, ...]) -> ListQuery:
        """The list that the feed shows: the newest first, also of what a search finds."""
        return ListQuery.model_construct(**dict(self), fields=fields, sort="-published_at", total=False)


class SitemapQuery(Query):
    part: int | None = Field(default=None, ge=1, le=MAX_INTEGER, description="One of those that the index names")


class DetailQuery(PostFilter, Fields):
    """The detail; its filters say among which posts the neighbours are looked for."""


class ExportQuery(PostFilter, Fields):
    sort: Sort = "-published_at"


class TermQuery(Query, Paged):
    sort: Literal["-count", "name"] = "-count"

    @property
    def identity(self) -> str:
        return digest({"sort": self.sort})


class ArchiveQuery(Query):
    by: Literal["year", "month"] = "month"


class SuggestQuery(Query):
    q: str = Field(max_length=500, description="What has been typed so far")
    limit: int = Field(default=10, ge=1, le=100, description="How many tags and how many posts, at most")
