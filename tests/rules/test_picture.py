"""A child's register as letters is what was written as letters."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rules.picture import pages
from rules.register import Leave, Movement, states
from tests.rules.small import DAY, MONDAY, register_of
from tests.table import instant


@given(st.lists(st.text("APT?L", min_size=2, max_size=2), min_size=1, max_size=20))
def test_what_was_written_is_what_is_shown(days: list[str]) -> None:
    register = register_of("".join(days))
    now = int(register.calendar.ends.max())

    shown = pages(register, states(register, now), 0, 0, len(days) - 1)

    assert [page.letters for page in shown] == days
    assert shown[0].date == MONDAY


def test_sessions_to_come_are_blank_and_leave_takes_the_place_of_the_absence_it_excuses() -> None:
    span = Leave(instant("Mon 00:00"), instant("Tue 00:00"), "sick")
    register = register_of("AAAAAA", leaves={0: [span]})

    shown = pages(register, states(register, int(register.calendar.starts[0, 4])), 0, 0, 3)

    assert [page.letters for page in shown] == ["LL", "AA", "A ", "  "]


def test_a_child_off_the_roll_is_shown_so_and_an_untaken_roll_too() -> None:
    register = register_of("PP--PP", movements={0: [Movement("transfer_out", instant("Wed 00:00"), evidence=True)]})

    shown = pages(register, states(register, int(register.calendar.starts.max())), 0, 0, 2)

    assert [page.letters for page in shown] == ["PP", "--", ".."]


def test_days_without_school_are_left_out() -> None:
    register = register_of("P" * 12)
    shown = pages(register, states(register, int(register.calendar.starts.max())), 0, 0, 5)
    assert [page.date for page in shown] == [MONDAY + n * DAY for n in (0, 1, 2, 3, 4, 7)]
