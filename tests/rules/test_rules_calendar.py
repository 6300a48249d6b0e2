"""When children are expected, and arithmetic along their sessions."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from daemon.config import load_config
from daemon.settings import build_calendar
from rules.calendar import Period
from rules.instants import NEVER, to_micros
from tests.rules.small import AM, DAY, HOUR, MONDAY, calendar, line_of, local, timetable
from tests.table import instant

SATURDAY = MONDAY + 5 * DAY


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (MONDAY - DAY, False),
        (MONDAY, True),
        (MONDAY + 4 * DAY, True),
        (SATURDAY, False),
        (MONDAY + 39 * DAY, True),
        (MONDAY + 40 * DAY, False),
        (MONDAY + 42 * DAY, False),
    ],
)
def test_weekdays_of_a_term_are_school_days(day: dt.date, expected: bool) -> None:  # noqa: FBT001
    assert timetable().expects(day) is expected


def test_a_holiday_is_none_and_the_saturday_worked_for_it_is_one() -> None:
    table = timetable(days_off=frozenset({MONDAY}), make_up=frozenset({SATURDAY}))

    assert not table.expects(MONDAY)
    assert table.expects(SATURDAY)


def test_what_the_unit_says_wins_over_holidays_and_closed_over_open() -> None:
    table = timetable(
        days_off=frozenset({MONDAY, MONDAY + DAY}),
        make_up=frozenset({SATURDAY}),
        open=frozenset({MONDAY, MONDAY + DAY}),
        closed=frozenset({SATURDAY, MONDAY + DAY}),
    )

    assert [table.expects(day) for day in (MONDAY, MONDAY + DAY, SATURDAY)] == [True, False, False]


def test_a_make_up_saturday_outside_every_term_is_no_school_day_but_an_opened_one_is() -> None:
    after = MONDAY + 47 * DAY
    table = timetable(make_up=frozenset({after}))

    assert not table.expects(after)
    assert timetable(open=frozenset({after})).expects(after)
    assert calendar(timetable(open=frozenset({after}))).dates[-1] == after


def test_several_terms_leave_a_gap() -> None:
    table = timetable(terms=((MONDAY, MONDAY), (MONDAY + 2 * DAY, MONDAY + 2 * DAY)))

    assert calendar(table).dates == [MONDAY, MONDAY + 2 * DAY]


def configured(folder: Path, lines: str) -> list[dt.date]:
    path = folder / "config.toml"
    path.write_text(
        '[service]\ndistrict = "1"\n[calendar]\n'
        'sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]\n' + lines,
        encoding="utf-8",
    )
    return build_calendar(load_config(path)).dates


def test_the_national_holidays_move_days_in_china(tmp_path: Path) -> None:
    dates = configured(tmp_path, 'holidays = "CN"\nterms = [{ from = 2025-09-22, to = 2025-10-17 }]\n')

    assert dt.date(2025, 10, 1) not in dates
    assert dt.date(2025, 10, 8) not in dates
    assert dt.date(2025, 9, 28) in dates, "the Sunday worked for the holiday"
    assert dt.date(2025, 10, 11) in dates, "the Saturday worked for it"
    assert dt.date(2025, 10, 12) not in dates


def test_an_operator_may_close_a_day_the_state_made_one(tmp_path: Path) -> None:
    lines = 'holidays = "CN"\nterms = [{ from = 2025-09-22, to = 2025-10-17 }]\n'
    lines += "closed = [2025-10-11]\nopen = [2025-10-08]\n"
    dates = configured(tmp_path, lines)

    assert dt.date(2025, 10, 11) not in dates
    assert dt.date(2025, 10, 8) in dates


def test_a_unit_opens_what_the_district_closed(tmp_path: Path) -> None:
    lines = 'holidays = "none"\nterms = [{ from = 2026-03-16, to = 2026-03-17 }]\nclosed = [2026-03-16]\n'
    path_lines = lines + '[[calendar.unit]]\nunit = "sch-2"\nopen = [2026-03-16]\nclosed = [2026-03-17]\n'
    dates = configured(tmp_path, path_lines)

    assert dates == [MONDAY, MONDAY + DAY]


def test_units_that_differ_have_a_variant_and_the_nearest_counts() -> None:
    late = timetable(periods=(Period("am", dt.time(9), dt.time(12)),))
    known = calendar(own={"sch-2": late, "k-9": timetable()})

    assert known.variant(["k-1", "sch-1", "county"]) == 0
    assert known.variant(["k-3", "sch-2", "county"]) == 1
    assert known.variant(["k-9", "sch-2", "county"]) == 0


def test_a_session_has_a_column_only_where_somebody_is_expected() -> None:
    known = calendar(timetable(closed=frozenset({MONDAY + DAY})), own={"sch-2": timetable()})

    assert known.column(0, MONDAY, "am") == 0
    assert known.column(0, MONDAY + DAY, "am") is None
    assert known.column(1, MONDAY + DAY, "am") == 2
    assert known.column(0, MONDAY, "evening") is None
    assert known.column(0, SATURDAY, "am") is None


def test_many_columns_at_once_are_those_of_one_at_a_time() -> None:
    known = calendar(timetable(closed=frozenset({MONDAY + DAY})), own={"sch-2": timetable()})
    asked = [
        (variant, MONDAY + n * DAY, name) for variant in (0, 1) for n in range(-2, 45) for name in ("am", "pm", "x")
    ]

    found = known.columns(
        np.array([one[0] for one in asked]),
        np.array([one[1].toordinal() for one in asked]),
        ["am", "pm", "x"],
        np.array([["am", "pm", "x"].index(one[2]) for one in asked]),
    )

    assert [None if column < 0 else column for column in found.tolist()] == [known.column(*one) for one in asked]


def test_a_calendar_cut_short_still_knows_the_sessions_to_come() -> None:
    known = calendar()
    cut = known.until(MONDAY + DAY)

    assert cut.starts.shape[1] == 4
    assert len(cut.lines[0].starts) == len(known.lines[0].starts)
    assert known.until(MONDAY + 400 * DAY) is known


def test_a_session_says_when_it_is() -> None:
    session = calendar().session(0, 3)

    assert (session.date, session.name) == (MONDAY + DAY, "pm")
    assert (session.start, session.end) == (instant("Tue 14:00"), instant("Tue 17:00"))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", dt.date(2026, 3, 27), 71),
        ("Europe/Berlin", dt.date(2026, 10, 23), 73),
        ("Asia/Shanghai", MONDAY + 4 * DAY, 72),
    ],
    ids=["the clock is put forward", "the clock is put back", "no summer time"],
)
def test_a_weekend_is_as_long_as_it_is(zone: str, day: dt.date, hours: int) -> None:
    line = line_of(timetable(first=day, days=4, periods=(AM,)), zone)

    assert (line.starts[1] - line.starts[0]) == to_micros(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + hours * HOUR)


# ---- session time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "hours", "until"),
    [
        ("Mon 08:00", 2.0, "Mon 10:00"),
        ("Mon 07:00", 2.0, "Mon 10:00"),
        ("Mon 11:40", 2.0, "Mon 16:00"),
        ("Mon 17:00", 2.0, "Tue 10:00"),
        ("Mon 12:00", 4.0, "Tue 09:00"),
        ("Wed 08:00", 4.0, "Wed 14:20"),
        ("Fri 17:00", 2.0, "Mon 10:00"),
        ("Fri 08:00", 40.0, "Mon 08:00"),
    ],
)
def test_session_time_passes_only_in_sessions_and_never_waits_longer_than_72_hours(
    since: str, hours: float, until: str
) -> None:
    known = calendar()
    at = np.array([to_micros(instant(since))])

    found = known.lines[0].after_session_time(at, dt.timedelta(hours=hours))

    assert local(known, int(found[0])) == until


def test_session_time_beyond_the_calendar_is_capped_all_the_same() -> None:
    line = line_of(timetable(days=1))
    at = np.array([to_micros(instant("Mon 16:00"))])

    assert line.after_session_time(at, 2 * HOUR)[0] == at[0] + to_micros(dt.datetime(1970, 1, 4, tzinfo=dt.UTC))


def test_session_time_of_a_calendar_without_sessions_is_none() -> None:
    line = line_of(timetable(closed=frozenset(MONDAY + n * DAY for n in range(40))))
    at = np.array([to_micros(instant("Mon 16:00"))])

    assert line.session_time(at).tolist() == [0]
    assert line.at(int(at[0])) is None


def test_session_time_passed_is_what_was_taught() -> None:
    at = np.array([to_micros(instant(one)) for one in ("Mon 07:00", "Mon 09:00", "Mon 12:00", "Tue 08:00")])

    assert (line_of().session_time(at) / 3.6e9).round(2).tolist() == [0, 1, 3.67, 6.67]


@pytest.mark.parametrize(
    ("when", "index"),
    [
        ("Mon 07:59", None),
        ("Mon 08:00", 0),
        ("Mon 11:39", 0),
        ("Mon 11:40", None),
        ("Mon 14:00", 1),
        ("Sat 09:00", None),
    ],
)
def test_a_session_is_in_progress_from_its_start_until_before_its_end(when: str, index: int | None) -> None:
    assert line_of().at(to_micros(instant(when))) == index


# ---- school time ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "until"),
    [("Mon 08:00", "Wed 08:00"), ("Thu 14:00", "Mon 14:00"), ("Fri 08:00", "Tue 08:00"), ("Sat 12:00", "Wed 00:00")],
)
def test_the_school_clock_runs_24_hours_a_school_day_and_stands_still_on_others(since: str, until: str) -> None:
    known = calendar()

    found = known.lines[0].after_school_time(to_micros(instant(since)), 48 * HOUR)

    assert local(known, found) == until.replace("Wed 00:00", "Wed 00:00")


def test_the_school_clock_passes_a_holiday_by() -> None:
    known = calendar(timetable(closed=frozenset({MONDAY + DAY, MONDAY + 2 * DAY})))

    assert local(known, known.lines[0].after_school_time(to_micros(instant("Mon 08:00")), 48 * HOUR)) == "Fri 08:00"


def test_the_school_clock_never_strikes_beyond_the_term() -> None:
    assert line_of(timetable(days=2)).after_school_time(to_micros(instant("Tue 08:00")), 48 * HOUR) == NEVER


@pytest.mark.parametrize(
    ("count", "day"),
    [(1, MONDAY + DAY), (4, MONDAY + 4 * DAY), (5, MONDAY + 7 * DAY), (10, MONDAY + 14 * DAY), (99, None)],
)
def test_school_days_after_a_day_are_counted_over_weekends(count: int, day: dt.date | None) -> None:
    assert line_of().after_school_days(MONDAY, count) == day


def test_school_days_after_a_sunday_begin_on_monday() -> None:
    assert line_of().after_school_days(MONDAY + 6 * DAY, 1) == MONDAY + 7 * DAY
