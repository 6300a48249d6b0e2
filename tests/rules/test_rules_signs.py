"""Signs: armed at an exact instant, raised once, told rung by rung, over without flapping, raised anew after a rest."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.case import Case, Decision, Law, Stage, Standing
from rules.decide import decide
from rules.finding import Clock, Finding
from rules.idle import idle_rows
from rules.ladder import Ladder, Rung
from rules.laws import Laws, laws_of
from rules.register import Leave
from rules.rulebook import Rulebook, read_rules
from rules.signs import Sign, View, advance
from rules.sweep import Scene, interesting, sweep
from rules.traits import Traits, unknown
from rules.views import Views, heard_on, look, needs_history
from tests.county import DAY, HOUR, MovementRow, World
from tests.replay import County, live_through, statutory
from tests.rules.small import calendar, judged, line_of, register_of
from tests.table import ANA, instant, leave_of, weeks

REPORT = (
    '[[rule]]\nid = "absent-48h"\nwhen = "absent_days >= 2"\nafter = "48h"\nstage = "reported"\nladder = "statutory"\n'
)
LINE = line_of()
WATCH = Ladder(
    "watch",
    (
        Rung(0 * HOUR, None, ("mentor", "class_teacher"), ()),
        Rung(72 * HOUR, "acknowledged", ("principal",), ("sms",)),
    ),
    (),
)
STATUTORY = Ladder("statutory", (Rung(0 * HOUR, None, ("town_government",), ("sms",)),), ())


def book(*rules: str) -> Rulebook:
    """The report's rule and some others, each written as the keys of its table."""
    text = REPORT + "".join(f"[[rule]]\n{rule}\n" for rule in rules)
    return read_rules([("rules.toml", text)], ["statutory", "watch"])


def drift(**keys: str) -> str:
    """A rule of stage watch: three days without leave in four weeks; over when there are none left."""
    said = {
        "id": "drift",
        "when": "unexcused_days_20 >= 3",
        "until": "unexcused_days_20 < 1",
        "since": "condition",
        "stage": "watch",
        "ladder": "watch",
        **keys,
    }
    title = 'title = { zh = "多次旷课", en = "Absent again and again" }'
    return "\n".join([*(f'{key} = "{value}"' for key, value in said.items()), title])


def laws(*rules: str) -> Laws:
    return laws_of(book(*rules), Law(clock=Clock(), ladders={"watch": WATCH, "statutory": STATUTORY}))


def law(*rules: str) -> Law:
    return laws(*rules).default


# ---- one sign, one step ---------------------------------------------------------------------------------------------

DAY_RULE = law(
    'id = "day"\nwhen = "absent_days >= 1"\nsince = "absence"\nafter = "24h"\nstage = "first_absence"'
).signs["day"]
DRIFT = law(drift(after="24h")).signs["drift"]
HOLDS, GONE, BETWEEN = View("drift", True, False), View("drift", False, True), View("drift", False, False)  # noqa: FBT003


def stepped(*steps: tuple[View | None, str], rule: Any = DRIFT, week: int = 0) -> Sign | None:  # noqa: ANN401 - a Rule
    sign = None
    for view, when in steps:
        sign = advance(rule, sign, view, LINE, instant(when, week))
        assert advance(rule, sign, view, LINE, instant(when, week)) == sign
    return sign


def test_a_sign_is_armed_at_the_instant_at_which_its_wait_is_over() -> None:
    view = View("day", True, False, instant("Mon 08:00"))  # noqa: FBT003 - holds, not over

    assert stepped((view, "Mon 08:10"), rule=DAY_RULE) == Sign(
        "day", since=instant("Mon 08:10"), armed_at=instant("Tue 08:00")
    )


def test_without_an_anchor_the_wait_begins_when_the_condition_is_found_to_hold() -> None:
    sign = stepped((HOLDS, "Mon 08:10"), (HOLDS, "Mon 14:10"))

    assert sign == Sign("drift", since=instant("Mon 08:10"), armed_at=instant("Tue 08:10"))


def test_a_condition_that_breaks_while_waiting_begins_anew() -> None:
    sign = stepped((HOLDS, "Mon 08:10"), (BETWEEN, "Mon 14:10"), (HOLDS, "Tue 08:10"))

    assert sign == Sign("drift", since=instant("Tue 08:10"), armed_at=instant("Wed 08:10"))


