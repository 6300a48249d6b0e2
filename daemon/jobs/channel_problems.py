"""What the outcomes of attempts say of a channel, or of one endpoint, rather than of a message or its recipient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from daemon.jobs.house import House
from daemon.jobs.service_problems import ServiceProblem, Trouble, end_problem, note_problem, open_service_problems
from daemon.providers import OF_ENDPOINTS, endpoints_of
from daemon.store import channels, overdue
from daemon.store.addresses import endpoint_key
from daemon.store.incidents import IncidentRow
from daemon.store.sending import FAILED, RETRY, SENT, Outcome
from daemon.store.tx import Tx
from notifiers.contract import Fault

FAILS_FOR = dt.timedelta(minutes=15)
"""A channel that has not taken a message for so long is no passing trouble."""
ONE_RECIPIENT_TRIES = 5
ONE_RECIPIENT_AFTER = dt.timedelta(hours=1)
"""Who is refused so often and so long, while the channel takes messages for others, is at fault itself."""
MANY_ADDRESSES = 3
"""So many addresses that fail one after another, with nothing taken between, are the channel's fault."""
ADDRESSES_WITHIN = dt.timedelta(days=1)

OF_CHANNELS = (ServiceProblem.CHANNEL_REFUSED, ServiceProblem.CHANNEL_FAILING)
TRY_AGAIN = "mend it in the configuration or at the provider; to try it: baoxue say --channel {}"


@dataclass(frozen=True, slots=True)
class Line:
    """What is at fault together: a channel, and of webhooks and robots one endpoint, by the key of its address."""

    channel: str
    addressee: str | None = None

    @classmethod
    def of(cls, channel: str, addressee: str) -> Line:
        """Return the line that a message to an address goes over."""
        return cls(channel, addressee if channel in OF_ENDPOINTS else None)

    def part(self, tx: Tx, house: House) -> str:
        """Return its name as part of the service, such as `channel email` or `channel chat hedong`."""
        names = endpoints_of(house.config.channels, self.channel)
        name = next((one for one in names if endpoint_key(tx, self.channel, one) == self.addressee), None)
        return f"channel {self.channel}" if name is None else f"channel {self.channel} {name}"


def reconsider(tx: Tx, outcomes: Sequence[Outcome], now: dt.datetime) -> list[Outcome]:
    """Return the outcomes, those failed for good where the account is blamed and only this recipient can be meant."""
    blamed = [one for one in outcomes if one.fault == Fault.ACCOUNT and one.n >= ONE_RECIPIENT_TRIES]
    first = channels.first_tried(tx, [one.message_id for one in blamed])
    alone = {
        one.message_id
        for one in blamed
        if one.channel not in OF_ENDPOINTS
        and now - first[one.message_id] > ONE_RECIPIENT_AFTER
        and _works_since(tx, Line(one.channel), first[one.message_id])
    }
    return [
        replace(one, state=FAILED, next_at=None, fault=Fault.ADDRESS) if one.message_id in alone else one
        for one in outcomes
    ]


def review_outcomes(tx: Tx, house: House, outcomes: Sequence[Outcome], now: dt.datetime) -> None:
    """Tell the operator of accounts that are refused; end the problems of channels that took a message again."""
    refused = {Line.of(one.channel, one.addressee): one for one in outcomes if _blames_the_account(one)}
    taken = {Line.of(one.channel, one.addressee) for one in outcomes if one.state == SENT}
    first = channels.first_tried(tx, [one.message_id for one in refused.values()])
    for line, one in refused.items():
        if line not in taken and not _works_since(tx, line, first[one.message_id]):
            _note(tx, house, ServiceProblem.CHANNEL_REFUSED, line, one.error or "", now)
    end_problems(tx, house, taken, now)


def end_problems(tx: Tx, house: House, taken: Iterable[Line], now: dt.datetime) -> None:
    """End the problems of lines that took a message, and let everything that waits for them go at once."""
    standing = _open(tx)
    if not standing:
        return
    for line in taken:
        part = line.part(tx, house)
        ended = [row for row in standing if row.subject == part]
        for row in ended:
            end_problem(tx, house, ServiceProblem(row.kind), part, now)
        if ended:
            channels.hasten(tx, line.channel, line.addressee, now)


def review_channels(tx: Tx, house: House, now: dt.datetime) -> None:
    """Tell the operator of channels that have taken nothing for long; forget those that are configured no more."""
    failing: dict[Line, overdue.Failing] = {}
    for one in overdue.failing(tx, sorted(house.notifiers)):
        line = Line.of(one.channel, one.addressee)
        failing[line] = min(failing.get(line, one), one, key=lambda each: each.since)
    known = {row.subject for row in _open(tx)}
    for line, one in failing.items():
        is_news = line.part(tx, house) not in known
        if is_news and now - one.since > FAILS_FOR and not _works_since(tx, line, one.since):
            _note(tx, house, ServiceProblem.CHANNEL_FAILING, line, one.error or "", now)
    for channel in sorted(set(house.notifiers) - OF_ENDPOINTS):
        _refuses_everybody(tx, house, Line(channel), now)
    _forget_others(tx, house, now)


def _blames_the_account(one: Outcome) -> bool:
    return one.state == RETRY and one.fault == Fault.ACCOUNT


def _works_since(tx: Tx, line: Line, since: dt.datetime) -> bool:
    last = channels.last_sent(tx, line.channel, line.addressee)
    return last is not None and last >= since


def _refuses_everybody(tx: Tx, house: House, line: Line, now: dt.datetime) -> None:
    """Note a channel that refused address after address: a gateway may say so where it means our account."""
    last = channels.last_sent(tx, line.channel, None)
    since = max(now - ADDRESSES_WITHIN, last or now - ADDRESSES_WITHIN)
    refused, error = channels.refused_addresses(tx, line.channel, since)
    if refused >= MANY_ADDRESSES:
        reason = f"{refused} addresses were refused one after another: {error}"
        _note(tx, house, ServiceProblem.CHANNEL_FAILING, line, reason, now)


def _note(tx: Tx, house: House, problem: ServiceProblem, line: Line, reason: str, now: dt.datetime) -> None:
    hint = TRY_AGAIN.format(line.channel)
    note_problem(tx, house, Trouble(problem, line.part(tx, house), reason, hint, line.channel), now)


def _open(tx: Tx) -> list[IncidentRow]:
    return [row for row in open_service_problems(tx) if row.kind in OF_CHANNELS]


def _forget_others(tx: Tx, house: House, now: dt.datetime) -> None:
    parts = set(_parts(house))
    for row in _open(tx):
        if row.subject not in parts:
            end_problem(tx, house, ServiceProblem(row.kind), row.subject, now)


def _parts(house: House) -> Iterable[str]:
    names: Mapping[str, Iterable[str]] = {
        channel: endpoints_of(house.config.channels, channel) for channel in house.notifiers
    }
    for channel, endpoints in names.items():
        yield f"channel {channel}"
        yield from (f"channel {channel} {name}" for name in endpoints)
