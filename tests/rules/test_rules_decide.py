"""What becomes of a case: its journal, its stages, its ladder, and that time alone moves it on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from rules.case import Case, Law, Stage, Standing, Storm, Tell
from rules.decide import decide, question
from rules.finding import Finding, Question
from rules.ladder import Ladder, Rung
from rules.records import Mark
from tests.county import DAY, HOUR, HandRow, LeaveRow, MovementRow, World
from tests.replay import County, live_through
from tests.rules.small import calendar
from tests.table import ANA, DAYS, MONDAY, instant, marks_of, weeks

LADDER = Ladder(
    "statutory",
    (
        Rung(0 * HOUR, None, ("town_government",), ("sms",)),
        Rung(24 * HOUR, "acknowledged", ("town_head",), ("sms",)),
        Rung(72 * HOUR, None, ("county_head",), ("sms",)),
    ),
    ("town_government",),
)


def journal(world: World, **figures: Any) -> list[str]:  # noqa: ANN401 - the fields of Law
    """The kinds of Ana's journal lines."""
    return [entry.kind for _, student, entry in live_through(world, **figures).journal if student == ANA]


def ana(world: World, **figures: Any) -> Case:  # noqa: ANN401 - likewise
    return live_through(world, **figures).cases[0]


AWAY = ("A A",) * 5

# ---- each journal line ----------------------------------------------------------------------------------------------


def test_a_first_absence_opens_a_case_and_a_sighting_closes_it_silently() -> None:
    county = live_through(weeks("A", "P P"))

    assert journal(weeks("A", "P P")) == ["opened", "closed"]
    assert {one.kind for one in county.spoken} == {"first_absence"}


def test_a_report_is_due_then_raised_then_climbs_its_ladder() -> None:
    assert journal(weeks("A A", "A A", "A")) == ["opened", "due", "raised", "rung climbed"]


def test_what_was_raised_says_why() -> None:
    county = live_through(weeks("A A", "A A", "A"), rule="absent-48h", version="1a2b")

    [raised] = [entry.body for _, _, entry in county.journal if entry.kind == "raised"]
    assert raised == {
        "rule": "absent-48h",
        "version": "1a2b",
        "due_at": instant("Wed 08:00"),
        "run_from": instant("Mon 08:00"),
        "absent_days": 3,
        "unconfirmed": False,
        "episode": 1,
    }


def test_a_due_report_that_the_child_overtakes_is_kept_as_overtaken() -> None:
    assert journal(weeks("A A", "A A", "P")) == ["opened", "due", "overtaken", "closed"]


def test_a_corrected_start_is_noted_and_its_own_deadline_becomes_the_legal_one() -> None:
    world = weeks("A A", "A A", "A A", "A A", marks=marks_of(MONDAY, "pm", "P", instant("Wed 15:00")))

    assert journal(world, chase=24 * HOUR)[3:] == ["rung climbed", "start corrected", "due"]
    assert ana(world).due_at == instant("Thu 08:00")


def test_a_correction_that_is_undone_leaves_the_legal_time_what_it_was() -> None:
    leave = LeaveRow("l-1", ANA, instant("Mon 00:00"), instant("Tue 00:00"), "sick", instant("Wed 20:00"), False, 2)  # noqa: FBT003
    withdrawn = replace(leave, recorded_at=instant("Wed 20:30"), withdrawn=True, line=3)
    world = weeks("A A", "A A", "A A", "P", leaves=(leave, withdrawn))

    assert journal(world)[4:] == ["start corrected", "start corrected", "returned"]
    assert ana(world).due_at == instant("Wed 08:00")


def test_a_retraction_is_noted_with_its_reason() -> None:
    leave = LeaveRow("l-1", ANA, instant("Mon 00:00"), instant("Fri 00:00"), "sick", instant("Thu 09:00"), False, 2)  # noqa: FBT003
    county = live_through(weeks("A A", "A A", "A A", "A", leaves=(leave,)))

    [retracted] = [entry.body for _, _, entry in county.journal if entry.kind == "retracted"]
    assert retracted["reason"] == "excused"


