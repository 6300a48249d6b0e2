"""Whom a ladder reaches."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from daemon.desk.reach import Reach, Roster, few
from daemon.desk.turns import turn_faults
from rules.ladder import Recipient, Unit
from rules.rota import OnDuty, Rota, Substitute

TODAY = dt.date(2026, 3, 18)

UNITS = {
    "c": Unit("c", "county", None, "County"),
    "t-1": Unit("t-1", "town", "c", "Town one"),
    "t-2": Unit("t-2", "town", "c", "Town two"),
    "sch-1": Unit("sch-1", "school", "t-1", "School"),
}
CHILDREN = [("a", "sch-1", "t-1"), ("b", "sch-1", "t-2"), ("c", "sch-1", None)]


def contact(name: str, role: str, unit: str | None, *channels: str, student: str | None = None) -> Recipient:
    return Recipient(name, role, unit, student, frozenset(channels), None)


def reach(*recipients: Recipient, endpoints: dict[str, str] | None = None) -> Reach:
    return Reach(Roster(UNITS, CHILDREN, recipients, endpoints or {}), frozenset({"edu"}))


def test_a_town_without_its_government_is_named() -> None:
    asked = reach(contact("one", "town_government", "t-1", "sms"))
    assert asked.unreached(["town_government"], ["sms"]) == ["sch-1 / t-2"]


def test_a_contact_on_another_channel_is_not_reached() -> None:
    asked = reach(contact("one", "education_office", "c", "email"))
    assert asked.unreached(["education_office"], ["email"]) == []
    assert asked.unreached(["education_office"], ["sms"]) == ["sch-1 / t-1", "sch-1 / t-2"]


def test_contacts_of_single_children_reach_only_those() -> None:
    mentors = [contact(f"m-{child}", "mentor", None, "sms", student=child) for child in ("a", "c")]
    assert reach(*mentors).unreached(["mentor"], ["sms"]) == ["sch-1 / t-2"]


def test_an_endpoint_that_is_not_configured_reaches_nobody() -> None:
    hook = contact("hook", "education_office", "c", "webhook")
    assert reach(hook, endpoints={"hook": "edu"}).unreached(["education_office"], ["webhook"]) == []
    assert reach(hook, endpoints={"hook": "gone"}).unreached(["education_office"], ["webhook"])


def test_only_a_few_are_named() -> None:
    assert few(["a", "b", "c", "d"]) == "a, b, c …"


def test_an_endpoint_that_is_a_group_chat_is_reached_by_chat_alone() -> None:
    group = contact("group", "education_office", "c", "webhook")
    roster = Roster(UNITS, CHILDREN, [group], {"group": "duty room"})
    asked = Reach(roster, frozenset({"edu"}), frozenset({"duty room"}))
    assert asked.unreached(["education_office"], ["chat"]) == []
    assert asked.unreached(["education_office"], ["webhook"])


def test_an_address_that_fails_reaches_nobody() -> None:
    office = contact("office", "education_office", "c", "sms", "email")
    asked = Reach(Roster(UNITS, CHILDREN, [office], {}, flagged={("office", "sms")}), frozenset())
    assert asked.unreached(["education_office"], ["sms"])
    assert asked.unreached(["education_office"], ["sms", "email"]) == []


def test_who_stands_in_for_others_counts_as_one_who_holds_the_role() -> None:
    office, other = contact("office", "education_office", "c"), contact("other", "principal", "sch-1", "sms")
    stand_in = Substitute("office", "other", TODAY, TODAY)
    rota = Rota("education_office", None, ("office",), TODAY, dt.time(0), 1, ZoneInfo("UTC"), substitutes=(stand_in,))
    roster = Roster(UNITS, CHILDREN, [office, other], {})
    noon = dt.datetime.combine(TODAY, dt.time(12), dt.UTC)
    on_duty = Reach(roster, frozenset(), duty=lambda found: OnDuty(found, [rota], noon, lambda _: True))
    assert Reach(roster, frozenset()).unreached(["education_office"], ["sms"])
    assert on_duty.unreached(["education_office"], ["sms"]) == []


def test_a_rota_with_strangers_with_people_nobody_reaches_or_not_begun_is_named() -> None:
    begins = TODAY + dt.timedelta(days=1)
    rota = Rota("education_office", "c", ("office", "gone"), begins, dt.time(8), 7, ZoneInfo("UTC"))
    known = {"office": contact("office", "education_office", "c")}
    noon = dt.datetime.combine(TODAY, dt.time(12), dt.UTC)
    found = turn_faults([rota], known, lambda _: False, noon, lambda _: True)
    assert [(one.fault, one.contact_id) for one in found] == [
        ("unreachable", "office"),
        ("unknown", "gone"),
        ("nobody", None),
    ]
