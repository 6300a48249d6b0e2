"""Whose turn it is: by the calendar of the office, over changes of the clock, holidays and substitutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.ladder import Directory, Recipient, Unit
from rules.rota import OnDuty, Passed, Rota, Substitute

MONDAY = dt.date(2026, 3, 16)
SHANGHAI, BERLIN, APIA = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Apia")
DAY = dt.timedelta(days=1)


def always(_: dt.date) -> bool:
    return True


def weekdays(day: dt.date) -> bool:
    return day.isoweekday() <= 5


def rota(*turns: str, days: int = 1, zone: ZoneInfo = SHANGHAI, **rest: object) -> Rota:
    told = {"unit_id": None, "first": MONDAY, "handover": dt.time(8), **rest}
    return Rota("education_office", turns=turns, days=days, zone=zone, **told)  # type: ignore[arg-type]


def local(zone: ZoneInfo, day: dt.date, time: str) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(time), zone).astimezone(dt.UTC)


def on_duty(one: Rota, day: dt.date, time: str = "12:00", workday: Callable[[dt.date], bool] = always) -> str:
    return one.line(local(one.zone, day, time), workday)[0]


def test_a_turn_begins_and_ends_at_the_handover() -> None:
    one = rota("a", "b", days=7)
    assert on_duty(one, MONDAY, "08:00") == "a"
    assert on_duty(one, MONDAY + 7 * DAY, "07:59") == "a"
    assert on_duty(one, MONDAY + 7 * DAY, "08:00") == "b"
    assert on_duty(one, MONDAY + 14 * DAY, "08:00") == "a"


def test_before_it_begins_nobody_is_on_duty() -> None:
    assert rota("a").line(local(SHANGHAI, MONDAY, "07:59"), always) == ()


def test_the_line_goes_on_with_whoever_is_next() -> None:
    assert rota("a", "b", "c").line(local(SHANGHAI, MONDAY + DAY, "12:00"), always) == ("b", "c", "a")


def test_days_off_are_taken_by_others_a_day_each_and_turns_pass_meanwhile() -> None:
    one = rota("a", "b", on_holidays=("x", "y", "z"))
    days = [MONDAY + DAY * n for n in range(14)]
    assert [on_duty(one, day, workday=weekdays) for day in days] == list("ababaxybababzx")


def test_on_a_day_off_those_who_work_come_after() -> None:
    one = rota("a", "b", on_holidays=("x", "a"))
    assert one.line(local(SHANGHAI, MONDAY + 5 * DAY, "12:00"), weekdays) == ("x", "a", "b")


def test_a_duty_that_began_before_a_holiday_lasts_till_its_handover() -> None:
    one = rota("a", on_holidays=("x",))
    assert on_duty(one, MONDAY + 5 * DAY, "07:59", weekdays) == "a"
    assert on_duty(one, MONDAY + 7 * DAY, "07:59", weekdays) == "x"


def test_a_substitute_stands_in_for_both_days_named_and_may_have_one_of_its_own() -> None:
    away = (Substitute("a", "b", MONDAY, MONDAY + DAY), Substitute("b", "c", MONDAY + DAY, MONDAY + DAY))
    one = rota("a", substitutes=away)
    assert [on_duty(one, MONDAY + DAY * n) for n in range(3)] == ["b", "c", "a"]


def test_two_who_stand_in_for_each_other_stay_where_they_are() -> None:
    one = rota("a", substitutes=(Substitute("a", "b", MONDAY, MONDAY), Substitute("b", "a", MONDAY, MONDAY)))
    assert on_duty(one, MONDAY) == "a"


@pytest.mark.parametrize("day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25)], ids=["into summer", "out of it"])
def test_a_handover_in_the_hour_the_clocks_change_happens_once(day: dt.date) -> None:
    one = rota("a", "b", zone=BERLIN, first=day - DAY, handover=dt.time(2, 30))
    start = local(BERLIN, day, "00:00")
    minutes = [start + dt.timedelta(minutes=n) for n in range(300)]
    turns = [one.line(at, always)[0] for at in minutes]
    assert turns[0] == "a"
    assert turns[-1] == "b"


def test_a_day_the_islands_never_had_is_nobodys_turn() -> None:
    one = rota("a", "b", "c", zone=APIA, first=dt.date(2011, 12, 29), handover=dt.time(0))
    thursday = local(APIA, dt.date(2011, 12, 29), "12:00")
    assert [one.line(thursday + DAY * n, always)[0] for n in range(2)] == ["a", "c"]


@given(
    days=st.integers(1, 30),
    count=st.integers(1, 6),
    offset=st.integers(0, 3 * 365 * 24 * 60),
    zone=st.sampled_from([SHANGHAI, BERLIN, APIA, ZoneInfo("America/Toronto"), ZoneInfo("Asia/Kathmandu")]),
    handover=st.times(),
    holidays=st.lists(st.sampled_from("xyz"), max_size=3, unique=True),
)
def test_somebody_is_always_on_duty_and_the_line_names_each_once(
    days: int, count: int, offset: int, zone: ZoneInfo, handover: dt.time, holidays: Sequence[str]
) -> None:
    names = "abcdef"[:count]
    one = rota(*names, days=days, zone=zone, handover=handover, on_holidays=tuple(holidays))
    line = one.line(local(zone, MONDAY + DAY, "23:59") + dt.timedelta(minutes=offset), weekdays)
    assert set(names) <= set(line)
    assert len(line) == len(set(line))


@given(start=st.integers(0, 700), days=st.integers(1, 10))
def test_turns_last_as_long_as_they_should_and_follow_one_another(start: int, days: int) -> None:
    one = rota("a", "b", "c", days=days)
    first = MONDAY + DAY * start
    seen = [on_duty(one, first + DAY * n) for n in range(4 * days)]
    changes = [n for n, (was, now) in enumerate(pairwise(seen)) if was != now]
    assert all(later - earlier == days for earlier, later in pairwise(changes))
    assert all(now == {"a": "b", "b": "c", "c": "a"}[was] for was, now in pairwise(seen) if was != now)


# ---- who is told ----------------------------------------------------------------------------------------------------

UNITS = {"county": Unit("county", "county", None, "county"), "t-1": Unit("t-1", "town", "county", "town")}


def someone(name: str, role: str = "education_office", unit: str = "county") -> Recipient:
    return Recipient(name, role, unit, None, frozenset({"sms"}), None)


OFFICE = [someone(name) for name in ("a", "b", "c")]
DIRECTORY = Directory(UNITS, [*OFFICE, someone("stand-in", "principal"), someone("town", "town_government", "t-1")])


def told(*rotas: Rota, gone: Sequence[str] = (), day: int = 0) -> tuple[list[str], Passed | None]:
    duty = OnDuty(DIRECTORY, rotas, local(SHANGHAI, MONDAY + DAY * day, "12:00"), always)
    chosen, passed = duty.narrowed("education_office", OFFICE, lambda one: one.contact_id not in gone)
    return [one.contact_id for one in chosen], passed


def test_without_a_rota_all_who_hold_the_role_are_told() -> None:
    assert told() == (["a", "b", "c"], None)


def test_with_one_only_who_is_on_duty_is() -> None:
    assert told(rota("a", "b"), day=1) == (["b"], None)


def test_who_cannot_be_reached_leaves_it_to_the_next_and_that_is_noted() -> None:
    assert told(rota("a", "b"), gone=["a"]) == (["b"], Passed("education_office", "county", "a", "b"))


def test_where_nobody_in_turn_can_be_reached_everybody_is_told() -> None:
    assert told(rota("a", "b"), gone=["a", "b"]) == (
        ["a", "b", "c"],
        Passed("education_office", "county", "a", None),
    )


def test_a_stand_in_of_another_role_is_told_in_the_role_it_stands_in_for() -> None:
    one = rota("a", substitutes=(Substitute("a", "stand-in", MONDAY, MONDAY),))
    duty = OnDuty(DIRECTORY, [one], local(SHANGHAI, MONDAY, "12:00"), always)
    [chosen], _ = duty.narrowed("education_office", OFFICE, lambda _: True)
    assert (chosen.contact_id, chosen.role, chosen.unit_id) == ("stand-in", "education_office", "county")


def test_a_rota_of_another_unit_or_of_strangers_does_not_count() -> None:
    assert told(rota("a", unit_id="t-1"), rota("x", "y")) == (["a", "b", "c"], None)


def test_the_rota_of_the_unit_itself_comes_before_one_of_no_unit() -> None:
    assert told(rota("a"), rota("c", unit_id="county")) == (["c"], None)
