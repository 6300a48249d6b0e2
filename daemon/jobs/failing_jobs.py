"""Jobs of the daemon that fail again and again: told to the operator, not by the channel that such a job sends on."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from daemon.jobs.house import House
from daemon.jobs.service_problems import ServiceProblem, Trouble, end_problem, note_problem, open_service_problems
from daemon.store.tx import Tx

FEW_FAILURES = 3
LASTS_SECONDS = 60.0
"""A job that has failed so often and so long is in more than passing trouble."""
IN_THE_LOG = "the log shows it whole"
_SENDS = "send "


@dataclass(frozen=True, slots=True)
class Failing:
    """A job that raised whenever it ran, `failures` times since an instant of the monotonic clock.

    `reason` is the kind of the last error, for its text may hold anything.
    """

    job: str
    reason: str
    failures: int = 1
    since: float = field(default_factory=time.monotonic)

    def lasts(self, now: float) -> bool:
        """Return whether it is in more than passing trouble at an instant of the monotonic clock."""
        return self.failures >= FEW_FAILURES and now - self.since >= LASTS_SECONDS

    @property
    def part(self) -> str:
        """Return its name as a part of the service."""
        return f"job {self.job}"

    @property
    def words(self) -> str:
        """Return what fails and why, in one line for whoever runs the daemon."""
        return f"{self.part} keeps failing ({self.reason}, see the log)"


def failed_once_more(before: Failing | None, job: str, error: Exception) -> Failing:
    """Return what is known of a job that failed again, or for the first time."""
    reason = type(error).__name__
    return Failing(job, reason) if before is None else replace(before, reason=reason, failures=before.failures + 1)


def review_jobs(house: House, failing: Sequence[Failing], now: dt.datetime) -> None:
    """Tell the operator of jobs that keep failing, and of the end of that."""
    wrong = {one.part: one for one in failing}
    with house.store.read() as tx:
        known = {row.subject for row in open_service_problems(tx) if row.kind == ServiceProblem.JOB_FAILING}
    if wrong or known:
        house.store.commit(lambda tx: _review(tx, house, wrong, known, now))
        house.wake()


def _review(tx: Tx, house: House, wrong: dict[str, Failing], known: set[str], now: dt.datetime) -> None:
    for part, one in wrong.items():
        channel = one.job.removeprefix(_SENDS) if one.job.startswith(_SENDS) else None
        trouble = Trouble(ServiceProblem.JOB_FAILING, part, one.reason, IN_THE_LOG, channel)
        note_problem(tx, house, trouble, now)
    for part in known - wrong.keys():
        end_problem(tx, house, ServiceProblem.JOB_FAILING, part, now)
