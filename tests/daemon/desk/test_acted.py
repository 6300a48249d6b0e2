"""What people do is on record in the case: it keeps an acknowledgement, and ends what waits only for that."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.desk.faults import DeskError
from daemon.jobs.byhand import add_leave, mark
from daemon.jobs.casefile import from_row, to_row
from daemon.jobs.office import Actor, acknowledge, acknowledge_by_link, confirm, note, propose_closing
from daemon.jobs.sweep import sweep_due
from daemon.store import outbox
from rules.case import Case
from rules.climb import Climb, Unheard
from rules.instants import EPOCH
from rules.ladder import Ladder, Rung
from rules.signs import Sign
from tests.daemon.desk.county_office import local

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.daemon.desk.county_office import Office

TAO = Actor("Tao")
HOUR = dt.timedelta(hours=1)
WHEN = local(2, "10:00")


def case_of(office: Office, number: str) -> Case:
    return from_row(office.case(number))


DEEDS: dict[str, Callable[[Office, str], object]] = {
    "a note": lambda office, number: note(office.house, number, "home visit", TAO, WHEN),
    "a confirmation": lambda office, number: confirm(office.house, number, seen=False, actor=TAO, now=WHEN),
    "a mark": lambda office, _: mark(office.house, "s-001", dt.date(2026, 3, 18), "am", "absent", "Tao", WHEN),
    "a leave of another time": lambda office, _: add_leave(
        office.house, "s-001", local(9, "00:00"), local(10, "00:00"), "sick", "Tao", WHEN
    ),
    "a proposal to close": lambda office, number: propose_closing(office.house, number, "transferred", TAO, WHEN),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_whatever_somebody_does_about_a_case_is_something_done(office: Office, deed: str) -> None:
    number = office.report()
    acknowledge(office.house, number, TAO, local(2, "09:00"))

    DEEDS[deed](office, number)

    assert case_of(office, number).acted_at == WHEN
    office.roll(3, "am", "APP", "08:10")
    later = [*office.step(3, "09:01"), *office.step(5, "10:00")]
    assert {kind for _, kind in later}.isdisjoint({"reminder", "escalation"})
    assert "acknowledgement recalled" not in [kind for kind, _ in office.journal(number)]


def test_a_note_of_nobody_is_not_written(office: Office) -> None:
    number = office.report()
    with pytest.raises(DeskError, match="who says so"):
        note(office.house, number, "a line", Actor(" "), WHEN)

    assert case_of(office, number).acted_at is None
    assert "note" not in [kind for kind, _ in office.journal(number)]


def test_a_note_on_a_closed_case_changes_nothing_else(office: Office) -> None:
    number = office.report()
    office.roll(2, "pm", "PPP", "14:10")
    with office.store.read() as tx:
        before = len(outbox.told(tx, office.case(number).case_id))
    note(office.house, number, "a line", TAO, local(2, "15:00"))

    with office.store.read() as tx:
        assert len(outbox.told(tx, office.case(number).case_id)) == before


def test_whoever_acknowledged_by_link_is_reminded_and_nobody_else(office: Office) -> None:
    number = office.report()
    acknowledge_by_link(office.house, office.alert(number, "office", "report"), local(2, "09:00"))
    office.roll(3, "am", "APP", "08:10")

    office.step(3, "09:00")
    assert office.step(3, "09:01") == [("3", "reminder")]


def test_an_acknowledgement_of_nobody_known_is_recalled_to_everybody_who_may(office: Office) -> None:
    number = office.report()
    acknowledge(office.house, number, TAO, local(2, "09:00"))
    office.roll(3, "am", "APP", "08:10")

    office.step(3, "09:00")
    assert office.step(3, "09:01") == [("1", "reminder"), ("3", "reminder")]


def test_a_reminder_that_waits_is_needless_once_something_is_done(office: Office) -> None:
    number = office.report()
    acknowledge(office.house, number, TAO, local(2, "09:00"))
    office.roll(3, "am", "APP", "08:10")
    sweep_due(office.house, local(3, "09:00"))

    note(office.house, number, "home visit", TAO, local(3, "09:00"))

    assert office.step(3, "09:05") == []


# ---- a case as it is stored -----------------------------------------------------------------------------------------

OLD_LADDER = {"id": "statutory", "rungs": [[86400.0, "acknowledged", ["town_head"], ["sms"]]], "acknowledged_by": ["x"]}


def test_a_case_of_old_reads_as_it_was_meant(office: Office) -> None:
    row = office.case(office.report())
    old = {"ladder": OLD_LADDER, "rung": 1, "standing": "raised", "signs": [["r", "v", None, None, 1, 2, 1, False, 2]]}

    case = from_row(type(row)(**{name: getattr(row, name) for name in row.__dataclass_fields__} | {"state": old}))

    assert case.climb == Climb(1)
    assert case.ladder == Ladder("statutory", (Rung(24 * HOUR, "acknowledged", ("town_head",), ("sms",)),), ("x",))
    assert case.signs[0].climb == Climb(2)


def test_a_case_reads_as_it_was_written() -> None:
    rung = Rung(HOUR, "acted", ("a",), ("sms", "email"), 2 * HOUR, "seen", "every", HOUR)
    ladder = Ladder("l", (rung, Rung(2 * HOUR, None, ("b",), ())), ("c",), 3 * HOUR, 4 * HOUR)
    climb = Climb(2, 5, (1,), ((0, EPOCH + HOUR), (1, EPOCH)), (Unheard(0, "a", EPOCH + HOUR),))
    sign = Sign("r", raised_at=EPOCH, times=1, climb=climb, ladder=ladder)
    case = Case("1", "n", "s", EPOCH, ladder=ladder, climb=climb, signs=(sign, Sign("q")), acted_at=EPOCH)
    case = replace(case, untold=True, climbs_from=EPOCH + HOUR)

    assert from_row(to_row(case)) == case
