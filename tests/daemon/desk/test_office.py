"""What people do to a case, as whole stories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from daemon.desk.faults import DeskError
from daemon.jobs.dossier import list_ledger, open_dossier
from daemon.jobs.office import (
    Actor,
    acknowledge,
    acknowledge_by_link,
    approve_closing,
    confirm,
    confirm_by_link,
    note,
    propose_closing,
)
from daemon.jobs.sweep import sweep_due
from tests.daemon.desk.county_office import local

if TYPE_CHECKING:
    from tests.daemon.desk.county_office import Office

TAO, EVE = Actor("Tao"), Actor("Eve")


def test_an_acknowledged_report_does_not_climb(office: Office) -> None:
    number = office.report()
    acknowledge(office.house, number, TAO, local(2, "09:00"))
    assert office.roll(3, "am", "APP", "08:10") == []
    kinds = [kind for kind, _ in office.journal(number)]
    assert "acknowledged" in kinds
    assert [kind for kind in kinds if not kind.startswith("sign ")][-1] == "rung passed over"


def test_a_report_nobody_acknowledges_climbs(office: Office) -> None:
    number = office.report()
    assert office.roll(3, "am", "APP", "08:10") == [("2", "escalation")]
    assert office.case(number).is_open


def test_acknowledging_twice_is_once(office: Office) -> None:
    number = office.report()
    assert acknowledge(office.house, number, TAO, local(2, "09:00")).changed
    again = acknowledge(office.house, number, EVE, local(2, "09:05"))
    assert not again.changed
    assert again.case.acknowledged_at == local(2, "09:00")
    assert [kind for kind, _ in office.journal(number)].count("acknowledged") == 1


def test_an_escalation_still_waiting_is_cancelled_by_an_acknowledgement(office: Office) -> None:
    number = office.report()
    sweep_due(office.house, local(3, "08:10"))
    acknowledge(office.house, number, TAO, local(3, "08:11"))
    assert office.step(3, "08:12") == []


def test_only_who_holds_the_role_acknowledges_by_link(office: Office) -> None:
    number = office.report()
    office.roll(3, "am", "APP", "08:10")
    with pytest.raises(DeskError, match="not for town_head"):
        acknowledge_by_link(office.house, office.alert(number, "head", "escalation"), local(3, "09:00"))
    done = acknowledge_by_link(office.house, office.alert(number, "town", "report"), local(3, "09:00"))
    assert done.case.acknowledged_by == "town_government"
    assert ("acknowledged", "town_government town") in [(kind, body.get("by")) for kind, body in office.journal(number)]


def test_a_case_that_was_not_reported_cannot_be_acknowledged(office: Office) -> None:
    office.roll(0, "am", "APP", "08:10")
    with pytest.raises(DeskError, match="no such report"):
        acknowledge(office.house, office.number(), TAO, local(0, "09:00"))


def test_an_unknown_number_is_refused_with_a_hint(office: Office) -> None:
    with pytest.raises(DeskError) as refused:
        acknowledge(office.house, "2026-000999", TAO, local(0, "09:00"))
    assert refused.value.hint


def silence_after_monday(office: Office) -> str:
    """Monday absent, then no roll at all: teacher and principal are asked on Wednesday at 08:00."""
    office.roll(0, "am", "APP", "08:10")
    office.step(0, "09:00")
    office.roll(0, "pm", "APP", "14:10")
    office.step(1, "12:00")
    office.step(1, "15:00")
    assert ("5", "confirm_request") in office.step(2, "08:00")
    return office.number()


def test_a_confirmed_absence_is_reported_at_once(office: Office) -> None:
    number = silence_after_monday(office)
    alert = office.alert(number, "teacher", "confirm_request")
    confirm_by_link(office.house, alert, seen=False, now=local(2, "08:05"))
    assert [one for one in office.step(2, "08:05") if one[1] == "report"] == [("1", "report"), ("3", "report")]
    assert not office.case(number).state.get("unconfirmed", False)


def test_a_child_confirmed_seen_is_not_reported(office: Office) -> None:
    number = silence_after_monday(office)
    confirm(office.house, number, seen=True, actor=TAO, now=local(2, "08:05"))
    office.step(2, "08:05")
    assert [one for one in office.step(2, "15:00") if one[1] == "report"] == []
    assert not office.case(number).is_open


def test_a_note_is_a_line_of_the_journal_and_nothing_else(office: Office) -> None:
    number = office.report()
    note(office.house, number, "went to the door, nobody in", EVE, local(2, "10:00"))
    kind, body = office.journal(number)[-1]
    assert (kind, body["text"], body["by"]) == ("note", "went to the door, nobody in", "Eve")
    assert office.step(2, "10:00") == []


def test_two_people_close_a_case_and_those_told_of_it_are_told(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "verified elsewhere", TAO, local(2, "10:00"))
    assert office.step(2, "10:00") == []
    approve_closing(office.house, number, EVE, local(2, "11:00"))
    assert office.step(2, "11:00") == [("1", "closed"), ("3", "closed")]
    row = office.case(number)
    assert (row.stage, row.state["reason"]) == ("closed", "verified elsewhere")


@pytest.mark.parametrize("reason", ["verified elsewhere", "deceased", "false alarm", "excused", "returned", "not_ours"])
def test_a_closed_case_does_not_come_back_with_the_run_it_was_about(office: Office, reason: str) -> None:
    number = office.report()
    propose_closing(office.house, number, reason, TAO, local(2, "10:00"))
    approve_closing(office.house, number, EVE, local(2, "11:00"))
    office.step(2, "11:00")
    told = office.roll(2, "pm", "APP", "14:10") + office.step(2, "15:30") + office.roll(3, "am", "APP", "08:10")
    assert [one for one in told if one[1] == "report"] == []


def test_a_child_still_absent_after_a_false_alarm_is_reported_anew_in_two_days(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "false alarm", TAO, local(2, "10:00"))
    approve_closing(office.house, number, EVE, local(2, "11:00"))
    office.step(2, "11:00")
    for day in (3, 4):
        office.roll(day, "am", "APP", "08:10")
        office.roll(day, "pm", "APP", "14:10")
    assert [one for one in office.step(5, "08:10") if one[1] == "report"] == [("1", "report"), ("3", "report")]
    assert office.number() != number


def test_the_same_person_cannot_approve(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "excused", TAO, local(2, "10:00"))
    with pytest.raises(DeskError, match="cannot approve"):
        approve_closing(office.house, number, Actor(" ＴＡＯ "), local(2, "11:00"))
    assert office.case(number).is_open


def test_nobody_approves_what_nobody_proposed(office: Office) -> None:
    with pytest.raises(DeskError, match="nobody proposed"):
        approve_closing(office.house, office.report(), EVE, local(2, "11:00"))


@pytest.mark.parametrize("reason", ["family moved, unreachable", "举家外出，无法联系", "bored"])
def test_what_is_no_reason_closes_nothing(office: Office, reason: str) -> None:
    number = office.report()
    with pytest.raises(DeskError):
        propose_closing(office.house, number, reason, TAO, local(2, "10:00"))


def test_reasons_may_be_said_in_chinese(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "已转学", TAO, local(2, "10:00"))
    done = approve_closing(office.house, number, EVE, local(2, "11:00"))
    assert done.case.reason == "transferred"


def test_a_proposal_falls_with_a_new_report(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "returned", TAO, local(2, "10:00"))
    office.roll(2, "pm", "PPP", "14:10")
    for day in (3, 4):
        office.roll(day, "am", "APP", "08:10")
        office.roll(day, "pm", "APP", "14:10")
    office.step(5, "08:10")
    assert office.case(number).episode == 2
    with pytest.raises(DeskError, match="nobody proposed"):
        approve_closing(office.house, number, EVE, local(5, "09:00"))


def test_a_closed_case_takes_notes_only(office: Office) -> None:
    number = office.report()
    propose_closing(office.house, number, "excused", TAO, local(2, "10:00"))
    approve_closing(office.house, number, EVE, local(2, "11:00"))
    with pytest.raises(DeskError, match="is closed"):
        acknowledge(office.house, number, TAO, local(2, "12:00"))
    note(office.house, number, "papers filed", TAO, local(2, "12:00"))
    assert office.journal(number)[-1][0] == "note"


def test_no_name_lies_open_in_the_state_of_a_case(office: Office) -> None:
    number = office.report()
    acknowledge(office.house, number, Actor("Zebulon"), local(2, "09:00"))
    propose_closing(office.house, number, "excused", Actor("Zebulon"), local(2, "10:00"))
    assert "Zebulon" not in str(office.case(number))


def test_a_dossier_tells_the_whole_story(office: Office) -> None:
    number = office.report()
    acknowledge(office.house, number, TAO, local(2, "09:00"))
    with office.store.read() as tx:
        found = open_dossier(tx, office.house, number, local(2, "12:00"))
    assert {one["contact"] for one in found["told"] if one["kind"] == "report"} == {"town", "office"}
    assert [one["mark"] for one in found["history"]][-5:] == ["absent"] * 5
    assert found["journal"][-1]["body"]["by"] == "Tao"
    assert found["due_at"] == "2026-03-18T08:00:00+08:00"


def test_the_ledger_is_narrowed_by_stage_and_unit(office: Office) -> None:
    number = office.report()
    with office.store.read() as tx:
        reported = list_ledger(tx, office.house, stage="reported")
        in_class = list_ledger(tx, office.house, unit="k-1")
        with pytest.raises(DeskError, match="no unit"):
            list_ledger(tx, office.house, unit="t-9")
    assert [one["case"] for one in reported] == [one["case"] for one in in_class] == [number]
