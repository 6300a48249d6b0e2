"""Sources in a few words: a feed, some bytes, and what is read of them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter

from daemon.config import FeedConfig
from daemon.feeds.payload import Payload, Reading, digest
from daemon.feeds.read import read

NOW = dt.datetime(2026, 3, 16, 4, 0, tzinfo=dt.UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
CHICAGO = ZoneInfo("America/Chicago")
MARKS_HEADER = "student_id,date,session,mark"

_SHARED = Path(__file__).parents[4] / "shared" / "data"
EDFI = _SHARED / "edfi-grand-bend"
OEA = _SHARED / "oea-formats"
needs_shared = pytest.mark.skipif(not _SHARED.exists(), reason="the example districts are not beside the project")

MAPPING = ("columns", "join", "constant", "skip", "empty", "codes", "dates", "origin", "sessions")


def feed(records: str = "marks", **settings: Any) -> FeedConfig:  # noqa: ANN401 - as the models take them
    """A file feed of `records`; parts of its mapping may be given by their names."""
    mapping = {name: settings.pop(name) for name in MAPPING if name in settings}
    place = {} if "url" in settings else {"path": settings.pop("path", "inbox")}
    chosen = {"id": "f", "kind": "http" if "url" in settings else "file", **place, **settings}
    return FeedConfig.model_validate({**chosen, "records": records, "mapping": mapping})


def payload(content: bytes, name: str = "a.csv") -> Payload:
    return Payload("f", name, content, digest(content), NOW)


def reading(content: str | bytes, records: str = "marks", zone: ZoneInfo = SHANGHAI, **settings: Any) -> Reading:  # noqa: ANN401 - likewise
    """What is read of `content`."""
    raw = content.encode() if isinstance(content, str) else content
    return read(feed(records, **settings), payload(raw), zone)


def table(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def faults(result: Reading) -> list[tuple[int, str | None, str]]:
    return [(problem.line, problem.column, problem.fault) for problem in result.problems]


def sheet(rows: Iterable[Sequence[object]], *, above: Sequence[str] = ()) -> bytes:
    """A workbook with one sheet: titles, then rows of typed cells."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": dt.datetime(2026, 1, 1)})  # noqa: DTZ001 - the same bytes each time
    page = book.add_worksheet("考勤")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for at, title in enumerate(above):
        page.write(at, 0, title)
    for at, row in enumerate(rows, len(above)):
        for column, cell in enumerate(row):
            if isinstance(cell, dt.datetime):
                page.write_datetime(at, column, cell, moment)
            elif isinstance(cell, dt.date):
                page.write_datetime(at, column, dt.datetime.combine(cell, dt.time()), day)
            else:
                page.write(at, column, cell)
    book.close()
    return out.getvalue()


def workbook(*pages: tuple[str, Sequence[Sequence[str]]], hidden: Collection[str] = ()) -> bytes:
    """A workbook of several sheets of text, each with its name."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for name, rows in pages:
        page = book.add_worksheet(name)
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)
        if name in hidden:
            page.hide()
    book.close()
    return out.getvalue()


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, second, tzinfo=dt.UTC)
