"""Cases (一人一案): at most one open a child, each change guarded by the version that was read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from daemon.store.tables import case
from daemon.store.tx import among, ours, rows_where_in, take_numbers

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.store.tx import Tx


class Conflict(Exception):  # noqa: N818
    """Somebody else changed these cases first: read them again and decide again; `losers` are their ids."""

    def __init__(self, losers: tuple[str, ...]) -> None:
        super().__init__(f"changed meanwhile: {', '.join(losers[:5])}{' …' if len(losers) > 5 else ''}")  # noqa: PLR2004
        self.losers = losers


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A case as stored; `version` is the one read, `state` plain JSON with nothing personal. Decides nothing."""

    case_id: str
    number: str
    student_id: str
    stage: str
    is_open: bool
    episode: int
    run_from: dt.datetime | None = None
    due_at: dt.datetime | None = None
    raised_at: dt.datetime | None = None
    told_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    wake_at: dt.datetime | None = None
    version: int = 1
    state: Mapping[str, Any] = field(default_factory=dict)


_COLUMNS = tuple(CaseRow.__dataclass_fields__)
_CHANGED = tuple(name for name in _COLUMNS if name not in {"case_id", "number", "student_id"})
_OVER = "ON CONFLICT (district_id, case_id) DO UPDATE SET " + ", ".join(
    f'"{name}" = excluded."{name}"' for name in _CHANGED
)


def next_numbers(tx: Tx, year: int, count: int) -> list[str]:
    """The next numbers of the district in a calendar year, as `2026-000123`; given once, also when not used."""
    first = take_numbers(tx, f"case:{year}", count)
    return [f"{year}-{number:06}" for number in range(first, first + count)]


def open_cases(tx: Tx, student_ids: Iterable[str] | None = None) -> list[CaseRow]:
    """Open cases of these children (None: all), by number."""
    return _found(tx, _OPEN, case.c.student_id, student_ids)


def cases_of(tx: Tx, student_ids: Iterable[str]) -> list[CaseRow]:
    """All cases of these children, also the closed, by number."""
    return _found(tx, _CHOSEN, case.c.student_id, student_ids)


def last_cases(tx: Tx, student_ids: Sequence[str]) -> list[CaseRow]:
    """The last case of each of these children who ever had one, by number."""
    if not student_ids:
        return []
    theirs = sa.select(sa.func.max(case.c.number)).where(tx.ours(case), among(tx, case.c.student_id, student_ids))
    asked = _CHOSEN.where(case.c.number.in_(theirs.group_by(case.c.student_id)))
    return _found(tx, asked, case.c.student_id, None)


def cases_by_id(tx: Tx, case_ids: Iterable[str]) -> dict[str, CaseRow]:
    """These cases, by id; unknown ids are left out."""
    return {row.case_id: row for row in _found(tx, _CHOSEN, case.c.case_id, case_ids)}


def by_number(tx: Tx, number: str) -> CaseRow | None:
    """The case of a number; None when there is none."""
    found = tx.asks(_CHOSEN.where(case.c.number == number)).first()
    return None if found is None else CaseRow(*found)


def list_cases(
    tx: Tx,
    *,
    stage: str | None = None,
    student_ids: Iterable[str] | None = None,
    is_open: bool | None = None,
) -> list[CaseRow]:
    """The ledger, by number; narrowed to a stage, to children (those of a unit), to open or closed."""
    asked = _CHOSEN
    if stage is not None:
        asked = asked.where(case.c.stage == stage)
    if is_open is not None:
        asked = asked.where(case.c.is_open == is_open)
    return _found(tx, asked, case.c.student_id, student_ids)


def insert_cases(tx: Tx, rows: Sequence[CaseRow]) -> None:
    """Open new cases; Conflict when a child has an open one already or a number is taken."""
    try:
        tx.add(case, [{name: getattr(row, name) for name in _COLUMNS} for row in rows])
    except IntegrityError:
        raise Conflict(tuple(row.case_id for row in rows)) from None


def update_cases(tx: Tx, rows: Sequence[CaseRow]) -> list[CaseRow]:
    """Write changed cases, each over the version it was read at; the rows with their new version.

    Conflict names every case that is not at that version any more; then nothing is written.
    """
    if not rows:
        return []
    _lock(tx, rows)
    news = [replace(row, version=row.version + 1) for row in rows]
    try:
        tx.add(case, [{name: getattr(row, name) for name in _COLUMNS} for row in news], otherwise=_OVER)
    except IntegrityError:
        raise Conflict(tuple(row.case_id for row in rows)) from None
    return news


def hold(tx: Tx, case_ids: Iterable[str]) -> None:
    """Keep these cases from being decided about until the end of the transaction, which writes to their journals."""
    rows_where_in(tx, _HELD, case.c.case_id, case_ids)


def _lock(tx: Tx, rows: Sequence[CaseRow]) -> None:
    """Hold the rows to be written until the end of the transaction, and see that nobody was there before."""
    versions = {row[0]: row[1] for row in rows_where_in(tx, _HELD, case.c.case_id, [row.case_id for row in rows])}
    losers = tuple(row.case_id for row in rows if versions.get(row.case_id) != row.version)
    if losers:
        raise Conflict(losers)


_CHOSEN = sa.select(*(case.c[name] for name in _COLUMNS)).where(ours(case))
_OPEN = _CHOSEN.where(case.c.is_open)
_HELD = sa.select(case.c.case_id, case.c.version).where(ours(case)).order_by(case.c.case_id).with_for_update()


def _found(
    tx: Tx, asked: sa.Select[*tuple[Any, ...]], column: sa.ColumnElement[str], values: Iterable[str] | None
) -> list[CaseRow]:
    return sorted((CaseRow(*row) for row in rows_where_in(tx, asked, column, values)), key=lambda row: row.number)
