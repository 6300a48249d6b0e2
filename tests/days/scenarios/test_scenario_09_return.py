"""Scenario 9, return and retraction: exactly those who were told are told, whatever the hour, a silence or a crash.

Elsewhere:
    tests/days/test_days_report.py::test_a_child_comes_back_before_the_second_rung
    tests/days/test_days_pacing.py::test_a_retraction_passes_through_a_silence_to_those_told_before_it
    tests/days/test_days_pacing.py::test_what_is_solved_while_its_recipient_sleeps_is_told_to_those_who_knew_and_not_to_the_sleeper
    tests/days/test_days_correction.py::test_a_correction_while_the_report_is_still_queued_cancels_it_and_nobody_is_told
    tests/days/test_days_reach.py::test_a_message_that_came_back_is_told_on_the_next_channel_where_its_correction_goes_too
    tests/days/test_days_trouble.py::test_a_report_in_doubt_counts_as_told_when_the_child_comes_back
    tests/days/test_days_silence.py::test_in_shadow_a_return_is_written_to_those_the_report_was_written_to
"""

from __future__ import annotations

import pytest

from daemon.clockwork.startup import prepare
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.sweep import sweep_due
from daemon.jobs.tell import queue
from tests.days.conftest import Opens
from tests.days.school import Day
from tests.days.stories import ana_is_reported

NIGHTS = """
[[hours]]
id = "day"
from = 07:00:00
to = 21:00:00
exempt = []
"""


class Killed(BaseException):
    """The process is gone."""


def restarts(day: Day) -> None:
    """Another daemon begins as daemons do: it hears every feed before it decides anything."""
    day.house = day.another_house("after the restart")
    for feed in in_order(day.house.config.feed):
        poll_feed(day.house, feed, day.now)
    prepare(day.house, day.now)
    day.works()


def those_told_hear_of_the_return(day: Day) -> None:
    day.expects_sms("town", "返校", "2026-000001")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    day.expects_nothing()


def test_a_return_found_at_night_is_told_in_the_morning_to_those_who_were_told(opens: Opens) -> None:
    day = opens(config=NIGHTS)
    ana_is_reported(day)
    day.at("Wed 22:30")
    day.corrects("ana", "Wed", pm="late")
    day.at("Thu 06:59:59")
    day.expects_nothing()

    day.at("Thu 07:00")

    those_told_hear_of_the_return(day)
    day.at("Thu 12:00")


def test_a_return_noted_while_no_daemon_lives_is_heard_before_the_next_stage_speaks(day: Day) -> None:
    ana_is_reported(day)
    day.at("Thu 08:05")
    day.roll("am", polled=False)
    day.now = day.instant("Thu 09:00")

    restarts(day)

    those_told_hear_of_the_return(day)
    day.at("Thu 12:00")


def test_killed_while_the_return_is_decided_it_is_decided_anew_and_told_once(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana_is_reported(day)
    day.at("Wed 14:10")
    day.roll("pm", polled=False)
    poll_feed(day.house, day.feed("marks"), day.now)

    def dies(*given: object) -> None:
        queue(*given)  # type: ignore[arg-type]
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("daemon.jobs.apply.queue", dies)
        with pytest.raises(Killed):
            sweep_due(day.house, day.now)
    day.expects_nothing()
    assert "returned" not in day.journal("ana")
    day.at("Wed 14:20")
    restarts(day)

    those_told_hear_of_the_return(day)
    day.at("Wed 16:00")
