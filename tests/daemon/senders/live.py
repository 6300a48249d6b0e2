"""The senders of a daemon at work: its real jobs, store and channels, at a clock that is stepped."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from daemon.app import open_house
from daemon.clock import SteadyClock
from daemon.clockwork.clock_guard import ClockGuard
from daemon.clockwork.heart import unwell
from daemon.clockwork.pools import Pools
from daemon.clockwork.reload import Reload
from daemon.clockwork.startup import prepare
from daemon.clockwork.works import Works
from daemon.config import load_config
from daemon.console.ready import Vitals
from daemon.jobs.audit import audit
from daemon.jobs.fallback import look_at_alerts
from daemon.jobs.poll import in_order, poll_feed
from daemon.jobs.receipts import look_at_receipts
from daemon.jobs.silence import look_at_feeds
from daemon.jobs.sweep import sweep_due
from daemon.providers import CHANNELS
from daemon.store import outbox, unreachable
from daemon.store.outbox import Delivery
from daemon.systemd import Watch
from tests.daemon.senders.receivers import (
    TIMEOUT_SECONDS,
    HttpReceiver,
    MailReceiver,
    Receiver,
    SpoolReceiver,
)

GROUPS: Mapping[str, Sequence[str]] = {
    "http": ("http", "email", "wecom", "dingtalk", "feishu", "webhook"),
    "aliyun": ("aliyun", "curl"),
    "tencent": ("tencent",),
    "gammu": ("gammu",),
}
"""By provider of text messages what runs beside it: a daemon has one such provider, and one way of webhooks."""

CHANNEL_OF = {
    **dict.fromkeys(("http", "aliyun", "tencent", "gammu"), "sms"),
    **dict.fromkeys(("wecom", "dingtalk", "feishu"), "chat"),
    **dict.fromkeys(("webhook", "curl"), "webhook"),
    "email": "email",
}
MORNING = dt.datetime(2026, 3, 18, 1, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
_PHONE = "13800000001"


@dataclass(frozen=True)
class Seen:
    """What can be seen of one recipient's message, and of the daemon, at one instant."""

    state: str
    copies: int
    doubtful: bool
    flagged: bool
    fault: str | None


