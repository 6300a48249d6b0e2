"""One child under two numbers: who said so when; appended, never rewritten, and taken back by another line."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.roster import STAMP
from daemon.store.tables import alert, case, renumbering, student
from daemon.store.tx import ours, take_numbers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class Renumbering:
    """A number that is the child of another (`same_as`), or is itself again (None), as somebody said.

    `cases` are the ids of the cases that went over with it; `said_by` is kept sealed.
    """

    student_id: str
    same_as: str | None
    known_at: dt.datetime
    said_by: str
    cases: Sequence[str] = ()


_COLUMNS = tuple(Renumbering.__dataclass_fields__)
_ALL = sa.select(*(renumbering.c[name] for name in _COLUMNS)).where(ours(renumbering))
_NEWEST = _ALL.order_by(renumbering.c.student_id, renumbering.c.known_at, renumbering.c.renumbering_id)


def record_renumbering(tx: Tx, one: Renumbering) -> None:
    """Append a line; every process reads its roster again."""
    row = {name: getattr(one, name) for name in _COLUMNS} | {"cases": list(one.cases)}
    tx.add(renumbering, [{"renumbering_id": tx.new_id(), **row}])
    take_numbers(tx, STAMP, 1 + secrets.randbelow(1 << 20))


def renumberings(tx: Tx) -> list[Renumbering]:
    """Return those in force, by number: the newest line of each that names another."""
    newest = {row[0]: Renumbering(*row) for row in tx.asks(_NEWEST)}
    return [one for one in newest.values() if one.same_as is not None]


def same_children(tx: Tx) -> dict[str, str]:
    """Return for each number that is another child's the number that child has now, through however many."""
    steps = {one.student_id: one.same_as for one in renumberings(tx) if one.same_as is not None}
    return {number: _last(steps, number) for number in steps}


def _last(steps: Mapping[str, str], number: str) -> str:
    seen = {number}
    while (following := steps.get(number)) is not None and following not in seen:
        seen.add(following)
        number = following
    return number


def give_cases(tx: Tx, case_ids: Sequence[str], student_id: str) -> None:
    """Let cases, and what was told about them, be another number's; whoever read them before decides again."""
    if not case_ids:
        return
    these = (tx.ours(case), case.c.case_id.in_(case_ids))
    tx.connection.execute(case.update().where(*these).values(student_id=student_id, version=case.c.version + 1))
    told = (tx.ours(alert), alert.c.case_id.in_(case_ids))
    tx.connection.execute(alert.update().where(*told).values(student_id=student_id))


def give_alerts(tx: Tx, from_case: str, to_case: str, number: str, episode: int) -> None:
    """Let what was told or waits to be told about one case be about another; its corrections reach the same people."""
    c = alert.c
    found = tx.connection.execute(sa.select(c.alert_id, c.facts).where(tx.ours(alert), c.case_id == from_case))
    for alert_id, facts in found.all():
        change = alert.update().where(tx.ours(alert), c.alert_id == alert_id)
        values = {"case_id": to_case, "episode": episode, "facts": {**facts, "case": number}}
        tx.connection.execute(change.values(values))


def is_listed(tx: Tx, student_id: str) -> bool:
    """Return whether the newest roster file that ever named a child names it still."""
    asked = sa.select(student.c.missing_since).where(tx.ours(student), student.c.student_id == student_id)
    found = tx.connection.execute(asked).first()
    return found is not None and found[0] is None


def source_of(tx: Tx, student_ids: Sequence[str]) -> dict[str, tuple[str, bool]]:
    """Return which source named each child last, and whether the child is missing from it now."""
    asked = sa.select(student.c.student_id, student.c.source, student.c.missing_since.is_not(None))
    rows = tx.connection.execute(asked.where(tx.ours(student), student.c.student_id.in_(student_ids)))
    return {row[0]: (row[1], bool(row[2])) for row in rows}
