"""What may not leave yet: hours, throttles and silences hold it, gather it, and lose none of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import pytest

from daemon.clockwork.reload import Reload
from daemon.console.ready import Vitals
from daemon.desk.faults import DeskError
from daemon.jobs import quiet
from daemon.jobs.quiet import Scope
from daemon.jobs.tell import queue
from daemon.store import outbox, sending
from daemon.store.alerts import AlertDraft
from daemon.systemd import Watch
from rules.instants import to_micros
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day, Someone
from tests.days.stories import ana_is_reported, ana_vanishes, report_goes_out
from tests.phones import Answer

HOURS = """
[[hours]]
id = "day"
from = 07:00:00
to = 21:00:00
timezone = "{zone}"
weekdays = [{days}]
roles = ["town_government"]
exempt = []
"""
MORNING = dt.datetime(2026, 3, 16, tzinfo=dt.UTC)
AT_ONCE = '[pacing]\nwait = "0s"\n'
ONE_AN_HOUR = AT_ONCE + '[[pacing.throttle]]\nchannel = "sms"\nmost = 1\nwithin = "1h"\n'
FACTS: dict[str, Any] = {
    **dict.fromkeys(("grade", "town", "residence_assumed", "run_from", "reason", "days_absent", "unconfirmed")),
    "school": "河东小学",
    "title": {"zh": "多次旷课"},
}


def awake(zone: str, days: Iterable[int] = range(1, 8)) -> str:
    return HOURS.format(zone=zone, days=", ".join(map(str, days)))


def office_and_mentor_are_told(day: Day) -> None:
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')


def held(day: Day, channel: str = "sms") -> list[str | None]:
    return [one.message.held for one in day.deliveries(channel) if one.message.state == "queued"]


def says(day: Day, kind: str, *children: str, who: str = "teacher", case: bool = True) -> None:
    """Alerts of a kind about some children for somebody, drafted now; what may leave does. With or without a case."""
    someone = day.people[who]
    drafts = [
        AlertDraft(
            key=f"{kind}/{child}/{who}/{day.now.timestamp()}",
            contact_id=who,
            role=someone.role,
            channel="sms",
            kind=kind,
            raised_at=day.now,
            facts={**FACTS, "case": f"case of {child}"},
            case_id=f"case of {child}" if case else None,
            student_id=child,
        )
        for child in children
    ]
    day.store.commit(lambda tx: queue(tx, day.house, drafts, day.now))
    day.works()


# ---- hours ----------------------------------------------------------------------------------------------------------


def test_a_deadline_at_three_at_night_is_told_at_seven_and_once(opens: Opens) -> None:
    day = opens(config=awake("Africa/Nairobi"))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    office_and_mentor_are_told(day)
    assert held(day) == ["hours"]
    day.at("Wed 11:59")
    day.expects_nothing()

    day.at("Wed 12:00")

    day.expects_sms("town", "控辍保学报告", "2026-000001")
    day.at("Wed 13:00")
    [message] = [one.message for one in day.deliveries("sms") if one.message.kind == "report"]
    assert (message.state, message.attempts, message.held) == ("sent", 1, None)
    assert day.case("ana").raised_at == message.created_at


def test_what_is_solved_while_its_recipient_sleeps_is_told_to_those_who_knew_and_not_to_the_sleeper(
    opens: Opens,
) -> None:
    day = opens(config=awake("Africa/Nairobi"))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    office_and_mentor_are_told(day)

    day.at("Wed 10:00")
    day.leave("ana", "Mon", "Wed")

    day.expects_mail("office", "撤回")
    day.expects_hook("mentor", '"retraction"')
    day.at("Wed 12:30")
    assert [one.message.state for one in day.deliveries("sms") if one.message.kind == "report"] == ["cancelled"]


def test_a_restart_within_the_night_loses_nothing(opens: Opens) -> None:
    day = opens(config=awake("Africa/Nairobi"))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    office_and_mentor_are_told(day)

    day.at("Wed 10:00")
    day.house = day.another_house("after the restart")
    day.works()
    day.at("Wed 12:00")

    day.expects_sms("town", "控辍保学报告", "2026-000001")


@pytest.mark.parametrize(
    ("zone", "last_day_off", "seven"),
    [("Europe/Berlin", "2026-03-25", "13:00"), ("Australia/Sydney", "2026-04-01", "05:00")],
    ids=["an hour is left out", "an hour comes twice"],
)
def test_seven_is_seven_on_the_day_the_clocks_are_set(opens: Opens, zone: str, last_day_off: str, seven: str) -> None:
    first, last = dt.date(2026, 3, 16), dt.date.fromisoformat(last_day_off)
    off = [str(first + dt.timedelta(days=n)) for n in range((last - first).days + 1)]
    day = opens(config=awake(zone, [1, 2, 3, 4, 5, 7]), closed=", ".join(off))
    while last - day.now.date() > dt.timedelta(days=3):
        day.at("Sun 20:00")
        day.at("Mon 07:00")
    ana_is_missing_on(day, "Thu", "Fri")
    day.at("Sat 08:00")
    office_and_mentor_are_told(day)
    if seven > "08:00":
        day.at("Sun 08:00")
        day.expects_sms("head", "升级督办")
        day.expects_sms("director", "升级督办")
    day.at(f"Sun {int(seven[:2]) - 1:02}:59")
    day.expects_nothing()

    day.at(f"Sun {seven}")

    day.expects_sms("town", "控辍保学报告")


def ana_is_missing_on(day: Day, *days: str) -> None:
    for name in days:
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=["ana"])
            if (name, session) == (days[0], "am"):
                day.at(f"{name} 09:00")
                day.expects_sms("teacher", "未到校")


def test_a_report_is_told_at_night_where_nobody_says_otherwise(opens: Opens) -> None:
    day = opens(config=awake("Africa/Nairobi").replace("exempt = []", ""))

    ana_is_reported(day)


def test_other_hours_let_go_of_what_the_old_ones_held(opens: Opens) -> None:
    day = opens(config=awake("Africa/Nairobi"))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    office_and_mentor_are_told(day)
    day.at("Wed 09:00")

    path = day.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Africa/Nairobi", "Asia/Shanghai"), encoding="utf-8")
    reload = Reload(day.house, Vitals(day.house), Watch({}), {})
    reload.ask()
    reload.look()
    day.works()

    day.expects_sms("town", "控辍保学报告")


# ---- throttles and digests ------------------------------------------------------------------------------------------


def test_what_is_not_urgent_waits_half_a_minute_for_more_of_its_like(day: Day) -> None:
    day.at("Mon 07:10")
    says(day, "risk", "ana")
    day.expects_nothing()
    day.now += dt.timedelta(seconds=20)
    says(day, "reminder", "bruno")
    day.at("Mon 07:11")

    day.expects_sms("teacher", "控辍保学汇总2件", "case of ana", "case of bruno")


def test_a_digest_leaves_without_what_is_over(day: Day) -> None:
    day.at("Mon 07:10")
    says(day, "risk", "ana")
    says(day, "reminder", "bruno")
    day.store.commit(lambda tx: outbox.cancel(tx, day.now, "over", case_id="case of bruno"))
    day.at("Mon 07:11")

    assert "bruno" not in day.expects_sms("teacher", "辍学苗头", "case of ana").text


def test_a_digest_of_which_nothing_is_left_does_not_leave(day: Day) -> None:
    day.at("Mon 07:10")
    says(day, "risk", "ana")
    day.store.commit(lambda tx: outbox.cancel(tx, day.now, "over", case_id="case of ana"))
    day.at("Mon 07:30")

    day.expects_nothing()


def test_too_much_for_one_recipient_waits_and_leaves_as_one(opens: Opens) -> None:
    day = opens(config=ONE_AN_HOUR)
    day.at("Mon 07:10")
    says(day, "risk", "ana")
    day.expects_sms("teacher", "辍学苗头", "case of ana")

    day.at("Mon 07:20")
    says(day, "risk", "bruno")
    day.at("Mon 07:30")
    says(day, "reminder", "carla")
    assert held(day) == ["throttle"]
    says(day, "risk", "ana", who="head")
    day.expects_sms("head", "辍学苗头", "case of ana")
    day.at("Mon 08:09")
    day.expects_nothing()
    day.at("Mon 08:10")

    day.expects_sms("teacher", "控辍保学汇总2件", "case of bruno", "case of carla")


def test_feeds_that_fall_silent_one_after_the_other_are_told_in_one_mail(opens: Opens) -> None:
    day = opens(config=AT_ONCE + '[[pacing.throttle]]\nchannel = "email"\nmost = 1\nwithin = "1h"\n')
    day.at("Mon 07:10")
    for feed in ("gate", "rolls", "leaves"):
        falls_silent(day, feed)
    day.expects_mail("operator", "考勤数据中断", "gate")
    day.at("Mon 08:10")

    mail = day.expects_mail("operator", "控辍保学汇总：2件")

    assert "考勤数据中断 rolls：一班" in mail.text
    assert "考勤数据中断 leaves：一班" in mail.text
    assert "gate" not in mail.text


def falls_silent(day: Day, feed: str) -> None:
    one = AlertDraft(
        key=f"{feed}/operator",
        contact_id="operator",
        role="operator",
        channel="email",
        kind="feed_stale",
        raised_at=day.now,
        facts={"feed": feed, "classes": ["一班"], "since": to_micros(day.now), "count": 1},
        incident_id=f"incident of {feed}",
        unit_id="sch-1",
    )
    day.store.commit(lambda tx: queue(tx, day.house, [one], day.now))
    day.works()


def test_reports_beyond_the_measure_leave_at_once_and_together(opens: Opens) -> None:
    day = opens(config=ONE_AN_HOUR)
    day.at("Mon 07:10")

    says(day, "report", "ana", "bruno", "carla", who="town")

    day.expects_sms("town", "控辍保学报告", "case of ana")
    day.expects_sms("town", "控辍保学报告2人", "case of bruno", "case of carla")


def test_where_the_throttle_says_so_reports_wait_too_and_every_child_is_named(opens: Opens) -> None:
    children = {f"c-{n:02}": "t-1" for n in range(18)}
    day = opens(config=ONE_AN_HOUR + "urgent = true\n", children=children)
    day.at("Mon 07:10")

    says(day, "report", *children, who="town")

    named = [day.expects_sms("town", "控辍保学报告").text]
    for time, count in (("08:10", "8人"), ("09:10", "8人"), ("10:10", "")):
        day.at(f"Mon {time}")
        named.append(day.expects_sms("town", f"控辍保学报告{count}").text)
    assert all(sum(f"case of {child} " in text for text in named) == 1 for child in children)


def test_brothers_and_sisters_are_told_of_in_one_message(opens: Opens) -> None:
    phone = "+8613800000099"
    parents = [Someone(f"mother of {child}", "guardian", student=child, phone=phone) for child in ("ana", "bruno")]
    day = opens(people=[*PEOPLE, *parents])
    day.at("Mon 07:10")

    for child in ("ana", "bruno"):
        says_to_parent(day, child)
    day.works()

    day.expects_sms("mother of ana", "控辍保学报告2人", "case of ana", "case of bruno")


def says_to_parent(day: Day, child: str) -> None:
    """Drafted, and not yet sent: each child is decided about by itself."""
    one = AlertDraft(
        key=f"report/{child}",
        contact_id=f"mother of {child}",
        role="guardian",
        channel="sms",
        kind="report",
        raised_at=day.now,
        facts={**FACTS, "case": f"case of {child}"},
        case_id=f"case of {child}",
        student_id=child,
        addressee="the key of one phone",
    )
    day.store.commit(lambda tx: queue(tx, day.house, [one], day.now))


def test_a_flood_of_one_school_does_not_keep_another_waiting(opens: Opens) -> None:
    children = {f"c-{n:03}": "t-1" for n in range(300)}
    day = opens(config=AT_ONCE + "throttle = []\n", children=children)
    flood = [message(f"flood {n}", "school of many") for n in range(300)]
    day.store.commit(lambda tx: outbox.draft(tx, flood, day.now))
    assert first(day, 20) == {"school of many"}
    day.store.commit(lambda tx: outbox.draft(tx, [message("one", "school of few")], day.now))

    assert first(day, 20) == {"school of many", "school of few"}


def message(key: str, school: str) -> AlertDraft:
    return AlertDraft(
        key=key, contact_id=key, role="mentor", channel="sms", kind="report", raised_at=MORNING, facts={}, school=school
    )


def first(day: Day, places: int) -> set[str]:
    """The schools of the messages claimed next."""
    claimed = day.store.commit(lambda tx: sending.claim(tx, day.now, dt.timedelta(minutes=2), "one", places, ["sms"]))
    assert len(claimed) == places
    return {one.message.school for one in claimed}


# ---- silences -------------------------------------------------------------------------------------------------------


def silenced(day: Day, until: str, *, statutory: bool = False, **scope: tuple[str, ...]) -> str:
    row = quiet.begin(
        day.house, Scope(**scope), day.instant(until), "the road is closed", "Li", day.now, statutory=statutory
    )
    return row.silence_id


def test_a_silenced_report_is_told_when_the_silence_ends(day: Day) -> None:
    ana_vanishes(day)
    silence = silenced(day, "Wed 12:00", statutory=True, students=("ana",))
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    assert held(day) == [f"silence:{silence}"]
    assert day.journal("ana")[-1] == "silenced"
    day.at("Wed 11:59")
    day.expects_nothing()

    day.at("Wed 12:00")

    report_goes_out(day)
    assert day.journal("ana").count("silenced") == 3


def test_a_report_is_not_silenced_by_who_did_not_say_so(day: Day) -> None:
    ana_vanishes(day)
    silenced(day, "Fri 12:00", units=("sch-1",))
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    report_goes_out(day)


def test_a_silence_ended_early_lets_go_at_once(day: Day) -> None:
    ana_vanishes(day)
    silence = silenced(day, "Fri 12:00", statutory=True, units=("sch-1",))
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.at("Wed 09:00")
    assert [waiting for _, waiting in quiet.listed(day.house, day.now)] == [3]

    quiet.end(day.house, silence, "Wang", day.now)
    day.works()

    report_goes_out(day)
    with pytest.raises(DeskError):
        quiet.end(day.house, silence, "Wang", day.now)


def test_a_retraction_passes_through_a_silence_to_those_told_before_it(day: Day) -> None:
    ana_is_reported(day)
    day.at("Wed 09:00")
    silenced(day, "Fri 12:00", statutory=True, students=("ana",))

    day.at("Wed 10:00")
    day.leave("ana", "Mon", "Wed")

    day.expects_sms("town", "撤回", "2026-000001")
    day.expects_mail("office", "撤回")
    day.expects_hook("mentor", '"retraction"')


def test_what_is_solved_during_a_silence_is_told_to_nobody(day: Day) -> None:
    ana_vanishes(day)
    silenced(day, "Wed 12:00", statutory=True, students=("ana",))
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.at("Wed 09:00")
    day.leave("ana", "Mon", "Wed")

    day.at("Wed 13:00")

    assert {one.message.state for one in day.deliveries("email")} == {"cancelled"}


def test_what_was_silenced_for_long_is_tried_as_often_as_anything(day: Day) -> None:
    day.at("Mon 07:10")
    row = quiet.begin(day.house, Scope(kinds=("risk",)), day.now + dt.timedelta(days=9), "why", "Li", day.now)
    says(day, "risk", "ana", case=False)
    day.now = row.ends_at
    day.sms.answers(Answer(503))
    day.sends()
    day.now += dt.timedelta(minutes=1)
    day.sends()

    day.expects_sms("teacher", "辍学苗头", "case of ana")


def test_a_silence_of_one_child_does_not_hold_what_a_digest_says_of_another(day: Day) -> None:
    day.at("Mon 07:10")
    silenced(day, "Mon 07:40", students=("ana",))
    says(day, "risk", "ana", "bruno", case=False)
    day.at("Mon 07:11")
    assert "ana" not in day.expects_sms("teacher", "辍学苗头", "case of bruno").text

    day.at("Mon 07:40")

    day.expects_sms("teacher", "辍学苗头", "case of ana")


@pytest.mark.parametrize(
    ("scope", "until", "reason", "fault"),
    [
        ({}, 1, "why", "is about everything"),
        ({"students": ("ana",)}, 31, "why", "30 days"),
        ({"students": ("ana",)}, 0, "why", "over already"),
        ({"students": ("ana",)}, 1, "  ", "needs a reason"),
        ({"students": ("anna",)}, 1, "why", "not on the roster"),
        ({"units": ("sch-9",)}, 1, "why", "not known"),
        ({"kinds": ("retraction",)}, 1, "why", "corrections always leave"),
        ({"channels": ("smss",)}, 1, "why", "not known"),
    ],
)
def test_a_silence_has_guard_rails(
    day: Day, scope: dict[str, tuple[str, ...]], until: int, reason: str, fault: str
) -> None:
    with pytest.raises(DeskError) as refused:
        quiet.begin(day.house, Scope(**scope), day.now + dt.timedelta(days=until), reason, "Li", day.now)

    assert fault in f"{refused.value} {refused.value.hint}"
    assert quiet.listed(day.house, None) == []
