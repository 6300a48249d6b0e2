"""What leaves names nobody: a real case, full of what must not be told, is said in every kind on every channel.

The words are what is left when everything of a child is known to the store: name, class, grade, home, numbers, causes,
labels, guardians.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from email.headerregistry import Address
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from daemon.jobs.compose import compose, open_for
from daemon.store import journal, outbox
from daemon.store.alerts import AlertRow
from notifiers.contract import Message
from notifiers.email import Email
from notifiers.words import KINDS
from tests.days.conftest import Opens
from tests.days.school import PEOPLE, Day, Someone
from tests.phones import Answer

CHILD = "G610999201203040011"
"""Her number at school, by which the store knows her."""
SECRETS = {
    "name": "秘密明",
    "number at school": CHILD,
    "identity number": "610999201203041234",
    "birth date": "2012-03-04",
    "sex": "female",
    "cause": "重病住院",
    "label": "poverty_registered",
    "label in words": "建档立卡",
    "disability": "disabled",
    "left behind": "left_behind",
    "guardian": "张保密",
    "guardian's phone": "13912345678",
    "guardian's mail": "guardian@example.org",
    "official": "陶不宣",
    "official's phone": "13800000001",
}
CLASS, GRADE, TOWN, SCHOOL, VILLAGE = "绝密班", "保密年级", "城南镇", "河东小学", "隐秘村"
FINDING = frozenset({"report", "escalation", "reopened", "reminder", "risk"})
"""The kinds by which somebody is sent to find her, and so is told by text message and mail where she is to be found."""
FORBIDDEN = {
    "sms": (TOWN,),
    "chat": (CLASS, GRADE, TOWN, VILLAGE),
    "email": (),
    "webhook": (CLASS, GRADE, TOWN, SCHOOL, VILLAGE, "张"),
}
"""What is near to a child: whoever must find her is told her class and village, groups and machines nothing."""
NEAR_IN_OTHER_KINDS = {"sms": (CLASS, GRADE, VILLAGE), "email": (CLASS, VILLAGE)}
"""What no message tells that sends nobody to find her."""
TOLD_ON = {"sms": "town", "email": "office", "chat": "robot", "webhook": "mentor"}
MORE = (
    Someone("robot", "village_head", "t-1", endpoint="hedong"),
    Someone("guardian", "guardian", student=CHILD, phone="+8613912345678", email="guardian@example.org"),
)
CHAT = """
[channels.chat.endpoints.hedong]
provider = "wecom"
url_file = "{folder}/robot.url"
"""
ABOUT_UNITS = frozenset(
    {"feed_stale", "feed_recovered", "mass_absence", "rules_refused", "rules_accepted", "undeliverable"}
    | {"daily_watch", "overdue", "nobody_to_tell", "feed_problem", "feed_problem_over", "test"}
    | {"service_problem", "service_problem_over", "reply_answer"}
)
_MARKS = ("student_id", "date", "session", "mark", "reason")


def write(day: Day, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (day.folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    day.polls(name)


@pytest.fixture
def known(opens: Opens, tmp_path: Path) -> Day:
    """The school, after its feeds told everything there is to know of a child and of those around her."""
    (tmp_path / "robot.url").write_text("http://127.0.0.1:9/robot?key=secret", encoding="ascii")
    (tmp_path / "robot.url").chmod(0o600)
    people = [replace(one, student=CHILD) if one.student else one for one in PEOPLE]
    day = opens(children={CHILD: "t-1"}, people=(*people, *MORE), config=CHAT.format(folder=tmp_path))
    units = [
        ("county", "county", "", "向阳县"),
        ("t-1", "town", "county", TOWN),
        ("t-2", "town", "county", "河西镇"),
        ("v-1", "village", "t-1", VILLAGE),
        ("sch-1", "school", "t-1", SCHOOL),
        ("k-1", "class", "sch-1", CLASS),
    ]
    write(day, "units", ("unit_id", "kind", "parent_id", "name"), units)
    labels = ";".join(SECRETS[name] for name in ("label", "label in words", "disability", "left behind"))
    child = (CHILD, f"张{SECRETS['name']}", "k-1", "v-1", GRADE, "female", SECRETS["birth date"], labels)
    columns = ("student_id", "name", "class_id", "residence_id", "grade", "sex", "birth_date", "tags", "id_number")
    write(day, "students", columns, [(*child, SECRETS["identity number"])])
    names = {"guardian": SECRETS["guardian"], "town": SECRETS["official"]}
    shown = ("contact_id", "role", "unit_id", "student_id", "name", "phone", "email", "endpoint")
    contacts = [
        (one.who, one.role, one.unit, one.student, names.get(one.who, one.who), one.phone, one.email, one.endpoint)
        for one in day.people.values()
    ]
    write(day, "contacts", shown, contacts)
    return day


def is_absent(day: Day, when: str, session: str) -> None:
    """A roll that says why she is not there."""
    day.at(when)
    today = f"2026-03-{day.now.day}"
    day.writes("marks", _MARKS, [(CHILD, today, session, "absent", SECRETS["cause"])])


def is_reported(day: Day) -> None:
    """She is away from Monday on, for a cause that the rolls tell, and on Wednesday she is reported."""
    for name in ("Mon", "Tue"):
        is_absent(day, f"{name} 08:10", "am")
        if name == "Mon":
            day.at("Mon 09:00")
            day.expects_sms("teacher", "未到校")
        is_absent(day, f"{name} 14:10", "pm")
    is_absent(day, "Wed 08:10", "am")


def forget(day: Day) -> None:
    """What was heard until now need not be expected."""
    for phone in (day.mail, day.sms, day.hook):
        phone.forgets()


def repeats_all(day: Day) -> None:
    """From now on the gateway refuses, and says in its refusal whatever it was told and more."""
    day.sms.usual = Answer(422, body={"error": SECRETS})


def leaves(day: Day, message: Message) -> str:
    """All of a message that a channel might let out: words, body, parameters, and of a mail every header."""
    said = [message.message_id, message.subject, message.text, message.html, message.template, message.language]
    told = json.dumps([*said, message.body, dict(message.parameters)], ensure_ascii=False)
    channel = day.house.notifiers[message.channel]
    if isinstance(channel, Email):
        told += str(channel.mail(message, Address(addr_spec=message.address)).items())
    return told


def in_every_kind(day: Day, channel: str) -> Iterator[tuple[str, str, Message]]:
    """Kind, language and message: the stored report, said in every kind there is, about a child or a unit."""
    with day.store.read() as tx:
        [alert] = [one for one in outbox.alerts_of(tx, case_id=day.case(CHILD).case_id) if one.contact_id == "town"]
        [row] = [one.message for one in outbox.deliveries(tx, channel="sms") if one.message.kind == "report"]
        row = replace(row, contact_id=TOLD_ON[channel], channel=channel)
        opened = open_for(tx, [(row, [alert])])
    for kind in KINDS:
        child = replace(alert, kind=kind, channel=channel, facts={**alert.facts, "reason": "verified elsewhere"})
        unit = replace(child, student_id=None, case_id=None, facts={**child.facts, **UNIT, "class": CLASS})
        told: list[AlertRow] = [replace(child, kind="risk"), unit] if kind == "digest" else [child]
        about = [unit] if kind in ABOUT_UNITS else told
        for language in ("zh", "en"):
            contacts = {key: replace(one, language=language) for key, one in opened.contacts.items()}
            said = compose(day.house, replace(opened, contacts=contacts), replace(row, kind=kind), about)
            assert said is not None
            yield kind, language, said


UNIT = {"unit": SCHOOL, "count": 3, "share": 0.5, "faults": (), "overdue": (), "feed": "marks"}


def test_no_channel_says_more_of_a_child_than_it_may(known: Day) -> None:
    is_reported(known)
    forget(known)
    number = known.case(CHILD).number

    for channel, near in FORBIDDEN.items():
        told = [(kind, leaves(known, message)) for kind, _, message in in_every_kind(known, channel)]
        assert {kind for kind, _ in told} == set(KINDS)
        for kind, said in told:
            assert [name for name, secret in SECRETS.items() if secret in said] == [], (channel, kind)
            finding = kind in {*FINDING, "digest", "confirm_request"}  # of a digest the sign in it
            hidden = near if finding else (*near, *NEAR_IN_OTHER_KINDS.get(channel, ()))
            assert [one for one in hidden if one in said] == [], (channel, kind)
            assert (CLASS in said) == (finding and channel in NEAR_IN_OTHER_KINDS), (channel, kind)
            assert kind in ABOUT_UNITS or number in said, (channel, kind)
            assert kind in ABOUT_UNITS or channel == "webhook" or "张" in said, (channel, kind)


def test_nothing_of_a_child_is_in_requests_logs_or_the_record(known: Day) -> None:
    with capture_logs() as logs:
        is_reported(known)
        forget(known)
        repeats_all(known)
        known.at("Thu 08:30")
        forget(known)

    with known.store.read() as tx:
        rows = [*outbox.deliveries(tx, limit=1_000), *journal.history(tx, known.case(CHILD).case_id)]
    requests = [f"{one.path} {dict(one.headers)}" for phone in (known.sms, known.hook) for one in phone.requests]
    mails = [f"{one.subject} {one.message_id}" for one in known.mail.arrivals]
    assert {one.message.kind for one in rows if isinstance(one, outbox.Delivery)} >= {
        "report",
        "escalation",
        "undeliverable",
    }
    assert min(len(requests), len(mails), len(logs)) > 0
    for where, written in (("record", rows), ("logs", logs), ("requests", requests), ("mails", mails)):
        found = [name for name, secret in SECRETS.items() if secret in str(written) and secret != CHILD]
        assert found == [], where
        assert VILLAGE not in str(written), where
    assert CHILD not in f"{requests}{mails}{logs}"
