"""Takes in what a feed said: appended as delivered, rows for unknown children parked, classes armed to be judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import structlog

from daemon.desk.similar_ids import similar_ids
from daemon.feeds.payload import Refused, RefusedMark
from daemon.jobs import parking
from daemon.jobs.delivery import Delivery, Doubts, RecordedAt, TakenIn, Whole, doubts_of
from daemon.jobs.house import House
from daemon.jobs.numbers import renumbered
from daemon.jobs.people import People
from daemon.jobs.repeats import with_doubted, with_other_files, without_repeats
from daemon.jobs.rollcall import Called, Caller
from daemon.jobs.silence import FEED, KIND, owing
from daemon.store import absences, enrolment, incidents, intake, rolls, timers
from daemon.store.intake import Refusal
from daemon.store.renumbering import same_children
from daemon.store.rolls import Roll
from daemon.store.timers import Timer
from daemon.store.tx import Tx
from rules.instants import from_micros, to_micros
from rules.records import (
    ContactRecord,
    LeaveRecord,
    MarkRecord,
    MovementRecord,
    PunchRecord,
    StudentRecord,
    UnitRecord,
)

log = structlog.get_logger()


CLASS = "class"
"""Timer: a class must be judged anew; its subject is `class@instant`, so that no timer ever replaces another."""

WAITED = "(waited for the roster)"

MANY = 0.1
"""When this share of a class has marks outside every session, the calendar may be wrong (absence.md, Marks)."""


def take_in(tx: Tx, house: House, delivery: Delivery) -> TakenIn:
    """Append everything the delivery says; needs a write transaction, and commits nothing itself."""
    taken = TakenIn()
    _take_roster(tx, house, delivery, taken)
    people = house.people(tx)
    touched = _take_marks(tx, house, people, delivery, taken)
    touched |= _take_absences(tx, people, delivery, taken)
    arm_class(tx, touched, delivery.known_at)
    if touched:
        _look_at_feeds(tx, house, delivery)
    return taken


def arm_class(tx: Tx, class_ids: Iterable[str], at: dt.datetime) -> None:
    """Ask for these classes to be judged at `at`."""
    timers.arm(tx, [Timer(CLASS, f"{class_id}@{to_micros(at)}", at) for class_id in sorted(set(class_ids))])


def class_of_timer(timer: Timer) -> str:
    """The class a timer of kind CLASS is about."""
    return timer.subject.rpartition("@")[0]


# ---- roster -----------------------------------------------------------------------------------------------------


def _take_roster(tx: Tx, house: House, delivery: Delivery, taken: TakenIn) -> None:
    units, students, contacts = delivery.of(UnitRecord), delivery.of(StudentRecord), delivery.of(ContactRecord)
    source, kept = f"{delivery.feed.id}:{delivery.name}", delivery.kept
    for kind, changes in (
        ("units", units and enrolment.upsert_units(tx, units, delivery.known_at, source=source, kept=kept)),
        ("contacts", contacts and enrolment.upsert_contacts(tx, contacts, delivery.known_at, source=source, kept=kept)),
        ("students", students and _take_students(tx, house, delivery, students, source, taken)),
    ):
        if changes:
            taken.counts[f"{kind} added"] += len(changes.added)
            taken.counts[f"{kind} changed"] += len(changes.changed)
            taken.counts[f"{kind} unchanged"] += changes.unchanged
            house.forget_people()


def _take_students(
    tx: Tx, house: House, delivery: Delivery, students: Sequence[StudentRecord], source: str, taken: TakenIn
) -> enrolment.Changes:
    today = delivery.known_at.astimezone(house.calendar.zone).date()
    same = same_children(tx)
    students = renumbered(tx, students, same, source)
    changes = enrolment.upsert_students(tx, students, delivery.known_at, source=source, on=today, kept=delivery.kept)
    house.forget_people()
    taken.missing += [one for one in changes.missing if one not in same]
    moved = {one.student_id: one.class_id for one in students}
    arm_class(tx, {moved[one] for one in changes.changed if one in moved}, delivery.known_at)
    retry_parked(tx, house, changes.added, delivery.known_at)
    return changes


def retry_parked(tx: Tx, house: House, students: Sequence[str], known_at: dt.datetime) -> None:
    """Rows that waited for these children are taken in as if they came now, each by its own feed."""
    feeds = {feed.id: feed for feed in house.config.feed}
    for feed_id, waiting in parking.waiting_for(tx, students).items():
        if feed_id in feeds:
            records = [record for _, record in waiting]
            delivery = Delivery(feeds[feed_id], WAITED, waiting[0][0].payload_id, known_at, records)
            intake.unpark(tx, [refusal.refused_id for refusal, _ in waiting])
            take_in(tx, house, delivery)


# ---- marks ------------------------------------------------------------------------------------------------------


def call_ahead(tx: Tx, house: House, delivery: Delivery) -> None:
    """Call the rolls of `delivery`, so that the transaction that takes it in need not; a read one will do."""
    if delivery.speaks_of_sessions:
        people = house.people(tx)
        delivery.called = people, _call(house, people, delivery)


def _call(house: House, people: People, delivery: Delivery) -> Called:
    doubts = delivery.doubts
    if doubts is None:
        doubts = doubts_of(delivery, people, house.calendar) if delivery.covers is not None else Doubts()
    caller = Caller(
        people,
        house.calendar,
        delivery.feed.id,
        delivery.feed.rank,
        delivery.known_at,
        _recorded(house, delivery),
        delivery.name,
        whole=Whole(delivery, at_its_end=house.simulated, doubts=doubts),
        is_whole_delivery=not house.simulated,
        delivered_at=delivery.modified_at,
    )
    called = caller.call([*delivery.of(MarkRecord), *delivery.of(PunchRecord)], delivery.refused_marks)
    _name_similar(people, caller, delivery, called)
    if delivery.covers is not None:
        caller.cover(*delivery.covers, people.classes_under(delivery.feed.units), called)
    return called


def _name_similar(people: People, caller: Caller, delivery: Delivery, called: Called) -> None:
    """Say of rows that wait for the roster which of its ids look alike.

    An exception feed must not take those children for present: what was said of one of them may be said of it.
    """
    if not called.parked:
        return
    called.similar = similar_ids(people.roster.students, {one.student_id for one in called.parked})
    if delivery.covers is None or not called.similar:
        return
    meant = [
        RefusedMark(student, one.date, one.session, one.recorded_at, one.line)
        for one in called.parked
        if isinstance(one, MarkRecord)
        for student in called.similar.get(one.student_id, ())
    ]
    called.rolls = caller.call(
        [*delivery.of(MarkRecord), *delivery.of(PunchRecord)], [*delivery.refused_marks, *meant]
    ).rolls


def _take_marks(tx: Tx, house: House, people: People, delivery: Delivery, taken: TakenIn) -> set[str]:
    if not delivery.speaks_of_sessions:
        return set()
    count = len(delivery.of(MarkRecord)) + len(delivery.of(PunchRecord))
    by, called = delivery.called or (None, None)
    if called is None or by is not people:
        called = _call(house, people, delivery)
    news = called.rolls
    if delivery.covered_until is not None:
        news = [roll for roll in news if roll.implied]
    if delivery.covers is not None:
        sessions = {(one.date, one.session) for one in called.parked if isinstance(one, MarkRecord)}
        news = with_doubted(tx, delivery.feed.id, news, sessions)
        if delivery.feed.url is None:
            news = with_other_files(tx, delivery, news)
    if not house.simulated:
        news = _without_repeats(tx, delivery, news, all_of_them=called.dates_ahead)
    rolls.record_rolls(tx, news)
    if delivery.covered_until is None:
        taken.counts["marks"] += count - len(called.refused) - len(called.parked) - called.passed
        taken.counts["parked"] += len(called.parked)
        taken.refused += called.refused
        taken.notices += called.notices
        taken.dates_ahead |= called.dates_ahead
        _note_refused(tx, people, delivery, called, taken)
    _arm_early(tx, house, people, news, delivery.known_at)
    return {roll.class_id for roll in news}


def _without_repeats(tx: Tx, delivery: Delivery, news: Sequence[Roll], *, all_of_them: bool) -> list[Roll]:
    """The rolls without what the feed said before.

    Those whose rows do not say when they were recorded; `all_of_them` where rows claim instants that were still to
    come: such a row would be dated anew each time it is delivered.
    """
    again = {delivery.known_at, delivery.first_known_at}
    all_of_them = all_of_them or delivery.dates_ahead
    undated = [roll for roll in news if all_of_them or roll.recorded_at in again]
    dated = [] if all_of_them else [roll for roll in news if roll.recorded_at not in again]
    return dated + without_repeats(tx, delivery.feed.id, undated)


def _recorded(house: House, delivery: Delivery) -> RecordedAt:
    return RecordedAt(delivery.first_known_at or delivery.known_at, by_session=house.simulated)


def _note_refused(tx: Tx, people: People, delivery: Delivery, called: Called, taken: TakenIn) -> None:
    refusals = [
        Refusal(delivery.payload_id, one.line, one.column, one.fault, one.hint, one.student_id)
        for one in called.refused
    ]
    waiting = parking.park_rows(delivery.payload_id, delivery.feed.id, called.parked, called.similar)
    taken.parked += [
        Refused(delivery.name, one.line, one.column, one.fault, one.hint, one.student_id) for one in waiting
    ]
    intake.park(tx, [*refusals, *waiting])
    for index, children in sorted(called.outside.items()):
        if len(children) > MANY * len(people.members.get(index, ())):
            taken.odd_classes.append(people.class_ids[index])
            log.warning("many marks outside sessions: is the calendar right?", class_id=people.class_ids[index])


def _arm_early(tx: Tx, house: House, people: People, news: Iterable[Roll], known_at: dt.datetime) -> None:
    """Marks made before their session begins are known when it begins."""
    early: dict[int, set[str]] = {}
    for roll in news:
        variant = people.variants[people.class_index[roll.class_id]]
        column = house.calendar.column(variant, roll.session_date, roll.session_name)
        start = int(house.calendar.starts[variant, column]) if column is not None else 0
        if start > to_micros(known_at):
            early.setdefault(start, set()).add(roll.class_id)
    for start, classes in early.items():
        arm_class(tx, classes, from_micros(start))


def _look_at_feeds(tx: Tx, house: House, delivery: Delivery) -> None:
    """A feed under suspicion is looked at as soon as anything comes in; every feed when something was taken back."""
    feeds = {row.subject for row in incidents.open_incidents(tx, KIND)}
    if delivery.takes_back:
        feeds |= {feed.id for feed in owing(house)}
    timers.arm(tx, [Timer(FEED, feed_id, delivery.known_at) for feed_id in sorted(feeds)])
    ahead = {one.at for one in delivery.of(MovementRecord) if one.at > delivery.known_at}
    looks = [(feed.id, at) for feed in owing(house) for at in ahead]
    timers.arm(tx, [Timer(FEED, f"{feed_id}@{to_micros(at)}", at) for feed_id, at in looks])


# ---- leave and movements ----------------------------------------------------------------------------------------


def _take_absences(tx: Tx, people: People, delivery: Delivery, taken: TakenIn) -> set[str]:
    leaves = delivery.of(LeaveRecord)
    movements = delivery.of(MovementRecord)
    there = people.roster.students
    _park_absences(tx, people, delivery, taken)
    touched = absences.record_leaves(tx, [one for one in leaves if one.student_id in there], delivery.known_at)
    touched += absences.record_movements(tx, [one for one in movements if one.student_id in there], delivery.known_at)
    for one in movements:  # takes effect also where no case waits for it
        if one.student_id in there and one.at > delivery.known_at:
            arm_class(tx, {people.class_now(one.student_id)}, one.at)
    taken.counts["leaves"] += sum(one.student_id in there for one in leaves)
    taken.counts["movements"] += sum(one.student_id in there for one in movements)
    return {people.class_now(student) for student in touched}


def _park_absences(tx: Tx, people: People, delivery: Delivery, taken: TakenIn) -> None:
    """Let leaves and movements of children who are not on the roster wait for it."""
    there = people.roster.students
    waiting: list[LeaveRecord | MovementRecord] = [
        one for one in delivery.of(LeaveRecord) if one.student_id not in there
    ]
    waiting += [one for one in delivery.of(MovementRecord) if one.student_id not in there]
    if not waiting:
        return
    similar = similar_ids(there, {one.student_id for one in waiting})
    parked = parking.park_rows(delivery.payload_id, delivery.feed.id, waiting, similar)
    intake.park(tx, parked)
    taken.parked += [
        Refused(delivery.name, one.line, one.column, one.fault, one.hint, one.student_id) for one in parked
    ]
    taken.counts["parked"] += len(waiting)
