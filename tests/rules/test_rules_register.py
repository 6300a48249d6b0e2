"""What is known laid over one another: which mark counts, what a hole is, who was expected."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from rules.instants import NEVER, from_micros, span, to_micros
from rules.records import Mark
from rules.register import (
    EXCUSED,
    HOLE,
    MISSED,
    SEEN,
    SKIP,
    Leave,
    Movement,
    Out,
    Spell,
    build_register,
    confirmed_outs,
    states,
)
from rules.rolls import Overlay
from rules.runs import scan_runs
from tests.rules.small import DAY, HOUR, MONDAY, calendar, register_of, rolls_of, row_of, timetable
from tests.table import instant

NINE = instant("Mon 09:00")
LATER = NINE + HOUR


def of_two_rolls(first: str, second: str, **rest: list[int] | list[dt.datetime]) -> str:
    rolls = rolls_of([(0, 0, 0, first)], [(0, 0, 0, second)], **rest)  # type: ignore[arg-type]  # by name
    return row_of(build_register(calendar(), [[Spell(0, None)]], [0], rolls), width=1)


# ---- precedence -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), ["AP", "PA", "AL", "P?", "LA"])
def test_the_mark_recorded_later_wins(first: str, second: str) -> None:
    assert of_two_rolls(first, second, at=[NINE, LATER]) == second
    assert of_two_rolls(second, first, at=[LATER, NINE]) == second


def test_recorded_together_the_higher_rank_wins_and_then_the_later_line() -> None:
    assert of_two_rolls("A", "P", at=[NINE, NINE], rank=[2, 1], line=[2, 9]) == "A"
    assert of_two_rolls("P", "A", at=[NINE, NINE], rank=[1, 1], line=[2, 9]) == "A"
    assert of_two_rolls("P", "A", at=[NINE, NINE], rank=[1, 1], line=[9, 2]) == "P"


@pytest.mark.parametrize(("one", "other", "wins"), [("A", "P", "P"), ("P", "A", "P"), ("T", "A", "T"), ("?", "A", "A")])
def test_all_else_equal_positive_wins_over_absent_and_absent_over_unknown(one: str, other: str, wins: str) -> None:
    assert of_two_rolls(one, other, at=[NINE, NINE]) == wins


def test_a_roll_outside_the_calendar_or_of_somebody_else_is_left_aside() -> None:
    rolls = rolls_of([(0, -1, 0, "A")], [(0, 0, -1, "A")])

    register = build_register(calendar(), [[Spell(0, None)]], [0], rolls)

    assert row_of(register, width=4) == "?---", "somebody was called, and nobody said this child"


# ---- holes ----------------------------------------------------------------------------------------------------------


def test_a_child_whom_its_classs_roll_does_not_name_is_unknown_in_it() -> None:
    register = register_of("A-", "PP")

    assert row_of(register, 0, 3) == "A?-"


def test_another_classs_roll_says_nothing_of_a_child() -> None:
    rolls = rolls_of([(1, 1, 0, "P")])
    register = build_register(calendar(), [[Spell(0, None)], [Spell(1, None)]], [0, 0], rolls)

    assert [row_of(register, row, 1) for row in (0, 1)] == ["-", "P"]


def test_an_exception_roll_names_the_absent_and_the_others_were_there() -> None:
    rolls = rolls_of([(0, 0, 0, "A")], [(0, 0, 1, "-")], implied=0)
    register = build_register(calendar(), [[Spell(0, None)] for _ in range(3)], [0], rolls)

    assert [row_of(register, row, 1) for row in range(3)] == ["A", "P", "P"]


def test_a_later_mark_outranks_an_implied_presence_and_a_later_implied_presence_a_mark() -> None:
    marks, implied = [(0, 0, 0, "A")], [(0, 1, 0, "A")]
    spells = [[Spell(0, None)], [Spell(0, None)]]

    named_later = build_register(calendar(), spells, [0], rolls_of(implied, marks, implied=0))
    named_before = build_register(calendar(), spells, [0], rolls_of(marks, implied, implied=1))

    assert row_of(named_later, 0, 1) == "A"
    assert row_of(named_before, 0, 1) == "P"


# ---- by hand --------------------------------------------------------------------------------------------------------


def overlaid(said_at: dt.datetime, mark: Mark) -> str:
    overlay = Overlay(np.array([0]), MONDAY, "am", mark, said_at)
    rolls = rolls_of([(0, 0, 0, "A")], at=[NINE])
    return row_of(build_register(calendar(), [[Spell(0, None)]], [0], rolls, overlays=[overlay]), width=1)


def test_what_is_said_by_hand_wins_over_what_was_recorded_before_and_together() -> None:
    assert overlaid(LATER, Mark.PRESENT) == "P"
    assert overlaid(NINE, Mark.PRESENT) == "P"


def test_what_a_feed_records_after_a_word_by_hand_wins() -> None:
    assert overlaid(NINE - HOUR, Mark.PRESENT) == "A"


def test_judged_not_real_an_absence_is_a_hole() -> None:
    assert overlaid(LATER, Mark.UNKNOWN) == "?"


def test_a_word_on_a_day_off_says_nothing() -> None:
    overlay = Overlay(np.array([0]), MONDAY + 5 * DAY, "am", Mark.ABSENT, NINE)
    register = register_of("P", overlays=[overlay])

    assert row_of(register, 0, 12) == "P-----------"


# ---- who is expected ------------------------------------------------------------------------------------------------


def meaning(register: object, when: str = "Fri 23:00") -> list[int]:
    return list(states(register, to_micros(instant(when)))[0, :6])  # type: ignore[arg-type]  # a register


def test_days_before_enrolment_are_not_expected() -> None:
    register = register_of("AAAAAA", spells=[[Spell(0, MONDAY + DAY)]])

    assert meaning(register) == [SKIP, SKIP, MISSED, MISSED, MISSED, MISSED]


def test_sessions_that_have_not_begun_are_not_expected_yet() -> None:
    assert meaning(register_of("PPPP"), "Mon 14:00") == [SEEN, SEEN, SKIP, SKIP, SKIP, SKIP]


def test_a_child_that_changes_its_class_is_in_the_rolls_of_both() -> None:
    rolls = rolls_of([(0, 0, 0, "A")], [(1, 0, 2, "A")], [(0, 1, 2, "P")])
    spells = [[Spell(0, None), Spell(1, MONDAY + DAY)], [Spell(0, None)]]
    register = build_register(calendar(), spells, [0, 0], rolls)

    assert row_of(register, 0, 4) == "A-A-"
    assert register.classes[0, [0, 1, 2, 3]].tolist() == [0, 0, 1, 1]


def test_a_child_that_changes_its_school_is_expected_by_the_calendar_of_each_day() -> None:
    known = calendar(own={"sch-2": timetable(closed=frozenset({MONDAY, MONDAY + DAY}))})
    spells = [[Spell(0, None), Spell(1, MONDAY + DAY)]]
    register = build_register(known, spells, [0, 1], rolls_of([(0, 0, 0, "A")]))

    assert register.expected()[0, :6].tolist() == [True, True, False, False, True, True]
    assert (register.variant_of(0, 0), register.variant_of(0)) == (0, 1)


# ---- leave ----------------------------------------------------------------------------------------------------------


def on_leave(first: str, last: str, letters: str = "AAAAAA", **rest: int) -> list[int]:
    leave = Leave(instant(first), instant(last), "sick")
    register = register_of(letters, leaves={0: [leave]})
    before = None if "before" not in rest else np.array([rest["before"]])
    return list(states(register, to_micros(instant("Fri 23:00")), before)[0, :6])


def test_a_leave_covers_every_session_it_overlaps_and_is_half_open() -> None:
    assert on_leave("Mon 11:39", "Tue 08:01")[:4] == [EXCUSED, EXCUSED, EXCUSED, MISSED]
    assert on_leave("Mon 11:40", "Tue 08:00")[:4] == [MISSED, EXCUSED, MISSED, MISSED]


def test_a_child_seen_on_its_leave_was_seen() -> None:
    assert on_leave("Mon 00:00", "Tue 00:00", "PA")[:2] == [SEEN, EXCUSED]


def test_a_leave_excuses_also_where_nothing_is_known() -> None:
    assert on_leave("Mon 00:00", "Tue 00:00", "-?")[:2] == [EXCUSED, EXCUSED]


def test_what_starts_at_the_deadline_or_later_is_left_aside() -> None:
    due = to_micros(instant("Tue 08:00"))

    assert on_leave("Mon 12:00", "Fri 00:00", before=due) == [MISSED, EXCUSED, SKIP, SKIP, SKIP, SKIP]
    assert on_leave("Tue 08:00", "Fri 00:00", before=due) == [MISSED, MISSED, SKIP, SKIP, SKIP, SKIP]


# ---- movements ------------------------------------------------------------------------------------------------------


def move(kind: str, when: str, *, evidence: bool = False) -> Movement:
    return Movement(kind, instant(when), evidence)


@pytest.mark.parametrize("kind", ["transfer_out", "suspend", "graduate"])
def test_a_movement_out_counts_with_evidence_only(kind: str) -> None:
    assert confirmed_outs([move(kind, "Tue 18:00")]) == ()
    assert confirmed_outs([move(kind, "Tue 18:00", evidence=True)]) == (Out(kind, instant("Tue 18:00"), None),)


def test_verified_elsewhere_is_confirmed_by_itself() -> None:
    assert confirmed_outs([move("verified_elsewhere", "Tue 18:00")])[0].kind == "verified_elsewhere"


@pytest.mark.parametrize("swapped", [False, True])
def test_the_new_school_confirms_a_transfer_whichever_is_known_first(swapped: bool) -> None:  # noqa: FBT001
    known = [move("transfer_out", "Tue 18:00"), move("transfer_in", "Thu 08:00")]

    outs = confirmed_outs(known[::-1] if swapped else known)

    assert outs == (Out("transfer_out", instant("Tue 18:00"), instant("Thu 08:00")),)


def test_an_arrival_before_the_transfer_confirms_nothing() -> None:
    assert confirmed_outs([move("transfer_in", "Mon 08:00"), move("transfer_out", "Tue 18:00")]) == ()


def test_dropping_out_is_no_movement_off_the_roll() -> None:
    assert confirmed_outs([move("drop_out", "Tue 18:00", evidence=True)]) == ()


def test_a_suspension_lasts_until_the_child_resumes() -> None:
    known = [move("resume", "Thu 08:00"), move("suspend", "Tue 14:00", evidence=True)]
    register = register_of("AAAAAAAA", movements={0: known})

    assert register.expected()[0, :8].tolist() == [True, True, True, False, False, False, True, True]


def test_a_session_that_starts_with_the_movement_is_not_expected() -> None:
    register = register_of("AAAA", movements={0: [move("transfer_out", "Tue 08:00", evidence=True)]})

    assert register.expected()[0, :4].tolist() == [True, True, False, False]


def test_an_unconfirmed_movement_changes_nothing() -> None:
    register = register_of("AAAA", movements={0: [move("transfer_out", "Mon 12:00")]})

    assert register.enrolled is None
    assert register.outs == {}


# ---- runs -----------------------------------------------------------------------------------------------------------


def runs(letters: str, days: int = 10, ended: str | None = None) -> tuple[int, int, str]:
    """The current run's first column, its known days, and what stopped the one before."""
    register = register_of(letters, known=calendar(timetable(days=60)))
    cells = states(register, NEVER - 1)
    ended_from = None if ended is None else np.array([to_micros(instant(ended))])
    found = scan_runs(cells, register.starts(), register.calendar.day_of, span(days * DAY), ended_from)
    stopped = {0: "", EXCUSED: "L", SEEN: "P"}[int(found.stopped_by[0])]
    return int(found.column[0]), int(found.days[0]), stopped