def test_what_became_known_late_is_due_when_it_became_known() -> None:
    view = View("day", True, False, instant("Mon 08:00"))  # noqa: FBT003 - holds, not over
    sign = stepped((view, "Thu 09:00"), rule=DAY_RULE)

    assert sign is not None
    assert (sign.due_at, sign.raised_at, sign.times) == (instant("Thu 09:00"), instant("Thu 09:00"), 1)


def test_a_wait_of_school_days_that_the_calendar_does_not_have_arms_nothing() -> None:
    """The last school day of LINE is a Friday."""
    rule = law(drift(after="3d", clock="school")).signs["drift"]

    assert stepped((HOLDS, "Wed 08:10"), rule=rule, week=5) == Sign("drift", since=instant("Wed 08:10", 5))


def test_a_sign_between_its_two_thresholds_stands_and_one_beyond_is_over() -> None:
    raised = ((HOLDS, "Mon 08:10"), (HOLDS, "Tue 08:10"))
    between, over = stepped(*raised, (BETWEEN, "Wed 08:10")), stepped(*raised, (GONE, "Wed 08:10"))

    assert between is not None
    assert between.stands
    assert over is not None
    assert over.over


def test_a_rule_out_of_sight_is_over() -> None:
    sign = stepped((HOLDS, "Mon 08:10"), (HOLDS, "Tue 08:10"), (None, "Wed 08:10"))

    assert sign is not None
    assert not sign.stands


def test_what_is_over_rests_before_it_is_raised_again() -> None:
    known = ((HOLDS, "Mon 08:10"), (HOLDS, "Tue 08:10"), (GONE, "Wed 08:10"), (HOLDS, "Thu 08:10"))
    resting = stepped(*known)

    assert resting is not None
    assert (resting.armed_at, resting.times) == (instant("Tue 08:10") + 14 * DAY, 1)
    again = advance(DRIFT, resting, HOLDS, LINE, instant("Tue 08:10") + 14 * DAY)
    assert again is not None
    assert (again.times, again.due_at, again.over) == (2, instant("Tue 08:10") + 14 * DAY, False)


# ---- a case and its signs -------------------------------------------------------------------------------------------

LAW = law(drift())
NEW = Case("1", "2026-000001", ANA, instant("Mon 08:10"), Stage.WATCH)
SHOWN = Finding(views=(replace(HOLDS, values={"unexcused_days_20": 3}),))
NOT_OVER = Finding(views=(BETWEEN,))
NOTHING = Finding()


def decided(case: Case, found: Finding, when: str | dt.datetime, **rest: Any) -> Decision:  # noqa: ANN401 - passed on
    now = instant(when) if isinstance(when, str) else when
    its = rest.pop("law", LAW)
    decision = decide(case, found, now, its, calendar(), **rest)
    again = decide(decision.case, found, now, its, calendar())
    assert not again.changed
    assert (again.entries, again.tells) == ((), ())
    return decision


def kinds(decision: Decision) -> list[str]:
    return [entry.kind for entry in decision.entries]


def test_a_raised_sign_says_which_rule_which_version_and_which_values() -> None:
    [raised, _] = decided(NEW, SHOWN, "Mon 08:10").entries

    assert raised.kind == "sign raised"
    assert raised.body == {
        "rule": "drift",
        "version": LAW.signs["drift"].version,
        "due_at": instant("Mon 08:10"),
        "times": 1,
        "values": {"unexcused_days_20": 3},
    }


def test_a_sign_is_told_as_risk_and_a_deadline_as_reminder() -> None:
    deadline = law(drift(stage="first_absence"))

    [risk] = decided(NEW, SHOWN, "Mon 08:10").tells
    [reminder] = decided(NEW, SHOWN, "Mon 08:10", law=deadline).tells

    assert (risk.kind, risk.roles, risk.group) == ("risk", ("mentor", "class_teacher"), "risk")
    assert (risk.rule, risk.title["en"], risk.times) == ("drift", "Absent again and again", 1)
    assert reminder.kind == "reminder"


def test_the_next_rung_speaks_its_delay_after_the_sign_was_raised_while_it_stands() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case

    assert case.wake_at == instant("Thu 08:10")
    assert [tell.roles for tell in decided(case, NOT_OVER, "Thu 08:10").tells] == [("principal",)]
    assert decided(case, NOTHING, "Thu 08:10").tells == ()


