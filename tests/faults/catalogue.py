"""Every kind of fault there is, each with a sentence for its name."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import xlsxwriter

from tests.faults.delivery import bytewise, each_row, instead, is_absent, is_even, with_value
from tests.faults.kinds import Fault, Scene
from tests.faults.office import CORRECTION_LAG, DAYS, EXCEPTIONS, GATE, GROWING, MARK, Document, Row
from tests.faults.truth import HALVES, local
from tests.faults.web import Answer

_HOUR = dt.timedelta(hours=1)
_WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
_MARKS = (DAYS, GROWING, EXCEPTIONS)


def _login_page(_: Answer, scene: Scene) -> Answer:
    """No two of these pages are the same."""
    page = f"<!DOCTYPE html><html><body><h1>统一身份认证</h1><form>请登录</form><!-- {scene.now} --></body></html>\n"
    return Answer(page.encode(), kind="text/html")


def _error(_: Answer, scene: Scene) -> Answer:
    body = f'{{"code": 401, "msg": "session expired", "at": "{scene.now}"}}\n'
    return Answer(body.encode(), kind="application/json")


def _half_a_row(body: bytes) -> bytes:
    """The first half, and it ends within a row."""
    end = body.find(b"\n", len(body) // 2)
    return body[: end + 9]


def _header(body: bytes) -> bytes:
    return body[: body.find(b"\n") + 1]


def _torn_gzip(answer: Answer, _: Scene) -> Answer:
    packed = gzip.compress(answer.body)
    return replace(answer, body=packed[: len(packed) * 2 // 3], headers={"Content-Encoding": "gzip"})


def _broken_quote(answer: Answer, scene: Scene) -> Answer:
    """A quote is opened before the last absence of the fault's days, and never closed."""
    lines = answer.body.decode(errors="surrogateescape").split("\n")
    days = [date.isoformat() for date in scene.dates]
    found = [n for n, line in enumerate(lines) if ",absent" in line and any(day in line for day in days)]
    for n in found[-1:]:
        lines[n] = lines[n].replace(",absent", ',"absent')
    return replace(answer, body="\n".join(lines).encode(errors="surrogateescape"))


def _renumbered(row: Row, scene: Scene) -> Row:
    old = scene.school.student(scene.someone)
    return {**row, "student_id": f"9{old}"} if row["student_id"] == old else row


def _renumbered_throughout(document: Document, scene: Scene) -> Sequence[Document]:
    """A child whose report stands has another number, also in the rows about days before."""
    out = next(one for one in scene.school.history.pupils if one.letters.startswith("AAAAAA"))
    old = scene.school.student(out)
    rows = [{**row, "student_id": f"9{old}"} if row["student_id"] == old else row for row in document.rows]
    return [document.but(rows)]


def _not_delivered(_: Document, __: Scene) -> Sequence[Document]:
    return []


def _passed_over(document: Document, _: Scene) -> Sequence[Document]:
    """Saved by another program: `.xls` in a folder, capitals beside a pattern."""
    return [replace(document, path=document.path.replace("/marks", "/MARKS").replace(".csv", ".xls"))]


def _in_capitals(document: Document, scene: Scene) -> Sequence[Document]:
    """The files of one class are named in another way than those of the other."""
    if scene.school.rooms[0] not in document.path:
        return [document]
    return [replace(document, path=document.path.replace("/marks", "/MARKS").replace(".csv", ".CSV"))]


@dataclass(frozen=True)
class Workbook(Document):
    """A document as a workbook with a sheet for each class."""

    others: Sequence[Row] = ()

    def content(self) -> bytes:
        """Two sheets, each with its header."""
        out = io.BytesIO()
        book = xlsxwriter.Workbook(out, {"in_memory": True})
        book.set_properties({"created": dt.datetime(2026, 3, 16, tzinfo=dt.UTC)})
        for name, rows in (("一班", self.rows), ("二班", self.others)):
            sheet = book.add_worksheet(name)
            for n, values in enumerate([self.columns, *([row[one] for one in self.columns] for row in rows)]):
                sheet.write_row(n, 0, values)
        book.close()
        return out.getvalue()


def _workbook(document: Document, scene: Scene) -> Sequence[Document]:
    if document.half is None or "更正" in document.path:
        return [document]
    if scene.school.rooms[0] not in document.path:
        return []
    others = scene.school.roll(1, document.half)
    path = document.path.replace(".csv", ".xlsx")
    return [Workbook(document.records, path, document.columns, document.rows, document.half, others)]


