"""Holds what people were told against what truly happened, and says in a story what went wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tests.faults.office import School
from tests.faults.play import Heard, Outcome
from tests.faults.truth import DATES, HALVES, Law, Owed, Pupil, date_of, evening, known_at, law_of, local

TAKEN_BACK = ("return", "retraction", "closed")
_OF_CASES = frozenset({"report", "escalation", "first_absence", "reopened", "digest", "confirm_request", *TAKEN_BACK})
_TWO_DAYS = dt.timedelta(hours=48)
_PUT_RIGHT = dt.timedelta(hours=2)


@dataclass(frozen=True)
class Verdict:
    """What is not as it must be at one school."""

    school: School
    outcome: Outcome

    def findings(self) -> list[str]:
        """Everything that is not as it must be, each once."""
        found = [*self._hidden(), *self._false(), *self._taken_back(), *self._unnoticed(), *self._not_mended()]
        if all(fault.harmless for fault in self.school.faults):
            found += self._changed()
        return list(dict.fromkeys(found))

    def story(self) -> str:
        """The history in a few lines."""
        history = self.school.history
        spans = [
            f'"{fault.name}" from {DATES[fault.first_day(history)]} to {fault.over_on(history)}'
            for fault in self.school.faults
        ]
        return f"seed {history.seed}, {self.school.shape}: {' and '.join(spans) or 'nothing goes wrong'}"

    # ---- what there is to compare -----------------------------------------------------------------------------------

    @cached_property
    def _law(self) -> Law:
        return law_of(self.school.history.seed, at_its_end=self.school.at_its_end)

    @cached_property
    def _pupils(self) -> dict[str, Pupil]:
        return {self.school.student(one): one for one in self.school.history.pupils}

    @cached_property
    def _of_children(self) -> list[tuple[Heard, Pupil]]:
        """What people were told about the school's children."""
        return [(one, self._pupils[one.student]) for one in self.outcome.heard if one.student in self._pupils]

    @cached_property
    def _of_school(self) -> list[Heard]:
        """What people were told about the school, a class or a feed of it, or about what is of no school."""
        mine = {self.school.unit, self.school.town, *self.school.rooms}
        mine |= {self.school.feed(kind) for kind in ("students", "contacts", "leaves", "marks", "gate")}
        others = [one for one in self.outcome.heard if one.student is None and one.kind not in _OF_CASES]
        return [one for one in others if any(name in one.said for name in mine)]

    def _told(self, *kinds: str) -> list[tuple[Heard, Pupil]]:
        return [(one, pupil) for one, pupil in self._of_children if one.kind in kinds]

    # ---- (1) nobody absent is hidden --------------------------------------------------------------------------------

    def _hidden(self) -> Iterator[str]:
        told = [(one, pupil.number) for one, pupil in self._told("report") if one.role == "town_government"]
        if any(fault.deceives for fault in self.school.faults):
            return
        for owed in self._owed():
            until = evening(owed.due_at)
            reported = any(number == owed.number and one.at < until for one, number in told)
            if not reported and not self._covered(owed.number, owed.due_at - _TWO_DAYS, until):
                yield self._about(owed.number, f"due {_shown(owed.due_at)}, neither reported nor covered that day")

    def _owed(self) -> list[Owed]:
        """The reports that fall due while it was played."""
        return [one for one in self._law.reports if date_of(one.due_at) in self.outcome.standing]

    def _covered(self, number: int, since: dt.datetime, until: dt.datetime) -> bool:
        """Whether a person was told, of the child or its school, of something that was not over before the run."""
        asked = any(pupil.number == number and since <= one.at < until for one, pupil in self._told("confirm_request"))
        return asked or any(one.at < until and one.lasts(since) for one in self._of_school)

    # ---- (2) nobody is reported, and nobody taken back, because of it -----------------------------------------------

    def _false(self) -> Iterator[str]:
        """Reports of children who are there, by the last session that would be known by then.

        Held to be right: one that asked first, as nobody here answers; and one of a child that was last known as
        absent and came back while something was wrong, of which somebody was told.
        """
        owed = {(one.number, date_of(one.due_at)) for one in self._law.reports}
        for one, pupil in self._told("report"):
            half = [half for half in HALVES if known_at(half, at_its_end=self.school.at_its_end) <= one.at][-1]
            letter = pupil.letters[half.number]
            if (pupil.number, date_of(one.due_at or one.at)) in owed or one.unconfirmed:
                continue
            told = self._covered(pupil.number, one.at - _TWO_DAYS, evening(one.at))
            if letter == "P" and not (told and self._came_back_unseen(pupil, half.number)):
                yield self._about(pupil.number, f"there on {half.date} {half.name}, and reported {_shown(one.at)}")
            if letter == "L" and not told:
                yield self._about(pupil.number, f"on leave, and reported {_shown(one.at)}; nobody heard of a fault")

    def _came_back_unseen(self, pupil: Pupil, until: int) -> bool:
        """Whether every session since a child was last absent is one of a fault."""
        since = pupil.letters.rfind("A", 0, until) + 1
        wrong = {n for fault in self.school.faults for n in fault.halves(self.school.history)}
        return since > 0 and wrong.issuperset(range(since, until + 1))

    def _taken_back(self) -> Iterator[str]:
        """A return, retraction or closing that nothing in the child's days is the reason for."""
        if any(fault.deceives for fault in self.school.faults):
            return
        for one, pupil in self._told(*TAKEN_BACK):
            raised = [told.due_at or told.at for told, of in self._told("report") if of is pupil and told.at <= one.at]
            since = min(raised, default=one.at) - _TWO_DAYS
            letters = {pupil.letters[half.number] for half in HALVES if since <= half.start <= one.at}
            if letters == {"A"} and not self._is_slip(pupil, one.at):
                yield self._about(pupil.number, f"absent all the time, and {one.kind} told {_shown(one.at)}")

    def _is_slip(self, pupil: Pupil, at: dt.datetime) -> bool:
        """Whether the child was just called as present, and that was not put right yet."""
        slips = [HALVES[half] for number, half in self.school.history.slips if number == pupil.number]
        return not self.school.at_its_end and any(half.start <= at < half.start + _PUT_RIGHT for half in slips)

    def _changed(self) -> Iterator[str]:
        """What is harmless changes no report."""
        law = {(one.number, date_of(one.due_at)) for one in self._owed()}
        told = {(pupil.number, date_of(one.due_at)) for one, pupil in self._told("report") if one.due_at}
        for number, day in sorted(told ^ law):
            what = "reported without reason" if (number, day) in told else "not reported"
            yield self._about(number, f"due {day}, {what}")

    # ---- (3) it is heard of, and when it is over it is over ---------------------------------------------------------

    def _unnoticed(self) -> Iterator[str]:
        for fault in self.school.faults:
            day = DATES[fault.first_day(self.school.history)]
            begins = local(day, dt.time())
            heard = any(one.at < evening(begins) and one.lasts(begins) for one in self._of_school)
            if not (heard or fault.harmless or fault.down or fault.deceives or not fault.heard):
                yield f"nobody heard on its first day, {day}, that {fault.name}"

    def _not_mended(self) -> Iterator[str]:
        """On the evening of the first school day on which all is right again, the same reports stand as if ever.

        A report nobody should have made may stand while the child is absent: a new one may be due within a day. One
        of a child that is absent may be due later, where somebody judged that days of its run were not real.
        """
        over = max((one.over_on(self.school.history) for one in self.school.faults), default=DATES[0])
        stands = {self._pupils[one].number for one in self.outcome.standing[over] if one in self._pupils}
        last = 2 * DATES.index(over) + 1
        absent = {one.number for one in self.school.history.pupils if one.letters[last] == "A"}
        judged = any(fault.is_judged for fault in self.school.faults)
        left = absent if judged else stands & absent
        for number in sorted((stands ^ self._law.standing[over]) - left):
            what = "stands" if number in stands else "does not stand"
            yield self._about(number, f"all is right again, and on the evening of {over} its report {what}")
        for one in self._of_school:
            if one.incident is not None and one.incident.closed_at is None and one.kind != "mass_absence":
                yield f"all is right again, and {one.incident.kind} of {one.incident.subject} is not over"

    def _about(self, number: int, what: str) -> str:
        pupil = next(one for one in self.school.history.pupils if one.number == number)
        return f"child {number}: {pupil.week()}: {what}"

    # ---- without faults ---------------------------------------------------------------------------------------------

    def unlike_the_law(self) -> list[str]:
        """How a life without faults differs from the law in its reports, and what nobody should hear."""
        owed = {(one.number, one.due_at, one.raised_at) for one in self._owed()}
        told = {
            (pupil.number, one.due_at, one.at.replace(second=0, microsecond=0)) for one, pupil in self._told("report")
        }
        others = [f"told without reason: {one.kind} to {one.role}" for one in self._of_school]
        return [*(self._about(one[0], f"{one[1]} {one[2]}") for one in sorted(owed ^ told, key=repr)), *others]


def _shown(at: dt.datetime) -> str:
    return f"{at + dt.timedelta(hours=8):%m-%d %H:%M}"
