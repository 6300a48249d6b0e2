"""The self-audit finds what should have been done, has it done, and tells the operator once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from daemon.jobs.audit import GRACE, LONGEST_LEASE, WHAT, audit
from daemon.jobs.sweep import CASE, sweep_due
from daemon.store import cases, incidents, sending, tables, timers
from daemon.store.alerts import CANCELLED
from notifiers.words import Words
from tests.daemon.record.record_office import RecordOffice

MINUTE = dt.timedelta(minutes=1)
LATER = GRACE + MINUTE


def found(office: RecordOffice, **other: object) -> dict[str, int]:
    done = audit(office.house, office.now, **other)  # type: ignore[arg-type]
    return {one.what: one.count for one in done.found}


def without_timers(office: RecordOffice) -> None:
    with office.store.write() as tx:
        timers.disarm(tx, [(one.kind, one.subject) for one in timers.armed(tx, [CASE])])


def test_nothing_is_overdue_where_all_is_done(office: RecordOffice) -> None:
    office.report()
    office.works()
    assert found(office) == {}
    office.works(office.now + LATER)
    assert found(office) == {}


def test_a_case_that_nothing_would_wake_is_woken(office: RecordOffice) -> None:
    office.report()
    office.works()
    office.mails()
    without_timers(office)

    assert found(office) == {"case_unwoken": 1}
    office.works(office.now + MINUTE)
    assert office.mails() == [("otto4", "overdue")]
    assert office.step(3, "08:10") == [("2", "escalation")]
    office.works()
    assert found(office) == {}


def test_a_rung_that_should_have_spoken_speaks(office: RecordOffice) -> None:
    number = office.report()
    office.works()
    later = office.now + dt.timedelta(days=2)
    with office.store.write() as tx:
        cases.update_cases(tx, [replace(office.case(number), wake_at=later)])
        timers.arm(tx, [timers.Timer(CASE, "s-001", later)])
    office.now += dt.timedelta(hours=25)

    assert found(office)["rung_due"] == 1
    sweep_due(office.house, office.now)
    office.works()
    assert ("2", "escalation") in office.phone.said()


def test_a_deadline_held_by_nobody_alive_is_freed(office: RecordOffice) -> None:
    office.report()
    with office.store.write() as tx:
        timers.hold(tx, timers.armed(tx, [CASE]), office.now + 2 * LONGEST_LEASE, "a dead daemon")

    assert found(office) == {"timer_held": 1}
    assert office.step(3, "08:10") == [("2", "escalation")]


def test_a_message_held_by_nobody_alive_is_sent(office: RecordOffice) -> None:
    office.report_nobody_takes()
    office.sms.refuses_to_send = None
    far = 2 * LONGEST_LEASE
    with office.store.write() as tx:
        won = sending.claim(tx, office.now + 11 * MINUTE, far, "a dead daemon", 10, ["sms"])
    assert len(won) == 2

    assert found(office)["message_held"] == 2
    office.works(office.now + 12 * MINUTE)
    assert office.phone.said() == [("1", "report"), ("3", "report")]


def test_messages_and_deadlines_that_nobody_takes_up_are_counted(office: RecordOffice) -> None:
    office.report_nobody_takes()
    office.now += dt.timedelta(hours=1)

    counts = found(office)

    assert counts["message_late"] == 2
    assert counts["timer_late"] >= 1


def test_what_fell_due_while_the_daemon_was_away_is_late_for_no_fault_of_its_own(office: RecordOffice) -> None:
    office.report_nobody_takes()
    office.now += dt.timedelta(hours=10)

    assert found(office, up_since=office.now - MINUTE) == {}
    assert found(office, up_since=office.now - LATER) != {}


def test_an_alert_whose_message_will_not_leave_is_queued_again(office: RecordOffice) -> None:
    office.report_nobody_takes()
    office.sms.refuses_to_send = None
    with office.store.write() as tx:
        ending = tables.message.update().where(tables.message.c.channel == "sms").values(state=CANCELLED)
        tx.connection.execute(ending)

    assert found(office)["alert_stranded"] >= 2
    office.works()
    assert ("1", "report") in office.phone.said()


def test_what_waits_for_a_channel_that_is_no_more_is_told_another_way_or_the_operator(office: RecordOffice) -> None:
    number = office.report_nobody_takes()
    office.house.terms = replace(office.house.terms, notifiers={"email": office.mail})
    office.now += 11 * MINUTE

    assert found(office)["channel_gone"] == 2
    office.works()

    assert office.mails() == [("otto4", "overdue"), ("otto4", "undeliverable"), ("town1", "report")]
    [lost] = [body for kind, body in office.journal(number) if kind == "not reached"]
    assert lost["contact"] == "office"
    assert "channel_gone" not in found(office)


def test_an_alert_that_should_have_been_told_on_another_channel_is(office: RecordOffice) -> None:
    office.report_nobody_takes()
    with office.store.write() as tx:
        tx.connection.execute(sa.delete(tables.timer).where(tables.timer.c.kind == "falls"))
    office.now += dt.timedelta(hours=1)

    assert found(office)["fallback_due"] == 1
    office.works(office.now + MINUTE)
    office.works(office.now + dt.timedelta(hours=1))
    assert ("town1", "report") in office.mails()


# ---- who is told ----------------------------------------------------------------------------------------------------


def test_the_operator_is_told_once_of_each_set_and_not_of_its_end(office: RecordOffice) -> None:
    office.report()
    office.works()
    office.mails()
    for _ in range(3):
        without_timers(office)
        found(office)
        office.works(office.now + MINUTE)
    assert office.mails() == [("otto4", "overdue")]

    assert found(office) == {}
    office.works(office.now + MINUTE)
    assert office.mails() == []
    with office.store.read() as tx:
        assert incidents.open_incidents(tx, "overdue") == []

    without_timers(office)
    found(office)
    office.works(office.now + MINUTE)
    assert office.mails() == [("otto4", "overdue")]


def test_only_looking_changes_nothing(office: RecordOffice) -> None:
    office.report()
    office.works()
    without_timers(office)

    assert found(office, mend=False) == found(office, mend=False) == {"case_unwoken": 1}
    with office.store.read() as tx:
        assert timers.armed(tx, [CASE]) == []
        assert incidents.open_incidents(tx, "overdue") == []


def test_every_sort_has_words_in_both_languages() -> None:
    assert all(zh and en for zh, en in WHAT.values())
    assert not Words().problems()


def test_the_metrics_say_what_is_overdue_now(office: RecordOffice) -> None:
    office.report()
    without_timers(office)
    found(office)
    assert office.house.metrics.overdue.labels(what="case_unwoken")._value.get() == 1
    found(office)
    assert office.house.metrics.overdue.labels(what="case_unwoken")._value.get() == 0
    assert office.house.metrics.requeued.labels(what="case_unwoken")._value.get() == 1


@pytest.mark.parametrize("times", [1, 3])
def test_an_audit_may_be_run_at_any_time(office: RecordOffice, times: int) -> None:
    office.report()
    without_timers(office)
    for _ in range(times):
        found(office)
    assert office.step(3, "08:10") == [("2", "escalation")]
