"""A small false school with a real house, real channels and a clock stepped by hand: whole days are played in it.

Feeds are files that are polled for real; every message goes through its notifier to a receiver on the loopback. What
nobody declared with `expects_…` before time moves on, or before the day ends, is a failure.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from daemon.app import build_house
from daemon.channels import build_notifiers
from daemon.clockwork.startup import prepare
from daemon.config import FeedConfig, load_config
from daemon.desk.links import Act
from daemon.jobs.casefile import from_row
from daemon.jobs.fallback import look_at_alerts
from daemon.jobs.house import House
from daemon.jobs.office import acknowledge_by_link, confirm_by_link
from daemon.jobs.once_more import hold_back, let_go
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.receipts import look_at_receipts
from daemon.jobs.send import send_due
from daemon.jobs.silence import look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.jobs.watch import look_daily
from daemon.store import cases, journal, outbox, sending, timers
from daemon.store.engine import Store
from rules.case import Case
from tests.phones import SECRET, Answer, Arrival, HttpPhone, Phone, SmtpSink, WebhookEar

MONDAY = dt.date(2026, 3, 16)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SESSIONS = {"am": "08:00", "pm": "14:00"}
_LINK = re.compile(r"/a/([A-Za-z0-9_-]+)")
_MOST_ROUNDS = 20
_MOMENT = dt.timedelta(microseconds=1)
"""A lease holds through its last instant; whoever is woken at it is free to work a moment later."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A contact of the false school: in which role, for whom, on which one channel; `who` is what tests call it."""

    who: str
    role: str
    unit: str = ""
    student: str = ""
    phone: str = ""
    email: str = ""
    endpoint: str = ""


PEOPLE = (
    Someone("town", "town_government", "t-1", phone="+8613800000001"),
    Someone("other town", "town_government", "t-2", phone="+8613800000002"),
    Someone("head", "town_head", "t-1", phone="+8613800000003"),
    Someone("director", "education_director", "county", phone="+8613800000004"),
    Someone("teacher", "class_teacher", "k-1", phone="+8613800000005"),
    Someone("office", "education_office", "county", email="office@example.org"),
    Someone("principal", "principal", "sch-1", email="principal@example.org"),
    Someone("operator", "operator", "county", email="operator@example.org"),
    Someone("mentor", "mentor", student="ana", endpoint="edu"),
)
CHILDREN = {"ana": "t-1", "bruno": "t-2", "carla": ""}
"""The class and where each child lives; nobody wrote down where Carla does."""

_UNITS = (
    ("county", "county", "", "向阳县"),
    ("t-1", "town", "county", "河东镇"),
    ("t-2", "town", "county", "河西镇"),
    ("sch-1", "school", "t-1", "河东小学"),
    ("k-1", "class", "sch-1", "一班"),
)
LADDER = """
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government", "education_office"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms", "email", "webhook"]
[[ladder.rung]]
after = "24h"
unless = "acknowledged"
tell = ["town_head", "education_director"]
channels = ["sms"]
"""
_CONFIG = """
[service]
district = "610999"
callback = "0911-1234567"
mode = "{mode}"
[calendar]
terms = [{{ from = 2026-03-16, to = 2026-07-10 }}]
holidays = "none"
closed = [{closed}]
sessions = [{{ name = "am", start = 08:00:00, end = 11:40:00 }}, {{ name = "pm", start = 14:00:00, end = 17:00:00 }}]
{feeds}
{ladder}
[channels.email]
host = "127.0.0.1"
port = {mail}
security = "none"
from = "控辍保学 <baoxue@example.org>"
[channels.sms]
{texts}
[channels.webhook.endpoints.edu]
url = "{hook}"
secret_file = "hook.secret"
[console]
public_url = "https://baoxue.example.org"
"""
_RULES = """
[rules]
files = ["rules.toml"]
[pacing]
wait = "0s"
[[ladder]]
id = "watch"
acknowledged_by = ["principal"]
[[ladder.rung]]
after = "0h"
tell = ["mentor", "class_teacher"]
channels = ["sms", "webhook"]
[[ladder.rung]]
after = "48h"
tell = ["principal"]
channels = ["email"]
"""
"""What a school with rules of its own has beside."""


