"""Silences: somebody says what is not to be told for a while; it waits, and is told when the silence is over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, fields, replace

from daemon.desk.faults import DeskError
from daemon.desk.reasons import who
from daemon.jobs.house import House
from daemon.jobs.office import act
from daemon.jobs.people import FEW, child_of
from daemon.problems import choose, nearest
from daemon.store import holding, silences
from daemon.store.silences import SilenceRow
from daemon.store.tx import Tx
from notifiers.phrases import KINDS
from rules.pacing import CORRECTIONS

LONGEST = dt.timedelta(days=30)
CHANNELS = ("sms", "email", "chat", "webhook")
_LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a silence is about: whatever matches in every respect that is named. Without any it would be everything."""

    units: tuple[str, ...] = ()
    students: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    def named(self) -> dict[str, list[str]]:
        """The respects that are named, as plain JSON."""
        return {one.name: sorted(set(value)) for one in fields(self) if (value := getattr(self, one.name))}


def begin(
    house: House, scope: Scope, until: dt.datetime, reason: str, by: str, now: dt.datetime, *, statutory: bool = False
) -> SilenceRow:
    """Tell nothing of `scope` before `until`; reports and escalations only where it is `statutory`.

    Raises DeskError for a scope that is everything or names what there is not, a time that is over or too far, and
    without a reason.
    """
    person, why = who(by, "silence"), " ".join(reason.split())
    if not scope.named():
        raise DeskError("silence", "is about everything", "name a --unit, --student, --contact, --kind or --channel")
    if not why or len(why) > _LONGEST_REASON:
        raise DeskError("silence", "needs a reason", f"--reason takes 1 to {_LONGEST_REASON} characters")
    if until <= now:
        raise DeskError("silence until", "is over already", "write a time to come, or --for 2d")
    if until > now + LONGEST:
        raise DeskError("silence until", "is more than 30 days away", "make it shorter, and renew it if need be")
    row = SilenceRow(house.new_id(), {**scope.named(), "statutory": statutory}, person, why, now, now, until)
    act(house, lambda tx: _begin(tx, house, scope, row))
    return row


def _begin(tx: Tx, house: House, scope: Scope, row: SilenceRow) -> None:
    people = house.people(tx)
    _all_known("unit", scope.units, people.directory.units)
    for student_id in scope.students:
        child_of(people, student_id)
    _all_known("contact", scope.contacts, people.directory.recipients)
    _all_known("kind", scope.kinds, KINDS)
    _all_known("channel", scope.channels, CHANNELS)
    if scope.kinds and CORRECTIONS.issuperset(scope.kinds):
        hint = "whoever was told is told that it is over, silence or not"
        raise DeskError("silence kind", "holds nothing: corrections always leave", hint)
    silences.insert_silence(tx, row)


def _all_known(what: str, named: Collection[str], known: Collection[str]) -> None:
    for name in named:
        if name not in known:
            few = known if len(known) <= FEW else ()
            meant = nearest(name, few)
            all_of_them = choose(name, known) if what in {"kind", "channel"} else None
            hint = all_of_them or (f'did you mean "{meant}"?' if meant else "the ids are those of the feeds")
            raise DeskError(f"silence {what} {name}", "is not known", hint)


def end(house: House, silence_id: str, by: str, now: dt.datetime) -> SilenceRow:
    """End a silence; what it held leaves at once, if it is still to be told.

    Raises DeskError for one that there is not, or that is over.
    """
    person = who(by, f"silence {silence_id}")
    return act(house, lambda tx: _end(tx, silence_id, person, now))


def _end(tx: Tx, silence_id: str, by: str, now: dt.datetime) -> SilenceRow:
    row = silences.silence_by_id(tx, silence_id)
    if row is None:
        raise DeskError(f"silence {silence_id}", "does not exist", '"baoxue silence list" shows those there are')
    if row.ended_at is not None or row.ends_at <= now:
        raise DeskError(f"silence {silence_id}", "is over already", None)
    silences.end_silence(tx, silence_id, by, now)
    holding.ask_again(tx, now, [f"silence:{silence_id}"])
    return replace(row, ended_at=now, ended_by=by)


def listed(house: House, now: dt.datetime | None) -> list[tuple[SilenceRow, int]]:
    """Silences, the oldest first, each with how many messages wait for its end; None: also those that are over."""
    with house.store.read() as tx:
        waiting = holding.counts(tx)
        return [(row, waiting.get(f"silence:{row.silence_id}", 0)) for row in silences.list_silences(tx, now)]