def test_a_sign_climbs_the_ladder_it_was_raised_with_though_another_is_in_force_since() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case
    longer = Ladder("watch", (Rung(0 * HOUR, None, ("principal",), ("sms",)), *WATCH.rungs), ())
    other = replace(LAW, ladders={**LAW.ladders, "watch": longer})

    assert decided(case, NOT_OVER, "Tue 08:10", law=other).tells == ()
    assert [tell.roles for tell in decided(case, NOT_OVER, "Thu 08:10", law=other).tells] == [("principal",)]


def test_a_rung_is_passed_over_when_the_case_was_acknowledged_since() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case
    before, after = (
        replace(case, acknowledged_at=instant("Mon 08:00")),
        replace(case, acknowledged_at=instant("Tue 08:00")),
    )

    assert kinds(decided(before, NOT_OVER, "Thu 08:10")) == ["rung climbed"]
    assert kinds(decided(after, NOT_OVER, "Thu 08:10")) == ["rung passed over"]


def test_nobody_is_told_when_a_sign_is_over_and_the_case_closes_when_it_has_rested() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case
    over = decided(case, NOTHING, "Tue 08:10")

    assert (kinds(over), over.tells) == (["sign over"], ())
    assert (over.case.stage, over.case.wake_at) == (Stage.WATCH, instant("Mon 08:10") + 14 * DAY)
    closed = decided(over.case, NOTHING, instant("Mon 08:10") + 14 * DAY)
    assert (closed.case.is_open, closed.tells) == (False, ())


def test_a_deadline_that_passed_unseen_is_raised_with_its_own_instant() -> None:
    waits = law(drift(after="24h"))
    case = decided(NEW, SHOWN, "Mon 08:10", law=waits).case

    late = decided(case, SHOWN, "Fri 11:00", law=waits)

    [sign] = late.case.signs
    assert case.wake_at == instant("Tue 08:10")
    assert (sign.due_at, sign.raised_at) == (instant("Tue 08:10"), instant("Fri 11:00"))
    assert [tell.due_at for tell in late.tells] == [instant("Tue 08:10")]


def test_a_deadline_that_passed_unseen_of_a_sign_that_is_over_meanwhile_is_kept_and_told_to_nobody() -> None:
    waits = law(drift(after="24h"))
    case = decided(NEW, SHOWN, "Mon 08:10", law=waits).case

    late = decided(case, NOTHING, "Fri 11:00", law=waits)

    assert (kinds(late), late.tells) == (["sign raised", "sign over"], ())
    assert late.entries[0].body["values"] == {"unexcused_days_20": 3}


def test_a_sign_keeps_the_version_by_which_it_was_raised() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case
    other = law(drift(when="unexcused_days_20 >= 2"))

    kept = decided(case, SHOWN, "Tue 08:10", law=other)

    assert other.signs["drift"].version != LAW.signs["drift"].version
    assert kept.entries == ()
    assert kept.case.signs[0].version == LAW.signs["drift"].version


def test_a_sign_whose_rule_is_gone_is_over_and_does_not_speak_again_when_the_rule_is_put_back() -> None:
    case = decided(NEW, SHOWN, "Mon 08:10").case

    gone = decided(case, NOTHING, "Mon 09:00", law=law())
    back = decided(gone.case, SHOWN, "Mon 10:00")

    assert kinds(gone) == ["sign over"]
    assert (back.entries, back.tells) == ((), ())


def test_a_case_without_views_and_signs_is_as_it_was() -> None:
    ran = Finding(run_from=instant("Mon 08:00"), run_days=1, ripe_at=instant("Wed 08:00"))
    case = Case("1", "2026-000001", ANA, instant("Mon 08:10"))

    assert decided(case, ran, "Mon 08:10") == decided(case, ran, "Mon 08:10", law=law())


# ---- a case's stage -------------------------------------------------------------------------------------------------


def test_a_run_makes_a_watched_child_a_first_absence_and_its_end_a_watched_one_again() -> None:
    watched = decided(NEW, SHOWN, "Mon 08:10").case
    absent = decided(watched, replace(NOT_OVER, run_from=instant("Tue 08:00")), "Tue 08:10")
    back = decided(absent.case, NOT_OVER, "Tue 14:10")

    assert [absent.case.stage, back.case.stage] == [Stage.FIRST_ABSENCE, Stage.WATCH]
    assert kinds(absent) == kinds(back) == ["stage"]


STAGES = (
    'id = "week"\nwhen = "absent_days >= 5"\nafter = "7d"\nstage = "suspected"\nladder = "watch"',
    'id = "month"\nwhen = "absent_days >= 20"\nafter = "30d"\nstage = "dropped_out"',
)


