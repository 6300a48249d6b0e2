"""How a school's documents are delivered while something is wrong, and the ways of going wrong."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.faults.kinds import Fault, Scene
from tests.faults.office import EXCEPTIONS, Document, Row, School
from tests.faults.web import Answer

Changes = Callable[[Document, Scene], Sequence[Document]]
Answers = Callable[[Answer, Scene], Answer]


def deliver(school: School, now: dt.datetime) -> list[tuple[Document, Answer]]:
    """What a school delivers by `now`: rows go wrong first, then bytes and answers."""
    on = [(fault, fault.scene(school, now)) for fault in school.faults if fault.is_on(school.history, now)]
    held = list(school.documents(now))
    for fault, scene in on:
        if fault.rows is not None:
            held = [made for one in held for made in _changed(one, fault, fault.rows, scene)]
    return [(one, _answered(one, on, has_etag=school.shape == EXCEPTIONS)) for one in held]


def _changed(document: Document, fault: Fault, rows: Changes, scene: Scene) -> Sequence[Document]:
    return rows(document, scene) if _concerns(document, fault, scene) else [document]


def _concerns(document: Document, fault: Fault, scene: Scene) -> bool:
    return document.records == fault.records and (document.half is None or document.half in scene.halves)


def _answered(document: Document, on: Sequence[tuple[Fault, Scene]], *, has_etag: bool) -> Answer:
    answer = Answer(document.content(), etag=has_etag)
    for fault, scene in on:
        if fault.answer is not None and _concerns(document, fault, scene):
            answer = fault.answer(answer, scene)
    return answer


# ---- ways of going wrong --------------------------------------------------------------------------------------------


def each_row(change: Callable[[Row, Scene], Row | None]) -> Changes:
    """Change, or with None leave out, each row about a session of the fault."""

    def changed(document: Document, scene: Scene) -> Sequence[Document]:
        rows = [change(row, scene) if scene.touches(row) else row for row in document.rows]
        return [document.but([row for row in rows if row is not None])]

    return changed


def instead(body: bytes = b"", *, kind: str = "text/csv", status: int = 200, hangs_up: bool = False) -> Answers:
    """Answer something else."""
    return lambda _, __: Answer(body, status, kind, hangs_up=hangs_up)


def bytewise(change: Callable[[bytes], bytes]) -> Answers:
    """Change the bytes."""
    return lambda answer, _: replace(answer, body=change(answer.body))


def with_value(name: str, value: Callable[[str], str], *, where: Callable[[Row], bool] = lambda _: True) -> Changes:
    """Change one cell of the rows that are about a session of the fault."""
    return each_row(lambda row, _: {**row, name: value(row[name])} if where(row) else row)


def is_absent(row: Row) -> bool:
    """Whether a row says that a child is absent."""
    return row.get("mark") == "absent"


def is_even(row: Row) -> bool:
    """Whether a row is about one half of the children, always the same."""
    digits = re.search(r"\d{5,}", row["student_id"])
    return digits is not None and int(digits[0]) % 2 == 0