def test_a_return_taken_back_is_reopened_in_the_same_episode() -> None:
    world = weeks("A A", "A A", "A A", "A P", "- -", marks=marks_of(MONDAY + 3 * DAY, "pm", "A", instant("Fri 09:00")))

    assert journal(world)[4:] == ["returned", "reopened"]
    assert ana(world).episode == 1


def test_a_movement_closes_with_its_reason() -> None:
    out = MovementRow(ANA, "suspend", instant("Thu 12:00"), instant("Thu 12:00"), "form 7", 2)
    county = live_through(weeks(*AWAY, movements=(out,)))

    assert [entry.body["reason"] for _, _, entry in county.journal if entry.kind == "closed"] == ["suspended"]
    assert [one.reason for one in county.spoken if one.kind == "closed"] == ["suspended"]


def test_knowing_after_a_return_that_it_was_excused_changes_the_reason_and_tells_nobody() -> None:
    leave = LeaveRow("l-1", ANA, instant("Mon 00:00"), instant("Wed 12:00"), "sick", instant("Fri 09:00"), False, 2)  # noqa: FBT003
    county = live_through(weeks("A A", "A A", "A P", "P P", "P P", leaves=(leave,)))

    assert [entry.kind for _, _, entry in county.journal][-1] == "excused"
    assert [one.kind for one in county.spoken][-1] == "return"
    assert county.cases[0].reason == "excused"


# ---- asked by hand --------------------------------------------------------------------------------------------------


def asked(*cells: str) -> list[str]:
    """When teacher and principal were asked."""
    spoken = live_through(weeks(*cells)).spoken
    return [f"{one.raised_at + 8 * HOUR:%a %H:%M}" for one in spoken if one.kind == "confirm_request"]


def test_a_child_of_whom_one_day_is_known_is_asked_about_once() -> None:
    assert asked("A A", "- -", "- -", "- -", "- -") == ["Wed 08:00"]


def test_a_run_that_begins_anew_is_asked_about_anew() -> None:
    assert asked("A A", "- -", "P -", "A -", "- -", "- -", "- -") == ["Wed 08:00", "Sat 08:00"]


def test_a_silence_that_was_broken_asks_anew() -> None:
    """Decided by itself: a word comes that adds no day, and then silence again."""
    one_day = Finding(run_from=instant("Mon 08:00"), run_days=1, ripe_at=instant("Wed 08:00"))
    silent, heard = (replace(one_day, silent_from=instant(when)) for when in ("Tue 16:00", "Thu 16:00"))

    first = decided(NEW, silent, instant("Wed 08:00"))
    broken = decided(first[0], heard, instant("Wed 09:00"))
    again = decided(broken[0], heard, instant("Thu 16:00"))

    assert [kinds for _, kinds, _ in (first, broken, again)] == [["confirmation asked"], [], ["confirmation asked"]]
    assert (first[0].asked_at, broken[0].asked_at, again[0].asked_at) == (
        instant("Wed 08:00"),
        None,
        instant("Thu 16:00"),
    )


def test_an_unanswered_question_is_a_report_after_four_hours_of_session_time() -> None:
    silent = Finding(
        run_from=instant("Mon 08:00"), run_days=1, ripe_at=instant("Wed 08:00"), silent_from=instant("Tue 16:00")
    )
    waiting = decided(NEW, silent, instant("Wed 08:00"))[0]

    assert waiting.wake_at == instant("Wed 14:20")
    case, kinds, _ = decided(waiting, silent, instant("Wed 14:20"))
    assert kinds == ["due", "raised", "rung climbed"]
    assert (case.unconfirmed, case.due_at) == (True, instant("Wed 14:20"))


# ---- stages ---------------------------------------------------------------------------------------------------------


def stages(world: World) -> list[tuple[str, str]]:
    """Every change of stage and when, in local time."""
    return [
        (entry.body["stage"], f"{at + 8 * HOUR:%d %H:%M}")
        for at, _, entry in live_through(world).journal
        if entry.kind == "stage"
    ]


def test_over_seven_days_and_five_school_days_it_is_suspected() -> None:
    [suspected] = stages(weeks(*["A A"] * 7))

    assert suspected == ("suspected", "23 08:00")


def test_seven_days_with_few_school_days_are_not_enough() -> None:
    assert stages(weeks("A A", "A A", "A A", "- -", "- -", "- -", "- -")) == []


