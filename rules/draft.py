"""A decision being written: what the parts of the law read and change on their way."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from rules.calendar import Calendar
from rules.case import Case, Entry, Law, Stage, Standing, Storm, Tell
from rules.finding import Finding

REASON_OF_STOP = {"seen": "returned", "excused": "excused"}
REASON_OF_MOVEMENT = {
    "transfer_out": "transferred",
    "suspend": "suspended",
    "graduate": "graduated",
    "verified_elsewhere": "verified elsewhere",
}


@dataclass(slots=True)
class Draft:
    """A decision being written: the case as it will be, with what is journaled and told on the way."""

    case: Case
    finding: Finding
    now: dt.datetime
    law: Law
    calendar: Calendar
    storm: Storm | None
    """The mass absence in which the run began, if one."""
    entries: list[Entry] = field(default_factory=list)
    tells: list[Tell] = field(default_factory=list)
    cancels: bool = False

    def change(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of Case, checked by replace itself
        """Let the case continue with other values."""
        if any(getattr(self.case, name) != value for name, value in fields.items()):
            self.case = self.case.but(**fields)

    def note(self, kind: str, **body: Any) -> None:  # noqa: ANN401 - whatever the journal line carries
        """Write a journal line."""
        self.entries.append(Entry(kind, body))

    @property
    def open_run(self) -> dt.datetime | None:
        """Start of the current run if it is open now: no known leave is in force."""
        return self.finding.run_from if self.finding.leave_until is None else None

    def is_ripe(self) -> bool:
        """Whether the open run has lasted long enough."""
        ripe = self.finding.ripe_at
        return self.open_run is not None and ripe is not None and ripe <= self.now

    @property
    def is_old_run(self) -> bool:
        """Whether the run began before the return: it belongs to the report that was closed by it, to no relapse."""
        returned, run = self.case.returned_session, self.finding.run_from
        return self.case.standing is Standing.RETURNED and bool(returned and run and run < returned)

    def close(self, reason: str) -> None:
        """Close the case; tells nobody."""
        self.note("closed", reason=reason)
        self.change(
            stage=Stage.CLOSED,
            reason=reason,
            closed_at=self.now,
            pending_at=None,
            pending_unconfirmed=False,
            armed_at=None,
            asked_at=None,
        )
