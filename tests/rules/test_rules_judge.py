"""What the clock says of a child at an instant, and when that changes by itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from rules.finding import Finding, Question
from rules.incidents import mass_absences, silent_classes, silent_rows
from rules.instants import to_micros
from rules.register import Leave, Movement, Spell, build_register
from tests.rules.small import DAY, HOUR, calendar, judged, register_of, rolls_of, timetable
from tests.table import instant

TWO_HOURS = dt.timedelta(hours=2)


def finding(letters: str, when: str, *, about: str | None = None, **rest: Any) -> Finding:  # noqa: ANN401
    """Of the first child of a class; the second is always there, so that rolls are taken."""
    clock = {key: rest.pop(key) for key in ("school_time", "after") if key in rest}
    register = register_of(letters, "P" * len(letters), **rest)
    questions = {0: Question(instant(about))} if about else {}
    return judged(register, when, **clock).findings([0], questions)[0]


def leave(first: str, last: str) -> dict[int, list[Leave]]:
    return {0: [Leave(instant(first), instant(last), "sick")]}


# ---- armed ----------------------------------------------------------------------------------------------------------


def test_with_two_days_known_the_deadline_is_armed_48_hours_after_the_start() -> None:
    found = finding("AAA", "Tue 08:10")

    assert (found.run_from, found.run_days, found.satisfied) == (instant("Mon 08:00"), 2, True)
    assert found.armed_at == found.ripe_at == instant("Wed 08:00")


def test_with_one_day_known_nothing_is_armed_but_when_it_would_be_ripe_is_known() -> None:
    found = finding("AA", "Mon 14:10")

    assert (found.satisfied, found.armed_at, found.ripe_at) == (False, None, instant("Wed 08:00"))


def test_a_deadline_that_passed_is_not_armed() -> None:
    assert finding("AAAA", "Wed 08:00").armed_at is None


def test_the_school_clock_arms_over_the_weekend() -> None:
    assert finding("PPPPPPAAAA", "Fri 14:10", school_time=True).ripe_at == instant("Mon 08:00", 1)
    assert finding("PPPPPPAAAA", "Fri 14:10").ripe_at == instant("Sat 08:00")


def test_a_known_leave_that_will_cover_a_session_before_the_deadline_disarms_it() -> None:
    assert finding("AAA", "Tue 08:10", leaves=leave("Tue 14:00", "Wed 00:00")).armed_at is None


def test_a_known_leave_over_the_deadline_that_covers_no_session_puts_it_off_to_its_end() -> None:
    early = leave("Wed 06:00", "Wed 08:00")

    assert finding("AAA", "Tue 08:10", leaves=early).armed_at == instant("Wed 08:00")
    saturday = {0: [Leave(instant("Sat 07:00"), instant("Sat 09:30"), "sick")]}
    assert finding("PPPPPPAAA", "Fri 08:10", leaves=saturday).armed_at == instant("Sat 09:30")


def test_leaves_that_touch_are_one_wait() -> None:
    chain = {
        0: [Leave(instant(a), instant(b), "sick") for a, b in (("Sat 09:00", "Sat 12:00"), ("Sat 07:00", "Sat 09:00"))]
    }

    assert finding("PPPPPPAAA", "Fri 08:10", leaves=chain).armed_at == instant("Sat 12:00")


def test_a_known_movement_before_the_deadline_disarms_it() -> None:
    out = {0: [Movement("transfer_out", instant("Wed 07:00"), evidence=True)]}

    assert finding("AAA", "Tue 08:10", movements=out).armed_at is None


def test_a_leave_in_force_is_said_with_its_end() -> None:
    found = finding("AAA", "Tue 12:00", leaves=leave("Tue 11:45", "Tue 13:30"))

    assert found.leave_until == instant("Tue 13:30")
    assert found.run_from == instant("Mon 08:00"), "the run is there, though not open"


# ---- when it changes by itself --------------------------------------------------------------------------------------


def test_nothing_known_takes_effect_later_so_nothing_changes() -> None:
    assert finding("AAA", "Tue 08:10").changes_at is None


def test_a_leave_changes_what_is_known_when_it_begins_and_when_it_ends() -> None:
    known = leave("Tue 14:00", "Wed 00:00")

    assert finding("AAA", "Tue 08:10", leaves=known).changes_at == instant("Tue 14:00")
    assert finding("AAA", "Tue 14:00", leaves=known).changes_at == instant("Wed 00:00")


def test_a_movement_out_takes_effect_at_its_instant() -> None:
    out = {0: [Movement("verified_elsewhere", instant("Thu 12:00"), evidence=False)]}

    assert finding("AAA", "Tue 08:10", movements=out).changes_at == instant("Thu 12:00")
    assert finding("AAA", "Thu 12:00", movements=out).out == "verified_elsewhere"


def test_a_mark_made_before_its_session_counts_when_the_session_begins() -> None:
    found = finding("AAAAP", "Wed 07:50")

    assert found.changes_at == instant("Wed 08:00")
    assert found.run_from is not None
    assert finding("AAAAP", "Wed 08:00").run_from is None


# ---- silence --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("letters", "silent"),
    [("AA", "Tue 16:00"), ("AAAA", "Wed 16:00"), ("", "Mon 16:00"), ("AA??", "Tue 16:00"), ("AALL", "Wed 16:00")],
    ids=["one day known", "two days known", "nothing known", "unknown is none", "a leave is a word"],
)
def test_a_child_is_silent_two_hours_of_session_time_after_the_first_session_without_a_word(
    letters: str, silent: str
) -> None:
    assert finding(letters, "Fri 23:00").silent_from == instant(silent)


def test_a_child_off_the_roll_to_the_end_is_never_silent() -> None:
    table = calendar(timetable(days=5))
    out = {0: [Movement("graduate", instant("Mon 08:00"), evidence=True)]}

    assert finding("", "Fri 23:00", movements=out, known=table).silent_from is None


def test_silence_is_counted_class_by_class() -> None:
    rolls = rolls_of([(0, 0, 0, "P")], [(0, 0, 1, "P")], [(0, 0, 2, "P")])
    register = build_register(calendar(), [[Spell(0, None)], [Spell(1, None)]], [0, 0], rolls)
    judgement = judged(register, "Tue 11:00")

    assert silent_rows(judgement, {0: TWO_HOURS, 1: TWO_HOURS}).tolist() == [False, True]
    assert silent_classes(judgement, {0: TWO_HOURS, 1: TWO_HOURS}) == {1}
    assert silent_classes(judgement, {0: TWO_HOURS}) == set(), "a class no feed owes is never silent"


def test_a_class_with_one_word_of_one_child_is_not_silent() -> None:
    register = register_of("PPPP", "P---")

    assert silent_rows(judged(register, "Wed 11:00"), {0: TWO_HOURS}).tolist() == [False, True]
    assert silent_classes(judged(register, "Wed 11:00"), {0: TWO_HOURS}) == set()


def test_a_class_whose_children_are_all_gone_is_not_silent() -> None:
    out = {0: [Movement("graduate", instant("Tue 08:00"), evidence=True)]}
    register = register_of("PP", movements=out)

    assert silent_classes(judged(register, "Fri 12:00"), {0: TWO_HOURS}) == set()


# ---- mass absence ---------------------------------------------------------------------------------------------------


def storm(absent: int, there: int, leave_rows: int = 0, share: float = 0.5) -> list[tuple[int, int]]:
    register = register_of(*["A"] * absent, *["P"] * there, *["L"] * leave_rows)
    found = mass_absences(judged(register, "Mon 09:00"), ["k-1"] * (absent + there + leave_rows), [0], share)
    return [(one.absent, one.expected) for one in found]


@pytest.mark.parametrize(
    ("absent", "there", "leaves", "found"),
    [(20, 0, 0, True), (19, 0, 0, False), (20, 20, 0, False), (21, 20, 0, True), (20, 0, 20, False)],
    ids=[
        "twenty",
        "nineteen are too few",
        "half are not more than half",
        "more than half",
        "leave is expected, not absent",
    ],
)
def test_more_than_half_and_at_least_twenty(absent: int, there: int, leaves: int, found: bool) -> None:  # noqa: FBT001
    assert storm(absent, there, leaves) == ([(absent, absent + there + leaves)] if found else [])


def test_the_share_is_the_operators_to_change() -> None:
    assert storm(21, 20, share=0.9) == []


# ---- the deadline asked about ---------------------------------------------------------------------------------------


def test_a_session_at_the_deadline_is_awaited_until_its_mark_is_known() -> None:
    waiting, called, unnamed = (
        finding(letters, "Wed 08:10", about="Wed 08:00") for letters in ("AAAA", "AAAAA", "AAAA?")
    )

    assert (waiting.deadline_session, waiting.deadline_marked) == (True, False)
    assert called.deadline_marked
    assert unnamed.deadline_marked, "unknown is a mark"


def test_a_deadline_outside_the_childs_sessions_waits_for_nothing() -> None:
    assert not finding("PPPPPPAAAA", "Sat 08:00", about="Sat 08:00").deadline_session


def test_a_deadline_on_a_day_the_child_is_gone_waits_for_nothing() -> None:
    out = {0: [Movement("suspend", instant("Wed 07:00"), evidence=True)]}

    assert not finding("AAAA", "Wed 08:10", about="Wed 08:00", movements=out).deadline_session


@pytest.mark.parametrize(
    ("letters", "rest", "owed", "reason"),
    [
        ("AAAAP", {}, True, None),
        ("AAPPA", {}, False, "corrected"),
        ("AAAAA", {"leaves": leave("Mon 00:00", "Thu 00:00")}, False, "excused"),
        ("AAAAA", {"leaves": leave("Wed 08:00", "Thu 00:00")}, True, None),
        ("AAAAA", {"leaves": leave("Tue 18:00", "Thu 00:00")}, False, "excused"),
        (
            "AAAAA",
            {"movements": {0: [Movement("transfer_out", instant("Tue 18:00"), evidence=True)]}},
            False,
            "transfer_out",
        ),
        ("AAAAA", {"movements": {0: [Movement("transfer_out", instant("Wed 08:00"), evidence=True)]}}, True, None),
        ("AALLA", {}, False, "excused"),
        ("A??AA", {}, True, None),
        ("A????", {}, False, "corrected"),
    ],
)
def test_a_report_was_owed_if_it_was_due_as_things_are_now_known(
    letters: str,
    rest: dict[str, Any],
    owed: bool,  # noqa: FBT001
    reason: str | None,
) -> None:
    found = finding(letters, "Fri 23:00", about="Wed 08:00", **rest)

    assert (found.owed, found.owed_reason) == (owed, reason)


def test_one_day_was_enough_for_an_unconfirmed_report() -> None:
    judgement = judged(register_of("AA", "PPPPPP"), "Fri 23:00")

    confirmed = judgement.findings([0], {0: Question(instant("Wed 14:20"))})[0]
    unconfirmed = judgement.findings([0], {0: Question(instant("Wed 14:20"), unconfirmed=True)})[0]

    assert (confirmed.owed, unconfirmed.owed) == (False, True)


def test_the_earliest_session_that_showed_the_child_is_the_return() -> None:
    found = finding("PAAAAAPP", "Fri 23:00", about="Wed 08:00")

    assert found.seen_since == instant("Thu 08:00")


def test_asked_about_nobody_nothing_is_computed() -> None:
    assert judged(register_of("A"), "Mon 12:00").findings([], {}) == {}
    assert judged(register_of("A"), "Mon 12:00").runs.start.tolist() == [to_micros(instant("Mon 08:00"))]


def test_a_child_declared_to_have_dropped_out_is_declared_from_then_on() -> None:
    gone = {0: [Movement("drop_out", instant("Wed 12:00"), evidence=False)]}

    assert not finding("AAAA", "Wed 11:00", movements=gone).declared
    assert finding("AAAA", "Wed 12:00", movements=gone).declared


def test_a_run_over_the_change_of_clocks_is_48_hours_long() -> None:
    table = timetable(first=dt.date(2026, 3, 26), days=30, open=frozenset({dt.date(2026, 3, 28), dt.date(2026, 3, 29)}))
    known = calendar(table, "Europe/Berlin")
    register = register_of("PPAAAA", known=known)
    friday = dt.datetime(2026, 3, 27, 7, tzinfo=dt.UTC)

    found = judged(register, friday + DAY + HOUR).findings([0], {})[0]

    assert found.run_from == friday
    assert found.armed_at == friday + 2 * DAY, "Sunday 09:00 in Berlin, where Saturday night had 23 hours"
