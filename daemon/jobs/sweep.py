"""The sweep: whatever is due is judged and decided, and each decision applied in one transaction with its alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from daemon.jobs.apply import apply_decisions
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.intake import CLASS, class_of_timer
from daemon.jobs.people import People
from daemon.jobs.scenes import load_scenes, open_storms
from daemon.jobs.storms import StormChange, find_storms
from daemon.store import cases, timers
from daemon.store.cases import Conflict
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.case import Case, Decision
from rules.decide import decide
from rules.incidents import MassAbsence
from rules.instants import to_micros
from rules.sweep import storm_among, sweep

log = structlog.get_logger()

CASE = "case"
"""Timer: a case wants to be looked at (subject: student)."""

BATCH_CHILDREN = 3_500
"""A batch is full with so many, though no school is parted: a deadline that comes meanwhile waits for one batch."""
BATCH_CASES = 500
ALL = 1_000_000
PATIENCE = dt.timedelta(milliseconds=100)
"""Deadlines that have waited so long go before classes, whosever turn it is."""
TRY_AGAIN = dt.timedelta(minutes=5)
"""After how long a case that could not be decided is tried again."""


@dataclass(frozen=True)
class Decided:
    """One batch, decided but not applied; `spent` are the timers it answers."""

    decisions: Sequence[Decision]
    spent: Sequence[Timer]
    storms: Sequence[StormChange] = ()
    again: Sequence[Timer] = ()
    """Timers for what could not be decided: it is tried again later."""


def sweep_due(house: House, now: dt.datetime, tick: Callable[[], dt.datetime] | None = None) -> int:
    """Judge and decide everything due by `now`, batch by batch; how many cases changed.

    With `tick`, which tells the time, every batch looks anew: a deadline that comes meanwhile goes before the rest.
    Safe to be killed and run again: a batch is applied whole or not at all, and its timers with it.
    """
    changed = 0
    agenda = Agenda()
    while (count := _turn(house, now, agenda)) is not None:
        changed += count
        now = tick() if tick else now
    house.metrics.sweeps.inc()
    house.metrics.swept.set(now.timestamp())
    return changed


def _turn(house: House, now: dt.datetime, agenda: Agenda) -> int | None:
    """Decide and apply the next batch by one set of terms; how many cases changed, None when nothing was due."""
    with house.turn:
        decided = _decide_some(house, now, agenda)
        if decided is None:
            return None
        try:
            return apply_decisions(house, decided.decisions, decided.spent, decided.storms, now, decided.again)
        except Conflict:
            log.info("somebody else decided first", cases=len(decided.decisions))
            agenda.fresh = {}
            return 0


Fresh = dict[str, list[Timer]]
"""Classes about which something is new, with the timers that say so."""


@dataclass
class Agenda:
    """The classes still to be judged in this sweep, so that they are not asked for anew with every batch."""

    fresh: Fresh = field(default_factory=dict)
    by_time: bool = False
    """The last batch was decided by time alone: now it is the turn of the classes, lest deadlines stop them."""
    _subjects: set[str] = field(default_factory=set)

    def look(self, tx: Tx, now: dt.datetime, *, anew: bool) -> None:
        """Ask for them when there are none left; `anew` also when there are others than before."""
        if self.fresh and not (anew and timers.due_span(tx, now, CLASS) != self._span()):
            return
        found = timers.due(tx, now, ALL, (CLASS,))
        self._subjects = {timer.subject for timer in found}
        self.fresh = {}
        for timer in found:
            self.fresh.setdefault(class_of_timer(timer), []).append(timer)

    def strike(self, spent: Iterable[Timer]) -> None:
        """Take off what a batch answers."""
        for timer in spent:
            if timer.kind == CLASS:
                self.fresh.pop(class_of_timer(timer), None)
                self._subjects.discard(timer.subject)

    def _span(self) -> tuple[int, str | None, str | None]:
        return len(self._subjects), min(self._subjects, default=None), max(self._subjects, default=None)


def _decide_some(house: House, now: dt.datetime, agenda: Agenda) -> Decided | None:
    """The next batch: cases that time alone moves, then classes about which something is new; None when idle."""
    with house.store.read() as tx:
        people = house.people(tx)
        due = timers.due(tx, now, BATCH_CASES, (CASE,))
        agenda.look(tx, now, anew=bool(due))
        if not due and not agenda.fresh:
            return None
        quick, spent = _moved_by_time(tx, people, due, agenda.fresh, now)
        waited = any(now - timer.due_at > PATIENCE for timer in spent)
        agenda.by_time = bool(spent) and (waited or not (agenda.by_time and agenda.fresh))
        if agenda.by_time:
            return _decide_by_time(house, quick, spent, open_storms(tx), people, now)
        slow = sorted(set(due).difference(spent), key=lambda timer: timer.due_at)
        decided = _decide_by_register(tx, house, people, slow, agenda.fresh, now)
    agenda.strike(decided.spent)
    return decided


# ---- by time alone: the finding of the last judgement still holds ---------------------------------------------


def _moved_by_time(
    tx: Tx, people: People, due: Sequence[Timer], fresh: Collection[str], now: dt.datetime
) -> tuple[list[Case], list[Timer]]:
    """The due cases about which nothing new is known, and their timers; also timers whose case is closed."""
    found = {row.student_id: from_row(row) for row in cases.open_cases(tx, [timer.subject for timer in due])}
    quick, spent = [], []
    for timer in due:
        case = found.get(timer.subject)
        if case is None:
            spent.append(timer)
        elif people.class_now(timer.subject) not in fresh and _holds(case, now):
            quick.append(case)
            spent.append(timer)
    return quick, spent


def _holds(case: Case, now: dt.datetime) -> bool:
    return case.finding.changes_at is None or case.finding.changes_at > now


def _decide_by_time(
    house: House,
    due: Iterable[Case],
    spent: Sequence[Timer],
    storms: Sequence[MassAbsence],
    people: People,
    now: dt.datetime,
) -> Decided:
    decisions: list[Decision] = []
    failed: list[str] = []
    for case in due:
        index = people.class_index[people.class_now(case.student_id)]
        units = {people.class_ids[index], people.school_ids[index]}
        storm = storm_among(storms, units, case.finding.run_from)
        try:
            law = house.laws.of(case.finding)
            decisions.append(decide(case, case.finding, now, law, house.calendar, storm=storm))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this child's alone
            _spare(house, failed, case.student_id, error)
    return Decided(decisions, spent, again=_try_again(people, failed, now))


# ---- by the register: something new is known, or takes effect ---------------------------------------------------


def _decide_by_register(
    tx: Tx, house: House, people: People, due: Sequence[Timer], fresh: Fresh, now: dt.datetime
) -> Decided:
    due = [timer for timer in due if timer.subject in people.roster.students]
    classes, wanted = _batch(people, due, fresh)
    scenes = load_scenes(tx, house, classes, now, wanted)
    changes = find_storms(house, scenes[0], people, now)
    storms = [*(change.storm for change in changes), *scenes[0].storms]
    failed: list[str] = []
    decisions = [
        decision
        for scene in scenes
        for part, law in house.laws.parts(scene)
        for decision in sweep(
            replace(part, storms=storms),
            now,
            law,
            lambda student, at: Case(tx.new_id(), "", student, at),
            lambda student, error: _spare(house, failed, student, error),
        )
    ]
    decisions.sort(key=lambda one: people.roster.students.ordinals[one.case.student_id])
    names = {people.class_ids[index] for index in wanted}
    spent = [
        timer for name, these in fresh.items() if name in names or name not in people.class_index for timer in these
    ]
    spent += [timer for timer in due if people.class_now(timer.subject) in names]
    # A late roll of a class speaks of children who have left it since: they are decided, too.
    decisions = [one for one in decisions if people.was_in(one.case.student_id, wanted)]
    return Decided(decisions, spent, changes, _try_again(people, failed, now))


def _spare(house: House, failed: list[str], student: str, error: Exception) -> None:
    """One child's case is beyond us: say so loudly, and let it not stop the others."""
    log.critical("case not decided", student=student, exc_info=error)
    house.metrics.failures.labels(job="decide").inc()
    failed.append(student)


def _try_again(people: People, failed: Sequence[str], now: dt.datetime) -> list[Timer]:
    at = now + TRY_AGAIN
    return [Timer(CLASS, f"{people.class_now(student)}@{to_micros(at)}", at) for student in failed]


def _batch(people: People, due: Sequence[Timer], fresh: Fresh) -> tuple[set[int], set[int]]:
    """Classes to load, by whole schools so that mass absences show, and those among them that are to be decided."""
    asked = [people.class_index[people.class_now(timer.subject)] for timer in due]
    asked += [people.class_index[name] for name in fresh if name in people.class_index]
    loaded: set[int] = set()
    wanted: set[int] = set()
    children = 0
    for index in asked:
        if index not in loaded:
            if children >= BATCH_CHILDREN:
                continue
            school = _school_classes(people, index)
            children += sum(len(people.members.get(one, ())) for one in school)
            loaded |= school
        wanted.add(index)
    return loaded, wanted


def _school_classes(people: People, index: int) -> set[int]:
    school = people.school_ids[index]
    if school is None:
        return {index}
    return set(people.classes_of_school[school])
