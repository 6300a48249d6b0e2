"""What faults do to documents, rows and answers, one function each."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

import xlsxwriter

from tests.faults.kinds import Scene
from tests.faults.office import CORRECTION_LAG, MARK, Document, Row
from tests.faults.truth import HALVES, local
from tests.faults.web import Answer

_HOUR = dt.timedelta(hours=1)
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")


def login_page(_: Answer, scene: Scene) -> Answer:
    """No two of these pages are the same."""
    page = f"<!DOCTYPE html><html><body><h1>统一身份认证</h1><form>请登录</form><!-- {scene.now} --></body></html>\n"
    return Answer(page.encode(), kind="text/html")


def error(_: Answer, scene: Scene) -> Answer:
    body = f'{{"code": 401, "msg": "session expired", "at": "{scene.now}"}}\n'
    return Answer(body.encode(), kind="application/json")


def half_a_row(body: bytes) -> bytes:
    """The first half, and it ends within a row."""
    end = body.find(b"\n", len(body) // 2)
    return body[: end + 9]


def header(body: bytes) -> bytes:
    return body[: body.find(b"\n") + 1]


def torn_gzip(answer: Answer, _: Scene) -> Answer:
    packed = gzip.compress(answer.body)
    return replace(answer, body=packed[: len(packed) * 2 // 3], headers={"Content-Encoding": "gzip"})


def broken_quote(answer: Answer, scene: Scene) -> Answer:
    """A quote is opened before the last absence of the fault's days, and never closed."""
    lines = answer.body.decode(errors="surrogateescape").split("\n")
    days = [date.isoformat() for date in scene.dates]
    found = [n for n, line in enumerate(lines) if ",absent" in line and any(day in line for day in days)]
    for n in found[-1:]:
        lines[n] = lines[n].replace(",absent", ',"absent')
    return replace(answer, body="\n".join(lines).encode(errors="surrogateescape"))


def renumbered(row: Row, scene: Scene) -> Row:
    old = scene.school.student(scene.someone)
    return {**row, "student_id": f"9{old}"} if row["student_id"] == old else row


def renumbered_throughout(document: Document, scene: Scene) -> Sequence[Document]:
    """A child whose report stands has another number, also in the rows about days before."""
    out = next(one for one in scene.school.history.pupils if one.letters.startswith("AAAAAA"))
    old = scene.school.student(out)
    rows = [{**row, "student_id": f"9{old}"} if row["student_id"] == old else row for row in document.rows]
    return [document.but(rows)]


def not_delivered(_: Document, __: Scene) -> Sequence[Document]:
    return []


def passed_over(document: Document, _: Scene) -> Sequence[Document]:
    """Saved by another program: `.xls` in a folder, capitals beside a pattern."""
    return [replace(document, path=document.path.replace("/marks", "/MARKS").replace(".csv", ".xls"))]


def in_capitals(document: Document, scene: Scene) -> Sequence[Document]:
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


def workbook(document: Document, scene: Scene) -> Sequence[Document]:
    if document.half is None or "更正" in document.path:
        return [document]
    if scene.school.rooms[0] not in document.path:
        return []
    others = scene.school.roll(1, document.half)
    path = document.path.replace(".csv", ".xlsx")
    return [Workbook(document.records, path, document.columns, document.rows, document.half, others)]


def ahead(document: Document, scene: Scene, *, rooms: Sequence[int], goes_on: bool) -> Sequence[Document]:
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


def again(document: Document, scene: Scene) -> Sequence[Document]:
    """A copy of each roll is delivered a day later, as its browser saved it a second time."""
    assert document.half is not None
    if scene.now < HALVES[document.half].end + 20 * _HOUR:
        return [document]
    return [document, replace(document, path=document.path.replace("marks-", "marks-z-").replace(".csv", " (1).csv"))]


def together(document: Document, scene: Scene) -> Sequence[Document]:
    """A roll comes only with its correction, in files that do not say when they were recorded."""
    assert document.half is not None
    if scene.now < HALVES[document.half].start + CORRECTION_LAG:
        return []
    return [replace(document, columns=MARK[:4])]


def everybody_absent(document: Document, scene: Scene) -> Sequence[Document]:
    """Every child is marked absent in the sessions there are rows of; in a list of exceptions every child is named."""
    school, others = scene.school, [row for row in document.rows if not scene.touches(row)]
    halves = sorted({int(row["half"]) for row in document.rows if scene.touches(row)})
    if not school.at_its_end:
        return [document.but([{**row, "mark": "absent"} if scene.touches(row) else row for row in document.rows])]
    rows = [school.mark_row(one, HALVES[n], "absent", HALVES[n].end) for n in halves for one in school.history.pupils]
    return [document.but([*others, *rows])]


def first_half(document: Document, _: Scene) -> Sequence[Document]:
    return [document.but(list(document.rows)[: len(document.rows) // 2])]


def without_town(row: Row, _: Scene) -> Row | None:
    return None if row["role"] == "town_government" else row


def in_utc(shown: str) -> str:
    return f"{dt.datetime.fromisoformat(shown) - 8 * _HOUR:%Y-%m-%d %H:%M}"
