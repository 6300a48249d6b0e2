"""Whole days on a ladder: outages, repeats, acknowledgements that are kept or not, replies, holes, a new ladder."""

from __future__ import annotations

import re
from collections.abc import Iterable

from daemon.desk.links import Act
from daemon.jobs.bycode import Outcome, acknowledge_by_reply
from daemon.jobs.ladders import apply_ladder
from daemon.jobs.office import Actor, acknowledge, approve_closing, note, propose_closing
from daemon.store import outbox
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day, Someone
from tests.days.stories import ana_vanishes

TAO = Actor("Tao")
DRIFT = """
[[rule]]
id = "drift"
title = { zh = "近五日三次旷课", en = "Three days without leave in five" }
when = "unexcused_days_5 >= 3"
until = "unexcused_days_5 < 1"
stage = "watch"
ladder = "watch"
"""
COUNTY = Someone("county", "county_head", "county", phone="+8613800000006")


def rung(after: str, tell: Iterable[str], rest: str = "") -> str:
    roles = ", ".join(f'"{role}"' for role in tell)
    return f'[[ladder.rung]]\nafter = "{after}"\ntell = [{roles}]\nchannels = ["sms", "email"]\n{rest}\n'


def ladder(*rungs: str, rest: str = "") -> str:
    who = 'acknowledged_by = ["town_government", "education_office"]'
    return "\n".join(['[[ladder]]\nid = "statutory"', who, rest, *rungs])


TOWN = rung("0h", ["town_government"])
HEAD = rung("24h", ["town_head"], 'unless = "acknowledged"')
DIRECTOR = rung("48h", ["education_director", "town_head"], 'unless = "acknowledged"')
CHIEF = rung("72h", ["county_head"])


def town_is_told(day: Day) -> str:
    """Ana vanishes, and the town has the report on Wednesday at 08:10; the words of its message."""
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    return day.expects_sms("town", "控辍保学报告").text


def goes_on(day: Day, until: str) -> None:
    """Rolls are called as ever until then, and Ana is in none."""
    for name in ("Wed", "Thu", "Fri", "Mon", "Tue"):
        for session, time in (("am", "08:10"), ("pm", "14:10")):
            if day.now < day.instant(f"{name} {time}") < day.instant(until):
                day.at(f"{name} {time}")
                day.roll(session, absent=["ana"])
    day.at(until)


def at_school(opens: Opens, *rungs: str, rest: str = "") -> Day:
    """The school with a ladder of its own, of which every rung reaches somebody."""
    return opens(ladder=ladder(*rungs, rest=rest), people=[*PEOPLE, COUNTY], children={"ana": "t-1", "carla": ""})


def quit_office(day: Day, *who: str) -> None:
    """These people are on no list any more."""
    for one in who:
        del day.people[one]
    day._write_roster()
    day.polls("contacts")


def rungs(day: Day) -> list[tuple[str, int | None]]:
    """What the journal says of rungs and acknowledgements."""
    told = ("rung", "acknowledg", "nobody", "ladder")
    return [(kind, body.get("rung")) for kind, body in day.entries("ana") if kind.startswith(told)]


def sleeps(day: Day, until: str) -> None:
    """Nobody is awake until then; what the feeds said meanwhile is found there."""
    day.now = day.instant(until)
    day.works()


def test_after_an_outage_the_highest_rung_speaks_and_everybody_is_told_once(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, DIRECTOR)
    town_is_told(day)

    sleeps(day, "Fri 09:00")

    day.expects_sms("director", "升级督办")
    day.expects_sms("head", "升级督办")
    day.expects_mail("operator")
    day.expects_mail("principal")
    assert rungs(day)[-1] == ("rung climbed", 2)
    assert [body.get("overtook") for kind, body in day.entries("ana") if kind == "rung climbed"] == [None, [1]]


