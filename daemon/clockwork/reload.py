"""Takes what was saved into force while the daemon runs, whole and in order, or leaves all as it was."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from threading import Event

import structlog
from watchfiles import watch

from daemon.app import renew_terms
from daemon.channels import unchanged
from daemon.clockwork.startup import prepare
from daemon.clockwork.written import Print, Written
from daemon.config import Config, ConfigError, Problem, in_force, load_config
from daemon.console.ready import Standing, Vitals
from daemon.jobs.house import House
from daemon.jobs.pace import ask_again
from daemon.jobs.refusal import tell_acceptance, tell_refusal
from daemon.jobs.terms import Terms
from daemon.providers import CHANNELS
from daemon.store.channels import hasten
from daemon.store.key_checks import key_faults
from daemon.store.keys import KEY_HINT
from daemon.store.tx import Tx
from daemon.systemd import Watch
from daemon.vault import keyring_of

log = structlog.get_logger()

QUIET_SECONDS = 0.5
"""Files that change are read when they have rested so long: an editor's save has several steps."""

_STEP_MILLISECONDS = 100
_PAUSE_SECONDS = 60.0


class Reload:
    """Keeps in force what is written: a whole configuration with its rules and templates, or the one of before.

    Sends nothing again: everything is judged anew, and what was told is known. To be used by one thread, but for
    `ask` and `changed`.
    """

    def __init__(self, house: House, vitals: Vitals, service: Watch, environ: Mapping[str, str]) -> None:
        self.written = Written(house.config.path)
        self._house = house
        self._vitals = vitals
        self._service = service
        self._environ = environ
        self._asked = Event()
        self._read: Print | None = None
        self._changing: Print | None = None
        self._quiet_at = time.monotonic()

    def ask(self) -> None:
        """Read everything at the next look, secrets too, whether a file changed or not."""
        self._service.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._asked.set()

    def changed(self) -> bool:
        """Whether files are other than when they were read last."""
        return self.written.print() != self._read

    def look(self) -> None:
        """Take what is written into force, if it was asked for or files have changed and come to rest."""
        asked, seen = self._asked.is_set(), self.written.print()
        if not asked and (seen == self._read or not self._rests(seen)):
            return
        self._asked.clear()
        self.written.name_files()
        seen = self.written.print()
        try:
            self._renew()
        except BaseException:
            self._asked.set()  # what failed by a fault of ours, or the store's, is tried again
            raise
        finally:
            if asked:
                self._service.tell("READY=1")
        self._read, self._changing = seen, None

    def next_at(self) -> dt.datetime | None:
        """When files that change will have rested; None while none does."""
        if self._changing is None:
            return None
        return self._house.clock() + dt.timedelta(seconds=max(self._quiet_at - time.monotonic(), 0))

    def _rests(self, seen: Print) -> bool:
        if self._read is not None and seen != self._changing:
            self._changing, self._quiet_at = seen, time.monotonic() + QUIET_SECONDS
        return time.monotonic() >= self._quiet_at

    def _renew(self) -> None:
        digest = self.written.digest()
        house = self._house
        try:
            written = load_config(self.written.path, self._environ)
            config, waiting = in_force(house.config, written)
            terms = renew_terms(house.terms, config, house.clock)
            if written.privacy != house.config.privacy:
                _refuse_keys(house, written)
        except ConfigError as error:
            self._refuse(error.problems, digest)
        else:
            self._take(terms, Standing(digest, None, waiting))

    def _refuse(self, problems: Sequence[Problem], digest: str) -> None:
        for problem in problems:
            log.error("configuration refused, the old one keeps running", problem=str(problem))
        was = self._vitals.written
        self._vitals.written = Standing(was.running, digest, was.waiting)
        self._count("refused", refused=True)
        tell_refusal(self._house, problems, self._house.clock())

    def _take(self, terms: Terms, standing: Standing) -> None:
        house = self._house
        news = _is_news(house.terms, terms)
        if news:
            self._put_in_force(terms)
        if standing.waiting and standing.waiting != self._vitals.written.waiting:
            log.warning("changed keys wait for a restart", keys=list(standing.waiting))
        self._vitals.written = standing
        self._count("taken" if news else "unchanged", refused=False)
        log.info("configuration taken into force" if news else "configuration says what it said", hash=standing.running)
        tell_acceptance(house, house.clock())

    def _put_in_force(self, terms: Terms) -> None:
        """Between two batches of the sweep; under another law, or in another mode, everything is judged anew."""
        house = self._house
        with house.turn:
            mode = house.config.service.mode
            if terms.laws is not house.terms.laws or terms.config.service.mode != mode:
                prepare(house, house.clock(), terms)
            paced_anew = terms.pacing != house.pacing
            mended = set(CHANNELS) - unchanged(house.config, terms.config)
            house.terms = terms
            house.owed_stamp = None  # a channel that is new may reach those whom no rung did
        if paced_anew:
            house.store.commit(lambda tx: ask_again(tx, house.clock()))
        if mended:
            house.store.commit(lambda tx: _try_again(tx, mended, house.clock()))
            house.wake()

    def _count(self, outcome: str, *, refused: bool) -> None:
        self._house.metrics.reloads.labels(outcome=outcome).inc()
        self._house.metrics.configuration_refused.set(refused)


def _try_again(tx: Tx, mended: Collection[str], now: dt.datetime) -> None:
    """Let go at once what waits for channels whose settings are new: whoever changed them wants to see it leave."""
    for channel in mended:
        hasten(tx, channel, None, now)


def _refuse_keys(house: House, written: Config) -> None:
    """Raise ConfigError for keys that the next start would refuse, though they wait for it."""
    with house.store.read() as tx:
        faults = key_faults(tx, keyring_of(written))
    if faults:
        raise ConfigError(Problem(str(written.path), None, "privacy.key_file", one, KEY_HINT) for one in faults)


def _is_news(before: Terms, terms: Terms) -> bool:
    return (
        terms.laws is not before.laws or terms.words is not before.words or terms.config != before.config
    )  # links and channels follow from the configuration


def watch_files(reload: Reload, changed: Callable[[], None], stopping: Event) -> None:
    """Call `changed` whenever a file of the configuration was saved, replaced, added or taken away, until `stopping`.

    Where the system cannot tell, this says so and tries again later; looks from time to time find it out all the same.
    """
    while not stopping.is_set():
        folders = reload.written.folders()
        try:
            saved = watch(
                *folders,
                watch_filter=None,
                step=_STEP_MILLISECONDS,
                stop_event=stopping,
                yield_on_timeout=True,
                recursive=False,
            )
            with closing(saved):
                for _ in saved:
                    if reload.changed():
                        changed()
                    if reload.written.folders() != folders:
                        break
        except Exception as error:  # noqa: BLE001 - whatever it is: this thread only saves a few seconds
            log.warning("saved files are noticed some seconds late", reason=str(error))
            stopping.wait(_PAUSE_SECONDS)
