"""Climbing a ladder: of what is due the highest rung speaks for all, rungs repeat, an acknowledgement must be kept."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.answers import answer_by
from rules.case import Case, Law, Standing, Tell
from rules.climb import (
    START,
    Care,
    Climb,
    Unheard,
    heard,
    instants,
    is_grave,
    missed,
    owing,
    resumed,
    step,
    transferred,
)
from rules.decide import climb_on, decide
from rules.finding import Finding
from rules.ladder import Audience, Ladder, Rung
from rules.signs import Sign
from rules.standing import EXPIRED, awake
from tests.rules.small import DAY, HOUR, calendar
from tests.table import ANA, instant

T0 = instant("Wed 08:10")
TOWN, HEAD, COUNTY = (
    Rung(0 * HOUR, None, ("town_government",), ("sms",)),
    Rung(24 * HOUR, "acknowledged", ("town_head",), ("sms", "email"), fall_back=HOUR),
    Rung(72 * HOUR, None, ("county_head",), ("email",), reach="every"),
)
LADDER = Ladder("statutory", (TOWN, HEAD, COUNTY), ("town_government",), 24 * HOUR, 72 * HOUR)
HEARD = Care(acknowledged=True)
IDLE = Care()


def climbed(ladder: Ladder, *sweeps: dt.timedelta, care: Care = IDLE) -> list[tuple[int, ...]]:
    """Which rungs are heard at each of some instants after the raising."""
    climb, heard = START, []
    for after in sweeps:
        found = step(ladder, climb, T0, T0 + after, care)
        climb = found.climb
        heard.append(found.due)
    return heard


# ---- one instant ----------------------------------------------------------------------------------------------------


def test_each_rung_speaks_at_its_delay() -> None:
    assert climbed(LADDER, 0 * HOUR, 24 * HOUR - DAY / 86400, 24 * HOUR, 72 * HOUR) == [(0,), (), (1,), (2,)]


def test_after_an_outage_the_highest_rung_speaks_for_those_it_overtook() -> None:
    assert climbed(LADDER, 0 * HOUR, 80 * HOUR) == [(0,), (2, 1)]


def test_a_needless_rung_is_passed_over_and_is_spoken_for_by_none() -> None:
    found = step(LADDER, Climb(1), T0, T0 + 80 * HOUR, HEARD)

    assert (found.passed, found.due) == ((1,), (2,))
    assert found.climb.owed == (1,)


def test_a_rung_passed_over_because_somebody_acted_is_not_owed() -> None:
    ladder = replace(LADDER, rungs=(TOWN, replace(HEAD, unless="acted"), COUNTY))

    found = step(ladder, Climb(1), T0, T0 + 24 * HOUR, Care(acted=True))
    assert (found.passed, found.climb.owed) == ((1,), ())


def test_what_an_acknowledgement_kept_silent_speaks_when_it_is_gone() -> None:
    found = step(LADDER, Climb(2, 1, owed=(1,)), T0, T0 + 30 * HOUR, IDLE)

    assert (found.due, found.again) == ((1,), False)
    assert found.climb == Climb(2, 2)


def test_a_hurried_rung_does_not_wait_for_its_delay_and_those_above_it_do() -> None:
    assert step(LADDER, Climb(1, 1), T0, T0, IDLE, below=2).due == (1,)
    assert step(LADDER, Climb(1, 1), T0, T0, HEARD, below=2).passed == (1,)
    assert step(LADDER, Climb(3, 3), T0, T0, IDLE, below=2) == step(LADDER, Climb(3, 3), T0, T0, IDLE)


# ---- repeating ------------------------------------------------------------------------------------------------------

NAGGING = replace(LADDER, rungs=(replace(TOWN, repeat=12 * HOUR), replace(HEAD, repeat=24 * HOUR, until="acted")))


def test_a_rung_speaks_again_until_somebody_acknowledges() -> None:
    assert climbed(NAGGING, 0 * HOUR, 12 * HOUR, 23 * HOUR) == [(0,), (0,), ()]
    assert climbed(NAGGING, 0 * HOUR, 12 * HOUR, care=HEARD) == [(0,), ()]


def test_what_was_missed_of_a_repeat_is_said_once() -> None:
    assert climbed(NAGGING, 0 * HOUR, 20 * HOUR, 23 * HOUR) == [(0,), (0,), ()]


def test_a_repeat_that_comes_with_a_higher_rung_leaves_it_to_speak() -> None:
    assert climbed(NAGGING, 0 * HOUR, 12 * HOUR, 24 * HOUR) == [(0,), (0,), (1, 0)]


def test_a_repeat_is_known_as_one() -> None:
    first = step(NAGGING, START, T0, T0, IDLE)
    second = step(NAGGING, first.climb, T0, T0 + 12 * HOUR, IDLE)

    assert (first.again, second.again) == (False, True)
    assert (first.climb.turn, second.climb.turn) == (1, 2)


def test_repeats_are_exact_instants() -> None:
    climb = step(NAGGING, START, T0, T0, IDLE).climb

    assert instants(NAGGING, climb, T0, IDLE) == [T0 + 24 * HOUR, T0 + 12 * HOUR]
    assert instants(NAGGING, climb, T0, HEARD) == [T0 + 24 * HOUR]
    assert instants(NAGGING, replace(climb, rung=2), T0, HEARD) == []


def test_a_repeat_that_came_due_in_a_pause_begins_anew() -> None:
    climb = step(NAGGING, START, T0, T0, IDLE).climb

    assert resumed(NAGGING, climb, T0 + 30 * HOUR).repeats == ((0, T0 + 30 * HOUR),)
    assert resumed(NAGGING, climb, T0 + 11 * HOUR) == climb


# ---- who was not told -----------------------------------------------------------------------------------------------


def test_whom_a_rung_did_not_reach_is_owed_from_the_first_time_on_and_until_it_is_told() -> None:
    once = missed(Climb(1, 1), 0, ["mentor", "town_government"], T0)
    twice = missed(once, 0, ["mentor"], T0 + HOUR)

    assert twice == once
    assert heard(twice, [Unheard(0, "mentor", T0)]).unheard == (Unheard(0, "town_government", T0),)
    assert step(LADDER, once, T0, T0 + 80 * HOUR, IDLE).climb.unheard == once.unheard


def test_a_rung_that_is_needless_by_now_owes_nobody_anything_and_does_again_when_the_word_lapses() -> None:
    climb = missed(Climb(2, 2), 1, HEAD.tell, T0)

    assert owing(LADDER, climb, HEARD) == ()
    assert owing(LADDER, climb, IDLE) == climb.unheard


def test_it_is_grave_when_a_rung_reached_nobody_or_whoever_is_to_answer_was_not_told() -> None:
    ladder = replace(LADDER, rungs=(replace(TOWN, tell=("town_government", "mentor")), HEAD))
    mentor = missed(Climb(1, 1), 0, ["mentor"], T0)
    town = missed(Climb(1, 1), 0, ["town_government"], T0)
    head = missed(Climb(2, 2), 1, HEAD.tell, T0)

    assert [is_grave(ladder, one, one.unheard[0]) for one in (mentor, town, head)] == [False, True, True]


# ---- another ladder -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "rung"),
    [((0, 24, 72), 2), ((0, 12, 24, 72), 3), ((0, 30, 72), 1), ((0, 48), 1), ((0,), 1), ((25, 26), 0)],
    ids=["the same", "one between", "one later", "one left out", "one rung", "none as early"],
)
def test_another_ladder_goes_on_after_what_was_heard_of_the_old(hours: tuple[int, ...], rung: int) -> None:
    new = replace(LADDER, rungs=tuple(replace(TOWN, after=n * HOUR) for n in hours))

    assert transferred(Climb(2, 2), LADDER, new, T0 + 30 * HOUR) == Climb(rung, 2)


def test_what_was_passed_over_on_the_old_ladder_does_not_count_as_heard() -> None:
    assert transferred(Climb(2, 1, owed=(1,)), LADDER, LADDER, T0 + 30 * HOUR) == Climb(1, 1)


def test_a_rung_that_reached_nobody_does_not_count_as_heard() -> None:
    lost = missed(missed(Climb(2, 2), 0, TOWN.tell, T0), 1, HEAD.tell, T0)

    assert transferred(lost, LADDER, LADDER, T0 + 30 * HOUR) == Climb(0, 2)


def test_whom_an_old_rung_did_not_reach_stays_owed_where_the_new_ladder_tells_them() -> None:
    old = replace(LADDER, rungs=(replace(TOWN, tell=("town_government", "mentor", "principal")), HEAD))
    new = replace(LADDER, rungs=(TOWN, replace(HEAD, tell=("town_head", "mentor"))))
    climb = missed(Climb(2, 2), 0, ["town_government", "mentor", "principal"], T0)

    assert transferred(climb, old, new, T0 + 30 * HOUR).unheard == (
        Unheard(0, "town_government", T0),
        Unheard(1, "mentor", T0),
    )


def test_repeats_go_on_from_when_their_delay_was_last_heard() -> None:
    climb = Climb(1, 1, repeats=((0, T0 + 12 * HOUR),))
    slower = replace(NAGGING, rungs=(replace(TOWN, repeat=30 * HOUR), HEAD))
    fresh = replace(NAGGING, rungs=(replace(TOWN, repeat=30 * HOUR),))

    assert transferred(climb, NAGGING, slower, T0 + 20 * HOUR).repeats == ((0, T0 + 12 * HOUR),)
    assert transferred(Climb(1, 1), LADDER, fresh, T0 + 20 * HOUR).repeats == ((0, T0 + 20 * HOUR),)


# ---- laws -----------------------------------------------------------------------------------------------------------

HOURS = st.integers(0, 120)
UNLESS = st.sampled_from([None, "acknowledged"])
RUNGS = st.lists(st.tuples(HOURS, UNLESS), min_size=1, max_size=6).map(
    lambda some: sorted(some, key=lambda one: one[0])
)


def ladder_of(rungs: list[tuple[int, str | None]], repeat: int | None = None) -> Ladder:
    again = None if repeat is None else repeat * HOUR
    return Ladder(
        "l", tuple(Rung(n * HOUR, unless, (f"r{i}",), ("sms",), again) for i, (n, unless) in enumerate(rungs)), ()
    )


@settings(max_examples=200)
@given(rungs=RUNGS, sweeps=st.lists(HOURS, max_size=12), heard=st.tuples(HOURS, HOURS))
def test_whenever_one_looks_every_rung_is_heard_once_and_none_before_its_time(
    rungs: list[tuple[int, str | None]], sweeps: list[int], heard: tuple[int, int]
) -> None:
    """An acknowledgement that holds for a while only delays what it made needless."""
    ladder, climb, said = ladder_of(rungs), START, Counter[int]()
    for hour in [*sorted(sweeps), 121]:
        care = Care(acknowledged=heard[0] <= hour < heard[1])
        found = step(ladder, climb, T0, T0 + hour * HOUR, care)
        assert step(ladder, found.climb, T0, T0 + hour * HOUR, care) == replace(found, passed=(), due=(), again=False)
        assert all(rungs[n][0] <= hour for n in found.due)
        assert list(found.due) == sorted(found.due, reverse=True)
        climb = found.climb
        said.update(found.due)
    assert said == dict.fromkeys(range(len(rungs)), 1)


@settings(max_examples=200)
@given(rungs=RUNGS, repeat=st.integers(1, 30), sweeps=st.lists(HOURS, min_size=1, max_size=20, unique=True))
def test_no_rung_is_heard_twice_within_its_repeat_and_none_is_late_when_one_looks(
    rungs: list[tuple[int, str | None]], repeat: int, sweeps: list[int]
) -> None:
    ladder, climb = ladder_of(rungs, repeat), START
    last: dict[int, int] = {}
    for hour in sorted(sweeps):
        found = step(ladder, climb, T0, T0 + hour * HOUR, IDLE)
        climb = found.climb
        wanted = {
            n for n, (after, _) in enumerate(rungs) if after <= hour and hour - last.get(n, hour - repeat) >= repeat
        }
        assert set(found.due) == wanted
        last |= dict.fromkeys(found.due, hour)
        assert min(instants(ladder, climb, T0, IDLE)) > T0 + hour * HOUR


# ---- a report that stands -------------------------------------------------------------------------------------------

RUN = Finding(
    run_from=instant("Mon 08:00"),
    run_days=2,
    satisfied=True,
    ripe_at=instant("Wed 08:00"),
    deadline_session=True,
    deadline_marked=True,
    last_marked=instant("Wed 08:00"),
    owed=True,
    asked=instant("Wed 08:00"),
)
LAW = Law(ladder=LADDER)
NEW = Case("1", "2026-000001", ANA, instant("Mon 08:10"))


def decided(case: Case, at: dt.datetime, found: Finding = RUN, **rest: Any) -> tuple[Case, list[str], list[Tell]]:  # noqa: ANN401
    decision = decide(case, found, at, rest.pop("law", LAW), calendar(), **rest)
    kinds = [entry.kind for entry in decision.entries if entry.kind not in {"due", "raised"}]
    return decision.case, kinds, list(decision.tells)


RAISED = decided(NEW, T0)[0]
ACKNOWLEDGED = awake(
    replace(RAISED, acknowledged_at=T0 + HOUR, acknowledged_by="town_government", acknowledged_contact="town"),
    T0 + HOUR,
)


def test_the_one_who_speaks_says_so_for_all_and_each_in_its_own_way() -> None:
    _, kinds, [tell] = decided(RAISED, T0 + 80 * HOUR)

    assert kinds == ["rung climbed"]
    assert (tell.kind, tell.rung, tell.turn, tell.roles) == ("escalation", 2, 1, ("county_head",))
    assert tell.audience == (
        Audience(("county_head",), ("email",), "every", rung=2),
        Audience(("town_head",), ("sms", "email"), "first", HOUR, 1),
    )


def test_a_repeated_report_is_an_escalation() -> None:
    law = replace(LAW, ladder=NAGGING)
    raised, _, [first] = decided(NEW, T0, law=law)
    _, kinds, [again] = decided(raised, T0 + 12 * HOUR, law=law)

    assert (first.kind, again.kind) == ("report", "escalation")
    assert (kinds, again.rung, again.turn) == (["rung repeated"], 0, 1)


def test_whoever_acknowledged_and_did_nothing_is_reminded_once_at_the_instant() -> None:
    due = T0 + 25 * HOUR
    assert decided(ACKNOWLEDGED, due - HOUR)[0].wake_at == due
    case, kinds, [tell] = decided(decided(ACKNOWLEDGED, due - HOUR)[0], due)

    assert kinds == ["acknowledgement recalled"]
    assert (tell.kind, tell.contacts, tell.roles) == ("reminder", ("town",), ("town_government",))
    assert decided(case, due + HOUR)[1] == []


def test_an_acknowledgement_is_looked_at_when_it_is_to_be_recalled() -> None:
    assert awake(replace(ACKNOWLEDGED, wake_at=None), T0 + 2 * HOUR).wake_at == T0 + 24 * HOUR


def test_an_acknowledgement_without_a_contact_is_recalled_to_the_roles_that_may() -> None:
    _, _, [tell] = decided(decided(replace(ACKNOWLEDGED, acknowledged_contact=None), T0 + 24 * HOUR)[0], T0 + 25 * HOUR)

    assert (tell.contacts, tell.roles) == ((), ("town_government",))


def test_an_acknowledgement_after_which_nothing_is_done_lapses_and_the_ladder_goes_on() -> None:
    case = decided(decided(ACKNOWLEDGED, T0 + 24 * HOUR)[0], T0 + 72 * HOUR)[0]
    assert case.wake_at == T0 + 73 * HOUR
    case, kinds, [lapsed, tell] = decided(case, T0 + 73 * HOUR)

    assert kinds == ["acknowledgement lapsed", "rung climbed"]
    assert (lapsed.kind, lapsed.contacts, lapsed.title) == ("reminder", ("town",), EXPIRED)
    assert tell.roles == ("town_head",)
    assert (case.acknowledged_at, case.acknowledged_by, case.acknowledged_contact) == (None, None, None)


def test_what_was_missed_while_nobody_was_awake_is_not_recalled_but_lapses() -> None:
    _, kinds, [lapsed, tell] = decided(ACKNOWLEDGED, T0 + 100 * HOUR)

    assert kinds == ["acknowledgement lapsed", "rung climbed"]
    assert lapsed.contacts == ("town",)
    assert [one.roles for one in tell.audience] == [("county_head",), ("town_head",)]


@pytest.mark.parametrize("hours", [1, 2, 24], ids=["at once", "later", "just before"])
def test_who_did_something_is_neither_reminded_nor_forgotten(hours: int) -> None:
    acted = replace(ACKNOWLEDGED, acted_at=T0 + hours * HOUR)

    _, kinds, _ = decided(acted, T0 + 100 * HOUR)
    assert kinds == ["rung passed over", "rung climbed"]


def test_what_was_done_before_somebody_acknowledged_is_not_what_they_promised() -> None:
    acted = replace(ACKNOWLEDGED, acted_at=T0 + HOUR / 2)

    assert "acknowledgement recalled" in decided(acted, T0 + 25 * HOUR)[1]


def test_nothing_is_recalled_and_nothing_lapses_where_the_ladder_says_never() -> None:
    ladder = replace(LADDER, remind_after=None, lapses_after=None)

    case, kinds, _ = decided(replace(ACKNOWLEDGED, ladder=ladder), T0 + 100 * HOUR)
    assert kinds == ["rung passed over", "rung climbed"]
    assert case.acknowledged_at is not None


def test_while_the_child_is_on_leave_nothing_is_recalled() -> None:
    leave = replace(RUN, leave_until=T0 + 90 * HOUR, changes_at=T0 + 90 * HOUR)

    assert decided(ACKNOWLEDGED, T0 + 80 * HOUR, leave)[1:] == ([], [])


def test_an_acknowledgement_of_a_report_that_is_reopened_is_counted_from_there() -> None:
    reopened = replace(ACKNOWLEDGED, reopened_at=T0 + 70 * HOUR)

    assert "acknowledgement lapsed" not in decided(reopened, T0 + 80 * HOUR)[1]
    assert decided(reopened, T0 + 94 * HOUR)[1][:1] == ["acknowledgement recalled"]


# ---- a rung that reaches nobody -------------------------------------------------------------------------------------


def test_where_a_rung_reached_nobody_the_next_speaks_at_once() -> None:
    case, _, [tell] = decided(NEW, T0)
    decision = climb_on(case, tell, T0, LAW, calendar())

    assert decision is not None
    assert [one.roles for one in decision.tells] == [("town_head",)]
    assert (decision.case.climb.rung, decision.case.wake_at) == (2, case.wake_at)
    last = climb_on(decision.case, decision.tells[0], T0, LAW, calendar())
    assert last is not None
    assert climb_on(last.case, last.tells[0], T0, LAW, calendar()) is None


def test_a_hole_costs_no_repeat_of_the_rung_after_it() -> None:
    law = replace(LAW, ladder=replace(NAGGING, rungs=(TOWN, replace(HEAD, repeat=2 * HOUR))))
    case, _, [tell] = decided(NEW, T0, law=law)
    decision = climb_on(case, tell, T0, law, calendar())

    assert decision is not None
    assert decision.case.wake_at == T0 + 2 * HOUR


def test_where_the_next_rung_has_spoken_a_hole_changes_nothing() -> None:
    case, _, [tell] = decided(RAISED, T0 + 24 * HOUR)

    assert climb_on(case, replace(tell, rung=0), T0 + 24 * HOUR, LAW, calendar()) is None


def test_a_new_report_forgets_what_signs_were_kept_silent_for() -> None:
    sign = Sign("r", raised_at=T0 - DAY, over=True, climb=Climb(2, 1, owed=(1,)))

    case, _, _ = decided(replace(NEW, signs=(sign,)), T0)
    assert case.standing is Standing.RAISED
    assert [one.climb.owed for one in case.signs if one.rule == "r"] in ([()], [])


# ---- by when an answer is wanted -----------------------------------------------------------------------------------


def test_an_answer_is_wanted_until_the_next_rung_that_waits_for_one() -> None:
    assert answer_by(RAISED, T0) == T0 + 24 * HOUR
    assert answer_by(replace(RAISED, climb=Climb(2)), T0 + 30 * HOUR) is None
    assert answer_by(ACKNOWLEDGED, T0 + 2 * HOUR) is None
    assert answer_by(NEW, T0) is None


def test_a_rung_that_repeats_until_somebody_answers_wants_one_before_it_does() -> None:
    raised = decided(NEW, T0, law=replace(LAW, ladder=NAGGING))[0]
    assert answer_by(raised, T0) == T0 + 12 * HOUR
    until_seen = replace(NAGGING, rungs=tuple(replace(rung, until="seen") for rung in NAGGING.rungs))
    assert answer_by(replace(raised, ladder=until_seen), T0) != T0 + 12 * HOUR
