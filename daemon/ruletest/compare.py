"""What a test declares against what came: what is missing, what nobody declared, and facts that are otherwise."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.ruletest.county import child_of, instant
from daemon.ruletest.models import ExpectTable, FactTable, TrialTable, Value
from rules.rehearsal import Spoken
from rules.rule import Rule

UNASKED = frozenset({"first_absence"})
"""Kinds no rule file speaks of; they need not be declared unless a test declares one."""

_KIND_OF = {"reported": "report", "watch": "risk", "suspected": "stage", "dropped_out": "stage"}


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is otherwise than declared; `expected` and `came` in words, None where there is nothing."""

    key: tuple[str | int, ...]
    """The place in the test's table, empty for what is not declared there."""
    at: dt.datetime
    expected: str | None
    came: str | None


def kind_of(rule: Rule) -> str:
    """What a rule tells when it is raised."""
    return _KIND_OF.get(rule.stage, "reminder")


def compare(
    table: TrialTable, rules: Mapping[str, Rule], came: Sequence[Spoken], facts: Iterable[Value], zone: ZoneInfo
) -> list[Failure]:
    """Everything that is otherwise than `table` declares, in order of time; `facts` are the values of `table.fact`."""
    wanted = [_Wanted.of(n, one, table, rules, zone) for n, one in enumerate(table.expect)]
    asked = UNASKED - {one.kind for one in wanted}
    left = [one for one in came if one.kind not in asked and (not table.about or one.rule in table.about)]
    missing = [one for one in sorted(wanted, key=lambda one: -one.said) if not _take(one, left)]
    failures = [
        Failure(("expect", one.number), one.at, one.words(zone), _instead(one, left, zone))
        for one in sorted(missing, key=lambda one: one.at)
    ]
    failures += [Failure((), one.at, None, told(one, zone)) for one in left]
    failures += _other_facts(table, facts, zone)
    return sorted(failures, key=lambda one: (one.at, one.key == (), str(one.key)))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One `[[test.expect]]`, with what it leaves out filled in where that follows."""

    number: int
    at: dt.datetime
    student: str
    kind: str
    rule: str | None
    due: dt.datetime | None
    unconfirmed: bool | None
    stage: str | None

    @classmethod
    def of(cls, number: int, one: ExpectTable, table: TrialTable, rules: Mapping[str, Rule], zone: ZoneInfo) -> _Wanted:
        kind = one.kind or kind_of(rules[one.rule or ""])
        due = instant(one.due, zone) if one.due else None
        student = child_of(table, one.student)
        return cls(number, instant(one.at, zone), student, kind, one.rule, due, one.unconfirmed, one.stage)

    @property
    def said(self) -> int:
        """How much it says: of two that fit the same, the one that says more is matched first."""
        return sum(value is not None for value in (self.rule, self.due, self.unconfirmed, self.stage))

    def fits(self, spoken: Spoken) -> bool:
        """Whether it is what came."""
        pairs = (
            (self.rule, spoken.rule),
            (self.due, spoken.due_at),
            (self.unconfirmed, spoken.unconfirmed),
            (self.stage, spoken.stage),
        )
        same = (self.at, self.student, self.kind) == (spoken.at, spoken.student, spoken.kind)
        return same and all(mine is None or mine == its for mine, its in pairs)

    def words(self, zone: ZoneInfo) -> str:
        """What it declares, as a line."""
        flag = self.unconfirmed
        return _line(self.at, self.kind, self.stage, self.rule, self.student, self.due, unconfirmed=flag, zone=zone)


def told(one: Spoken, zone: ZoneInfo) -> str:
    """What came, as a line."""
    flag = one.unconfirmed or None
    return _line(one.at, one.kind, one.stage, one.rule, one.student, one.due_at, unconfirmed=flag, zone=zone)


def _take(one: _Wanted, left: list[Spoken]) -> bool:
    """Take what was declared out of what came; False where it did not come."""
    found = next((spoken for spoken in left if one.fits(spoken)), None)
    if found is not None:
        left.remove(found)
    return found is not None


def _instead(one: _Wanted, left: list[Spoken], zone: ZoneInfo) -> str | None:
    """What came in its place, taken out of what came: the same kind about the same child, the nearest in time."""
    alike = [spoken for spoken in left if (spoken.student, spoken.kind) == (one.student, one.kind)]
    alike = [spoken for spoken in alike if one.rule in {None, spoken.rule}]
    if not alike:
        return None
    found = min(alike, key=lambda spoken: abs(spoken.at - one.at))
    left.remove(found)
    return told(found, zone)


def _other_facts(table: TrialTable, values: Iterable[Value], zone: ZoneInfo) -> list[Failure]:
    return [
        Failure(("fact", n), instant(one.at, zone), _fact_words(one, table, one.value), _fact_words(one, table, value))
        for n, (one, value) in enumerate(zip(table.fact, values, strict=True))
        if not _same(one.value, value)
    ]


def _fact_words(one: FactTable, table: TrialTable, value: Value) -> str:
    shown = str(value).lower() if isinstance(value, bool) else f"{value:.6g}"
    return f"{one.fact} = {shown}  {child_of(table, one.student)}"


def _same(declared: Value, value: Value) -> bool:
    """Whether they agree, to as many decimals as are declared."""
    _, _, decimals = repr(declared).partition(".")
    return round(float(value), len(decimals) if decimals.isdigit() else 0) == declared


def _line(
    at: dt.datetime,
    kind: str,
    stage: str | None,
    rule: str | None,
    student: str,
    due: dt.datetime | None,
    *,
    unconfirmed: bool | None,
    zone: ZoneInfo,
) -> str:
    words = [_clock(at, zone), kind, stage or "", rule or "", student]
    words.append(f"due {_clock(due, zone)}" if due is not None else "")
    words.append({True: "unconfirmed", False: "confirmed", None: ""}[unconfirmed])
    return "  ".join(word for word in words if word)


def _clock(at: dt.datetime, zone: ZoneInfo) -> str:
    """An instant to the minute, and to the second or finer where it is not whole."""
    local = at.astimezone(zone).replace(tzinfo=None)
    return local.isoformat(" ") if local.second or local.microsecond else local.isoformat(" ", "minutes")


def plain(one: Spoken, zone: ZoneInfo) -> dict[str, str | bool | None]:
    """What came, as plain values; instants where the schools are."""
    return {
        "at": one.at.astimezone(zone).isoformat(),
        "kind": one.kind,
        "rule": one.rule,
        "student": one.student,
        "due": one.due_at.astimezone(zone).isoformat() if one.due_at is not None else None,
        "unconfirmed": one.unconfirmed,
        "stage": one.stage,
    }