def test_over_thirty_days_and_twenty_school_days_it_is_dropped_out() -> None:
    assert [stage for stage, _ in stages(weeks(*["A A"] * 26))] == ["suspected", "dropped_out"]


def test_a_child_declared_to_have_dropped_out_is_at_once() -> None:
    gone = MovementRow(ANA, "drop_out", instant("Thu 12:00"), instant("Thu 12:00"), None, 2)

    assert stages(weeks(*AWAY, movements=(gone,))) == [("dropped_out", "19 12:00")]


def test_ten_school_days_after_a_return_closing_is_proposed_once() -> None:
    county = live_through(weeks("A A", "A A", "A P", *["P P"] * 14))

    proposed = [at + 8 * HOUR for at, _, entry in county.journal if entry.kind == "closing proposed"]
    assert [f"{at:%a %d %b %H:%M}" for at in proposed] == ["Thu 02 Apr 00:00"]
    assert county.cases[0].stage is Stage.RETURNED


def test_a_relapse_during_observation_ends_it() -> None:
    county = live_through(weeks("A A", "A A", "A P", "A A", "A A", "A A", *["P P"] * 3))

    assert county.cases[0].episode == 2
    assert not [entry for _, _, entry in county.journal if entry.kind == "closing proposed"]


# ---- the ladder -----------------------------------------------------------------------------------------------------


def climbed(county: County) -> list[tuple[int, str]]:
    return [
        (entry.body["rung"], f"{at + 8 * HOUR:%a %H:%M}")
        for at, _, entry in county.journal
        if entry.kind in {"rung climbed", "rung passed over"}
    ]


def test_each_rung_speaks_its_delay_after_the_report() -> None:
    assert climbed(live_through(weeks(*["A A"] * 6), ladder=LADDER)) == [
        (0, "Wed 08:10"),
        (1, "Thu 08:10"),
        (2, "Sat 08:10"),
    ]


def test_the_ladder_waits_while_the_child_is_on_leave_and_goes_on_when_it_ends_unseen() -> None:
    leave = LeaveRow("l-1", ANA, instant("Wed 18:00"), instant("Fri 12:00"), "sick", instant("Wed 17:00"), False, 2)  # noqa: FBT003
    world = weeks("A A", "A A", "A A", "- -", "- -", leaves=(leave,))

    assert climbed(live_through(world, ladder=LADDER)) == [(0, "Wed 08:10"), (1, "Fri 12:00")]


def test_a_return_ends_the_climb() -> None:
    assert climbed(live_through(weeks("A A", "A A", "A P", "P P", "P P"), ladder=LADDER)) == [(0, "Wed 08:10")]


# ---- one decision at a time -----------------------------------------------------------------------------------------

NOW = instant("Wed 08:10")
RUN = Finding(
    run_from=instant("Mon 08:00"),
    run_days=3,
    satisfied=True,
    ripe_at=instant("Wed 08:00"),
    silent_from=instant("Thu 16:00"),
    last_marked=instant("Wed 08:00"),
)
LAW = Law(ladder=LADDER)
NEW = Case("1", "2026-000001", ANA, instant("Mon 08:10"))
RAISED = decide(NEW, RUN, NOW, LAW, calendar()).case


def decided(case: Case, found: Finding, at: dt.datetime, **rest: Any) -> tuple[Case, list[str], list[Tell]]:  # noqa: ANN401
    decision = decide(case, found, at, rest.pop("law", LAW), calendar(), **rest)
    return decision.case, [entry.kind for entry in decision.entries], list(decision.tells)


def test_deciding_twice_decides_nothing() -> None:
    again = decide(RAISED, RUN, NOW, LAW, calendar())

    assert not again.changed
    assert (again.entries, again.tells, again.cancels) == ((), (), False)


def test_the_ladder_is_the_one_of_the_hour_of_the_report() -> None:
    other = replace(LAW, ladder=Ladder("new", (Rung(0 * HOUR, None, ("operator",), ()),), ()))

    case, kinds, _ = decided(RAISED, RUN, NOW + 24 * HOUR, law=other)

    assert case.ladder == LADDER
    assert "rung climbed" in kinds


