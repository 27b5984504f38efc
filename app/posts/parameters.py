"""What is common to the parameters of every read: kinds of values, names that are none, pages."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import cached_property, lru_cache, wraps
from typing import Annotated, Any, Final, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.documents.dates import parse_period

IGNORED = re.compile(r"utm_|fbclid$|gclid$|_")
UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
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

    def __hash__(self) -> int:
        return self.own_hash

    @cached_property
    def own_hash(self) -> int:
        """A query is asked for its hash a dozen times for each answer; pydantic reads all its fields each time."""
        return hash(tuple(getattr(self, name) for name in type(self).model_fields))

    def __copy__(self) -> Self:
        """Without what was found out for this one: the copy may become another query."""
        copied = super().__copy__()
        for name in set(copied.__dict__).difference(type(self).model_fields):
            del copied.__dict__[name]
        return copied

    @cached_property
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