def _ahead(document: Document, scene: Scene, *, rooms: Sequence[int], goes_on: bool) -> Sequence[Document]:
    """In the first morning classes are filled in as present for the whole week; their rolls go on after it, or not."""
    filled_in = local(scene.dates[0], dt.time(9))
    ahead = list(scene.halves)[1:]
    pupils = [one for one in scene.school.history.pupils if one.room in rooms]
    ids = {scene.school.student(one) for one in pupils}
    before = [row for row in document.rows if goes_on or row["student_id"] not in ids or int(row["half"]) not in ahead]
    if scene.now < filled_in:
        return [document.but(before)]
    rows = [scene.school.mark_row(one, HALVES[n], "present", filled_in) for n in ahead for one in pupils]
    at = next((n for n, row in enumerate(before) if int(row["half"]) >= ahead[0]), len(before))
    return [document.but([*before[:at], *rows, *before[at:]])]


def _again(document: Document, scene: Scene) -> Sequence[Document]:
    """A copy of each roll is delivered a day later, as its browser saved it a second time."""
    assert document.half is not None
    if scene.now < HALVES[document.half].end + 20 * _HOUR:
        return [document]
    return [document, replace(document, path=document.path.replace("marks-", "marks-z-").replace(".csv", " (1).csv"))]


def _together(document: Document, scene: Scene) -> Sequence[Document]:
    """A roll comes only with its correction, in files that do not say when they were recorded."""
    assert document.half is not None
    if scene.now < HALVES[document.half].start + CORRECTION_LAG:
        return []
    return [replace(document, columns=MARK[:4])]


def _everybody_absent(document: Document, scene: Scene) -> Sequence[Document]:
    """Every child is marked absent in the sessions there are rows of; in a list of exceptions every child is named."""
    school, others = scene.school, [row for row in document.rows if not scene.touches(row)]
    halves = sorted({int(row["half"]) for row in document.rows if scene.touches(row)})
    if not school.at_its_end:
        return [document.but([{**row, "mark": "absent"} if scene.touches(row) else row for row in document.rows])]
    rows = [school.mark_row(one, HALVES[n], "absent", HALVES[n].end) for n in halves for one in school.history.pupils]
    return [document.but([*others, *rows])]


