from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.dates import parse_date, parse_period

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # ISO 8601 and YAML
        ("2025-12-23", "2025-12-23T00:00:00+09:00"),
        ("2025-12-23 08:46:58 +0000", "2025-12-23T08:46:58+00:00"),
        ("2025-12-23 08:46:58", "2025-12-23T08:46:58+09:00"),
        ("2025-12-23 08:46", "2025-12-23T08:46:00+09:00"),
        ("2025-12-23T08:46:58Z", "2025-12-23T08:46:58+00:00"),
        ("2025-12-23t08:46:58.987z", "2025-12-23T08:46:58+00:00"),
        ("2025-12-23T08:46+0900", "2025-12-23T08:46:00+09:00"),
        ("2025-12-23 08:46:58 -05:30", "2025-12-23T08:46:58-05:30"),
        ("2025-12-23 08:46:58 +9", "2025-12-23T08:46:58+09:00"),
        ("2025-12-23 08:46 UTC+9", "2025-12-23T08:46:00+09:00"),
        ("2025-12-23T08:46:58-05:00[America/New_York]", "2025-12-23T08:46:58-05:00"),
        ("20251223", "2025-12-23T00:00:00+09:00"),
        ("20251223T084658Z", "2025-12-23T08:46:58+00:00"),
        ("2025/12/23 10:00", "2025-12-23T10:00:00+09:00"),
        ("2025.12.23", "2025-12-23T00:00:00+09:00"),
        ("2025-1-3 8:05:09 +0900", "2025-01-03T08:05:09+09:00"),
        ("23-12-2025", "2025-12-23T00:00:00+09:00"),
        ("2025-12-23 24:00:00", "2025-12-24T00:00:00+09:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        # names of zones
        ("2025-12-23 08:46 JST", "2025-12-23T08:46:00+09:00"),
        ("2025-07-23 08:46 EDT", "2025-07-23T08:46:00-04:00"),
        ("2025-12-23 08:46 (PST)", "2025-12-23T08:46:00-08:00"),
        ("2025-12-23 (optional)", "2025-12-23T00:00:00+09:00"),
        # English, RFC 5322, date(1), and what Ruby lets pass
        ("December 3, 2019", "2019-12-03T00:00:00+09:00"),
        ("Sept. 3rd 2019 at 5:30 pm", "2019-09-03T17:30:00+09:00"),
        ("3 Dec 2019 12:00 AM", "2019-12-03T00:00:00+09:00"),
        ("23-Dec-2025", "2025-12-23T00:00:00+09:00"),
        ("Tue, 23 Dec 2025 08:46:58 +0900 (JST)", "2025-12-23T08:46:58+09:00"),
        ("Fri Sep  3 11:21:31 CEST 2021", "2021-09-03T11:21:31+02:00"),
        ("Fri Sep  3 11:21:31 2021", "2021-09-03T11:21:31+09:00"),
        ("2014-12-22 21:37:49 2014 -0500", "2014-12-22T21:37:49+09:00"),
        # Japanese
        ("2025年12月23日", "2025-12-23T00:00:00+09:00"),
        ("2025年1月3日 8時46分", "2025-01-03T08:46:00+09:00"),
        ("２０２５年１２月２３日（火）　午後３時", "2025-12-23T15:00:00+09:00"),
        ("2025年12月23日 8時46分58秒", "2025-12-23T08:46:58+09:00"),
        ("２０２５－１２－２３ ０８：４６", "2025-12-23T08:46:00+09:00"),
    ],
)
def test_date_is_read(text: str, expected: str) -> None:
    assert expected == parse_date(text, zone=TOKYO).isoformat()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("soon", "not a date"),
        ("2025", "no day"),
        ("2025-12", "no day"),
        ("2025年12月", "no day"),
        ("12/23/2025", "which is the month"),
        ("05-06-2025", "which is the month"),
        ("2025-02-31", "not a day of the calendar"),
        ("0000-01-01", "not a day of the calendar"),
        ("2025-13-01", "not a day of the calendar"),
        ("2025-12-23 25:00", "time of day"),
        ("2025-12-23 24:01", "time of day"),
        ("2025-12-23 08:60", "time of day"),
        ("2025-12-23 13:00 pm", "hour"),
        ("2025-12-23 08:46 XYZ", "time zone"),
        ("2025-12-23 08:46 +25:00", "offset"),
        ("2025-12-23 and then some", "time zone"),
        ("9999-12-31 24:00", "9999"),
        ("0001-01-01", "out of range"),
        ("9999-12-31 23:00 -05:00", "out of range"),
        ("2025-12-23" + " " * 200 + "x", "not a date"),
    ],
)
def test_date_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_date(text, zone=TOKYO)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2025-03-09 02:30", NEW_YORK, "2025-03-09T02:30:00-05:00"),  # does not exist
        ("2025-11-02 01:30", NEW_YORK, "2025-11-02T01:30:00-04:00"),  # is there twice
        ("1880-01-01", TOKYO, "1880-01-01T00:00:00+09:19"),  # local mean time +09:18:59
    ],
)
def test_local_times_have_one_offset_in_whole_minutes(text: str, zone: ZoneInfo, expected: str) -> None:
    assert expected == parse_date(text, zone=zone).isoformat()


