"""Looks whether the store works, and tells the operator past it when it does not: full, out of reach, gone."""

from __future__ import annotations

import datetime as dt

import structlog

from daemon.jobs.direct_word import Operators, known_operators, tell_directly
from daemon.jobs.house import House
from daemon.jobs.service_problems import ServiceProblem, Trouble
from daemon.store.engine_errors import store_fault
from daemon.store.faults import StoreError, StoreFull, StoreGone, StoreUnreachable
from daemon.store.trial_write import try_to_write

log = structlog.get_logger()

PERIOD = dt.timedelta(seconds=30)
PASSES = dt.timedelta(minutes=1)
"""A database that does not answer may do so in a moment: this long nobody is told."""
RESTS = dt.timedelta(minutes=2)
"""So long nothing may have failed before all is well again: a full disk takes a small change now and then."""
AGAIN = dt.timedelta(days=1)
"""How often it is said anew while it lasts."""
_PART = "store"
_HINTS: tuple[tuple[type[StoreError], str], ...] = (
    (StoreFull, "make room on that disk"),
    (StoreUnreachable, "look whether the database runs and lets the daemon in"),
    (StoreGone, "put the file back, or: baoxue db restore FILE"),
)


class StoreWatch:
    """The state of the store as the daemon finds it, and what the operator was told of it; to be used by one thread."""

    def __init__(self, house: House) -> None:
        self.fault: str | None = None
        """What is wrong with the store, for whoever asks whether all is well."""
        self._house = house
        self._operators = Operators()
        self._trouble: Trouble | None = None
        self._since = self._failed_at = self._told_at = house.clock()
        self._patience = dt.timedelta(0)
        self._told = False

    def look(self, now: dt.datetime) -> None:
        """Try to write and to read; tell the operators when that fails, and when it works again."""
        fault = self._try(now)
        if fault is not None:
            self._note(fault, now)
        if self._trouble is None:
            return
        if now - self._failed_at >= RESTS:
            self._end(self._trouble, now)
        elif now - self._since >= self._patience and (not self._told or now - self._told_at >= AGAIN):
            self._told = tell_directly(self._house, self._operators, self._trouble, self._since, now) > 0
            self._told_at = now

    def tell_gone(self, fault: StoreGone, now: dt.datetime) -> None:
        """Tell the operators that the database file is gone, so that the daemon does nothing any more."""
        log.critical("the database file is gone, so the daemon does nothing any more", reason=str(fault))
        self.fault = str(fault)
        tell_directly(self._house, self._operators, trouble_of(fault), now, now)

    def _try(self, now: dt.datetime) -> StoreError | None:
        """Return what is wrong with the store, or what has failed since the last look; None while it works."""
        failed = self._house.store.take_fault()
        if (fault := try_to_write(self._house.store)) is not None:
            return fault
        try:
            with self._house.store.read() as tx:
                self._operators = known_operators(tx, self._house, now)
        except Exception as error:
            if (unread := store_fault(error)) is None:
                raise
            return unread
        return failed

    def _note(self, fault: StoreError, now: dt.datetime) -> None:
        trouble = trouble_of(fault)
        if self._trouble is None:
            self._since, self._told = now, False
            log.critical("the store fails", reason=trouble.reason)
        self._trouble, self._failed_at, self.fault = trouble, now, trouble.reason
        self._patience = PASSES if isinstance(fault, StoreUnreachable) else dt.timedelta(0)

    def _end(self, trouble: Trouble, now: dt.datetime) -> None:
        log.info("the store works again")
        self.fault = self._trouble = None
        if self._told:
            tell_directly(self._house, self._operators, trouble, self._since, now, over=True)


def trouble_of(fault: StoreError) -> Trouble:
    """Return a fault of the store as the operator is told of it."""
    hint = next((words for kind, words in _HINTS if isinstance(fault, kind)), "look at the log of the database")
    return Trouble(ServiceProblem.STORE_FAILING, _PART, str(fault), hint)