@pytest.mark.parametrize(
    ("letters", "column", "days", "stopped"),
    [
        ("AAAA", 0, 2, ""),
        ("PAAA", 1, 2, "P"),
        ("PP", -1, 0, "P"),
        ("LLAAAA", 2, 2, "L"),
        ("APAP", -1, 0, "P"),
        ("A--A", 0, 2, ""),
        ("A??A", 0, 2, ""),
        ("-?", -1, 0, ""),
        ("AA", 0, 1, ""),
        ("ATA", 2, 1, "P"),
        ("ALA", 2, 1, "L"),
    ],
)
def test_a_run_begins_after_the_last_session_that_showed_or_excused_the_child(
    letters: str, column: int, days: int, stopped: str
) -> None:
    assert runs(letters) == (column, days, stopped)


def test_holes_bridge_ten_days_and_no_more() -> None:
    assert runs("A" + "-" * 15 + "A")[0] == 0, "Thursday morning of the week after: ten days to the hour"
    assert runs("A" + "-" * 16 + "A")[:2] == (17, 1), "Thursday afternoon"


def test_a_break_of_exactly_so_many_days_still_bridges() -> None:
    assert runs("A-A", days=1)[0] == 0
    assert runs("A--A", days=1)[0] == 3


def test_absences_before_a_movement_belong_to_no_run() -> None:
    assert runs("AAAA", ended="Tue 08:00")[:2] == (2, 1)


def test_a_register_of_nobody_or_of_no_sessions_has_no_runs() -> None:
    nothing = np.zeros((0, 4), np.uint8), np.zeros((0, 4), np.int64)
    none = np.zeros((1, 0), np.uint8), np.zeros((1, 0), np.int64)

    assert scan_runs(*nothing, np.zeros(4, np.int32), 1).start.tolist() == []
    assert scan_runs(*none, np.zeros(0, np.int32), 1).start.tolist() == [NEVER]


def test_a_hole_is_what_is_untaken_or_unknown() -> None:
    assert meaning(register_of("-?AL", "PP"))[:4] == [HOLE, HOLE, MISSED, EXCUSED]
    assert from_micros(0) == dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