def test_a_stage_says_its_rule_and_is_told_as_reminder_once_rung_by_rung() -> None:
    county = live(weeks(*["A A"] * 12), *STAGES)

    [suspected] = [entry for _, _, entry in county.journal if entry.kind == "stage"]
    assert (suspected.body["rule"], suspected.body["stage"]) == ("week", "suspected")
    assert told(county, "reminder") == ["Mon 23 08:00", "Thu 26 08:00"]


def test_a_rule_of_a_stage_without_ladder_is_told_to_nobody() -> None:
    assert told(live(weeks(*["A A"] * 12), STAGES[1]), "reminder") == []


# ---- whole weeks ----------------------------------------------------------------------------------------------------


def live(world: World, *rules: str) -> County:
    """A world lived through by the report's rule and some others."""
    known = law(*rules)
    return live_through(world, stages=known.stages, signs=known.signs, ladders=known.ladders)


def told(county: County, kind: str) -> list[str]:
    return [f"{one.raised_at + 8 * HOUR:%a %d %H:%M}" for one in county.spoken if one.kind == kind]


def said(county: County) -> list[tuple[str, str]]:
    """What the journal says of Ana's signs, and when."""
    return [
        (entry.kind, f"{at + 8 * HOUR:%a %d %H:%M}")
        for at, student, entry in county.journal
        if student == ANA and entry.kind.startswith("sign ")
    ]


def test_three_days_now_and_then_are_a_sign_though_the_child_was_never_away_for_two() -> None:
    county = live(weeks("A P", "P P", "A P", "P P", "A P", *["P P"] * 20), drift())

    assert said(county)[0] == ("sign raised", "Fri 20 08:10")
    assert told(county, "risk") == ["Fri 20 08:10", "Mon 23 08:10"]
    assert told(county, "report") == []


def test_a_child_at_the_threshold_does_not_flap() -> None:
    week = ("A P", "P P", "P P", "P P", "P P")
    known = said(live(weeks(*week * 8), drift(when="unexcused_days_10 >= 2", until="unexcused_days_10 < 1")))

    assert known == [("sign raised", "Mon 23 08:10")]


def test_a_child_who_relapses_after_the_rest_is_a_sign_again() -> None:
    bad, good = ("A P", "A P", "A P", "P P", "P P"), ("P P",) * 5
    county = live(
        weeks(*bad, *good, *good, *good, *bad), drift(when="unexcused_days_5 >= 3", until="unexcused_days_5 < 1")
    )

    assert said(county) == [
        ("sign raised", "Wed 18 08:10"),
        ("sign over", "Wed 25 08:10"),
        ("sign raised", "Wed 15 08:10"),
    ]


def test_a_deadline_of_the_matrix_passes_by_time_alone_without_a_roll() -> None:
    county = live(
        weeks("A A", "- -", "- -"),
        'id = "day"\nwhen = "absent_days >= 1"\nsince = "absence"\nafter = "24h"\nstage = "first_absence"',
    )

    assert said(county) == [("sign raised", "Tue 17 08:00")]
    assert told(county, "reminder") == []


def test_each_row_of_the_matrix_that_ships_passes_at_its_own_instant() -> None:
    shipped = statutory()
    county = live_through(weeks(*["A A"] * 6), signs={rule.rule_id: rule for rule in shipped.signs})

    raised = {
        entry.body["rule"]: f"{at + 8 * HOUR:%a %d %H:%M}"
        for at, _, entry in county.journal
        if entry.kind == "sign raised"
    }
    assert raised["absent-1d"] == "Tue 17 08:00"
    assert raised["absent-3d"] == "Thu 19 08:00"


def test_a_reported_case_keeps_its_signs() -> None:
    county = live(weeks(*["A A"] * 4), drift())

    assert county.cases[0].standing is Standing.RAISED
    assert [sign.rule for sign in county.cases[0].signs] == ["drift"]
    assert len({case.case_id for case in county.cases.values()}) == 1


def test_a_movement_off_the_roll_ends_every_sign() -> None:
    out = MovementRow(ANA, "transfer_out", instant("Mon 18:00", 1), instant("Mon 18:00", 1), "form 7", 2)
    county = live(weeks("A P", "A P", "A P", "P P", "P P", "P P", movements=(out,)), drift())

    assert said(county)[-1] == ("sign over", "Mon 23 18:00")


# ---- all rows at once -----------------------------------------------------------------------------------------------


