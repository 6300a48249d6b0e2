"""The whole replay: every child of a history through every rule, as it would have been known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Group
from rules.backtest.doubt import Doubt
from rules.backtest.events import Events, events_of
from rules.backtest.ground import Ground
from rules.backtest.reports import Decided, Replay
from rules.backtest.storms import storms_of
from rules.backtest.walk import Walk
from rules.facts.catalogue import Kind, find
from rules.facts.shares import schools_of
from rules.history import History
from rules.instants import from_micros, span, to_micros
from rules.laws import Laws, laws_of
from rules.register import MISSED, SEEN, memberships
from rules.rule import Rule
from rules.rulebook import Rulebook

GROUP_CHILDREN = 20_000
"""A group is full with so many, though no school is parted: its arrays stay within a few hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One child flagged by one rule: when it was due and raised, and whether the child was seen at the next session.

    `kind` is report, risk, reminder or stage; `episode` counts the reports of a case, or the raisings of a sign; `back`
    is None where no later session of the child is known.
    """

    rule: str
    version: str
    row: int
    student: str
    episode: int
    due_at: dt.datetime
    raised_at: dt.datetime
    kind: str
    unconfirmed: bool = False
    back: bool | None = None


@dataclass(frozen=True)
class Looks:
    """Children looked at once a week, at its end: flat, one entry a look.

    `at` int64 microseconds, `row` int32, `values` by name of a numeric fact float32, as known at that instant.
    """

    at: NDArray[np.int64]
    row: NDArray[np.int32]
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: every flag in the order it was raised, the weekly looks, and when each child was heard of.

    `first_heard` and `last_heard` int64 microseconds (rows,), the starts of sessions; 0 where nothing was heard.
    """

    flags: Sequence[Flag]
    looks: Looks
    first_heard: NDArray[np.int64]
    last_heard: NDArray[np.int64]


