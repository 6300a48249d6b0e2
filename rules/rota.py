"""Duty rotas: whose turn it is at an instant, and who of those that hold a role is told then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from rules.ladder import Directory, Recipient

IsWorkday = Callable[[dt.date], bool]
"""Whether people work on a day: by the national calendar, or what else an office goes by."""

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Substitute:
    """Somebody who takes another's duties from one date to another, both included."""

    contact_id: str
    by: str
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Rota:
    """Who takes turns in a role, from `first` on for `days` days each, changing at `handover` in `zone`.

    With `on_holidays`, duties that begin on a day that is no workday go to these in turn, a day each; the others'
    turns pass meanwhile as if they had theirs. A duty belongs to the date on which it began.
    """

    role: str
    unit_id: str | None
    turns: tuple[str, ...]
    first: dt.date
    handover: dt.time
    days: int
    zone: ZoneInfo
    on_holidays: tuple[str, ...] = ()
    substitutes: tuple[Substitute, ...] = ()

    def day(self, at: dt.datetime) -> dt.date:
        """The date of the duty that holds at an instant: before the handover it is still yesterday's."""
        local = at.astimezone(self.zone)
        return local.date() if local.time() >= self.handover else local.date() - ONE_DAY

    def line(self, at: dt.datetime, is_workday: IsWorkday) -> tuple[str, ...]:
        """Who is on duty at an instant, and then who would be next, each once; nobody before the rota begins."""
        day = self.day(at)
        if day < self.first:
            return ()
        line = _turned(self.turns, (day - self.first).days // self.days)
        if self.on_holidays and not is_workday(day):
            line = _turned(self.on_holidays, self._holidays_before(day, is_workday)) + line
        return tuple(dict.fromkeys(self._present(one, day) for one in line))

    def everybody(self) -> tuple[str, ...]:
        """Everyone it names, substitutes too."""
        named = (
            *self.turns,
            *self.on_holidays,
            *(name for one in self.substitutes for name in (one.contact_id, one.by)),
        )
        return tuple(dict.fromkeys(named))

    def _holidays_before(self, day: dt.date, is_workday: IsWorkday) -> int:
        days = (self.first + ONE_DAY * n for n in range((day - self.first).days))
        return sum(not is_workday(one) for one in days)

    def _present(self, contact_id: str, day: dt.date) -> str:
        """Who really comes on a day; a substitute may have one, and a circle of them leaves it to the first."""
        passed = [contact_id]
        while (by := self._substitute(passed[-1], day)) is not None:
            if by in passed:
                return contact_id
            passed.append(by)
        return passed[-1]

    def _substitute(self, contact_id: str, day: dt.date) -> str | None:
        found = (one.by for one in self.substitutes if one.contact_id == contact_id and one.first <= day <= one.last)
        return next(found, None)


def _turned(names: tuple[str, ...], by: int) -> tuple[str, ...]:
    at = by % len(names)
    return names[at:] + names[:at]


@dataclass(frozen=True, slots=True)
class Passed:
    """A duty that its holder could not do: it went to another (`to`), or to everybody in the role (None)."""

    role: str
    unit_id: str | None
    contact_id: str | None
    """Who was on duty; None where nobody is, for the rota has not begun."""
    to: str | None


class OnDuty:
    """Who of those that hold a role is told at one instant: whoever has the duty; without a rota, all of them."""

    def __init__(self, directory: Directory, rotas: Iterable[Rota], at: dt.datetime, is_workday: IsWorkday) -> None:
        self._directory = directory
        # That of the unit itself is asked before one that is for wherever its people are.
        ordered = sorted(rotas, key=lambda rota: rota.unit_id is None)
        self._lines = [(rota, rota.line(at, is_workday)) for rota in ordered]

    def everybody(self) -> Iterator[str]:
        """Whoever may be told because of a rota, now."""
        for _, line in self._lines:
            yield from line

    def first(self) -> Iterator[str]:
        """Whoever is on duty now."""
        for _, line in self._lines:
            yield from line[:1]

    def line(self, role: str, holders: Sequence[Recipient]) -> list[Recipient] | None:
        """Who is on duty for what these hold, then who is next, those not on the roster left out; None: no rota."""
        found = self._found(role, holders)
        return None if found is None else [one for name in found[1] if (one := self._as(role, name, holders))]

    def narrowed(
        self, role: str, holders: Sequence[Recipient], is_reached: Callable[[Recipient], bool]
    ) -> tuple[list[Recipient], Passed | None]:
        """Who of `holders` is told: the first in turn who is there and reached, never nobody while there are any."""
        found = self._found(role, holders)
        if found is None:
            return list(holders), None
        rota, line = found
        known = [self._as(role, name, holders) for name in line]
        chosen = next((one for one in known if one is not None and is_reached(one)), None)
        first = line[0] if line else None
        if chosen is not None and chosen.contact_id == first:
            return [chosen], None
        passed = Passed(role, rota.unit_id or holders[0].unit_id, first, chosen.contact_id if chosen else None)
        return [chosen] if chosen else list(holders), passed

    def _found(self, role: str, holders: Sequence[Recipient]) -> tuple[Rota, tuple[str, ...]] | None:
        units = {one.unit_id for one in holders if one.student_id is None}
        names = {one.contact_id for one in holders}
        for rota, line in self._lines:
            if rota.role == role and units and _is_for(rota, units, names):
                return rota, line
        return None

    def _as(self, role: str, contact_id: str, holders: Sequence[Recipient]) -> Recipient | None:
        """A contact in the role it has the duty of, though it be on the roster in another."""
        one = self._directory.recipients.get(contact_id)
        return None if one is None else replace(one, role=role, unit_id=holders[0].unit_id, student_id=None)


def _is_for(rota: Rota, units: set[str | None], names: set[str]) -> bool:
    """A rota of no unit is for that in which somebody of it holds the role."""
    return rota.unit_id in units if rota.unit_id is not None else not names.isdisjoint(rota.everybody())