def views(*letters: str, when: str, rules: Rulebook, traits: Traits | None = None, week: int = 0, **rest: Any) -> Views:  # noqa: ANN401
    register = register_of(*letters, **rest)
    found = judged(register, when, week)
    known = unknown(register.rows) if traits is None else traits
    return look(rules.signs, register, found.meaning, found.runs, known, found.now)


def test_a_rule_holds_for_those_it_covers_whose_clock_has_begun() -> None:
    rules = book('id = "day"\nwhen = "absent_days >= 1"\nsince = "absence"\nstage = "first_absence"')
    found = views("AA", "PP", "--", when="Mon 14:10", rules=rules)

    assert found.holds.tolist() == [[True, False, False]]
    assert found.shown.tolist() == [0]
    [view] = found.of(0)
    assert (view.anchor, view.values) == (instant("Mon 08:00"), {"absent_days": 1})
    assert found.of(1, ["day"]) == ()


def test_while_a_leave_is_in_force_no_clock_of_an_absence_runs() -> None:
    rules = book('id = "day"\nwhen = "absent_days >= 1"\nsince = "absence"\nstage = "first_absence"')
    leaves = {0: [Leave(instant("Mon 18:00"), instant("Tue 07:00"), "sick")]}
    found = views("AA", "PP", when="Mon 19:00", rules=rules, leaves=leaves)

    assert found.holds.tolist() == [[False, False]]
    assert [view.rule for view in found.of(0, ["day"])] == ["day"]


def test_only_rules_that_look_back_need_the_whole_history() -> None:
    assert not needs_history(statutory().signs)
    assert needs_history(book(drift()).signs)


def test_a_rule_is_in_force_by_the_day_last_heard_of() -> None:
    ended = book(drift(when="unexcused_days_20 >= 1", id="old") + "\nto = 2026-03-16")

    assert views("AA", "PP", when="Tue 14:10", rules=ended).holds.tolist() == [[True, False]]
    assert views("AAA", "PPP", when="Tue 14:10", rules=ended).holds.tolist() == [[False, False]]


# ---- which law ------------------------------------------------------------------------------------------------------

TOWN = (
    'id = "town"\nwhen = "absent_days >= 1"\nafter = "24h"\nstage = "reported"\nladder = "statutory"\n'
    'scope = { units = ["t-2"] }'
)


def of_units(*units: tuple[str, ...]) -> Traits:
    return replace(unknown(len(units)), units=list(units))


def scene(letters: list[str], when: str, traits: Traits, known: Laws, cases: dict[int, Case] | None = None) -> Scene:
    register = register_of(*letters)
    judgement = judged(register, when)
    judgement.traits = traits
    students = [f"s-{row}" for row in range(register.rows)]
    assert known.by_rule
    return Scene(judgement, students, ["k-1"], ["sch"], cases or {})


def test_a_child_has_the_law_of_its_town() -> None:
    known = laws(TOWN)
    whole = scene(["AAA", "AAA", "PPP"], "Tue 08:10", of_units(("k-1", "t-1"), ("k-1", "t-2"), ("k-1", "t-2")), known)

    decisions = {
        decision.case.student_id: decision
        for part, its in known.parts(whole)
        for decision in sweep(part, instant("Tue 08:10"), its, _opened)
    }

    assert sorted(decisions) == ["s-0", "s-1"]
    assert decisions["s-0"].case.stage is Stage.FIRST_ABSENCE
    assert (decisions["s-1"].case.rule, decisions["s-1"].case.due_at) == ("town", instant("Tue 08:10"))
    assert known.of(decisions["s-1"].case.finding) is known.by_rule["town"]


def test_with_one_law_a_scene_is_decided_whole() -> None:
    known = laws()
    whole = scene(["AAA", "PPP"], "Tue 08:10", unknown(2), known)

    assert known.parts(whole) == [(whole, known.default)]


def test_a_report_raised_by_another_version_returns_and_is_not_retracted() -> None:
    longer = replace(law(), version="other", clock=Clock(after=200 * HOUR))
    raised = sweep(scene(["AAAAA", "PPPPP"], "Wed 08:10", unknown(2), laws()), instant("Wed 08:10"), law(), _opened)[0]
    register = register_of("AAAAAP", "PPPPPP")
    judgement = judged(register, "Wed 14:10", after=200 * HOUR)
    seen = Scene(judgement, ["s-0", "s-1"], ["k-1"], ["sch"], {0: raised.case})

    [back] = sweep(seen, instant("Wed 14:10"), longer, _opened)

    assert raised.case.standing is Standing.RAISED
    assert [entry.kind for entry in back.entries] == ["returned"]


