"""Whom a ladder reaches."""

from __future__ import annotations

from daemon.desk.reach import Reach, Roster, few
from rules.ladder import Recipient, Unit

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
