"""Whoever cannot be told on one channel is told on the next, once; and the operator knows of addresses that fail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from daemon.jobs import quiet
from daemon.jobs.quiet import Scope
from daemon.jobs.receipts import PUSHED, keep
from daemon.jobs.watch import look_daily
from daemon.store import outbox, sending, unreachable
from daemon.store.sending import Outcome
from daemon.store.tx import Tx
from notifiers.contract import Fault, Heard, Message, Notifier, Receipt, Report
from tests.days.conftest import Opens
from tests.days.school import CHILDREN, PEOPLE, Day, Someone
from tests.days.stories import ana_vanishes
from tests.phones import Answer

TOWN_MAIL = "town@example.org"


def people(*others: Someone, without: Sequence[str] = ()) -> list[Someone]:
    """The usual people, but for those called like one of `others`, and without some."""
    named = {one.who: one for one in (*PEOPLE, *others)}
    return [one for who, one in named.items() if who not in without]


TOWN = replace(next(one for one in PEOPLE if one.who == "town"), email=TOWN_MAIL)
OFFICIALS = people(TOWN)


def report_is_due(day: Day) -> None:
    """Ana is away until Wednesday morning's roll, which brings the report."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])


def others_have_the_report(day: Day) -> None:
    day.expects_mail("office", "控辍保学报告")
    day.expects_hook("mentor", '"report"')


def flags(day: Day) -> list[tuple[str, str]]:
    with day.store.read() as tx:
        return [(one.contact_id, one.channel) for one in unreachable.flags(tx)]


def fails_later(day: Day, message_id: str) -> None:
    """The gateway that took a message says that it did not arrive."""
    report = Report("failed", day.now, message_id=message_id, detail="UNDELIV")
    keep(day.house, "sms", PUSHED, Heard((report,)), day.now)
    day.works()


# ---- the next channel -----------------------------------------------------------------------------------------------


def test_a_recipient_with_two_channels_is_told_on_the_first(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    report_is_due(day)
    day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)
    day.at("Thu 08:00")


def test_a_number_nobody_has_is_not_tried_again_but_the_next_channel_at_once(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])

    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "town", "短信")
    others_have_the_report(day)
    assert flags(day) == [("town", "sms")]
    assert [kind for kind, _ in day.entries("ana")][-2:] == ["channel failed", "falls back"]
    day.at("Wed 08:29")
    [failed] = [one for one in day.deliveries("sms") if one.message.state == outbox.FAILED]
    assert len(failed.attempts) == 1


