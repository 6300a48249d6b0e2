"""Beginnings that many days share."""

from __future__ import annotations

from collections.abc import Iterable

from tests.days.school import Day
from tests.phones import Arrival


def ana_vanishes(day: Day, others: Iterable[str] = ()) -> None:
    """Ana, and `others` with her, are not there on Monday and Tuesday; an hour into Monday the teacher has the list."""
    absent = ["ana", *others]
    for name in ("Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            day.at(f"{name} {time}")
            day.roll(session, absent=absent)
            if (name, session) == ("Mon", "am"):
                day.at("Mon 09:00")
                day.expects_sms("teacher", "未到校")


def report_goes_out(day: Day) -> Arrival:
    """Town, office and mentor have the report; the town's message."""
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    return day.expects_sms("town", "控辍保学报告")


def ana_is_reported(day: Day) -> Arrival:
    """Ana is away from Monday on, and Wednesday morning's roll brings the report; the town's message."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    return report_goes_out(day)
