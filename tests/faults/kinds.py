"""A kind of fault: what it does to a school's deliveries, from which day on and for how long."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tests.faults.truth import DATES, History, Pupil, date_of, local

if TYPE_CHECKING:
    from tests.faults.office import Document, Row, School
    from tests.faults.web import Answer


@dataclass(frozen=True)
class Scene:
    """A fault that is on: the school, the instant, and the days it is about."""

    school: School
    now: dt.datetime
    first_day: int
    days: int

    @cached_property
    def halves(self) -> range:
        """The numbers of the sessions it is about."""
        return range(2 * self.first_day, 2 * (self.first_day + self.days))

    @property
    def dates(self) -> Sequence[dt.date]:
        """The dates it is about."""
        return DATES[self.first_day : self.first_day + self.days]

    def touches(self, row: Row) -> bool:
        """Whether a row is about one of these sessions."""
        return "half" not in row or int(row["half"]) in self.halves

    @cached_property
    def someone(self) -> Pupil:
        """A child whose run of absences begins at the fault, or nearest to it."""
        absent = [one for one in self.school.history.pupils if "AAAA" in one.letters]
        return min(absent, key=lambda one: abs(one.letters.index("AAAA") - self.halves.start))


@dataclass(frozen=True)
class Fault:
    """One kind of fault of one kind of records, `after` days later than the history says, for so many `days`.

    It changes the rows of documents, or the bytes and the answer they come in. Once it is over everything is delivered
    again, and right. `hours` are the hours of its first day in which it is on, where that is all. A `harmless` one
    changes no report. One that is not `heard` is told of only where it keeps something from being told, if it does.
    One that `deceives` cannot be told from something that is right: what it hides or takes back is not held against
    the daemon.
    """

    name: str
    shapes: tuple[str, ...]
    records: str = "marks"
    rows: Callable[[Document, Scene], Sequence[Document]] | None = None
    answer: Callable[[Answer, Scene], Answer] | None = None
    days: int = 5
    after: int = 0
    hours: tuple[dt.time, dt.time] | None = None
    harmless: bool = False
    heard: bool = True
    deceives: bool = False
    down: bool = False
    is_judged: bool = False
    """Whether somebody judges that what was marked is not real, so that those days stay unknown."""
    alone: bool = False
    """Whether it is tried by itself only."""
    is_missing: bool = False
    """Whether what is wrong is that a document is not there."""

    def first_day(self, history: History) -> int:
        """The number of its first school day."""
        return history.fault_from + self.after

    def over_on(self, history: History) -> dt.date:
        """The first school day on which it is over from the first poll on."""
        return DATES[self.first_day(history) + self.days]

    def is_on(self, history: History, now: dt.datetime) -> bool:
        """Whether it is on at `now`."""
        today = date_of(now)
        begins = DATES[self.first_day(history)]
        if self.hours is not None:
            return today == begins and local(today, self.hours[0]) <= now < local(today, self.hours[1])
        return begins <= today < self.over_on(history)

    def halves(self, history: History) -> range:
        """The numbers of the sessions it is about."""
        return range(2 * self.first_day(history), 2 * (self.first_day(history) + self.days))

    def scene(self, school: School, now: dt.datetime) -> Scene:
        """What it needs to know."""
        return Scene(school, now, self.first_day(school.history), self.days)
