"""Dates and instants: every form people write, and nothing guessed."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.feeds.dates import Dates
from daemon.feeds.payload import Fault
from tests.daemon.feeds.sources import CHICAGO, SHANGHAI, utc

MONDAY = dt.date(2026, 3, 16)


def dates(order: str = "auto", others: tuple[str, ...] = (), zone: ZoneInfo = SHANGHAI) -> Dates:
    return Dates(zone, order, lambda: others)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-16",
        "2026-3-16",
        "2026/3/16",
        "2026.03.16",
        "2026—3—16",
        "2026。3。16",
        "20260316",
        "2026年3月16日",
        "2026年03月16",
        "２０２６－０３－１６",
        " 2026-03-16\t",
        "2026-03-16 00:00:00",
        "2026-03-16T00:00:00.000",
        "46097",
        "1773619200000",
        "16/3/2026",
        "3/16/2026 12:00:00 AM",
    ],
)
def test_a_date_is_understood_however_it_is_written(text: str) -> None:
    assert dates(others=(text,)).date(text) == MONDAY


@pytest.mark.parametrize(
    "text",
    ["", "2026-02-30", "2026-13-01", "16/3/26", "yesterday", "2026-03-16 08:10", "99999", "1026-03-16", "9" * 999],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(Fault):
        dates().date(text)


def test_a_date_with_two_readings_is_refused_until_the_order_is_said() -> None:
    with pytest.raises(Fault, match="day/month or month/day"):
        dates(others=("1/9/2019", "2/9/2019")).date("1/9/2019")

    assert dates("dmy").date("1/9/2019") == dt.date(2019, 9, 1)
    assert dates("mdy").date("1/9/2019") == dt.date(2019, 1, 9)


def test_one_date_with_a_single_reading_settles_the_whole_source() -> None:
    assert dates(others=("1/9/2019", "28/05/2020")).date("1/9/2019") == dt.date(2019, 9, 1)
    assert dates(others=("1/9/2019", "8/15/2020 08:10")).date("1/9/2019") == dt.date(2019, 1, 9)


def test_a_source_that_contradicts_itself_settles_nothing() -> None:
    confused = dates(others=("28/05/2020", "8/15/2020"))

    for text in ("28/05/2020", "8/15/2020", "1/9/2019"):
        with pytest.raises(Fault, match="some dates here"):
            confused.date(text)


def test_the_same_day_and_month_has_one_reading() -> None:
    assert dates().date("3/3/2026") == dt.date(2026, 3, 3)


def test_a_declared_order_is_held_against_the_source() -> None:
    with pytest.raises(Fault):
        dates("dmy").date("8/15/2020")
    with pytest.raises(Fault, match="does not begin with its year"):
        dates("ymd").date("28/05/2020")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-16T08:10:00+08:00",
        "2026-03-16T00:10:00Z",
        "2026-03-16 00:10:00 +0000",
        "20260316T001000Z",
        "2026-03-16 08:10",
        "2026-03-16 8:10:00",
        "2026/3/16 08:10:00",
        "2026年3月16日08:10",
        "3/16/2026 8:10 AM",
        "1773619800000",
        "1773619800",
        "46097.34027777778",
    ],
)
def test_an_instant_is_understood_however_it_is_written(text: str) -> None:
    assert dates(others=(text,)).instant(text) == utc(2026, 3, 16, 0, 10)


@pytest.mark.parametrize("text", ["2026-03-16", "08:10", "2026-03-16 25:00", "2026-03-16 08:61", "16:00 PM", "T", "Z"])
def test_an_instant_needs_a_day_and_a_time(text: str) -> None:
    with pytest.raises(Fault):
        dates().instant(text)


def test_the_end_of_a_day_may_be_written_as_24_o_clock() -> None:
    assert dates().instant("2026-03-16 24:00") == utc(2026, 3, 16, 16)
    with pytest.raises(Fault):
        dates().instant("2026-03-16 24:30")


def test_an_hour_that_clocks_skip_is_refused_with_its_reason() -> None:
    with pytest.raises(Fault, match="put forward"):
        dates(zone=CHICAGO).instant("2026-03-08 02:30")


def test_an_hour_that_clocks_repeat_is_its_first_pass() -> None:
    assert dates(zone=CHICAGO).instant("2026-11-01 01:30") == utc(2026, 11, 1, 6, 30)


def test_a_day_whose_midnight_is_skipped_begins_with_the_change() -> None:
    beirut = dates(zone=ZoneInfo("Asia/Beirut"))

    assert beirut.midnight(dt.date(2024, 3, 31)) == utc(2024, 3, 30, 22)


def test_a_bare_date_of_knowledge_is_the_end_of_that_day() -> None:
    assert dates().known_at("2026-03-16") == utc(2026, 3, 16, 16)
    assert dates().known_at("2026-03-16 08:10") == utc(2026, 3, 16, 0, 10)


DAYS = st.dates(dt.date(1955, 1, 1), dt.date(2099, 12, 31))
YEAR_FIRST = ["{y}-{m:02}-{d:02}", "{y}/{m}/{d}", "{y}{m:02}{d:02}", "{y}年{m}月{d}日", "{y}.{m}.{d}", "{y}—{m}—{d}"]
YEAR_LAST = {
    "dmy": ["{d}/{m}/{y}", "{d:02}.{m:02}.{y}", "{d:02}{m:02}{y}"],
    "mdy": ["{m}/{d}/{y}", "{m:02}-{d:02}-{y}"],
}


@given(DAYS, st.sampled_from(YEAR_FIRST), st.sampled_from(["auto", "ymd", "dmy", "mdy"]))
def test_a_date_that_begins_with_its_year_comes_back_whatever_the_order(day: dt.date, form: str, order: str) -> None:
    assert dates(order).date(form.format(y=day.year, m=day.month, d=day.day)) == day


@given(DAYS, st.sampled_from(["dmy", "mdy"]), st.data())
def test_a_date_that_ends_in_its_year_comes_back_in_its_order(day: dt.date, order: str, draw: st.DataObject) -> None:
    form = draw.draw(st.sampled_from(YEAR_LAST[order]))

    assert dates(order).date(form.format(y=day.year, m=day.month, d=day.day)) == day


@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(["dmy", "mdy"]))
def test_auto_reads_a_source_as_it_was_written_or_not_at_all(days: list[dt.date], order: str) -> None:
    form = YEAR_LAST[order][0]
    written = [form.format(y=day.year, m=day.month, d=day.day) for day in days]
    source = dates(others=tuple(written))

    for day, text in zip(days, written, strict=True):
        try:
            assert source.date(text) == day
        except Fault:
            assert all(other.day <= 12 for other in days)


@given(st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2098, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_an_instant_with_its_offset_comes_back(moment: dt.datetime) -> None:
    whole = moment.replace(microsecond=0)
    offset = whole.utcoffset()
    if offset is not None and offset.total_seconds() % 60 == 0:
        assert dates().instant(whole.isoformat()) == whole.astimezone(dt.UTC)


@given(st.text(max_size=60))
def test_any_text_is_a_date_or_a_fault(text: str) -> None:
    for read in (dates().date, dates().instant, dates().known_at):
        try:
            read(text)
        except Fault:
            continue