def replay(
    history: History,
    laws: Laws,
    until: dt.datetime,
    *,
    storm_share: float = 0.5,
    looked_at: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Replayed:
    """Replay all of `history` by `laws` up to and including `until`; `looked_at` are the facts of the weekly looks.

    `progress` is told how many children are done, of how many.
    """
    parts = []
    done = 0
    for group in groups_of(history):
        parts.append(replay_group(group, laws, until, storm_share=storm_share, looked_at=looked_at))
        done += len(group.rows)
        progress(done, len(history.students))
    return joined(history, parts, looked_at)


def groups_of(history: History) -> Iterator[Group]:
    """The children in groups of whole schools, each with the marks that speak of it."""
    classes, variant = _places(history)
    if not len(classes):
        return
    schools = schools_of(history.school_ids, len(history.class_ids))[classes[:, -1]]
    order = np.argsort(schools, kind="stable")
    sizes = np.unique(schools, return_counts=True)[1]
    number = np.zeros(len(classes), np.int32)
    number[order] = np.repeat(_fill(sizes), sizes)
    of_mark = np.where(history.rolls.row >= 0, number[history.rolls.row], -1).astype(np.int32)
    for one in range(int(number.max()) + 1):
        rows = np.flatnonzero(number == one)
        yield Group(history, rows, classes[rows], variant[rows], np.flatnonzero(of_mark == one))


def _fill(sizes: NDArray[np.intp]) -> NDArray[np.int32]:
    """Which group each school goes to, in order."""
    number, held, found = 0, 0, []
    for size in sizes.tolist():
        if held and held + size > GROUP_CHILDREN:
            number, held = number + 1, 0
        held += size
        found.append(number)
    return np.array(found, np.int32)


def _places(history: History) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The class and the calendar variant of each child by column, as a register has them."""
    classes, _ = memberships(history.calendar, history.spells)
    return classes, np.asarray(history.variants, np.intp)[classes]


def replay_group(
    group: Group, laws: Laws, until: dt.datetime, *, storm_share: float, looked_at: Sequence[str] = ()
) -> Replayed:
    """The same for one group; rows are those of the history."""
    book, end = laws.book, to_micros(until)
    events = events_of(group)
    wanted = frozenset[str]().union(*(rule.needs for rule in (*book.reports, *book.signs)))
    ground = Ground(group, {*wanted, *looked_at})
    traits = group.history.traits.part(group.rows)
    doubt = Doubt(ground.rows, book.reports, book.reported_for(traits), _stale_after(group, laws))
    walk = Walk(ground, events, book.signs, doubt, traits, laws.default, wanted)
    looks = [one for slot in _slots(events, end) for one in _pass(walk, slot, looked_at)]
    walk.end(end)
    flags = _signs(walk, group)
    doubted = np.flatnonzero(doubt.doubted)
    if len(doubted):
        storms = storms_of(ground, walk.missed, storm_share)
        mine = _part(group, doubted)
        flags += _reports(Replay(mine, _without_signs(laws), storms).run(end), mine)
    flags = [_with_back(ground, group, flag) for flag in flags if flag.raised_at <= until]
    heard = _heard_span(ground)
    return Replayed(flags, _joined_looks(looks, group, looked_at), *heard)


def _slots(events: Events, end: int) -> range:
    return range(int(np.searchsorted(events.starts, end, "right")))


def _pass(walk: Walk, slot: int, looked_at: Sequence[str]) -> list[tuple[int, dict[str, NDArray[Any]]]]:
    """Pass one slot, and look at everybody where it ends a week."""
    walk.pass_slot(slot)
    starts = walk.events.starts
    at = int(starts[slot + 1]) - 1 if slot + 1 < len(starts) else int(starts[slot]) + _HALF_DAY
    zone = walk.ground.calendar.zone
    here, there = (from_micros(int(one)).astimezone(zone).isocalendar()[:2] for one in (starts[slot], at + 1))
    if here == there and slot + 1 < len(starts):
        return []
    return [(at, walk.read(slot, at, looked_at))]


_HALF_DAY = 12 * 3_600_000_000


def _joined_looks(
    looks: Sequence[tuple[int, dict[str, NDArray[Any]]]], group: Group, looked_at: Sequence[str]
) -> Looks:
    rows = group.rows.astype(np.int32)
    at = np.repeat(np.array([one for one, _ in looks], np.int64), len(rows))
    values = {
        name: np.concatenate([found[name] for _, found in looks] or [np.zeros(0)]).astype(np.float32)
        for name in looked_at
    }
    return Looks(at, np.tile(rows, len(looks)), values)


def _stale_after(group: Group, laws: Laws) -> NDArray[np.int64]:
    """After how much session time each child is silent, microseconds (rows,)."""
    by_class = {index: span(after) for index, after in group.history.stale_after.items()}
    default = span(laws.default.clock.stale_after)
    return np.array([by_class.get(int(index), default) for index in group.classes[:, -1]], np.int64)


def _without_signs(laws: Laws) -> Laws:
    rules = {rule.rule_id: rule for rule in (*laws.book.reports, *laws.book.stages)}
    return laws_of(Rulebook(rules), laws.default)


def _part(group: Group, rows: NDArray[np.intp]) -> Group:
    wanted = np.zeros(len(group.history.students), np.bool_)
    wanted[group.rows[rows]] = True
    marks = group.marks[wanted[group.history.rolls.row[group.marks]]]
    return replace(group, rows=group.rows[rows], classes=group.classes[rows], variant=group.variant[rows], marks=marks)


# ---- flags ------------------------------------------------------------------------------------------------------------

_KIND = {"watch": "risk", "first_absence": "reminder"}


def _signs(walk: Walk, group: Group) -> list[Flag]:
    return [
        _sign(rule, group, *(int(one) for one in found))
        for rule, raised in zip(walk.signs, walk.raised, strict=True)
        for many in raised
        for found in zip(many.row, many.due_at, many.raised_at, many.times, strict=True)
    ]


def _sign(rule: Rule, group: Group, row: int, due_at: int, raised_at: int, times: int) -> Flag:
    of = int(group.rows[row])
    student, kind = group.history.students[of], _KIND[rule.stage]
    return Flag(rule.rule_id, rule.version, of, student, times, from_micros(due_at), from_micros(raised_at), kind)


def _reports(decided: Sequence[Decided], group: Group) -> list[Flag]:
    flags = []
    for one in decided:
        body, of = one.entry.body, int(group.rows[one.row])
        student = group.history.students[of]
        if one.entry.kind == "raised":
            flags.append(
                Flag(
                    body["rule"], body["version"], of, student, body["episode"], body["due_at"], one.at, "report",
                    body["unconfirmed"],
                )
            )  # fmt: skip
        elif one.entry.kind == "stage" and "rule" in body:
            flags.append(Flag(body["rule"], body["version"], of, student, one.episode, one.at, one.at, "stage"))
    return flags


def _with_back(ground: Ground, group: Group, flag: Flag) -> Flag:
    """With whether the child was seen in the first session after, of those of which something is known in the end."""
    row = int(np.searchsorted(group.rows, flag.row))
    later = ground.starts_of(row) > to_micros(flag.raised_at)
    known = np.flatnonzero(later & (ground.meaning[:, row] >= MISSED))
    return replace(flag, back=None if not len(known) else bool(ground.meaning[known[0], row] == SEEN))


def _heard_span(ground: Ground) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    spoken = (ground.marks > 0) & (ground.meaning > 0)
    rows = np.arange(ground.rows)
    first = np.argmax(spoken, axis=0)
    last = ground.columns - 1 - np.argmax(spoken[::-1], axis=0)
    starts = ground.calendar.starts
    of_first = ground.group.variant[rows, first if ground.group.variant.shape[1] > 1 else 0]
    of_last = ground.group.variant[rows, last if ground.group.variant.shape[1] > 1 else 0]
    any_ = spoken.any(axis=0)
    return np.where(any_, starts[of_first, first], 0), np.where(any_, starts[of_last, last], 0)


def joined(history: History, parts: Sequence[Replayed], looked_at: Sequence[str]) -> Replayed:
    """The parts of all groups as one."""
    flags = sorted((flag for part in parts for flag in part.flags), key=lambda one: (one.raised_at, one.row, one.rule))
    first, last = np.zeros(len(history.students), np.int64), np.zeros(len(history.students), np.int64)
    for group, part in zip(groups_of_rows(history), parts, strict=True):
        first[group], last[group] = part.first_heard, part.last_heard
    looks = [part.looks for part in parts]
    none: list[NDArray[Any]] = [np.zeros(0)]
    return Replayed(
        flags,
        Looks(
            np.concatenate([one.at for one in looks] or none).astype(np.int64),
            np.concatenate([one.row for one in looks] or none).astype(np.int32),
            {name: np.concatenate([one.values[name] for one in looks] or none) for name in looked_at},
        ),
        first,
        last,
    )


def groups_of_rows(history: History) -> Iterator[NDArray[np.intp]]:
    """The rows of each group, in their order."""
    return (group.rows for group in groups_of(history))


def numeric(names: Sequence[str]) -> list[str]:
    """Those of the facts whose values are numbers about attendance, by which children can be ranked."""
    found = {name: find(name) for name in names}
    return sorted(name for name, fact in found.items() if fact and fact.kind is not Kind.FLAG and not fact.trait)