def test_a_flagged_number_comes_last_and_the_operator_is_told_of_it_once(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])
    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达")
    others_have_the_report(day)

    day.corrects("ana", "Wed", am="present")

    day.expects_mail("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')


def test_a_busy_gateway_is_tried_again_and_told_nobody_twice(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(503)
    day.roll("am", absent=["ana"])
    others_have_the_report(day)
    day.at("Wed 08:13")
    day.everybody_answers()
    day.at("Wed 08:20")
    day.expects_sms("town", "控辍保学报告")
    day.at("Thu 08:00")
    assert flags(day) == []


def test_what_has_not_left_in_its_time_is_told_on_the_next_channel_and_the_first_is_stopped(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(503)
    day.roll("am", absent=["ana"])
    others_have_the_report(day)

    day.at("Wed 08:24")
    day.at("Wed 08:26")

    day.expects_mail("town", "控辍保学报告")
    assert flags(day) == []
    day.everybody_answers()
    day.at("Wed 20:00")
    [stopped] = [one for one in day.deliveries("sms") if one.message.state == outbox.CANCELLED]
    assert stopped.message.told_at is None
    [fell] = [body for kind, body in day.entries("ana") if kind == "falls back"]
    assert (fell["from"], fell["to"], fell["contact"]) == ("sms", "email", "town")


def told_by_mail_while_the_text_message_is_in_doubt(day: Day) -> None:
    """The gateway breaks off after it was given the report, twice; the mail leaves a quarter of an hour later."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(drop=True)
    day.roll("am", absent=["ana"])
    others_have_the_report(day)
    day.expects_sms("town", "控辍保学报告")
    day.at("Wed 08:26")
    day.expects_mail("town", "控辍保学报告")


def attempts_at_the_town(day: Day) -> list[str | None]:
    [one] = [one for one in day.deliveries("sms") if one.message.contact_id == "town"]
    return [attempt.outcome for attempt in one.attempts]


def test_what_is_in_doubt_on_one_channel_is_not_repeated_once_another_has_told_it(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    told_by_mail_while_the_text_message_is_in_doubt(day)

    day.sms.usual = Answer()
    day.at("Wed 20:00")

    assert attempts_at_the_town(day) == ["retry", "retry"]
    assert [one.message.kind for one in day.deliveries("email") if one.message.contact_id == "operator"] == []


def test_what_was_left_in_doubt_leaves_once_more_when_the_other_channel_s_comes_back(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    told_by_mail_while_the_text_message_is_in_doubt(day)
    day.sms.usual = Answer()
    day.at("Wed 09:30")
    assert attempts_at_the_town(day) == ["retry", "retry"]

    [mail] = [one for one in day.deliveries("email") if one.message.contact_id == "town"]
    keep(
        day.house,
        "email",
        PUSHED,
        Heard((Report("failed", day.now, message_id=mail.message.message_id, detail="5.1.1"),)),
        day.now,
    )
    day.works()

    day.expects_mail("operator", "5.1.1")
    assert attempts_at_the_town(day) == ["retry", "retry", "sent"]
    fell = [(body["from"], body["to"]) for kind, body in day.entries("ana") if kind == "falls back"]
    assert fell == [("sms", "email"), ("email", "sms")]


def test_what_is_being_tried_while_another_channel_tells_it_is_not_tried_again(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.usual = Answer(503)
    day.roll("am", absent=["ana"])
    others_have_the_report(day)
    day.at("Wed 08:24")
    [waiting] = [one for one in day.deliveries("sms") if one.message.contact_id == "town"]
    channels = day.house.notifiers
    meanwhile = Meanwhile(channels["email"], lambda: begin_trying(day, waiting))
    day.house.terms = replace(day.house.terms, notifiers={**channels, "email": meanwhile})

    day.at("Wed 08:26")

    day.expects_mail("town", "控辍保学报告")
    assert attempts_at_the_town(day)[-1] is None
    end_trying(day, waiting)
    day.everybody_answers()
    day.at("Wed 20:00")
    [stopped] = [one for one in day.deliveries("sms") if one.message.message_id == waiting.message.message_id]
    assert stopped.message.state == outbox.CANCELLED


def begin_trying(day: Day, waiting: outbox.Delivery) -> None:
    """Another sender claims the waiting text message, and has begun to hand it over."""

    def work(tx: Tx) -> None:
        later = max(day.now, waiting.message.next_at)
        claimed = sending.claim(tx, later, dt.timedelta(minutes=2), "another", 1, ["sms"])
        sending.start_attempts(tx, claimed, "another", later)

    day.store.commit(work)


def end_trying(day: Day, waiting: outbox.Delivery) -> None:
    """It was not taken, and is to be tried again."""
    number, retry = len(attempts_at_the_town(day)), day.now + dt.timedelta(minutes=1)
    ended = Outcome(waiting.message.message_id, number, "another", day.now, sending.RETRY, next_at=retry)
    day.store.commit(lambda tx: sending.settle(tx, [ended]))


@dataclass
class Meanwhile:
    """A channel during whose first message something else happens."""

    inner: Notifier
    happens: Callable[[], None]
    channel = "email"

    def send(self, message: Message) -> Receipt:
        self.happens()
        self.happens = lambda: None
        return self.inner.send(message)

    def close(self) -> None:
        self.inner.close()


def test_what_a_silence_held_has_its_time_when_that_is_over(opens: Opens) -> None:
    day = opens(people=OFFICIALS, config="[pacing]\nthrottle = []\n")
    ana_vanishes(day)
    day.at("Wed 08:00")
    scope, until = Scope(contacts=("town",)), day.instant("Wed 09:00")
    quiet.begin(day.house, scope, until, "an exercise", "Otto One", day.now, statutory=True)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    others_have_the_report(day)
    day.sms.usual = Answer(503)
    day.at("Wed 09:14")

    day.at("Wed 09:20")

    day.expects_mail("town", "控辍保学报告")


def test_the_first_channel_that_comes_back_before_the_second_tells_once(opens: Opens) -> None:
    day = opens(people=people(replace(TOWN, who="town")))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.nobody_answers()
    day.roll("am", absent=["ana"])
    day.at("Wed 08:40")
    day.sms.usual = Answer()

    day.at("Wed 09:00")

    day.expects_sms("town", "控辍保学报告")
    day.everybody_answers()
    day.at("Wed 12:00")
    others_have_the_report(day)
    with day.store.read() as tx:
        told = [one.alert.channel for one in outbox.told(tx, day.case("ana").case_id) if one.alert.contact_id == "town"]
    assert told == ["sms"]


def test_a_message_that_came_back_is_told_on_the_next_channel_where_its_correction_goes_too(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    report_is_due(day)
    message = day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)

    day.at("Wed 08:30")
    fails_later(day, message.message_id)

    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "did not arrive: UNDELIV")
    day.at("Wed 10:00")
    day.corrects("ana", "Wed", am="present")
    day.expects_mail("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')


def test_a_bounce_for_the_senders_sake_is_told_another_way_and_says_nothing_against_the_address(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    report_is_due(day)
    day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)
    message = next(one.message.message_id for one in day.deliveries("sms") if one.message.contact_id == "town")
    refused = Report("failed", day.now, message_id=message, detail="5.7.1", fault=Fault.ACCOUNT)
    keep(day.house, "sms", PUSHED, Heard((refused,)), day.now)
    day.works()

    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "5.7.1")
    assert flags(day) == []


def test_a_report_that_comes_back_after_the_child_did_is_told_nobody(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    report_is_due(day)
    message = day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)
    day.at("Wed 10:00")
    day.corrects("ana", "Wed", am="present")
    day.expects_sms("town", "返校")
    day.expects_mail("office", "返校")
    day.expects_hook("mentor", '"return"')

    day.at("Wed 11:00")
    fails_later(day, message.message_id)

    day.expects_mail("operator", "无法送达")
    day.at("Wed 20:00")


def test_saying_twice_that_a_message_came_back_changes_nothing(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    report_is_due(day)
    message = day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)
    fails_later(day, message.message_id)
    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达")

    fails_later(day, message.message_id)

    day.at("Wed 08:29")


def test_a_landline_is_told_by_mail_and_noted_nowhere_as_failing(opens: Opens) -> None:
    day = opens(people=people(replace(TOWN, phone="+869111234567")))
    report_is_due(day)

    day.expects_mail("town", "控辍保学报告")
    others_have_the_report(day)
    assert flags(day) == []
    assert "town" not in [one.message.contact_id for one in day.deliveries("sms")]


def test_a_number_replaced_by_a_landline_while_a_message_waits_is_not_texted(opens: Opens) -> None:
    day = opens(people=OFFICIALS)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(503))
    day.roll("am", absent=["ana"])
    day.people["town"] = replace(TOWN, phone="+869111234567")
    others_have_the_report(day)
    day.brings_contacts()
    day.at("Wed 08:25")

    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "已没有号码或地址")
    assert not any(b"9111234567" in one.body for one in day.sms.requests)


# ---- nobody is left -------------------------------------------------------------------------------------------------


def test_a_recipient_without_another_channel_is_not_reached_and_the_operator_telephones(opens: Opens) -> None:
    day = opens()
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])

    number = day.case("ana").number
    day.expects_mail("operator", "无法送达", "town", f"无人收到：{number}")
    others_have_the_report(day)
    assert day.journal("ana")[-2:] == ["channel failed", "not reached"]
    day.at("Wed 08:29")


def test_a_rung_that_reached_nobody_is_climbed_past_at_once(opens: Opens) -> None:
    day = opens(people=people(without=["office", "mentor"]))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])

    day.expects_mail("operator", "有报告无人可通知", "教育局控辍保学办公室")
    day.expects_mail("operator", "无法送达")
    day.expects_sms("head", "升级")
    day.expects_sms("director", "升级")
    assert "rung reached nobody" in day.journal("ana")
    day.at("Wed 08:29")


def test_a_flag_is_cleared_by_another_number_from_the_feed(opens: Opens) -> None:
    day = opens(people=OFFICIALS, children={**CHILDREN, "dora": "t-1"})
    for name, session, time, absent in _TWO_RUNS:
        day.at(f"{name} {time}")
        if (name, session) == ("Wed", "am"):
            day.sms.answers(Answer(422))
        day.roll(session, absent=absent)
        for at in {("Mon", "am"): ["Mon 09:00"], ("Mon", "pm"): ["Mon 15:00"]}.get((name, session), ()):
            day.at(at)
            day.expects_sms("teacher", "未到校")
    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("operator", "无法送达")
    others_have_the_report(day)

    day.at("Wed 08:20")
    day.people["town"] = replace(TOWN, phone="+8613800000099")
    day.brings_contacts()

    day.at("Wed 14:10")
    day.roll("pm", absent=["ana", "dora"])
    day.expects_sms("town", "控辍保学报告", day.case("dora").number)
    day.expects_mail("office", "控辍保学报告")
    assert flags(day) == []


_TWO_RUNS = (
    ("Mon", "am", "08:10", ["ana"]),
    ("Mon", "pm", "14:10", ["ana", "dora"]),
    ("Tue", "am", "08:10", ["ana", "dora"]),
    ("Tue", "pm", "14:10", ["ana", "dora"]),
    ("Wed", "am", "08:10", ["ana", "dora"]),
)
"""Ana is away from Monday morning, Dora from Monday afternoon on."""


# ---- one address ----------------------------------------------------------------------------------------------------


def test_one_official_in_two_roles_is_told_once_and_may_acknowledge(opens: Opens) -> None:
    twice = Someone("mentor", "mentor", student="ana", phone="+8613800000001")
    day = opens(people=people(twice))
    report_is_due(day)
    message = day.expects_sms("town", "控辍保学报告", "签收")
    day.expects_mail("office", "控辍保学报告")
    day.at("Wed 09:00")
    with day.store.read() as tx:
        told = [one.alert.role for one in outbox.told(tx, day.case("ana").case_id)]
    assert sorted(told) == ["class_teacher", "education_office", "town_government"]
    assert message.text.count("河东小学") == 1


def test_siblings_guardian_has_one_message(opens: Opens) -> None:
    mother = Someone("mother of ana", "guardian", student="ana", phone="+8613800000077")
    same = Someone("mother of bruno", "guardian", student="bruno", phone="+8613800000077")
    other = Someone("mother of carla", "guardian", student="carla", phone="+8613800000078")
    day = opens(people=people(mother, same, other), config=_GUARDIANS_TOO)
    ana_vanishes(day, ["bruno"])
    day.at("Wed 08:10")
    day.roll("am", absent=["ana", "bruno"])

    ana, bruno = day.case("ana").number, day.case("bruno").number
    day.expects_sms("mother of ana", ana, bruno)
    day.expects_sms("town", ana)
    day.expects_sms("other town", bruno)
    for number in (ana, bruno):
        day.expects_mail("office", number)
    day.expects_hook("mentor", '"report"')


def test_who_shares_the_next_address_with_somebody_who_was_told_has_been_told(opens: Opens) -> None:
    town = replace(TOWN, phone="")
    mentor = Someone("mentor", "mentor", student="ana", phone="+8613800000066", email=TOWN_MAIL)
    day = opens(people=people(town, mentor))
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])

    day.expects_mail("town", "控辍保学报告")
    day.expects_mail("office", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "mentor")
    assert day.journal("ana")[-1] == "channel failed"
    day.at("Wed 08:29")


def test_on_every_channel_at_once_one_that_fails_loses_nobody(opens: Opens) -> None:
    mother = Someone("mother", "guardian", student="ana", phone="+8613800000077", email="mother@example.org")
    others = [Someone(f"of {child}", "guardian", student=child, phone="+8613800000078") for child in ("bruno", "carla")]
    day = opens(people=people(mother, *others), config=_GUARDIANS_ON_EVERY_CHANNEL)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.sms.answers(Answer(422))
    day.roll("am", absent=["ana"])

    day.expects_mail("mother", "控辍保学报告")
    day.expects_sms("town", "控辍保学报告")
    others_have_the_report(day)
    day.expects_mail("operator", "无法送达")
    assert "not reached" not in day.journal("ana")


_GUARDIANS_ON_EVERY_CHANNEL = """
[[ladder.rung]]
after = "0h"
tell = ["guardian"]
channels = ["sms", "email"]
reach = "every"
"""
_GUARDIANS_TOO = """
[[ladder.rung]]
after = "0h"
tell = ["guardian"]
channels = ["sms"]
"""


# ---- who is on duty -------------------------------------------------------------------------------------------------

OFFICE_1 = Someone("office", "education_office", "county", email="office@example.org")
OFFICE_2 = Someone("office 2", "education_office", "county", email="office2@example.org")
OFFICE_3 = Someone("office 3", "education_office", "county", email="office3@example.org")
ROTA = """
[[duty]]
role = "education_office"
unit = "county"
contacts = ["office", "office 2"]
from = 2026-03-16
every = "1d"
on_holidays = ["office 3"]
"""


@pytest.mark.parametrize(
    ("more", "who"),
    [
        ("", "office"),
        ('[[duty.substitute]]\ncontact = "office"\nby = "office 3"\nfrom = 2026-03-18\nto = 2026-03-18\n', "office 3"),
    ],
    ids=["whose turn it is", "the substitute"],
)
def test_only_who_is_on_duty_is_told(opens: Opens, more: str, who: str) -> None:
    day = opens(people=people(OFFICE_1, OFFICE_2, OFFICE_3), config=ROTA + more)
    report_is_due(day)
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail(who, "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.at("Thu 08:00")


def test_on_a_day_off_others_are_on_duty(opens: Opens) -> None:
    day = opens(people=people(OFFICE_1, OFFICE_2, OFFICE_3), config=ROTA, closed="2026-03-18")
    ana_vanishes(day)
    day.at("Wed 08:01")
    day.expects_sms("town", "控辍保学报告")
    day.expects_mail("office 3", "控辍保学报告")
    day.expects_hook("mentor", '"report"')


def test_where_who_is_on_duty_fails_the_next_on_duty_is_told(opens: Opens) -> None:
    day = opens(people=people(OFFICE_1, OFFICE_2, OFFICE_3), config=ROTA)
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.mail.refuses("RCPT", "550 5.1.1 no such user", times=1)
    day.roll("am", absent=["ana"])
    day.expects_sms("town", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    day.expects_mail("office 2", "控辍保学报告")
    day.expects_mail("operator", "无法送达", "office")
    day.at("Wed 08:29")


def test_where_nobody_on_the_rota_is_there_everybody_in_the_role_is_told(opens: Opens) -> None:
    others = [Someone(f"clerk {n}", "education_office", "county", email=f"clerk{n}@example.org") for n in (1, 2)]
    day = opens(people=people(OFFICE_1, OFFICE_2, OFFICE_3, *others), config=ROTA)
    ana_vanishes(day)
    day.at("Wed 08:05")
    for gone in ("office", "office 2", "office 3"):
        del day.people[gone]
    day.brings_contacts()
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("town", "控辍保学报告")
    day.expects_hook("mentor", '"report"')
    for clerk in ("clerk 1", "clerk 2"):
        day.expects_mail(clerk, "控辍保学报告")
    [passed] = [body for kind, body in day.entries("ana") if kind == "duty passed on"]
    assert (passed["role"], passed["contact"]) == ("education_office", "office")


# ---- once a day -----------------------------------------------------------------------------------------------------


def test_what_reaches_nobody_is_told_once_a_day(opens: Opens) -> None:
    day = opens(people=people(without=["head", "director"]))
    for name in ("Mon", "Tue"):
        day.at(f"{name} 08:10")
        day.roll("am")
        day.at(f"{name} 08:31")
        day.expects_mail("operator", "每日巡检", "statutory第2级")
        day.at(f"{name} 14:10")
        day.roll("pm")
    day.at("Tue 20:00")


def test_who_has_only_a_landline_is_named_once_a_day(opens: Opens) -> None:
    day = opens(people=people(Someone("town", "town_government", "t-1", phone="+869111234567")))
    day.at("Mon 08:10")
    day.roll("am")
    day.at("Mon 08:31")
    day.expects_mail("operator", "每日巡检", "收不到短信", "河东镇")
    day.at("Mon 12:00")


def test_a_sound_setup_is_not_spoken_of(opens: Opens) -> None:
    day = opens()
    day.at("Mon 08:10")
    day.roll("am")
    day.at("Mon 12:00")


def test_two_daemons_watch_once(opens: Opens) -> None:
    day = opens(people=people(without=["head", "director"]))
    other = day.another_house("two")
    day.now = day.instant("Mon 08:30") + dt.timedelta(seconds=1)
    for house in (day.house, other, day.house):
        look_daily(house, day.now)
    day.works()
    day.expects_mail("operator", "每日巡检")
