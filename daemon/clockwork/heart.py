"""The heartbeat: whoever watches from outside is pinged while all is well, and not pinged otherwise."""

from __future__ import annotations

import datetime as dt

import structlog

from daemon.config import HeartbeatConfig
from daemon.console.ready import Beat, Vitals
from daemon.jobs.audit import EVERY as AUDITS
from daemon.jobs.channel_problems import FAILS_FOR
from daemon.jobs.house import House
from daemon.jobs.problems import problem_words, stops_the_heartbeat
from daemon.store import overdue
from daemon.store.tx import take_numbers
from notifiers.contract import DeliveryError
from notifiers.http import HttpSender, Request

log = structlog.get_logger()

LOOKS = dt.timedelta(minutes=1)
"""How often it is looked whether all is well again."""
TIMEOUT = dt.timedelta(seconds=20)
_STALE = 2 * AUDITS + dt.timedelta(minutes=5)
"""An audit comes every so often; without one in this time nobody knows whether anything is overdue."""
_COUNTER = "heartbeat"


class Heart:
    """Pings one address as configured; does not decide what is well, it only asks everybody who knows."""

    def __init__(self, house: House, vitals: Vitals) -> None:
        self._house = house
        self._vitals = vitals
        self._due: dt.datetime | None = None
        self._config: HeartbeatConfig | None = None

    def beat(self) -> None:
        """Ping if it is time and all is well; say once why not."""
        config, now = self._house.config.heartbeat, self._house.clock()
        if config != self._config:
            self._config, self._due = config, None
        if config is None or config.url is None:
            self._vitals.beat = None
            return
        if self._due is not None and now < self._due <= now + config.every:
            return
        reasons = unwell(self._house, self._vitals, now)
        self._note(reasons)
        if reasons:
            self._due = now + min(LOOKS, config.every)
            return
        self._ping(config, config.url.get_secret_value())
        self._due = now + config.every

    def next_at(self) -> dt.datetime | None:
        """When to ping, or to look again whether all is well."""
        return self._due

    def _note(self, reasons: list[str]) -> None:
        was = self._vitals.beat or Beat()
        if reasons and not was.withheld:
            log.error("the heartbeat is withheld", reasons=reasons)
        if was.withheld and not reasons:
            log.info("all is well again, the heartbeat goes on")
        self._vitals.beat = Beat(was.last, tuple(reasons))
        self._house.metrics.withheld.set(bool(reasons))
        if reasons:
            self._house.metrics.heartbeats.labels(outcome="withheld").inc()

    def _ping(self, config: HeartbeatConfig, url: str) -> None:
        sender = HttpSender(timeout=TIMEOUT, now=self._house.clock, network=self._house.config.network.reach(config))
        try:
            sender.send(Request(url, b"", {}, method=config.method))
        except DeliveryError as error:
            log.warning("heartbeat not taken", reason=error.reason)
            self._house.metrics.heartbeats.labels(outcome="failed").inc()
        else:
            self._vitals.beat = Beat(self._house.clock())
            self._house.metrics.heartbeats.labels(outcome="sent").inc()
        finally:
            sender.close()


def unwell(house: House, vitals: Vitals, now: dt.datetime) -> list[str]:
    """Why somebody outside should come and look; nothing while all is well."""
    _, report = vitals.ready(now)
    spared = {problem_words(row) for row in vitals.problems() if not stops_the_heartbeat(row)}
    found = [reason for reason in report["reasons"] if reason not in spared]
    if vitals.written.refused is not None:
        found.append("the configuration on disk is refused")
    found += _of_the_audit(vitals, now)
    try:
        found += _of_the_store(house, now)
    except Exception:
        log.warning("store not writable", exc_info=True)
        found.append("the store cannot be written")
    return found


def _of_the_audit(vitals: Vitals, now: dt.datetime) -> list[str]:
    audited = vitals.audited
    if audited is None or not dt.timedelta(0) <= now - audited.at <= _STALE:
        return ["no self-audit of late"]
    return [f"overdue: {one.count} {one.what}" for one in audited.found]


def _of_the_store(house: House, now: dt.datetime) -> list[str]:
    """Channels that have failed for long; also a trial whether the store takes anything at all."""
    house.store.commit(lambda tx: take_numbers(tx, _COUNTER, 1))
    with house.store.read() as tx:
        failing = overdue.failing(tx, sorted(house.notifiers))
    return sorted({f"{one.channel} fails" for one in failing if now - one.since > FAILS_FOR})
