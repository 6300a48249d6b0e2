"""Scenario 6, permanent and temporary errors: a bad number is not tried again but told another way, a busy one later.

Elsewhere:
    tests/days/test_days_reach.py::test_a_number_nobody_has_is_not_tried_again_but_the_next_channel_at_once
    tests/days/test_days_reach.py::test_where_who_is_on_duty_fails_the_next_on_duty_is_told
    tests/days/test_days_reach.py::test_a_recipient_without_another_channel_is_not_reached_and_the_operator_telephones
    tests/days/test_days_reach.py::test_a_flag_is_cleared_by_another_number_from_the_feed
    tests/days/test_days_reach.py::test_a_busy_gateway_is_tried_again_and_told_nobody_twice
    tests/notifiers/test_transports.py::test_no_answer_in_time
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from daemon.jobs.outcomes import FIRST_RETRY, LONGEST_RETRY
from daemon.store import unreachable
from tests.days.school import Day
from tests.days.stories import ana_vanishes
from tests.phones import Answer

AROUND = (0.75, 1.25)
"""Waits are as long as they should be, a quarter more or less."""


def test_a_busy_gateway_is_left_alone_for_longer_each_time_and_nobody_is_called_unreachable(day: Day) -> None:
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(503)
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.at("Wed 09:40")
    day.sms.usual = Answer()
    day.at("Wed 09:53")

    day.expects_sms("town", "控辍保学报告")
    [delivery] = [one for one in day.deliveries("sms") if one.message.kind == "report"]
    begun = [one.started_at for one in delivery.attempts]
    waits = [later - earlier for earlier, later in pairwise(begun)]
    should = [min(FIRST_RETRY * 2**n, LONGEST_RETRY) for n in range(len(waits))]
    assert all(AROUND[0] * one <= wait <= AROUND[1] * one for wait, one in zip(waits, should, strict=True))
    assert sum(waits, dt.timedelta(0)) > dt.timedelta(minutes=90)
    with day.store.read() as tx:
        assert unreachable.flags(tx) == []