@given(st.one_of(st.text(), st.from_regex(r"[0-9]{1,4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,4}.{0,12}", fullmatch=True)))
def test_any_text_is_a_date_in_range_or_refused(text: str) -> None:
    try:
        date = parse_date(text, zone=TOKYO)
    except ValueError:
        return
    assert date.microsecond == 0
    assert date.astimezone(UTC).tzinfo is UTC


@given(st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it so
def test_iso_dates_come_back(date: datetime) -> None:
    date = date.replace(microsecond=0)

    assert date == parse_date(date.isoformat(), zone=TOKYO)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2025", "2024-12-31T15:00:00", "2025-12-31T15:00:00"),
        ("2025-12", "2025-11-30T15:00:00", "2025-12-31T15:00:00"),
        ("2024-02", "2024-01-31T15:00:00", "2024-02-29T15:00:00"),
        ("2025-12-23", "2025-12-22T15:00:00", "2025-12-23T15:00:00"),
        ("2025-12-23T08", "2025-12-22T23:00:00", "2025-12-23T00:00:00"),
        ("2025-12-23T08:46", "2025-12-22T23:46:00", "2025-12-22T23:47:00"),
        ("2025-12-23T08:46:58", "2025-12-22T23:46:58", "2025-12-22T23:46:59"),
        ("2025-12-23T08:46:58Z", "2025-12-23T08:46:58", "2025-12-23T08:46:59"),
        ("2025-12-23T08:46:58.123+09:00", "2025-12-22T23:46:58", "2025-12-22T23:46:59"),
        ("2025-12-23T08:46:58 09:00", "2025-12-22T23:46:58", "2025-12-22T23:46:59"),
        ("2025-12-23T08-0500", "2025-12-23T13:00:00", "2025-12-23T14:00:00"),
        ("2025-12-23T24:00", "2025-12-23T15:00:00", "2025-12-23T15:01:00"),
        ("0001", "0001-01-01T00:00:00", "0001-12-31T14:41:01"),
        ("9999-12-31", "9999-12-30T15:00:00", "9999-12-31T14:59:59"),
        ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59", "9999-12-31T23:59:59"),
    ],
)
def test_period_is(text: str, start: str, end: str) -> None:
    period = parse_period(text, zone=TOKYO)

    assert (f"{start}+00:00", f"{end}+00:00") == (period.start.isoformat(), period.end.isoformat())


def test_days_follow_the_clock_of_the_zone() -> None:
    spring = parse_period("2025-03-09", zone=NEW_YORK)
    autumn = parse_period("2025-11-02", zone=NEW_YORK)

    assert ((spring.end - spring.start).seconds // 3600, (autumn.end - autumn.start).total_seconds() // 3600) == (
        23,
        25,
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25",
        "2025-1",
        "2025-13",
        "2025-02-30",
        "0000",
        "2025-12-23T25",
        "2025-12-23T24:01",
        "2025-12-23T08:46+99:00",
        "２０２５",
    ],
)
def test_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not|no such"):
        parse_period(text, zone=TOKYO)


@given(st.from_regex(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}(:[0-9]{2}([Z+ -][0-9:]{0,5})?)?)?)?)?", fullmatch=True))
def test_any_period_ends_after_it_starts(text: str) -> None:
    try:
        period = parse_period(text, zone=NEW_YORK)
    except ValueError:
        return
    assert period.start <= period.end