def _feed(records: str, path: str, rest: str = "") -> str:
    return f'[[feed]]\nid = "{records}"\nkind = "file"\nrecords = "{records}"\npath = "{path}"\n{rest}\n'


_FEEDS = "".join(
    [
        # Of three children one is more than a fifth; what is held has tests of its own.
        *(_feed(name, f"{name}.csv", "hold_when_missing = 0.0") for name in ("units", "students", "contacts")),
        _feed("leaves", "inbox/leaves*.csv"),
        _feed("movements", "inbox/movements*.csv"),
        _feed("marks", "inbox/marks*.csv", 'units = ["sch-1"]'),
    ]
)


class Day:
    """Days at the false school, from Monday 16 March 2026, 07:00 in Shanghai; `now` moves only when told to.

    A day or time without a date is the next such one. Nothing is polled but what a step writes, and the feeds a
    report asks once more.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        receivers: tuple[SmtpSink, HttpPhone, WebhookEar],
        *,
        mode: str = "live",
        closed: str = "",
        children: Mapping[str, str] = CHILDREN,
        people: Sequence[Someone] = PEOPLE,
        rules: str = "",
        config: str = "",
        ladder: str = LADDER,
        texts: str = 'provider = "http"\nurl = "{sms}"',
    ) -> None:
        self.mail, self.sms, self.hook = receivers
        self.store = store
        self.folder = folder
        self.children = dict(children)
        self.people = {one.who: one for one in people}
        self.now = dt.datetime.combine(MONDAY, dt.time(7), dt.UTC) - dt.timedelta(hours=8)
        self._files = 0
        self._built: list[House] = []
        (folder / "inbox").mkdir()
        (folder / "hook.secret").write_text(SECRET, encoding="ascii")
        (folder / "hook.secret").chmod(0o600)
        words = {"mail": self.mail.port, "texts": texts.replace("{sms}", self.sms.url), "hook": self.hook.url}
        text = _CONFIG.format(mode=mode, closed=closed, feeds=_FEEDS, ladder=ladder, **words)
        (folder / "config.toml").write_text(text + (_RULES if rules else "") + config, encoding="utf-8")
        (folder / "rules.toml").write_text(rules, encoding="utf-8")
        self._write_roster()
        self.house = self.another_house("one")
        for feed in in_order(self.house.config.feed):
            poll_feed(self.house, feed, self.now)
        prepare(self.house, self.now)
        self.works()

    def another_house(self, worker: str, store: Store | None = None) -> House:
        """A house on the same database with channels of its own, as another process would have."""
        config = load_config(self.folder / "config.toml")
        notifiers = build_notifiers(config, lambda: self.now)
        house = build_house(
            config, store or self.store, link_keys=[b"a key for links"], notifiers=notifiers, clock=lambda: self.now
        )
        house.worker = worker
        self._built.append(house)
        return house

    def close(self) -> None:
        """Let go of the channels' connections."""
        for house in self._built:
            for notifier in house.notifiers.values():
                notifier.close()

    # ---- time -------------------------------------------------------------------------------------------------------

    def at(self, when: str) -> None:
        """Go on to `when`, such as "Wed 08:10": whatever is due on the way is done at its instant."""
        self.expects_nothing()
        until = self.instant(when)
        assert until >= self.now, f"{when} is over"
        while (instant := self._next()) is not None and instant <= until:
            self.now = max(instant, self.now)
            self.works()
        self.now = max(until, self.now)

    def instant(self, when: str) -> dt.datetime:
        """The next `when`, or this one, in UTC."""
        day, time = when.split()
        today = self.now + dt.timedelta(hours=8)
        ahead = (DAYS.index(day) - today.weekday()) % 7
        local = dt.datetime.combine(today.date() + dt.timedelta(days=ahead), dt.time.fromisoformat(time), dt.UTC)
        found = local - dt.timedelta(hours=8)
        return found if found >= self.now else found + dt.timedelta(days=7)

    def works(self) -> None:
        """Do what the clockwork does when it is woken, until there is nothing left to do now."""
        for _ in range(_MOST_ROUNDS):
            self._ask_once_more()
            sweep_due(self.house, self.now)
            look_at_feeds(self.house, self.now)
            look_at_alerts(self.house, self.now)
            look_daily(self.house, self.now)
            self.sends()
            look_at_receipts(self.house, self.now)
            following = self._next()
            if following is None or following > self.now:
                return
            self.now += _MOMENT
        raise AssertionError("there is always something left to do")

    def sends(self) -> None:
        """Send what is due, channel by channel."""
        for channel in sorted(self.house.notifiers):
            while send_due(self.house, channel, self.now):
                pass

    def _next(self) -> dt.datetime | None:
        with self.store.read() as tx:
            found = [one for one in (timers.next_due(tx), sending.next_at(tx)) if one is not None]
        return min(found, default=None)

    def _ask_once_more(self) -> None:
        held = hold_back(self.house, self.now)
        for feed_id in held.feeds if held else ():
            poll_feed(self.house, self.feed(feed_id), self.now)
        if held:
            let_go(self.house, held.waiting_for(held.feeds))

    # ---- what the feeds say -----------------------------------------------------------------------------------------

    def feed(self, feed_id: str) -> FeedConfig:
        """The configuration of one feed."""
        return next(feed for feed in self.house.config.feed if feed.id == feed_id)

    def roll(self, session: str, *, absent: Iterable[str] = (), polled: bool = True) -> None:
        """Today's roll of the class in a session: everybody is there but those `absent`."""
        today = (self.now + dt.timedelta(hours=8)).date()
        missing = set(absent)
        marks = [(child, "absent" if child in missing else "present") for child in self.children]
        self.writes("marks", _MARK, [(child, str(today), session, mark) for child, mark in marks], polled=polled)

    def corrects(self, child: str, day: str, **marks: str) -> None:
        """Other marks of a child in the sessions (`am`, `pm`) of a day of this week."""
        rows = [(child, str(self.date(day)), session, mark) for session, mark in marks.items()]
        self.writes("marks", _MARK, rows)

    def leave(self, child: str, first: str, last: str) -> None:
        """A leave of whole days of this week, entered now."""
        row = (child, str(self.date(first)), str(self.date(last)), "sick")
        self.writes("leaves", ("student_id", "from", "to", "kind"), [row])

    def moves(self, child: str, kind: str, evidence: str = "") -> None:
        """A movement of a child, now."""
        at = (self.now + dt.timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%S+08:00")
        self.writes("movements", ("student_id", "kind", "at", "evidence"), [(child, kind, at, evidence)])

    def date(self, day: str) -> dt.date:
        """The date of a day of this week."""
        today = (self.now + dt.timedelta(hours=8)).date()
        return today + dt.timedelta(days=DAYS.index(day) - today.weekday())

    def writes(
        self, feed_id: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, polled: bool = True
    ) -> None:
        """Put one more file into a feed's folder, poll the feed, and do what follows."""
        self._files += 1
        _write(self.folder / "inbox" / f"{feed_id}-{self._files:04}.csv", columns, rows)
        if polled:
            self.polls(feed_id)

    def polls(self, feed_id: str) -> None:
        """Poll one feed, and do what follows."""
        poll_feed(self.house, self.feed(feed_id), self.now)
        self.works()

    def enrols(self, children: Mapping[str, str]) -> None:
        """A new roster file with exactly these children, by where they live."""
        self.children = dict(children)
        self._write_roster()
        self.polls("students")

    def brings_contacts(self) -> None:
        """A new contacts file with exactly these people."""
        self._write_roster()
        self.polls("contacts")

    def _write_roster(self) -> None:
        _write(self.folder / "units.csv", ("unit_id", "kind", "parent_id", "name"), _UNITS)
        children = [(child, f"张{child}", "k-1", home) for child, home in self.children.items()]
        _write(self.folder / "students.csv", ("student_id", "name", "class_id", "residence_id"), children)
        known = [
            (one.who, one.role, one.unit, one.student, one.who, one.phone, one.email, one.endpoint)
            for one in self.people.values()
        ]
        columns = ("contact_id", "role", "unit_id", "student_id", "name", "phone", "email", "endpoint")
        _write(self.folder / "contacts.csv", columns, known)

    # ---- what people hear and do ------------------------------------------------------------------------------------

    def expects_sms(self, who: str, *words: str) -> Arrival:
        """Somebody has a text message with these words."""
        return self.sms.expects(self.people[who].phone, *words, within=1)

    def expects_mail(self, who: str, *words: str) -> Arrival:
        """Somebody has a mail with these words."""
        return self.mail.expects(self.people[who].email, *words, within=1)

    def expects_hook(self, who: str, *words: str) -> Arrival:
        """Somebody's endpoint was called with these words."""
        return self.hook.expects(self.people[who].endpoint, *words, within=1)

    def expects_nothing(self) -> None:
        """Nobody was told anything but what was declared."""
        for phone in self._phones():
            phone.expects_nothing()

    def _phones(self) -> tuple[Phone, ...]:
        return self.mail, self.sms, self.hook

    def nobody_answers(self) -> None:
        """Every channel is busy until further notice."""
        self.mail.refuses("MAIL", "451 4.3.2 not now", times=1_000)
        self.sms.usual = self.hook.usual = Answer(503)

    def everybody_answers(self) -> None:
        """Every channel works again."""
        self.mail._plan.clear()
        self.sms.usual = self.hook.usual = Answer()

    def taps(self, message: Arrival, act: Act) -> None:
        """The recipient of a message follows its link for `act` and presses the button."""
        with self.store.read() as tx:
            tokens = _LINK.findall(message.text)
            links = [self.house.links.read(token, lambda begun: outbox.alert_ids_from(tx, begun)) for token in tokens]
        link = next(link for link in links if link is not None and link.act is act)
        if act is Act.ACKNOWLEDGE:
            acknowledge_by_link(self.house, link.alert_id, self.now)
        else:
            confirm_by_link(self.house, link.alert_id, seen=act is Act.SEEN, now=self.now)
        self.works()

    # ---- what the ledger says ---------------------------------------------------------------------------------------

    def case(self, child: str) -> Case:
        """The child's newest case, open or closed."""
        with self.store.read() as tx:
            return from_row(cases.cases_of(tx, [child])[-1])

    def has_case(self, child: str) -> bool:
        """Whether there ever was a case of the child."""
        with self.store.read() as tx:
            return bool(cases.cases_of(tx, [child]))

    def journal(self, child: str) -> list[str]:
        """The kinds of the journal lines of the child's newest case; not those of signs, see `signs`."""
        return [kind for kind, _ in self.entries(child) if not kind.startswith("sign ")]

    def signs(self, child: str) -> list[tuple[str, str]]:
        """What the journal of the child's newest case says of signs: raised or over, and of which rule."""
        return [(kind, str(body["rule"])) for kind, body in self.entries(child) if kind.startswith("sign ")]

    def entries(self, child: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Kind and body of every journal line of the child's newest case."""
        with self.store.read() as tx:
            return [(entry.kind, entry.body) for entry in journal.history(tx, self.case(child).case_id)]

    def deliveries(self, channel: str) -> list[outbox.Delivery]:
        """The messages of a channel with their attempts, newest first."""
        with self.store.read() as tx:
            return outbox.deliveries(tx, channel=channel)


_MARK = ("student_id", "date", "session", "mark")


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