def _first_half(document: Document, _: Scene) -> Sequence[Document]:
    return [document.but(list(document.rows)[: len(document.rows) // 2])]


def _without_town(row: Row, _: Scene) -> Row | None:
    return None if row["role"] == "town_government" else row


def _in_utc(shown: str) -> str:
    return f"{dt.datetime.fromisoformat(shown) - 8 * _HOUR:%Y-%m-%d %H:%M}"


_ONE_POLL = (dt.time(7), dt.time(9))

_FILES = (DAYS, GROWING, GATE)
_HTTP = (EXCEPTIONS,)

FAULTS = (
    Fault("the address answers with a login page", shapes=_HTTP, answer=_login_page),
    Fault("the address answers with nothing", shapes=_HTTP, answer=instead()),
    Fault("the address answers with an error in JSON", shapes=_HTTP, answer=_error),
    Fault("the address answers with a bare header", shapes=_HTTP, answer=bytewise(_header), deceives=True),
    Fault("the address answers with half of a gzip stream", shapes=_HTTP, answer=_torn_gzip),
    Fault("the answer ends within a row", shapes=_HTTP, answer=bytewise(_half_a_row)),
    Fault("the address answers 401", shapes=_HTTP, answer=instead(status=401)),
    Fault("the address answers 500", shapes=_HTTP, answer=instead(status=500)),
    Fault("the address hangs up", shapes=_HTTP, answer=instead(hangs_up=True)),
    Fault(
        "the address gives the same bytes and never says so",
        shapes=_HTTP,
        answer=lambda answer, _: replace(answer, etag=False),
        harmless=True,
    ),
    Fault("the file of marks is a login page", shapes=_FILES, answer=_login_page),
    Fault("the file of marks is empty", shapes=_FILES, answer=instead()),
    Fault("the file of marks is a bare header", shapes=_FILES, answer=bytewise(_header)),
    Fault("the file of marks ends within a row", shapes=_FILES, answer=bytewise(_half_a_row)),
    Fault(
        "absent is written in a word that nobody mapped",
        shapes=_MARKS,
        rows=with_value("mark", lambda _: "未到", where=is_absent),
    ),
    Fault(
        "sessions bear a name that nobody mapped",
        shapes=_MARKS,
        rows=with_value("session", lambda name: f"{name} 第一节"),
    ),
    Fault("a quote is opened and never closed", shapes=_MARKS, answer=_broken_quote),
    Fault(
        "ids have lost their zeros",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: one.lstrip("0"), where=is_even),
    ),
    Fault(
        "ids are written in full width",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: one.translate(_WIDE), where=is_even),
        harmless=True,
    ),
    Fault(
        "ids end in .0",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f"{one}.0", where=is_even),
        harmless=True,
    ),
    Fault(
        'ids are written as ="001"',
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f'="{one}"', where=is_even),
        harmless=True,
    ),
    Fault(
        "ids are led by an apostrophe",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f"'{one}", where=is_even),
        harmless=True,
    ),
    Fault("a child has another number in the marks", shapes=_MARKS, rows=each_row(_renumbered)),
    Fault(
        "a child has another number in the marks of days before, too",
        shapes=(EXCEPTIONS,),
        rows=_renumbered_throughout,
        after=1,
    ),
    Fault("the roster is cut short", records="students", rows=_first_half, shapes=_MARKS),
    Fault("the roster is a login page", records="students", answer=_login_page, shapes=_MARKS),
    Fault("the roster is a bare header", records="students", answer=bytewise(_header), shapes=_MARKS),
    Fault(
        "a class of the roster is in no feed of units",
        records="students",
        rows=with_value("class_id", lambda one: f"{one}-x" if one.endswith("-1") else one),
        shapes=_MARKS,
    ),
    Fault(
        "the contacts are cut short for one poll",
        records="contacts",
        rows=_first_half,
        after=1,
        days=1,
        hours=_ONE_POLL,
        shapes=(GROWING,),
    ),
    Fault("the contacts are cut short for a week", records="contacts", rows=_first_half, shapes=(GROWING,)),
    Fault("the contacts have lost a town", records="contacts", rows=each_row(_without_town), shapes=(GROWING,)),
    Fault("the file of leaves is gone", records="leaves", rows=_not_delivered, is_missing=True, shapes=_MARKS),
    Fault("the file of leaves ends within a row", records="leaves", answer=bytewise(_half_a_row), shapes=(GROWING,)),
    Fault(
        "a week is filled in ahead and no roll called",
        shapes=(GROWING,),
        rows=lambda one, scene: _ahead(one, scene, rooms=(0, 1), goes_on=False),
    ),
    Fault(
        "a week is filled in ahead for one class and no roll of it called",
        shapes=(GROWING,),
        rows=lambda one, scene: _ahead(one, scene, rooms=(0,), goes_on=False),
    ),
    Fault(
        "a week is filled in ahead and rolls go on",
        shapes=(GROWING,),
        rows=lambda one, scene: _ahead(one, scene, rooms=(0, 1), goes_on=True),
    ),
    Fault(
        "local times are written with a Z",
        shapes=(GROWING,),
        rows=with_value("recorded_at", lambda one: f"{one.replace(' ', 'T')}Z"),
        harmless=True,
    ),
    Fault(
        "times of recording are dates alone",
        shapes=_FILES,
        rows=with_value("recorded_at", lambda one: one[:10]),
        harmless=True,
    ),
    Fault(
        "times of recording are of the year 2062",
        shapes=_FILES,
        rows=with_value("recorded_at", lambda one: "2062" + one[4:]),
        harmless=True,
    ),
    Fault(
        "times of recording are in UTC without saying so",
        shapes=_FILES,
        rows=with_value("recorded_at", _in_utc),
        harmless=True,
    ),
    Fault("old files are delivered again under newer names", shapes=(DAYS,), rows=_again, harmless=True),
    Fault("a roll and its correction come in one poll", shapes=(DAYS,), rows=_together, harmless=True),
    Fault("a workbook has a sheet for each class", shapes=(DAYS,), rows=_workbook, harmless=True, alone=True),
    Fault("files are saved by another program", shapes=(DAYS,), rows=_passed_over, is_missing=True),
    Fault("files of one class are named in capitals", shapes=(GATE,), rows=_in_capitals, is_missing=True),
    Fault("times at the gate are in UTC", records="gate", shapes=(GATE,), rows=with_value("at", _in_utc), heard=False),
    Fault("the file of the gate is gone", records="gate", shapes=(GATE,), rows=_not_delivered, is_missing=True),
    Fault("rolls stop while the gate goes on", shapes=(GATE,), rows=_not_delivered, is_missing=True),
    Fault(
        "no more rolls come",
        shapes=(DAYS, GROWING),
        rows=lambda one, scene: [] if one.half is not None else each_row(lambda *_: None)(one, scene),
        is_missing=True,
    ),
    Fault(
        "the daemon is down for most of a day",
        shapes=(GROWING,),
        records="",
        down=True,
        alone=True,
        after=1,
        days=1,
        hours=(dt.time(7), dt.time(15)),
    ),
    Fault(
        "a school marks everybody absent for a day",
        shapes=_MARKS,
        rows=_everybody_absent,
        is_judged=True,
        after=1,
        days=1,
    ),
)