class Live:
    """A district with one absent child, reported to one recipient on each channel; the operator has a webhook."""

    def __init__(self, folder: Path, group: str, more_contacts: Sequence[str] = ()) -> None:
        self.folder = folder
        self._more_contacts = more_contacts
        self.now = MORNING
        self._open = contextlib.ExitStack()
        self.operator = self._open.enter_context(HttpReceiver("operator"))
        self.receivers: dict[str, Receiver] = {name: self._receiver(name) for name in GROUPS[group]}
        self._write(group)
        config = load_config(folder / "config.toml", {})
        self.house = open_house(config, clock=lambda: self.now)
        self.house.store.upgrade()
        self.vitals = Vitals(self.house)
        self._pools = Pools.of(len(config.feed), CHANNELS)
        reload = Reload(self.house, self.vitals, Watch({}), {})
        guard = ClockGuard(self.house, SteadyClock(lambda: self.now, self._seconds))
        self.works = Works(self.house, self.vitals, Watch({}), self._pools, reload, guard)

    def _seconds(self) -> float:
        return (self.now - MORNING).total_seconds()

    def begins(self) -> None:
        """Read the feeds and raise the report, which is overdue."""
        for feed in in_order(self.house.config.feed):
            poll_feed(self.house, feed, self.now)
            self.vitals.polled.add(feed.id)
        prepare(self.house, self.now)
        self.turns()

    def turns(self, by: dt.timedelta = dt.timedelta(0)) -> None:
        """Do everything that is due when so much time has passed."""
        self.now += by
        for _ in range(3):
            sweep_due(self.house, self.now)
            look_at_feeds(self.house, self.now)
            look_at_alerts(self.house, self.now)
            for channel in sorted(self.house.notifiers):
                self.works.send(channel)
            look_at_receipts(self.house, self.now)
        self.vitals.swept_at = self.now
        self.vitals.audited = audit(self.house, self.now, up_since=MORNING - 20 * MINUTE)
        for channel in sorted(self.house.notifiers):
            self.works.send(channel)

    def sees(self, name: str) -> Seen:
        """Return how the report to one recipient stands."""
        [one] = [each for each in self.deliveries() if each.message.contact_id == name]
        with self.house.store.read() as tx:
            flagged = any(each.contact_id == name for each in unreachable.flags(tx))
        fault = one.attempts[-1].fault if one.attempts else None
        return Seen(one.message.state, self.receivers[name].copies(), one.message.doubtful, flagged, fault)

    def deliveries(self) -> list[Delivery]:
        """Return every report there is."""
        with self.house.store.read() as tx:
            return [one for one in outbox.deliveries(tx) if one.message.kind == "report"]

    def operator_heard(self) -> list[tuple[str, str]]:
        """Return what the operator was told: the kind, and which part of the service it is about."""
        heard = [json.loads(each.text) for each in self.operator.arrivals]
        return [(one["type"], one["data"].get("part", {}).get("en", "")) for one in heard]

    def is_ready(self) -> list[str]:
        """Return why /readyz says that it is not ready."""
        return list(cast("list[str]", self.vitals.ready(self.now)[1]["reasons"]))

    def withholds(self) -> list[str]:
        """Return why the heartbeat is withheld."""
        return unwell(self.house, self.vitals, self.now)

    def ends(self) -> None:
        """Let go of everything."""
        self._pools.end_within(1, 10)
        for notifier in self.house.notifiers.values():
            notifier.close()
        self.house.store.close()
        self._open.close()

    # ---- the district -----------------------------------------------------------------------------------------------

    def _receiver(self, name: str) -> Receiver:
        if name == "gammu":
            return SpoolReceiver(self.folder / "spool")
        if name == "email":
            return self._open.enter_context(MailReceiver())
        return self._open.enter_context(HttpReceiver(name))

    def _write(self, group: str) -> None:
        self._put("baoxue.key", "k1:" + base64.b64encode(b"k" * 32).decode())
        (self.folder / "baoxue.key").chmod(0o600)
        self._put("secret", "whsec_" + base64.b64encode(b"s" * 32).decode())
        self._put("units.csv", _UNITS)
        self._put("students.csv", "student_id,name,class_id,residence_id\ns-1,欧阳不可见,k-1,t-1\n")
        self._put("contacts.csv", "role,unit_id,name,contact_id,phone,email,endpoint\n" + "\n".join(self._contacts()))
        days = [MORNING.date() - dt.timedelta(days=days) for days in range(4, 0, -1)]
        rows = [f"s-1,{day},{session},absent" for day in days for session in ("am", "pm")]
        rows.append(f"s-1,{MORNING.date()},am,absent")
        self._put("marks.csv", "student_id,date,session,mark\n" + "\n".join(rows))
        for name in ("wecom", "dingtalk", "feishu"):
            if name in self.receivers:
                self._put(f"{name}.url", self._url(name))
        used = json.dumps(sorted({"webhook", *(CHANNEL_OF[name] for name in self.receivers)}))
        self._put("config.toml", _CONFIG.replace("CHANNELS", used) + "\n".join(self._channels(group)))

    def _put(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def _contacts(self) -> Iterator[str]:
        yield "operator,county,管理员,op,,,operator"
        yield from self._more_contacts
        for name in self.receivers:
            channel = CHANNEL_OF[name]
            phone = _PHONE if channel == "sms" else ""
            mail = "town@example.org" if channel == "email" else ""
            endpoint = name if channel in {"chat", "webhook"} else ""
            yield f"town_government,t-1,镇政府,{name},{phone},{mail},{endpoint}"

    def _url(self, name: str) -> str:
        return cast("HttpReceiver", self.receivers[name]).url

    def _channels(self, group: str) -> Iterator[str]:
        yield _SMS[group].format(url="" if group == "gammu" else self._url(group))
        if "email" in self.receivers:
            yield _EMAIL.format(port=cast("MailReceiver", self.receivers["email"]).port)
        for name in ("wecom", "dingtalk", "feishu"):
            if name in self.receivers:
                yield _ROBOT.format(name=name)
        yield f'[channels.webhook]\ntimeout = "{TIMEOUT_SECONDS}s"'
        yield f'transport = "{"curl" if "curl" in self.receivers else "requests"}"'
        yield _ENDPOINT.format(name="operator", url=self.operator.url)
        for name in ("webhook", "curl"):
            if name in self.receivers:
                yield _ENDPOINT.format(name=name, url=self._url(name))


_UNITS = "unit_id,kind,parent_id,name\ncounty,county,,县\nt-1,town,county,镇\nsch-1,school,t-1,校\nk-1,class,sch-1,班\n"

_FEED = """
[[feed]]
id = "{name}"
kind = "file"
records = "{name}"
path = "{name}.csv"
"""
_CONFIG = f"""
[service]
district = "county"
timezone = "Asia/Shanghai"
database = "sqlite:///baoxue.db"
[calendar]
terms = [{{ from = 2026-03-02, to = 2026-07-03 }}]
weekdays = [1, 2, 3, 4, 5, 6, 7]
holidays = "none"
sessions = [
  {{ name = "am", start = 08:00:00, end = 11:40:00 }},
  {{ name = "pm", start = 14:00:00, end = 17:00:00 }},
]
{"".join(_FEED.format(name=name) for name in ("units", "students", "contacts", "marks"))}units = ["sch-1"]
[rules]
mass_absence_share = 1.0
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government"]
[[ladder.rung]]
after = "0h"
tell = ["town_government"]
channels = CHANNELS
[pacing]
wait = "0"
throttle = []
[privacy]
key_file = "baoxue.key"
[console]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:1"
"""
_TEMPLATE = """
[[channels.sms.template]]
id = "T1"
parameters = [{{ fact = "case", name = "case", longest = 12 }}]
"""
_TIMEOUT = f'timeout = "{TIMEOUT_SECONDS}s"\n'
_SMS = {
    "http": '[channels.sms]\nurl = "{url}"\nok_field = "code"\n' + _TIMEOUT,
    "aliyun": '[channels.sms]\nprovider = "aliyun"\nendpoint = "{url}"\naccess_key_id = "id"\n'
    'access_key_secret_file = "secret"\nsign_name = "县"\n' + _TIMEOUT + _TEMPLATE,
    "tencent": '[channels.sms]\nprovider = "tencent"\nendpoint = "{url}"\nsecret_id = "id"\n'
    'secret_key_file = "secret"\napp_id = "1"\nsign_name = "县"\n' + _TIMEOUT + _TEMPLATE,
    "gammu": '[channels.sms]\nprovider = "gammu"\nspool = "spool"\n',
}
_EMAIL = f"""
[channels.email]
host = "127.0.0.1"
port = {{port}}
security = "none"
from = "baoxue <baoxue@example.org>"
timeout = "{TIMEOUT_SECONDS}s"
"""
_ROBOT = (
    """
[channels.chat.endpoints.{name}]
provider = "{name}"
url_file = "{name}.url"
"""
    + _TIMEOUT
)
_ENDPOINT = """
[channels.webhook.endpoints.{name}]
url = "{url}"
secret_file = "secret"
"""