def test_an_acknowledged_report_passes_over_the_rungs_that_ask_for_it_and_no_other() -> None:
    known = replace(RAISED, acknowledged_at=NOW, acknowledged_by="town_government")

    _, kinds, tells = decided(known, RUN, NOW + 24 * HOUR)
    assert (kinds, tells) == (["rung passed over"], [])
    case, kinds, tells = decided(known, RUN, NOW + 72 * HOUR)
    assert kinds[:2] == ["rung passed over", "rung climbed"]
    assert [tell.roles for tell in tells] == [("county_head",)]
    assert case.climb.rung == 3


def test_of_rungs_missed_while_nobody_was_awake_the_highest_speaks_for_all() -> None:
    _, _, tells = decided(RAISED, RUN, NOW + 100 * HOUR)

    assert [[one.roles for one in tell.audience] for tell in tells] == [[("county_head",), ("town_head",)]]


def test_a_report_of_a_run_in_an_unjudged_storm_is_held_for_a_day_after_its_deadline() -> None:
    storm = Storm("i-1", judged=False)
    case, kinds, _ = decided(NEW, replace(RUN, silent_from=None), instant("Wed 08:00"), storm=storm)

    assert (kinds, case.pending_at) == (["due"], instant("Wed 08:00"))
    assert case.wake_at == instant("Thu 08:00")
    assert decided(case, RUN, instant("Thu 07:59"), storm=storm)[1] == []
    assert decided(case, RUN, instant("Thu 08:00"), storm=storm)[1] == ["raised", "rung climbed"]


def test_a_judged_storm_holds_nothing_and_its_list_is_one_for_each_town() -> None:
    _, kinds, tells = decided(NEW, RUN, NOW, storm=Storm("i-1", judged=True))

    assert "raised" in kinds
    assert [tell.group for tell in tells if tell.kind == "report"] == ["mass:i-1"]


def test_no_wait_for_the_roll_when_it_is_turned_off() -> None:
    waiting = replace(RUN, asked=None, last_marked=instant("Tue 14:00"))

    assert "raised" not in decided(NEW, waiting, instant("Wed 08:00"))[1]
    assert "raised" in decided(NEW, waiting, instant("Wed 08:00"), law=replace(LAW, wait_for_roll=0 * HOUR))[1]


def test_a_deadline_that_passed_unseen_keeps_its_legal_time() -> None:
    armed = replace(NEW, armed_at=instant("Wed 08:00"), finding=RUN)

    case, kinds, _ = decided(armed, replace(RUN, last_marked=instant("Thu 08:00")), instant("Thu 11:00"))

    assert kinds[:2] == ["due", "raised"]
    assert (case.due_at, case.raised_at) == (instant("Wed 08:00"), instant("Thu 11:00"))


def test_a_case_asks_about_the_deadline_it_stands_or_waits_on() -> None:
    assert question(NEW) is None
    assert question(replace(NEW, pending_at=NOW, pending_unconfirmed=True)) == Question(NOW, unconfirmed=True)
    about = Question(RAISED.due_at or NOW, raised_at=RAISED.raised_at)
    assert question(RAISED) == about
    assert question(replace(RAISED, standing=Standing.RETURNED)) == about


def test_the_teacher_has_a_first_absence_on_the_list_of_its_session_once() -> None:
    first = replace(RUN, run_days=1, satisfied=False)

    early = decided(NEW, first, instant("Mon 08:59"))
    case, _, tells = decided(early[0], first, instant("Mon 09:00"))

    assert early[2] == []
    assert early[0].wake_at == instant("Mon 09:00")
    assert [(tell.kind, tell.roles, tell.group) for tell in tells] == [
        ("first_absence", ("class_teacher",), f"first:{int(instant('Mon 08:00').timestamp() * 1e6)}")
    ]
    assert decided(case, first, instant("Mon 14:10"))[2] == []


def test_a_report_to_be_corrected_goes_to_those_told_of_it() -> None:
    seen = replace(RUN, run_from=None, run_days=0, satisfied=False, ripe_at=None, asked=RAISED.due_at, seen_since=NOW)

    decision = decide(RAISED, seen, NOW + HOUR, LAW, calendar())

    assert [(tell.kind, tell.to_told, tell.roles) for tell in decision.tells] == [("return", True, ())]
    assert decision.cancels


