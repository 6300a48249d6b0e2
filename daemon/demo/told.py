"""What receivers took, put beside what the outbox says it was: the kind, the role, the cases."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.demo.arrivals import Arrival
from daemon.demo.county import Contact
from daemon.store.alerts import AlertRow

STANDING = frozenset({"report", "escalation", "reopened"})
CORRECTIONS = frozenset({"return", "retraction", "closed"})

_LINK = re.compile(r"http://\S+?/a/[\w-]+")
_NUMBER = re.compile(r"\d{4}-\d{6}")
_ASIDE = re.compile(r"【[^】]*】|[，、]?\s*(签收|登记处置|登记|判断|已到|未到)\s*http://\S+|http://\S+")


@dataclass(frozen=True, slots=True)
class Told:
    """One message that arrived, with whom it reached and the alerts it carried."""

    arrival: Arrival
    contact: Contact
    kind: str
    alerts: Sequence[AlertRow]
    local: dt.datetime
    """When it arrived, where the schools are."""

    @property
    def at(self) -> dt.datetime:
        """When it arrived, by the virtual clock."""
        return self.arrival.at

    @property
    def links(self) -> list[str]:
        """The links in it, in the order of its alerts."""
        return [] if self.arrival.channel == "webhook" else _LINK.findall(self.arrival.text)

    @property
    def point(self) -> str:
        """The gist from the first case number on, where the kind is said beside it."""
        found = _NUMBER.search(self.gist)
        head, colon, tail = self.gist.partition("：")
        return self.gist[found.start() :] if found else (tail if colon else head)

    @property
    def gist(self) -> str:
        """What it says, in one line, without its links."""
        text = self.arrival.text
        if self.arrival.channel == "webhook":
            event = json.loads(text)
            about = [str(alert["case"]) for alert in event["data"].pop("alerts")]
            told = {key: value for key, value in event["data"].items() if not key.endswith("_url")}
            return " ".join([event["type"], *about, *(f"{key}={told[key]}" for key in sorted(told))])
        if self.arrival.channel == "email":
            text = text.partition("\n")[0]
        return " ".join(_ASIDE.sub("", text).split())