def test_a_rung_speaks_again_until_somebody_acknowledges(opens: Opens) -> None:
    nagging = rung("0h", ["town_government"], 'repeat = "6h"\nuntil = "acknowledged"')
    day = at_school(opens, nagging)
    town_is_told(day)

    day.at("Wed 14:10")
    day.expects_sms("town", "升级督办")
    day.roll("pm", absent=["ana"])
    day.at("Wed 20:10")
    message = day.expects_sms("town", "升级督办")
    day.taps(message, Act.ACKNOWLEDGE)
    note(day.house, day.case("ana").number, "home visit", TAO, day.now)
    day.at("Thu 07:00")

    assert rungs(day) == [("rung climbed", 0), ("rung repeated", 0), ("rung repeated", 0), ("acknowledged", None)]


def test_an_acknowledgement_without_a_deed_is_recalled_to_its_giver_then_lapses_and_the_ladder_goes_on(
    opens: Opens,
) -> None:
    day = at_school(opens, TOWN, HEAD, rest='remind_after = "20h"\nlapses_after = "30h"')
    ana_vanishes(day)
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.taps(day.expects_sms("town", "控辍保学报告"), Act.ACKNOWLEDGE)

    goes_on(day, "Thu 04:09")
    day.at("Thu 04:11")
    day.expects_sms("town", "签收后尚无处置记录")
    goes_on(day, "Thu 14:09")
    day.at("Thu 14:10")
    day.expects_sms("head", "升级督办")
    day.roll("pm", absent=["ana"])

    assert rungs(day)[1:] == [
        ("acknowledged", None),
        ("acknowledgement recalled", None),
        ("rung passed over", 1),
        ("acknowledgement lapsed", None),
        ("rung climbed", 1),
    ]
    assert day.case("ana").acknowledged_at is None


def test_an_acknowledgement_after_which_something_is_done_stands(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, rest='remind_after = "20h"\nlapses_after = "30h"')
    town_is_told(day)
    number = day.case("ana").number
    acknowledge(day.house, number, TAO, day.now)
    note(day.house, number, "home visit", TAO, day.now)

    goes_on(day, "Fri 07:00")

    assert rungs(day)[1:] == [("acknowledged", None), ("rung passed over", 1)]


def test_acknowledging_cancels_what_waits_to_be_escalated(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, DIRECTOR)
    town_is_told(day)
    goes_on(day, "Thu 08:09")
    day.nobody_answers()
    day.at("Thu 08:11")

    acknowledge(day.house, day.case("ana").number, TAO, day.now)
    day.everybody_answers()
    day.at("Thu 08:40")

    [head] = [one for one in day.deliveries("sms") if one.message.kind == "escalation"]
    assert (head.message.state, head.message.told_at) == (outbox.CANCELLED, None)


def test_a_reply_with_the_code_acknowledges_once_and_only_from_the_number_that_was_told(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, DIRECTOR)
    town_is_told(day)
    message = next(one.message for one in day.deliveries("sms") if one.message.kind == "report")
    code = day.house.links.reply_code(message.message_id)
    wide = code.translate({ord("0") + n: ord("０") + n for n in range(10)})

    def replies(sender: str, text: str) -> Outcome:
        return acknowledge_by_reply(day.house, sender, text, day.now).outcome

    other = f"{(int(code) + 1) % 100_000:05}"
    assert replies("+8613800000001", "收到，他今天病了") is Outcome.NO_CODE
    assert replies("+8613800000001", other) is Outcome.UNKNOWN_CODE
    assert replies("+8613800000003", code) is Outcome.UNKNOWN_SENDER
    assert day.case("ana").acknowledged_at is None
    assert replies("13800000001", f"回复{wide}确认，马上去家里") is Outcome.ACKNOWLEDGED
    assert replies("+8613800000001", code) is Outcome.BEFORE
    held = day.case("ana")
    assert (held.acknowledged_by, held.acknowledged_contact) == ("town_government", "town")


def test_a_code_of_a_report_that_is_over_acknowledges_nothing(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD, DIRECTOR)
    town_is_told(day)
    message = next(one.message for one in day.deliveries("sms") if one.message.kind == "report")
    day.at("Wed 14:10")
    day.roll("pm")
    day.expects_sms("town", "返校")

    code = day.house.links.reply_code(message.message_id)
    assert acknowledge_by_reply(day.house, "+8613800000001", code, day.now).outcome is Outcome.CLOSED


