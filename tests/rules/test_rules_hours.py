"""Hours: the next instant in them, whatever the clocks on the wall do."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.hours import Hours

SHANGHAI, BERLIN, LORD_HOWE = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
ZONES = [SHANGHAI, BERLIN, LORD_HOWE, *map(ZoneInfo, ("America/New_York", "Africa/Cairo", "UTC"))]


def hours(start: str, end: str, zone: ZoneInfo = SHANGHAI, **days: frozenset[dt.date] | frozenset[int]) -> Hours:
    given_days = {"weekdays": frozenset(range(1, 8))} | days
    return Hours("h", dt.time.fromisoformat(start), dt.time.fromisoformat(end), zone, **given_days)  # type: ignore[arg-type]


def local(text: str, zone: ZoneInfo = SHANGHAI, fold: int = 0) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(dt.UTC)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-18T03:00", "2026-03-18T07:00"),
        ("2026-03-18T07:00", "2026-03-18T07:00"),
        ("2026-03-18T20:59:59", "2026-03-18T20:59:59"),
        ("2026-03-18T21:00", "2026-03-19T07:00"),
    ],
)
def test_what_comes_at_night_waits_for_seven(now: str, expected: str) -> None:
    assert hours("07:00", "21:00").next_instant(local(now)) == local(expected)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-03-20T12:00", "2026-03-20T22:00"),
        ("2026-03-21T05:59", "2026-03-21T05:59"),
        ("2026-03-21T06:00", "2026-03-23T22:00"),
        ("2026-03-23T05:00", "2026-03-23T22:00"),
    ],
)
def test_hours_past_midnight_belong_to_the_day_they_start_on(now: str, expected: str) -> None:
    friday_night_too = hours("22:00", "06:00", weekdays=frozenset({1, 2, 3, 4, 5}))
    assert friday_night_too.next_instant(local(now)) == local(expected)


def test_hours_that_end_where_they_start_are_whole_days() -> None:
    workdays = hours("00:00", "00:00", weekdays=frozenset({1, 2, 3, 4, 5}))

    assert workdays.next_instant(local("2026-03-20T23:59")) == local("2026-03-20T23:59")
    assert workdays.next_instant(local("2026-03-21T00:00")) == local("2026-03-23T00:00")


def test_holidays_close_a_weekday_and_make_up_days_open_a_sunday() -> None:
    days = hours(
        "07:00",
        "21:00",
        weekdays=frozenset({1, 2, 3, 4, 5}),
        days_off=frozenset({dt.date(2026, 3, 18), dt.date(2026, 3, 19)}),
        make_up=frozenset({dt.date(2026, 3, 22)}),
        closed=frozenset({dt.date(2026, 3, 20)}),
        open=frozenset({dt.date(2026, 3, 19)}),
    )

    assert days.next_instant(local("2026-03-18T10:00")) == local("2026-03-19T07:00")
    assert days.next_instant(local("2026-03-19T21:30")) == local("2026-03-22T07:00")


def test_a_start_in_the_hour_that_is_left_out_is_where_the_clock_jumps() -> None:
    early = hours("02:30", "21:00", BERLIN)

    assert early.next_instant(utc("2026-03-29T00:10")) == utc("2026-03-29T01:00")


def test_a_span_inside_the_hour_that_is_left_out_is_left_out() -> None:
    assert hours("02:10", "02:50", BERLIN).next_instant(utc("2026-03-29T00:30")) == utc("2026-03-30T00:10")


def test_an_hour_that_comes_twice_is_spoken_in_twice() -> None:
    early = hours("01:30", "02:30", BERLIN)

    assert early.next_instant(utc("2026-10-25T00:40")) == utc("2026-10-25T01:00")


def test_on_the_days_clocks_are_set_seven_is_still_seven() -> None:
    day = hours("07:00", "21:00", BERLIN)

    assert day.next_instant(utc("2026-03-29T01:30")) == utc("2026-03-29T05:00")
    assert day.next_instant(utc("2026-10-25T01:30")) == utc("2026-10-25T06:00")


def test_who_is_never_spoken_to_is_asked_about_again_in_a_year() -> None:
    never = hours("02:10", "02:50", closed=frozenset(dt.date(2026, 3, 1) + dt.timedelta(days=n) for n in range(500)))
    now = local("2026-03-18T10:00")

    assert never.next_instant(now) > now + dt.timedelta(days=365)


TIMES = st.times(max_value=dt.time(23, 59)).map(lambda time: time.replace(second=0, microsecond=0))
DAYS = st.frozensets(st.dates(dt.date(2026, 3, 20), dt.date(2026, 4, 10)), max_size=5)
SOME_HOURS = st.builds(
    Hours,
    st.just("h"),
    TIMES,
    TIMES,
    st.sampled_from(ZONES),
    st.frozensets(st.integers(1, 7), min_size=1),
    DAYS,
    DAYS,
    DAYS,
    DAYS,
)
YEAR = dt.timedelta(days=365)
INSTANTS = st.timedeltas(dt.timedelta(0), YEAR).map(lambda span: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + span)


@given(SOME_HOURS, INSTANTS)
def test_the_next_instant_lies_in_the_hours_never_before_now_and_is_its_own_next(one: Hours, now: dt.datetime) -> None:
    following = one.next_instant(now)

    assert following >= now
    assert one.holds(following)
    assert one.next_instant(following) == following


@given(SOME_HOURS, INSTANTS, st.floats(0, 1))
def test_nothing_between_now_and_the_next_instant_lies_in_the_hours(one: Hours, now: dt.datetime, share: float) -> None:
    following = one.next_instant(now)
    between = now + (following - now) * share

    assert between == following or not one.holds(between)


@given(SOME_HOURS, INSTANTS, st.timedeltas(dt.timedelta(0), dt.timedelta(days=3)))
def test_later_is_never_told_sooner(one: Hours, now: dt.datetime, later: dt.timedelta) -> None:
    assert one.next_instant(now) <= one.next_instant(now + later)