def test_a_closed_case_wakes_nobody() -> None:
    moved = replace(RUN, run_from=None, ripe_at=None, asked=RAISED.due_at, moved_since="graduate")

    case, kinds, _ = decided(RAISED, moved, NOW + HOUR)

    assert kinds == ["closed"]
    assert (case.is_open, case.wake_at, case.armed_at) == (False, None, None)


@pytest.mark.parametrize("movement", ["transfer_out", "suspend", "graduate", "verified_elsewhere"])
def test_every_movement_off_the_roll_has_its_reason_to_close(movement: str) -> None:
    gone = replace(RUN, run_from=None, ripe_at=None, asked=RAISED.due_at, moved_since=movement)

    reason = decided(RAISED, gone, NOW + HOUR)[0].reason

    assert reason in {"transferred", "suspended", "graduated", "verified elsewhere"}


# ---- what is said by hand once a report was raised -------------------------------------------------------------------


def by_hand(day: str, session: str, letter: str, at: str) -> tuple[HandRow, ...]:
    """Something said by hand of Ana's session on a day of the first week."""
    said = {"P": Mark.PRESENT, "A": Mark.ABSENT}[letter]
    return (HandRow(ANA, MONDAY + DAYS.index(day) * DAY, session, said, instant(at)),)


def outcome(world: World) -> list[tuple[str, str]]:
    """What was told of Ana's report, with the day and hour in local time."""
    kinds = {"report", "retraction", "return", "reopened"}
    told = (one for one in live_through(world).spoken if one.student == ANA and one.kind in kinds)
    return [(one.kind, f"{one.raised_at + 8 * HOUR:%a %H:%M}") for one in told]


@pytest.mark.parametrize("booked_on", ["Mon am", "Mon pm", "Tue pm", "Wed am"])
def test_a_sighting_by_hand_after_the_report_is_a_return_whichever_session_it_is_booked_on(booked_on: str) -> None:
    day, session = booked_on.split()
    world = weeks("A A", "A A", "A", hands=by_hand(day, session, "P", "Wed 10:00"), end=instant("Wed 13:00"))

    # Seen on Monday morning the child is still two days away: the report stands until the run is short.
    still_away = booked_on in {"Mon am", "Mon pm"}
    assert outcome(world) == [("report", "Wed 08:10"), *([] if still_away else [("return", "Wed 10:00")])]


def test_a_sighting_by_hand_before_the_report_is_known_to_it() -> None:
    world = weeks("A A", "A A", "A", hands=by_hand("Tue", "pm", "P", "Tue 18:00"), end=instant("Wed 13:00"))

    assert outcome(world) == []


def test_the_session_whose_absence_made_the_report_due_may_be_the_one_the_sighting_is_booked_on() -> None:
    hands = (HandRow(ANA, MONDAY + 7 * DAY, "am", Mark.PRESENT, instant("Mon 09:20", 1)),)
    world = weeks("P P", "P P", "P P", "P P", "A A", "A", hands=hands, end=instant("Mon 13:00", 1))

    assert outcome(world) == [("report", "Mon 08:10"), ("return", "Mon 09:20")]


def test_a_return_by_hand_that_a_later_mark_contradicts_is_taken_back() -> None:
    absent = marks_of(MONDAY + 2 * DAY, "am", "A", instant("Wed 11:00"))
    world = weeks("A A", "A A", "A", marks=absent, hands=by_hand("Wed", "am", "P", "Wed 10:00"))

    assert outcome(world)[:3] == [("report", "Wed 08:10"), ("return", "Wed 10:00"), ("reopened", "Wed 11:00")]


def test_a_correction_of_the_feed_still_retracts_beside_a_sighting_by_hand() -> None:
    corrected = marks_of(MONDAY, "pm", "P", instant("Wed 09:00")) + marks_of(
        MONDAY + DAY, "pm", "P", instant("Wed 09:00")
    )
    world = weeks("A A", "A A", "A", marks=corrected, hands=by_hand("Wed", "am", "P", "Wed 10:00"))

    assert outcome(world) == [("report", "Wed 08:10"), ("retraction", "Wed 09:00")]