def _opened(student: str, now: dt.datetime) -> Case:
    return Case(f"c-{student}", f"2026-{student}", student, now)


def test_children_of_whom_nothing_holds_are_not_looked_at() -> None:
    register = register_of("PPPPPP", "APAPAP", "PPPPPP")
    judgement = judged(register, "Wed 14:10")
    judgement.views = look(
        book(drift()).signs, register, judgement.meaning, judgement.runs, judgement.traits, judgement.now
    )

    assert interesting(Scene(judgement, ["a", "b", "c"], ["k-1"], ["sch"], {})) == [1]


@pytest.mark.parametrize(("letters", "date"), [("AAA", "2026-03-17"), ("A", "2026-03-16"), ("A??", "2026-03-17")])
def test_a_child_was_last_heard_of_in_the_last_session_a_roll_speaks_of_it(letters: str, date: str) -> None:
    found = judged(register_of(letters), "Tue 14:10")

    assert str(heard_on(found.register, found.meaning)[0]) == date


# ---- who waits less ----------------------------------------------------------------------------------------------

HURRY = drift(when="unexcused_days_20 >= 1", after="48h") + '\npriority = { tags = ["left_behind"], after = "24h" }'


def test_a_priority_group_waits_less_and_is_a_sign_of_nothing_by_itself() -> None:
    rules, tagged = book(HURRY), replace(unknown(3), tags={"left_behind": np.array([True, False, True])})
    found = views("A", "A", "P", when="Mon 08:10", rules=rules, traits=tagged)

    assert found.holds.tolist() == [[True, True, False]]
    armed = [advance(rules.signs[0], None, found.of(row)[0], LINE, instant("Mon 08:10")) for row in (0, 1)]
    assert [sign.armed_at if sign else None for sign in armed] == [instant("Tue 08:10"), instant("Wed 08:10")]


def test_a_condition_may_speak_of_what_a_child_is() -> None:
    told = laws(
        'id = "town"\nwhen = "absent_days >= 1 AND grade >= 7"\nafter = "24h"\nstage = "reported"\n'
        'ladder = "statutory"\nscope = { tags = ["left_behind"] }'
    )
    both = replace(unknown(3), grade=np.array([7, 6, 7], np.int16), tags={"left_behind": np.array([True, True, False])})
    whole = scene(["AAA", "AAA", "AAA"], "Tue 08:10", both, told)

    decisions = [one for part, its in told.parts(whole) for one in sweep(part, instant("Tue 08:10"), its, _opened)]

    assert {one.case.student_id: one.case.standing for one in decisions} == {
        "s-0": Standing.RAISED,
        "s-1": Standing.NONE,
        "s-2": Standing.NONE,
    }


# ---- passing over what is as it was ---------------------------------------------------------------------------------

CELLS = st.sampled_from(["P P", "A P", "P P", "A A", "- -", "? ?", "P P"])
RULES = (
    drift(when="unexcused_days_5 >= 2", until="unexcused_days_5 < 1", rearm="7d"),
    drift(id="slow", when="unexcused_days_10 >= 3", after="48h", rearm="0h"),
    'id = "day"\nwhen = "absent_days >= 1"\nsince = "absence"\nafter = "24h"\nstage = "first_absence"',
    *STAGES,
)


@settings(max_examples=25, deadline=None)
@given(st.lists(CELLS, min_size=10, max_size=25), st.booleans())
def test_who_is_as_before_may_be_passed_over_without_any_difference(cells: list[str], leaves: bool) -> None:  # noqa: FBT001
    known = leave_of("Tue", "Wed", "Mon 18:00", week=1) if leaves else ()
    world = weeks(*cells, leaves=known)
    passed = live(world, *RULES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rules.sweep.idle_rows", lambda *_: frozenset())
        asked = live(world, *RULES)

    assert passed.journal == asked.journal
    assert passed.spoken == asked.spoken
    assert passed.cases == asked.cases


def test_a_child_only_watched_is_passed_over() -> None:
    county = live(weeks("A P", "A P", "P P"), drift(when="unexcused_days_5 >= 2"))
    now = instant("Thu 08:10")

    assert county.cases[0].stage is Stage.WATCH
    assert idle_rows(county.judge(now), county.cases, county.law) == {0}
    due = {0: replace(county.cases[0], wake_at=now)}
    assert idle_rows(county.judge(now), due, county.law) == frozenset()
