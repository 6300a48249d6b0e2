"""The ledger (台账) as it is read: a case by its number, and those of a stage or unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from daemon.desk.faults import DeskError
from daemon.problems import nearest
from daemon.store import cases
from daemon.store.cases import CaseRow
from daemon.store.tx import Tx

HINT = '"baoxue cases --all" lists them'


def subject_of(number: str) -> str:
    """What a fault about a case begins with."""
    return f"case {number}"


def case_row(tx: Tx, number: str) -> CaseRow:
    """The case of a number as stored; DeskError when there is none."""
    row = cases.by_number(tx, number)
    if row is None:
        known = [one.number for one in cases.list_cases(tx)]
        meant = _of_serial(number, known) or nearest(number, known)
        raise DeskError(subject_of(number), "does not exist", f'did you mean "{meant}"?' if meant else HINT)
    return row


def _of_serial(words: str, known: Sequence[str]) -> str | None:
    """Return the newest number that ends in these digits, for who leaves out the year; None where there is none."""
    digits = words.strip()
    ending = f"-{int(digits):06}" if digits.isascii() and digits.isdecimal() else None
    return max((one for one in known if ending and one.endswith(ending)), default=None)


def ledger(
    tx: Tx, *, stage: str | None = None, students: Iterable[str] | None = None, closed_too: bool = False
) -> list[CaseRow]:
    """Cases by number: the open ones, or all, or those of one stage; of `students` only, if given."""
    only_open = None if closed_too or stage is not None else True
    return cases.list_cases(tx, stage=stage, student_ids=students, is_open=only_open)
