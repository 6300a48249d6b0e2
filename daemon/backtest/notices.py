"""The very notices a backtest's flags would have set off, in the words of the daemon; nothing is sent or kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from daemon.backtest.past import LINK_KEY
from daemon.config import Config
from daemon.desk.links import Links
from daemon.jobs.compose import compose, open_for
from daemon.jobs.house import House
from daemon.jobs.lines import line
from daemon.jobs.pace import paced
from daemon.jobs.tell import draft_alerts
from daemon.jobs.ways import PREFERENCE
from daemon.store.alerts import QUEUED, AlertDraft, AlertRow, MessageRow
from daemon.store.tx import Tx
from rules.backtest.flags import Flag
from rules.backtest.single import Singles
from rules.backtest.told import told
from rules.case import Decision
from rules.history import History
from rules.laws import Laws


@dataclass(frozen=True, slots=True)
class Notice:
    """One message as it would have left, with the alerts in it."""

    message: MessageRow
    alerts: tuple[AlertRow, ...]


def notices(tx: Tx, house: House, laws: Laws, history: History, flags: Sequence[Flag]) -> Iterator[dict[str, Any]]:
    """One line an alert, as a simulation writes them, in order of the flags.

    Only what is told at once: a replay of the rules does not know who would have acknowledged. The words are those of
    today's templates, the recipients those of today's roster.
    """
    paper = replace(house, terms=replace(house.terms, links=Links([LINK_KEY], house.config.console.public_url)))
    numbers, singles = _numbers(flags), Singles(history, laws)
    for _, together in groupby(flags, key=lambda flag: flag.raised_at):
        decisions = told(tuple(together), numbers, singles, laws)
        yield from _lines(tx, paper, _messages(tx, paper, decisions))


def _numbers(flags: Sequence[Flag]) -> dict[str, str]:
    """What to call the case of each child: like a number of the ledger, but none of it."""
    first = {flag.student: flag.raised_at for flag in reversed(flags)}
    ordered = sorted(first, key=lambda student: (first[student], student))
    return {student: f"{first[student].year}-B{n:05d}" for n, student in enumerate(ordered, 1)}


def _messages(tx: Tx, house: House, decisions: Sequence[Decision]) -> list[Notice]:
    """What leaves at one instant: alerts of one group, contact and channel as one message."""
    if not decisions:
        return []
    now = decisions[0].case.opened_at
    drafts = paced(tx, house, draft_alerts(tx, house, decisions, now, _channels(house.config)).alerts, now)
    grouped: dict[tuple[str, str, str], list[AlertDraft]] = {}
    for draft in drafts:
        grouped.setdefault((draft.group_key or draft.key, draft.addressee, draft.channel), []).append(draft)
    return [_notice(house, alerts) for alerts in grouped.values()]


def _channels(config: Config) -> list[str]:
    """The channels configured, or every one where none is."""
    found = [name for name in PREFERENCE if getattr(config.channels, name, None) is not None]
    return found or list(PREFERENCE)


def _notice(house: House, drafts: Sequence[AlertDraft]) -> Notice:
    first, message_id = drafts[0], house.new_id()
    message = MessageRow(
        message_id=message_id,
        contact_id=first.contact_id,
        channel=first.channel,
        kind=first.kind,
        state=QUEUED,
        next_at=first.not_before or first.raised_at,
        lease_until=None,
        lease_by=None,
        attempts=0,
        created_at=first.raised_at,
        told_at=None,
        doubtful=False,
        group_key=first.group_key,
    )
    return Notice(message, tuple(_row(draft, message_id, house.new_id()) for draft in drafts))


def _row(draft: AlertDraft, message_id: str, alert_id: str) -> AlertRow:
    known = AlertRow.__dataclass_fields__.keys() & AlertDraft.__dataclass_fields__.keys()
    said: dict[str, Any] = {name: getattr(draft, name) for name in known}
    said |= {"alert_id": alert_id, "message_id": message_id, "created_at": draft.raised_at}
    return AlertRow(**said, cancelled_at=None, cancel_reason=None)


def _lines(tx: Tx, house: House, found: Iterable[Notice]) -> Iterator[dict[str, Any]]:
    listed = list(found)
    opened = open_for(tx, [(one.message, one.alerts) for one in listed])
    for one in listed:
        words = compose(house, opened, one.message, one.alerts)
        if words is not None:
            yield from (
                line(alert, words, alert.facts["case"], one.message.next_at, house.calendar.zone)
                for alert in one.alerts
            )
