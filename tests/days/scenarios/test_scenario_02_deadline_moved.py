"""Scenario 2, the deadline is moved by new facts: what was armed is judged anew before anybody is told.

Elsewhere:
    tests/days/test_days_report.py::test_a_child_seen_at_the_gate_is_found_by_asking_the_feed_once_more
    tests/days/test_days_report.py::test_a_child_who_walks_in_on_the_third_morning_sets_nobody_off
    tests/daemon/clockwork/test_once_more.py::test_what_the_feed_says_then_is_heard_first
"""

from __future__ import annotations

from daemon.jobs.poll import poll_feed
from daemon.store import timers
from tests.days.conftest import Opens
from tests.days.stories import ana_vanishes, report_goes_out


def test_a_presence_taken_in_just_before_the_deadline_is_looked_at_moves_it_and_nobody_is_told(opens: Opens) -> None:
    day = opens(closed="2026-03-18")
    ana_vanishes(day)
    day.at("Wed 07:59")
    row = ("ana", str(day.date("Tue")), "am", "present")
    day.writes("marks", ("student_id", "date", "session", "mark"), [row], polled=False)
    poll_feed(day.house, day.feed("marks"), day.now)
    day.now = day.instant("Wed 08:00:01")
    with day.store.read() as tx:
        assert [one.subject for one in timers.due(tx, day.now, 10, ("case",))] == ["ana"]

    day.works()

    day.expects_nothing()
    assert "raised" not in day.journal("ana")
    day.at("Thu 08:10")
    day.roll("am", absent=["ana"])
    day.at("Thu 14:10")
    day.roll("pm", absent=["ana"])
    report_goes_out(day)
    assert day.case("ana").due_at == day.instant("Thu 14:10").replace(minute=0)
