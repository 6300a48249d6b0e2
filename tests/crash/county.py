"""A county in a folder, for daemons that die: a town for each child, each heard on every channel; an office by mail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from daemon.config import load_config
from daemon.store.engine import Store, open_store
from daemon.store.keys import Keyring
from tests.crash.receivers import Receivers
from tests.daemon.clockwork.running import NAME, OFFICE_MAIL, SECOND, Place
from tests.phones import SECRET

_HOOK = """
[channels.webhook]
timeout = "5s"
transport = "{transport}"
[channels.webhook.endpoints.edu]
url = "{url}"
secret_file = "hook.secret"
"""

Told = tuple[str, str, str]
"""Channel, address and case number."""


@dataclass
class County(Place):
    """Children `s-000000` and on, each of a town of its own; as many more as these are always there.

    Reports were due a while ago, so they fall due as soon as an absence is known. A file for each round of marks.
    """

    due_in: float = -120
    poll: str = "1s"
    children: int = 30
    database: str = "sqlite:///baoxue.db"
    absent: int = 0
    _rounds: int = field(default=0, repr=False)

    @property
    def ids(self) -> list[str]:
        """The children reported until now."""
        return [self.child(n) for n in range(self.absent)]

    def misses(self, more: int) -> None:
        """Another roll is taken, and so many children more are not there."""
        self.absent += more
        assert self.absent <= self.children
        self._rounds += 1
        said = (self.began + self._rounds * SECOND).isoformat()
        rows = [
            (self.child(n), self.day.isoformat(), "noon", "absent" if n < self.absent else "present", said)
            for n in range(2 * self.children)
        ]
        self.writes(f"marks-{self._rounds:03}.csv", ("student_id", "date", "session", "mark", "recorded_at"), rows)

    def expected(self, numbers: dict[str, str]) -> set[Told]:
        """What has to be told to whom, once every report left; `numbers` are the case numbers by child."""
        told = {("email", OFFICE_MAIL, numbers[child]) for child in self.ids}
        for n, child in enumerate(self.ids):
            told |= {("sms", phone(n), numbers[child]), ("email", mail(n), numbers[child])}
            told.add(("webhook", "edu", numbers[child]))
        return told

    def opens(self) -> Store:
        """Its store, beside a daemon; to be closed."""
        config = load_config(self.config)
        keyring = Keyring({key.id: key.key.get_secret_value() for key in config.privacy.keys})
        return open_store(config.database_url, config.service.district, keyring, state_dir=self.folder)

    def _roster(self) -> None:
        units = [("county", "county", "", "县"), ("t-0", "town", "county", "镇"), ("sch-1", "school", "t-0", "校")]
        units += [("k-1", "class", "sch-1", "班")]
        units += [(_town(n), "town", "county", f"镇{n}") for n in range(self.children)]
        self.writes("units.csv", ("unit_id", "kind", "parent_id", "name"), units)
        rows = [(self.child(n), f"{NAME}{n}", "k-1", _town(n % self.children)) for n in range(2 * self.children)]
        self.writes("students.csv", ("student_id", "name", "class_id", "residence_id"), rows)
        contacts = [("education_office", "county", "科长乙", "", OFFICE_MAIL, "")]
        contacts += [("town_government", _town(n), f"镇长{n}", phone(n), mail(n), "edu") for n in range(self.children)]
        self.writes("contacts.csv", ("role", "unit_id", "name", "phone", "email", "endpoint"), contacts)

    def _toml(self) -> str:
        every = 'channels = ["sms", "email", "webhook"]'
        text = super()._toml().replace('channels = ["sms", "email"]', every)
        return text.replace("sqlite:///baoxue.db", self.database)


def _town(n: int) -> str:
    return f"t-{n + 1}"


def phone(n: int) -> str:
    """The number of the government of the town where a child lives."""
    return f"+86138{n:08}"


def mail(n: int) -> str:
    """Its mail address."""
    return f"town-{n}@example.org"


def county(
    folder: Path,
    receivers: Receivers,
    *,
    children: int = 30,
    database: str = "sqlite:///baoxue.db",
    mail_port: int = 0,
    transport: str = "requests",
    kind: type[County] = County,
) -> County:
    """A county whose messages go to `receivers`."""
    secret = folder / "hook.secret"
    secret.write_text(SECRET, encoding="ascii")
    secret.chmod(0o600)
    return kind(
        folder,
        receivers.sms.url,
        mail_port or receivers.mail.port,
        extra=_HOOK.format(url=receivers.ear.url, transport=transport),
        children=children,
        database=database,
    )


def utc_now() -> dt.datetime:
    """The time."""
    return dt.datetime.now(dt.UTC)
