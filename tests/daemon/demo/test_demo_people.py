"""Those who answer in the demonstration, the pace at which time passes, and the reckoning that believes nobody."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from daemon.demo.arrivals import Arrival
from daemon.demo.clerks import Clerks, Tap, Verdict
from daemon.demo.clock import Pace
from daemon.demo.county import Contact
from daemon.demo.diary import Diary
from daemon.demo.tally import Tally
from daemon.demo.told import Told
from daemon.store.alerts import AlertRow

ZONE = ZoneInfo("Asia/Shanghai")
WEDNESDAY = dt.datetime(2026, 3, 4, 8, 10, tzinfo=ZONE).astimezone(dt.UTC)
SATURDAY = WEDNESDAY + dt.timedelta(days=3)
LINK = "http://127.0.0.1:1/a/one"
CLERK = Contact("town_government", "t-1", "专干", phone="+1")
HEAD = Contact("town_head", "t-1", "领导", phone="+2")
OFFICE = Contact("education_office", "county", "教育局", email="office@example.org")
TEACHER = Contact("class_teacher", "c-1", "班主任", phone="+3")


def alert(kind: str, number: str = "2026-000001", **more: object) -> AlertRow:
    fields = dict.fromkeys(AlertRow.__dataclass_fields__) | {
        "kind": kind,
        "case_id": f"id {number}",
        "episode": 1,
        "facts": {"case": number},
    }
    return AlertRow(**{**fields, **more})  # type: ignore[arg-type]


def told(
    kind: str,
    to: Contact,
    at: dt.datetime = WEDNESDAY,
    *,
    text: str = LINK,
    number: str = "2026-000001",
    **more: object,
) -> Told:
    channel = "sms" if to.phone else "email"
    arrival = Arrival(channel, to.phone or to.email, f"{kind} {to.role} {at}", text, at, 0.0)
    return Told(arrival, to, kind, [alert(kind, number, **more)], at.astimezone(ZONE))


def nobody_looks(at: dt.datetime) -> None:
    pytest.fail(f"shown {at}")


def plans(clerks: Clerks) -> list[Tap | Verdict]:
    return list(clerks.due(dt.datetime.max.replace(tzinfo=dt.UTC)))


def test_a_clerk_acknowledges_in_office_hours_and_only_once() -> None:
    taps = []
    for n in range(40):
        clerks = Clerks(Diary(15), ZONE, n)
        for at in (SATURDAY, SATURDAY):
            clerks.read(told("report", CLERK, at), 0)
        taps += plans(clerks)
    assert 15 < len(taps) < 40
    assert {tap.at.astimezone(ZONE).weekday() for tap in taps} == {0}
    assert all(isinstance(tap, Tap) and tap.url == LINK and tap.answer == "acknowledged" for tap in taps)


def test_who_did_not_acknowledge_does_when_the_head_of_the_town_is_told() -> None:
    for n in range(20):
        clerks = Clerks(Diary(15), ZONE, n)
        clerks.read(told("report", CLERK), 0)
        clerks.read(told("escalation", HEAD, WEDNESDAY + dt.timedelta(days=1)), 0)
        assert len(plans(clerks)) == 1


@pytest.mark.parametrize(("mark", "answer", "link"), [("present", "seen", "/a/x"), ("absent", "absent", "/a/y")])
def test_a_teacher_answers_what_is_true_of_the_child(mark: str, answer: str, link: str) -> None:
    diary = Diary(15, marks={("s-1", 4): mark}, looked_for={"s-1"})
    clerks = Clerks(diary, ZONE, 1)
    text = "张** 已到 http://h/a/x 未到 http://h/a/y"
    clerks.read(told("confirm_request", TEACHER, text=text, student_id="s-1"), 4)
    (tap,) = plans(clerks)
    assert isinstance(tap, Tap)
    assert (tap.answer, tap.url) == (answer, f"http://h{link}")


def test_nobody_answers_for_a_child_whose_teacher_does_not_look() -> None:
    clerks = Clerks(Diary(15), ZONE, 1)
    clerks.read(told("confirm_request", TEACHER, text="http://h/a/x http://h/a/y", student_id="s-1"), 4)
    assert plans(clerks) == []


def test_a_mass_absence_is_judged_once_however_often_it_is_told() -> None:
    clerks = Clerks(Diary(15), ZONE, 1)
    for _ in range(2):
        clerks.read(told("mass_absence", OFFICE, incident_id="i-1", case_id=None), 0)
    (verdict,) = plans(clerks)
    assert isinstance(verdict, Verdict)
    assert verdict.incident_id == "i-1"


# ---- the reckoning ----------------------------------------------------------------------------------------------


def test_a_correction_to_exactly_those_told_is_in_order() -> None:
    tally = Tally()
    tally.add([told("report", CLERK), told("report", OFFICE)], 0.0)
    tally.add([told("return", CLERK), told("return", OFFICE)], 0.0)
    tally.add([told("reopened", CLERK), told("reopened", OFFICE)], 0.0)
    assert (tally.corrections, tally.amiss) == (2, [])


@pytest.mark.parametrize("readers", [[CLERK], [CLERK, OFFICE, HEAD], [HEAD]])
def test_a_correction_that_misses_somebody_or_reaches_a_stranger_is_found(readers: list[Contact]) -> None:
    tally = Tally()
    tally.add([told("report", CLERK), told("report", OFFICE)], 0.0)
    tally.add([told("retraction", one) for one in readers], 0.0)
    assert tally.amiss == ["2026-000001 retraction"]


def test_a_reopening_to_somebody_who_never_heard_of_the_return_is_found() -> None:
    tally = Tally()
    tally.add([told("report", CLERK), told("report", OFFICE)], 0.0)
    tally.add([told("return", CLERK)], 0.0)
    tally.add([told("reopened", CLERK), told("reopened", OFFICE)], 0.0)
    assert tally.amiss == ["2026-000001 return", "2026-000001 reopened"]


def test_a_report_waits_from_its_deadline_to_its_first_arrival() -> None:
    tally = Tally()
    due = WEDNESDAY - dt.timedelta(minutes=10)
    tally.add([told("report", CLERK, due_at=due), told("report", OFFICE, due_at=due)], 0.0)
    assert tally.waits == [dt.timedelta(minutes=10)]


# ---- time -----------------------------------------------------------------------------------------------------------


def test_at_speed_nought_nobody_waits_and_nothing_is_shown() -> None:
    pace = Pace([WEDNESDAY.date()], ZONE, 0)
    pace.pass_until(WEDNESDAY, SATURDAY, nobody_looks, lambda: False)


def test_what_is_shown_goes_forward_to_the_instant_awaited() -> None:
    shown: list[dt.datetime] = []
    pace = Pace([WEDNESDAY.date()], ZONE, 200)
    pace.pass_until(WEDNESDAY, WEDNESDAY + dt.timedelta(hours=9), shown.append, lambda: False)
    assert shown == sorted(shown)
    assert all(WEDNESDAY <= at <= WEDNESDAY + dt.timedelta(hours=9) for at in shown)


def test_a_night_is_shorter_than_a_morning_and_a_day_off_than_either() -> None:
    pace = Pace([WEDNESDAY.date()], ZONE, 1)
    hour = dt.timedelta(hours=1)
    morning = pace._days_between(WEDNESDAY, WEDNESDAY + hour)
    night = pace._days_between(WEDNESDAY + 12 * hour, WEDNESDAY + 13 * hour)
    off = pace._days_between(SATURDAY, SATURDAY + hour)
    assert morning > night > off > 0
    assert pace._days_between(WEDNESDAY - 8 * hour, WEDNESDAY + 16 * hour) == pytest.approx(1, abs=0.05)


def test_whoever_stops_does_not_wait() -> None:
    pace = Pace([WEDNESDAY.date()], ZONE, 0.001)
    pace.pass_until(WEDNESDAY, SATURDAY, nobody_looks, lambda: True)
