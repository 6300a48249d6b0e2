"""The whole replay: every child of a history through every rule, as it would have been known then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.cells import Group
from rules.backtest.doubt import Doubt
from rules.backtest.events import Events, events_of
from rules.backtest.flags import Columns, Flag, joined, seen_next
from rules.backtest.ground import Ground
from rules.backtest.passage import Passage
from rules.backtest.raised import reports_of, signs_of
from rules.backtest.reports import Replay
from rules.backtest.shares import Shares
from rules.backtest.storms import storms_of
from rules.backtest.times import times_of
from rules.backtest.walk import Walk
from rules.facts.catalogue import Kind, find
from rules.facts.shares import schools_of
from rules.history import History
from rules.instants import from_micros, span, to_micros
from rules.laws import Laws, laws_of
from rules.register import memberships
from rules.rulebook import Rulebook

GROUP_CHILDREN = 50_000
"""A group is full with so many, though no school is parted: its arrays stay within a few hundred megabytes."""


@dataclass(frozen=True)
class Looks:
    """Children looked at once a week, at its end: flat, one entry a look.

    `at` int64 microseconds, `row` int32, `values` by name of a numeric fact float32, as known at that instant.
    """

    at: NDArray[np.int64]
    row: NDArray[np.int32]
    values: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """What came of one group: its flags, its weekly looks, and when each of its children was heard of.

    `rows` are the group's, in the history; `first_heard` and `last_heard` int64 microseconds, the starts of sessions,
    parallel to them; 0 where nothing was heard.
    """

    rows: NDArray[np.intp]
    flags: Columns
    looks: Looks
    first_heard: NDArray[np.int64]
    last_heard: NDArray[np.int64]


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: every flag in the order it was raised, the weekly looks, and when each child was heard of.

    `first_heard` and `last_heard` int64 microseconds (rows,), the starts of sessions; 0 where nothing was heard.
    """

    students: Sequence[str]
    columns: Columns
    looks: Looks
    first_heard: NDArray[np.int64]
    last_heard: NDArray[np.int64]

    @cached_property
    def flags(self) -> Sequence[Flag]:
        """The flags one by one."""
        return list(self.columns.flags(self.students))


def replay(
    history: History,
    laws: Laws,
    until: dt.datetime,
    *,
    mass_absence_share: float = 0.5,
    looked_at: Sequence[str] = (),
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Replayed:
    """Replay all of `history` by `laws` up to and including `until`; `looked_at` are the facts of the weekly looks.

    `progress` is told how many children are done, of how many.
    """
    parts = []
    done = 0
    for group in groups_of(history):
        parts.append(replay_group(group, laws, until, mass_absence_share=mass_absence_share, looked_at=looked_at))
        done += len(group.rows)
        progress(done, len(history.students))
    return put_together(history, laws, parts, looked_at)


def put_together(history: History, laws: Laws, parts: Sequence[Part], looked_at: Sequence[str] = ()) -> Replayed:
    """The parts of all groups as one."""
    first, last = np.zeros(len(history.students), np.int64), np.zeros(len(history.students), np.int64)
    for part in parts:
        first[part.rows], last[part.rows] = part.first_heard, part.last_heard
    looks = [part.looks for part in parts]
    none: list[NDArray[Any]] = [np.zeros(0)]
    whole = Looks(
        np.concatenate([one.at for one in looks] or none).astype(np.int64),
        np.concatenate([one.row for one in looks] or none).astype(np.int32),
        {name: np.concatenate([one.values[name] for one in looks] or none) for name in looked_at},
    )
    return Replayed(history.students, joined(_rules(laws), [part.flags for part in parts]), whole, first, last)


def _rules(laws: Laws) -> tuple[tuple[str, str], ...]:
    return tuple((rule.rule_id, rule.version) for rule in laws.book.rules.values())


def groups_of(history: History) -> Iterator[Group]:
    """The children in groups of whole schools."""
    classes, variant = _places(history)
    if not len(classes):
        return
    times = times_of(history)
    schools = schools_of(history.school_ids, len(history.class_ids))[classes[:, -1]]
    order = np.argsort(schools, kind="stable")
    sizes = np.unique(schools, return_counts=True)[1]
    number = np.zeros(len(classes), np.int32)
    number[order] = np.repeat(_fill(sizes), sizes)
    for one in range(int(number.max()) + 1):
        rows = np.flatnonzero(number == one)
        yield Group(history, times, rows, classes[rows], variant[rows])


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
    group: Group, laws: Laws, until: dt.datetime, *, mass_absence_share: float, looked_at: Sequence[str] = ()
) -> Part:
    """The same for one group."""
    book, end = laws.book, to_micros(until)
    wanted = frozenset[str]().union(*(rule.needs for rule in (*book.reports, *book.signs, *book.stages)))
    asked = {*wanted, *looked_at}
    events = events_of(group, together=bool(asked & SHARES))
    ground = Ground(group, asked)
    traits = group.history.traits.part(group.rows)
    doubt = Doubt(ground.rows, book, book.reported_for(traits), _stale_after(group, laws))
    shares = _shares(group, events) if asked & SHARES else None
    walk = Walk(ground, events, book.signs, doubt, traits, laws.default, wanted, shares)
    looks = [one for slot in _slots(events, end) for one in _pass(walk, slot, looked_at)]
    walk.end(end)
    number = {pair: n for n, pair in enumerate(_rules(laws))}
    found = signs_of(walk, number)
    doubted = np.flatnonzero(doubt.doubted)
    if len(doubted):
        storms = storms_of(ground, walk.tracked.missed, mass_absence_share)
        cases = Replay(group.part(doubted), _without_signs(laws), storms, doubt.instants_of(doubted))
        found += reports_of(cases.run(end), doubted, number)
    flags = joined(_rules(laws), found)
    flags = flags.take(flags.raised_at <= end)
    flags = replace(flags, back=seen_next(ground, flags.row.astype(np.intp), flags.raised_at))
    flags = replace(flags, row=group.rows[flags.row].astype(np.int32))
    return Part(group.rows, flags, _joined_looks(looks, group, looked_at), *_heard_span(ground))


SHARES = frozenset({"class_absence_share", "school_absence_share"})


def _shares(group: Group, events: Events) -> Shares:
    """What was absent of each class and school when: known only once everything has been passed."""
    passage = Passage(Ground(group, ()), events)
    for slot in range(len(events.starts)):
        passage.pass_slot(slot)
    return Shares(passage.ground, passage.tracked)


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


def numeric(names: Sequence[str]) -> list[str]:
    """Those of the facts whose values are numbers about attendance, by which children can be ranked."""
    found = {name: find(name) for name in names}
    return sorted(name for name, fact in found.items() if fact and fact.kind is not Kind.FLAG and not fact.trait)
