"""Every form a date is written in, in one function; and the periods that a query may name."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

# RFC 822's names and those that are one offset wherever they are used (CST is RFC 822's).
_ZONES = {
    **dict.fromkeys(("Z", "UT", "UTC", "GMT", "WET"), 0),
    **dict.fromkeys(("BST", "CET", "WEST"), 60),
    **dict.fromkeys(("CEST", "EET"), 120),
    **dict.fromkeys(("EEST", "MSK"), 180),
    **dict.fromkeys(("HKT", "SGT", "AWST"), 480),
    **dict.fromkeys(("JST", "KST"), 540),
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
    "EDT": -240,
    "EST": -300,
    "CDT": -300,
    "CST": -360,
    "MDT": -360,
    "MST": -420,
    "PDT": -420,
    "PST": -480,
    "AKDT": -480,
    "AKST": -540,
    "HST": -600,
}
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_MONTH = r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"

_DATES = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<year>\d{4})(?P<separator>[-/.])(?P<month>\d{1,2})(?P=separator)(?P<day>\d{1,2})(?!\d)",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?!\d)",
        r"(?P<year>\d{4})\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*日(?:\s*[(]?[月火水木金土日](?:曜日?)?[)]?)?",
        rf"{_WEEKDAY}{_MONTH}\s+{_DAY},?\s+(?P<year>\d{{4}})(?!\d)",
        rf"{_WEEKDAY}{_DAY}[\s-]+{_MONTH},?[\s-]+(?P<year>\d{{4}})(?!\d)",
        r"(?P<day>\d{1,2})(?P<separator>[-.])(?P<month>\d{1,2})(?P=separator)(?P<year>\d{4})(?!\d)",
    )
)
# `date(1)` and Ruby's `Time#to_s` put the year last: Fri Sep  3 11:21:31 CEST 2021.
_YEAR_LAST = re.compile(
    rf"{_WEEKDAY}{_MONTH}\s+{_DAY}\s+(?P<time>\d{{1,2}}:\S+)(?P<zone>\s+\S+)?\s+(?P<year>\d{{4}})$", re.IGNORECASE
)
_CLOCK = re.compile(
    r"(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})(?:[.,]\d+)?)?\s*(?P<half>[ap]\.?m\.?(?![a-z]))?"
    r"|(?P<half_ja>午前|午後)?\s*(?P<hour_ja>\d{1,2})\s*時(?:\s*(?P<minute_ja>\d{1,2})\s*分(?:\s*(?P<second_ja>\d{1,2})\s*秒)?)?"
    r"|(?P<hour_basic>\d\d)(?P<minute_basic>\d\d)(?:(?P<second_basic>\d\d)(?:[.,]\d+)?)?(?!\d)",
    re.IGNORECASE | re.ASCII,
)
# 21:37:49 2014 -0500, from a log: Ruby reads no offset behind a second year, so such posts are where they are without.
_YEAR_AGAIN = re.compile(r"^\d{4}\s*[+-]\d{2}:?\d{2}$", re.ASCII)
_OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d\d))?", re.IGNORECASE | re.ASCII)
# RFC 9557's [Asia/Tokyo] beside an offset, RFC 5322's comments: (JST), (optional).
_ANNOTATION = re.compile(r"\s*(?:\[[A-Za-z_/+-]+\]|\(([^()]*)\))$")


_LONGEST = 100  # keeps patterns from being run over a whole paragraph


@lru_cache(maxsize=16)  # for one post: its dates are also fields that can be compared
def parse_date(text: str, *, zone: ZoneInfo) -> datetime:
    """Read a date with or without a time: ISO 8601, RFC 5322, English, Japanese, `date(1)`.

    The result is aware, in whole seconds, with the offset as written, else `zone`'s at that hour. A local time that
    does not exist has the offset from before the clock changed; of two equal ones the first is meant.

    Raises:
        ValueError: with a reason that can be shown to the author.

    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain:
        raise ValueError("the date is empty")
    if len(plain) > _LONGEST:
        raise ValueError(_reason(text, ""))
    if year_last := _YEAR_LAST.match(plain):
        name, day, clock, year = (year_last[key] for key in ("name", "day", "time", "year"))
        plain = f"{name} {day} {year} {clock}{year_last['zone'] or ''}"
    match = next((found for pattern in _DATES if (found := pattern.match(plain))), None)
    if match is None:
        raise ValueError(_reason(text, plain))
    _refuse_ambiguity(text, match)
    wall, rest = _wall(text, match, plain[match.end() :])
    return _fixed(wall, _offset(text, rest) or zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `start` up to but not including `end`; both aware."""

    start: datetime
    end: datetime


_PERIOD = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?)?(?P<offset>[Zz]|[+ -]\d\d:?\d\d)?)?)?)?",
    re.ASCII,
)
_LENGTHS = {"hour": timedelta(hours=1), "minute": timedelta(minutes=1), "second": timedelta(seconds=1)}
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC, microsecond=0)


def parse_period(text: str, *, zone: ZoneInfo) -> Period:
    """Read what a query may name: `2025`, `2025-12`, `2025-12-23`, `…T08`, `…T08:46`, an instant (one second long).

    Years, months and days are `zone`'s, 23 to 25 hours long where the clock changes. A space where an offset's `+`
    should be is read as `+`: that is what an unescaped plus sign in a query string becomes. What reaches before
    year 1 or past 9999 in UTC ends there.

    Raises:
        ValueError: with a reason that can be shown to the caller.

    """
    match = _PERIOD.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a date: write 2025, 2025-12, 2025-12-23 or 2025-12-23T08:46:58+09:00")
    finest = [name for name in ("year", "month", "day", "hour", "minute", "second") if match[name]][-1]
    year, month, day = int(match["year"]), int(match["month"] or 1), int(match["day"] or 1)
    start = _start(text, (year, month, day), [int(match[name] or 0) for name in _LENGTHS])
    place = _offset(text, (match["offset"] or "").replace(" ", "+")) or zone
    if finest in _LENGTHS:
        opening = _instant(start, place)
        return Period(start=opening, end=min(opening, _LAST - _LENGTHS[finest]) + _LENGTHS[finest])
    return Period(start=_instant(start, place), end=_instant(_next(start, finest), place))


def _next(start: datetime, step: str) -> datetime:
    """Give the wall clock's midnight after a day, a month or a year."""
    try:
        if step == "day":
            return start + timedelta(days=1)
        if step == "month":
            return start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
        return start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        return _LAST.replace(tzinfo=None)


def _start(text: str, day: tuple[int, int, int], clock: list[int]) -> datetime:
    hour, minute, second = clock
    if hour == 24 and not minute and not second:
        return _next(_start(text, day, [0, 0, 0]), "day")
    try:
        return datetime(*day, hour, minute, second)  # noqa: DTZ001 - a wall clock; its zone comes after
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not in the calendar: {error}") from None


def _instant(wall: datetime, place: tzinfo) -> datetime:
    try:
        return wall.replace(tzinfo=place).astimezone(UTC)
    except OverflowError:
        return _FIRST if wall.year == 1 else _LAST


def _reason(text: str, plain: str) -> str:
    shown = text.strip()[:60]
    if re.match(r"\d{1,2}/\d{1,2}/\d{4}", plain):
        return f"{shown!r} does not say which is the month and which the day: write 2025-12-23"
    if re.fullmatch(r"\d{4}([-/.年]\d{1,2}月?)?", plain):
        return f"{shown!r} has no day: write 2025-12-23"
    return f"{shown!r} is not a date: write 2025-12-23 or 2025-12-23 08:46:58 +09:00"


def _refuse_ambiguity(text: str, match: re.Match[str]) -> None:
    """Take 23-12-2025 for what it must be, and 05-06-2025 for nothing."""
    if match.re is _DATES[-1] and int(match["day"]) <= 12 and match["day"] != match["month"]:
        raise ValueError(f"{text.strip()[:60]!r} does not say which is the month and which the day: write 2025-12-23")


def _wall(text: str, match: re.Match[str], rest: str) -> tuple[datetime, str]:
    """Read the wall clock, and give what is left: the zone."""
    parts = match.groupdict()
    month = _MONTHS[parts["name"][:3].lower()] if parts.get("name") else int(parts["month"])
    day = date_of(text, int(parts["year"]), month, int(parts["day"]))
    at = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock; its zone comes after
    rest = re.sub(r"^(?:[Tt](?=\d)|[,\s]+at\s+|[,\s]+)", "", rest)
    clock = _CLOCK.match(rest)
    if clock is None:
        return at, rest
    hour, minute, second = _hands(text, clock)
    try:
        return at + timedelta(hours=hour, minutes=minute, seconds=second), rest[clock.end() :]
    except OverflowError:
        raise ValueError(f"{text.strip()[:60]!r} is past the year 9999") from None


def _hands(text: str, clock: re.Match[str]) -> tuple[int, int, int]:
    """Read hour, minute and second; 24:00 is the next midnight, a leap second the next minute (RFC 3339, 5.7)."""
    groups = clock.groupdict()
    hour, minute, second = (
        int(groups[name] or groups[f"{name}_ja"] or groups[f"{name}_basic"] or 0)
        for name in ("hour", "minute", "second")
    )
    half = (groups["half"] or groups["half_ja"] or "").lower().replace(".", "")
    if half:
        if hour > 12:
            raise ValueError(f"{text.strip()[:60]!r} has no such hour")
        hour = hour % 12 + (12 if half in {"pm", "午後"} else 0)
    if minute > 59 or second > 60 or hour > 24 or (hour == 24 and (minute or second)):
        raise ValueError(f"{text.strip()[:60]!r} has no such time of day")
    return hour, minute, second


def _offset(text: str, rest: str) -> tzinfo | None:
    """Read an offset or the name of one; nothing gives None."""
    rest = _YEAR_AGAIN.sub("", rest.strip())
    if annotation := _ANNOTATION.search(rest):
        rest = rest[: annotation.start()] or (annotation[1] or "").strip()
        if annotation.start() == 0 and rest.upper() not in _ZONES:
            return None
    if not rest:
        return None
    if rest.upper() in _ZONES:
        return timezone(timedelta(minutes=_ZONES[rest.upper()]))
    match = _OFFSET.fullmatch(rest)
    if match is None:
        raise ValueError(
            f"{text.strip()[:60]!r} ends in something that is no time zone: write an offset such as +09:00"
        )
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(f"{text.strip()[:60]!r} has no such offset")
    return timezone((-1 if match["sign"] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _fixed(wall: datetime, place: tzinfo) -> datetime:
    """Fix the offset that holds at a wall clock's hour, in whole minutes, as RFC 3339 has no others."""
    offset = place.utcoffset(wall.replace(tzinfo=place)) or timedelta()
    fixed = wall.replace(tzinfo=timezone(timedelta(minutes=round(offset / timedelta(minutes=1)))))
    try:
        fixed.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{wall.date()} is out of range in UTC") from None
    return fixed


def date_of(text: str, year: int, month: int, day: int) -> date:
    """Build a day of the calendar, or say which text is none."""
    try:
        return date(year, month, day)
    except ValueError as error:
        raise ValueError(f"{text.strip()[:60]!r} is not a day of the calendar: {error}") from None
