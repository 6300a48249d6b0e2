"""A county with one class, its feeds in a folder, and a house whose clock a test steps by hand."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from daemon.app import build_house, make_id
from daemon.config import Config, load_config
from daemon.jobs.house import House
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.send import send_due
from daemon.jobs.silence import look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.store import cases, journal, outbox
from daemon.store.engine import Store
from daemon.store.keys import Keyring
from notifiers.contract import Message, Receipt

ZONE = dt.timezone(dt.timedelta(hours=8))
MONDAY = dt.date(2026, 3, 16)
STUDENTS = ("s-001", "s-002", "s-003")

_CONFIG = """
[service]
district = "610999"
database = "sqlite:///baoxue.db"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
holidays = "none"
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }, { name = "pm", start = 14:00:00, end = 17:00:00 }]
[[feed]]
id = "units"
kind = "file"
records = "units"
path = "units.csv"
[[feed]]
id = "students"
kind = "file"
records = "students"
path = "students.csv"
hold_when_missing = 0.0
[[feed]]
id = "contacts"
kind = "file"
records = "contacts"
path = "contacts.csv"
hold_when_missing = 0.0
[[feed]]
id = "marks"
kind = "file"
records = "marks"
path = "marks*.csv"
units = ["sch-1"]
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government", "education_office"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office"]
channels = ["sms"]
[[ladder.rung]]
after = "24h"
unless = "acknowledged"
tell = ["town_head"]
channels = ["sms"]
[channels.sms]
url = "http://127.0.0.1:9/sms"
sign_name = "County"
[privacy]
key_file = "baoxue.key"
[console]
public_url = "https://baoxue.example.org"
"""
_UNITS = """unit_id,kind,parent_id,name
c,county,,County
t-1,town,c,Town
sch-1,school,t-1,School
k-1,class,sch-1,Class
"""
_CONTACTS = """role,unit_id,name,phone,contact_id
town_government,t-1,Tao One,13800000001,town
town_head,t-1,Tao Two,13800000002,head
education_office,c,Eve One,13800000003,office
operator,c,Otto One,13800000004,operator
class_teacher,k-1,Tess One,13800000005,teacher
principal,sch-1,Paul One,13800000006,principal
"""


def local(day: int, clock: str) -> dt.datetime:
    """An instant of the week that begins on MONDAY; `day` 0 is Monday."""
    date = MONDAY + dt.timedelta(days=day)
    return dt.datetime.combine(date, dt.time.fromisoformat(clock), ZONE).astimezone(dt.UTC)


def write_county(folder: Path, *, students: int = len(STUDENTS), mode: str = "live") -> Path:
    """Configuration, key and roster feeds in a folder; the configuration's path."""
    key = folder / "baoxue.key"
    key.write_text(Keyring.generate("test"), encoding="utf-8")
    key.chmod(0o600)
    (folder / "units.csv").write_text(_UNITS, encoding="utf-8")
    (folder / "contacts.csv").write_text(_CONTACTS, encoding="utf-8")
    rows = [f"s-{n:03},Child Number{n:03},k-1,t-1" for n in range(1, students + 1)]
    lines = ["student_id,name,class_id,residence_id", *rows]
    (folder / "students.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    config = folder / "config.toml"
    config.write_text(_CONFIG.replace('district = "610999"', f'district = "610999"\nmode = "{mode}"'), encoding="utf-8")
    return config


class Heard:
    """A channel that hears everything; a test asks it what it heard since it last asked."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self._heard: list[Message] = []
        self.texts: list[str] = []

    def send(self, message: Message) -> Receipt:
        self._heard.append(message)
        self.texts.append(message.text)
        return Receipt(None)

    def close(self) -> None:
        """Nothing to let go of."""

    def said(self) -> list[tuple[str, str]]:
        """Who heard which kind of message since the last time, in order of addresses."""
        heard, self._heard = self._heard, []
        return sorted((one.address[-1], one.template) for one in heard)


class Office:
    """The house of a small county, moved from instant to instant by a test."""

    def __init__(self, folder: Path, store: Store, config: Config | None = None) -> None:
        self.folder = folder
        self.now = local(0, "07:00")
        self.phone = Heard("sms")
        self.store = store
        self.house: House = build_house(
            config or load_config(folder / "config.toml"),
            store,
            link_keys=[b"0" * 32],
            notifiers={"sms": self.phone},
            clock=lambda: self.now,
            new_id=make_id,
        )
        self._deliveries = 0
        self.step(0, "07:00")

    def step(self, day: int, clock: str) -> list[tuple[str, str]]:
        """Go to an instant, do all there is to do by then, and say who heard what."""
        self.now = local(day, clock)
        for feed in in_order(self.house.config.feed):
            poll_feed(self.house, feed, self.now)
        sweep_due(self.house, self.now)
        look_at_feeds(self.house, self.now)
        sweep_due(self.house, self.now)
        while send_due(self.house, "sms", self.now):
            pass
        return self.phone.said()

    def roll(self, day: int, session: str, marks: str, at: str) -> list[tuple[str, str]]:
        """Deliver a class's roll, one letter a child (A P L, - for none), and go to that instant."""
        words = {"A": "absent", "P": "present", "L": "leave"}
        date = MONDAY + dt.timedelta(days=day)
        rows = [
            f"s-{n:03},{date},{session},{words[letter]}" for n, letter in enumerate(marks, start=1) if letter != "-"
        ]
        self._deliveries += 1
        text = "\n".join(["student_id,date,session,mark", *rows]) + "\n"
        (self.folder / f"marks-{self._deliveries:03}.csv").write_text(text, encoding="utf-8")
        return self.step(day, at)

    def two_days(self, marks: str = "APP") -> None:
        """Monday and Tuesday as `marks` says, both halves."""
        for day in (0, 1):
            self.roll(day, "am", marks, "08:10")
            self.step(day, "09:00")
            self.roll(day, "pm", marks, "14:10")
        self.phone.said()

    def report(self) -> str:
        """The first child is reported on Wednesday at 08:10; the case's number."""
        self.two_days()
        assert self.roll(2, "am", "APP", "08:10") == [("1", "report"), ("3", "report")]
        return self.number()

    def number(self, student: str = "s-001") -> str:
        """The number of a child's newest case."""
        with self.store.read() as tx:
            return cases.cases_of(tx, [student])[-1].number

    def case(self, number: str) -> cases.CaseRow:
        """A case as stored."""
        with self.store.read() as tx:
            found = cases.by_number(tx, number)
        assert found is not None
        return found

    def journal(self, number: str) -> list[tuple[str, dict[str, Any]]]:
        """What happened to a case, in order."""
        with self.store.read() as tx:
            return [(one.kind, dict(one.body)) for one in journal.history(tx, self.case(number).case_id)]

    def alert(self, number: str, contact: str, kind: str) -> str:
        """The id of the alert of a kind that went to a contact."""
        with self.store.read() as tx:
            found = outbox.alerts_of(tx, case_id=self.case(number).case_id)
        return next(one.alert_id for one in found if (one.contact_id, one.kind) == (contact, kind))
