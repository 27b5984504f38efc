"""What a reader may ask for: one frozen value from the query string to the SQL."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache, wraps
from typing import Annotated, Any, Final, Literal, NamedTuple, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.documents.dates import Period, parse_period

Status = Literal["published", "scheduled", "draft", "expired"]
Sort = Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title"]
ListSort = Literal["-published_at", "published_at", "-updated_at", "updated_at", "title", "-title", "relevance"]
BEST = 1000  # how far a list by relevance goes
FACETS: Final = ("tag", "category", "author", "lang", "year")
Operator = Literal["", "not", "all", "gte", "gt", "lte", "lt"]
RANGES: Final = ("gte", "gt", "lte", "lt")
IGNORED = re.compile(r"utm_|fbclid$|gclid$|_")
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
FIELD_PREFIX = "front_matter."
FIELD_PARAMETER = re.compile(r"front_matter\.(?P<path>.+?)(?:__(?P<operator>not|all|gte|gt|lte|lt))?", re.DOTALL)
MAX_VALUES = 100
MAX_INTEGER = 2**31 - 1
LONGEST = 1000  # characters of a query that is worth remembering: what is kept is bounded by number alone
F = TypeVar("F", bound=Callable[..., Any])


def remembered(make: F) -> F:
    """Makes of a query, its first argument, what it made of an equal one before; of a long one always anew."""
    known = lru_cache(maxsize=1000)(make)

    @wraps(make)
    def remember(query: "Query", *given: Any, **named: Any) -> Any:
        return (make if query.is_long else known)(query, *given, **named)

    return remember  # type: ignore[return-value]


class FieldFilter(NamedTuple):
    """`front_matter.PATH__OPERATOR`, with the values given for it."""

    path: str
    operator: Operator
    values: tuple[str, ...]

    @property
    def parameter(self) -> str:
        return f"{FIELD_PREFIX}{self.path}" + (f"__{self.operator}" if self.operator else "")


def _checked_period(text: str) -> str:
    try:
        parse_period(text, zone=ZoneInfo("UTC"))
    except (ValueError, OverflowError) as error:
        raise PydanticCustomError("invalid_date", "{reason}", {"reason": str(error)}) from error
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("empty_value", "this parameter needs a value; leave it out to filter by nothing")
    return text


def _split_commas(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list):
        return value
    return tuple(dict.fromkeys(part.strip() for text in texts for part in text.split(",") if part.strip()))


# What a schema can say of them; the rest is said by the errors.
PERIOD_SCHEMA: Final = {
    "anyOf": [{"format": "date"}, {"format": "date-time"}, {"pattern": "^[1-9][0-9]{3}(-(0[1-9]|1[0-2]))?$"}]
}
_ALLOWED: Final = r"[^\x00-\x08\x0b\x0c\x0e-\x1f]*"
_NO_SPACE: Final = (
    r"[^\x00-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"  # not as `\s` is read here or there
)
TEXT_SCHEMA: Final = {"pattern": f"^{_ALLOWED}{_NO_SPACE}{_ALLOWED}$"}
FACETS_SCHEMA: Final[dict[str, Any]] = {"items": {"type": "string", "enum": list(FACETS)}}
PeriodText = Annotated[str, AfterValidator(_checked_period), Field(json_schema_extra=PERIOD_SCHEMA)]
Value = Annotated[str, AfterValidator(_not_empty), Field(max_length=2000, json_schema_extra=TEXT_SCHEMA)]
Values = Annotated[tuple[Value, ...], Field(max_length=MAX_VALUES)]  # a query can be a key
Integer = Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split_commas)]


class Query(BaseModel):
    """A query string with known names only; what trackers add is left out (`utm_*`, `fbclid`, `gclid`, `_*`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_version: str | None = Field(default=None, description="Wait until the service has this version", max_length=100)
    wait: float = Field(default=0, ge=0, le=30, description="How many seconds to wait for `min_version`")

    @property
    def is_long(self) -> bool:
        """Whether to remember it, or what was found out for it, takes more memory than it is worth."""
        return sum(len(str(getattr(self, name))) for name in self.model_fields_set) > LONGEST

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, parameters: Any) -> Any:
        if not isinstance(parameters, dict):
            return parameters
        kept = {name: value for name, value in parameters.items() if not IGNORED.match(name)}
        for name, value in kept.items():
            _check_characters(name, value)
        return cls._gather(kept)

    @classmethod
    def _gather(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        known = [name for name in cls.model_fields if name != "front_matter"]
        for name in parameters:
            if name not in known:
                raise _unknown(name, known)
        return parameters


def _check_characters(name: str, value: Any) -> None:
    for text in (name, *([value] if isinstance(value, str) else value if isinstance(value, list) else [])):
        if UNSTORABLE.search(text):
            raise PydanticCustomError(
                "control_character", "a value holds a control character", {"parameter": name[:100]}
            )


def _unknown(name: str, known: list[str]) -> PydanticCustomError:
    nearest = get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
    return PydanticCustomError(
        "unknown_parameter", "there is no parameter {parameter}", {"parameter": name[:100], "hint": hint}
    )


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


class Paged(BaseModel):
    """Which slice of a list: after a cursor, or by number."""

    model_config = ConfigDict(frozen=True)

    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=4000)
    page: int | None = Field(default=None, ge=1, le=MAX_INTEGER)
    total: bool = True

    @field_validator("cursor")
    @classmethod
    def _some_cursor(cls, cursor: str | None) -> str | None:
        if cursor == "":
            raise PydanticCustomError("invalid_cursor", "the cursor is empty")
        return cursor

    @model_validator(mode="after")
    def _one_way_to_page(self) -> Self:
        if self.cursor is not None and self.page is not None:
            raise PydanticCustomError("invalid_parameter", "give either cursor or page", {"parameter": "page"})
        return self


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

    @property
    @remembered
    def of_first_page(self) -> Self:
        """The same list, whichever page of it is asked for."""
        return self.model_copy(update=_defaults("cursor", "page", "limit", "total", "facets", *Query.model_fields))

    @property
    @remembered
    def of_posts(self) -> Self:
        """The same posts, whatever is shown of them and in which order."""
        return self.model_copy(update=_defaults("sort", "highlight", *Fields.model_fields))

    @property
    def identity(self) -> dict[str, Any]:
        """What a cursor belongs to: the filters and the sort, not how many are shown or which fields."""
        return self.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={
                "limit",
                "cursor",
                "page",
                "total",
                "facets",
                *Fields.model_fields,
                "highlight",
                *Query.model_fields,
            },
        ) | {"sort": self.order}


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
    def identity(self) -> dict[str, Any]:
        return {"sort": self.sort}


class ArchiveQuery(Query):
    by: Literal["year", "month"] = "month"


class SuggestQuery(Query):
    q: str = Field(max_length=500, description="What has been typed so far")
    limit: int = Field(default=10, ge=1, le=100, description="How many tags and how many posts, at most")
