"""A mail that comes back is acted upon: its recipient is told another way, once, whatever comes when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.console.papers import as_page
from daemon.jobs.proof import make_proof
from daemon.store.alerts import SENT, UNDELIVERED
from tests.days.conftest import Opens
from tests.days.school import LADDER, PEOPLE, Day, Someone
from tests.days.stories import ana_vanishes
from tests.notifiers.returned import OURS, OUT_OF_OFFICE, WARNING, report
from tests.phones import Arrival

TOWN_MAIL = "town@example.org"
PEOPLE_WITH_MAIL: Sequence[Someone] = [replace(one, email=TOWN_MAIL) if one.who == "town" else one for one in PEOPLE]
MAIL_FIRST = LADDER.replace('channels = ["sms", "email", "webhook"]', 'channels = ["email", "sms", "webhook"]')
BOX = '[channels.email.bounces]\nkind = "maildir"\npath = "../box"\n'


@pytest.fixture
def day(opens: Opens, tmp_path: Path) -> Day:
    """The school, whose town has mail first and a telephone second; mails that come back lie in a box."""
    for name in ("new", "cur", "tmp"):
        (tmp_path / "box" / name).mkdir(parents=True)
    return opens(people=PEOPLE_WITH_MAIL, ladder=MAIL_FIRST)


def box_is_read(day: Day) -> None:
    """From now on the box is configured, and looked into."""
    with (day.folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write(BOX)
    day.house = day.another_house("with a box")
    day.works()


def comes_back(day: Day, mail: bytes, name: str = "1.mx") -> None:
    """A mail arrives in the box; it is read within two minutes."""
    box = day.folder.parent / "box"
    (box / "new" / name).write_bytes(mail)


def ana_is_reported_by_mail(day: Day) -> Arrival:
    """The town has the report by mail, which the mail server has taken; the mail."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    box_is_read(day)
    day.roll("am", absent=["ana"])
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    return day.expects_mail("town", "控辍保学报告")


def id_of(mail: Arrival) -> str:
    return mail.message_id.strip("<>").partition("@")[0]


def state_of(day: Day, mail: Arrival) -> str:
    [found] = [one for one in day.deliveries("email") if one.message.message_id == id_of(mail)]
    return found.message.state


def test_a_report_that_comes_back_is_told_by_text_message_and_so_is_the_return(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    comes_back(day, report("failed", "5.1.1", envelope=id_of(mail)))

    day.at("Wed 08:13")

    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("operator", "5.1.1")
    assert state_of(day, mail) == UNDELIVERED
    assert day.journal("ana")[-2:] == ["undelivered", "falls back"]

    day.at("Wed 14:10")
    day.expects_mail("operator", "每日巡检", "5.1.1")
    day.roll("pm")
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')
    day.at("Wed 14:30")


def test_the_same_bounce_again_and_a_second_one_tell_nobody_anew(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    bounce = report("failed", "5.1.1", envelope=id_of(mail))
    comes_back(day, bounce)
    day.at("Wed 08:13")
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("operator", "5.1.1")

    comes_back(day, bounce, "2.mx")
    comes_back(day, report("failed", "4.4.7", envelope=None).replace(OURS.encode(), id_of(mail).encode()), "3.mx")

    day.at("Wed 08:25")
    assert day.journal("ana").count("undelivered") == 1


def test_a_delay_and_an_automatic_answer_change_nothing(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    comes_back(day, WARNING.replace(OURS.encode(), id_of(mail).encode()))
    comes_back(day, OUT_OF_OFFICE.replace(OURS.encode(), id_of(mail).encode()), "2.mx")

    day.at("Wed 09:30")

    assert state_of(day, mail) == SENT
    assert "undelivered" not in day.journal("ana")


def test_a_bounce_of_a_report_that_no_longer_stands_is_noted_and_told_to_no_official(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    day.at("Wed 14:10")
    day.roll("pm")
    for who in ("town", "office"):
        day.expects_mail(who, "返校")
    day.expects_hook("mentor", '"return"')

    comes_back(day, report("failed", "5.2.2", envelope=id_of(mail)))
    day.at("Wed 14:15")

    day.expects_mail("operator", "5.2.2")
    assert state_of(day, mail) == UNDELIVERED
    assert "undelivered" in day.journal("ana")
    day.at("Wed 14:30")


def test_killed_before_the_bounce_is_marked_it_is_read_again_and_told_once(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    bounce = report("failed", "5.1.1", envelope=id_of(mail))
    comes_back(day, bounce)
    day.at("Wed 08:13")
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("operator", "5.1.1")
    for marked in (day.folder.parent / "box" / "cur").iterdir():
        marked.rename(day.folder.parent / "box" / "new" / "1.mx")
    day.house = day.another_house("after the restart")

    day.at("Wed 08:25")

    assert day.journal("ana").count("undelivered") == 1


def test_the_proof_of_such_a_day_says_how_the_town_was_reached(day: Day) -> None:
    mail = ana_is_reported_by_mail(day)
    comes_back(day, report("failed", "5.1.1", envelope=id_of(mail)))
    day.at("Wed 08:13")
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("operator", "5.1.1")

    proof = make_proof(day.house, day.case("ana").number, "王主任", "1", day.now)

    town = [one for one in proof["notices"] if one["contact"] == "town"]
    assert [(one["channel"], one["outcome"]) for one in town] == [("email", "undelivered"), ("sms", "sent")]
    assert town[1]["instead_of"] == town[0]["n"]
    assert town[0]["receipts"][0]["code"] == "5.1.1"
    assert proof["chain"]["whole"]
    assert "未送达" in as_page(proof)