def test_a_hole_in_the_ladder_costs_no_delay_and_is_written_down(opens: Opens) -> None:
    day = at_school(opens, TOWN, rung("12h", ["town_head"]), rung("24h", ["county_head"]))
    ana_vanishes(day)
    quit_office(day, "town")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])

    day.expects_sms("head", "升级督办")
    day.expects_mail("operator", "有报告无人可通知", "2026-000001")
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")
    assert rungs(day) == [("rung climbed", 0), ("nobody to tell", None), ("rung climbed", 1)]
    goes_on(day, "Thu 08:10")
    day.expects_sms("county", "升级督办")


def test_a_ladder_that_reaches_nobody_ends_and_stops_nothing(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD)
    ana_vanishes(day)
    quit_office(day, "town", "head")
    day.at("Wed 08:10")
    day.roll("am", absent=["ana"])
    day.expects_mail("operator", "有报告无人可通知", "乡镇（街道）领导", "2026-000001")
    day.at("Wed 08:30")
    day.expects_mail("operator", "每日巡检")

    assert rungs(day) == [("rung climbed", 0), ("nobody to tell", None), ("rung climbed", 1), ("nobody to tell", None)]
    goes_on(day, "Thu 08:10")
    assert day.case("ana").is_open


def test_a_new_ladder_is_given_to_open_cases_by_somebody_and_only_then(opens: Opens) -> None:
    day = at_school(opens, TOWN, CHIEF)
    town_is_told(day)
    config = day.folder / "config.toml"
    faster = ladder(TOWN, HEAD, CHIEF)
    config.write_text(
        re.sub(r"\[\[ladder\]\].*?(?=\[channels)", faster, config.read_text("utf-8"), flags=re.DOTALL), "utf-8"
    )
    day.house = day.another_house("two")
    goes_on(day, "Thu 09:00")
    assert rungs(day) == [("rung climbed", 0)]

    [done] = apply_ladder(day.house, "statutory", "Eve", day.now)
    day.works()
    assert (done.number, done.was, done.rung, done.changed) == (day.case("ana").number, 1, 1, True)
    day.expects_sms("head", "升级督办")
    assert not apply_ladder(day.house, "statutory", "Eve", day.now)[0].changed
    day.works()
    assert rungs(day) == [("rung climbed", 0), ("ladder applied", 1), ("rung climbed", 1)]
    goes_on(day, "Sat 08:10")
    day.expects_sms("county", "升级督办")


def test_a_sign_that_is_over_before_it_could_be_told_is_told_to_nobody(opens: Opens) -> None:
    day = opens(rules=DRIFT)
    for name in ("Mon", "Tue"):
        day.at(f"{name} 08:10")
        day.roll("am", absent=["ana"])
        day.at(f"{name} 09:00")
        day.expects_sms("teacher", "未到校")
        day.at(f"{name} 14:10")
        day.roll("pm")
    day.at("Wed 08:10")
    day.nobody_answers()
    day.roll("am", absent=["ana"])

    day.at("Wed 08:20")
    for name in ("Mon", "Tue", "Wed"):
        day.corrects("ana", name, am="present")
    day.everybody_answers()
    day.at("Wed 12:00")

    assert day.signs("ana") == [("sign raised", "drift"), ("sign over", "drift")]
    told = [one for channel in ("sms", "webhook") for one in day.deliveries(channel) if one.message.kind == "risk"]
    assert {one.message.state for one in told} == {outbox.CANCELLED}
    with day.store.read() as tx:
        alerts = outbox.alerts_of(tx, case_id=day.case("ana").case_id)
    assert {one.cancel_reason for one in alerts if one.kind == "risk"} == {"sign over"}


def test_an_approved_closing_cancels_whatever_waits_about_the_case(opens: Opens) -> None:
    day = at_school(opens, TOWN, HEAD)
    town_is_told(day)
    goes_on(day, "Thu 08:09")
    day.nobody_answers()
    day.at("Thu 08:11")

    number = day.case("ana").number
    propose_closing(day.house, number, "transferred", TAO, day.now)
    approve_closing(day.house, number, Actor("Eve"), day.now)
    day.everybody_answers()
    day.at("Thu 08:40")

    day.expects_sms("town", "销号")
    [head] = [one for one in day.deliveries("sms") if one.message.kind == "escalation"]
    assert head.message.state == outbox.CANCELLED
