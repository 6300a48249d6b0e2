"""From the diary to the files that schools put into their inboxes, each at its moment."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.demo.county import SCHOOLS, County, School
from daemon.demo.diary import CUT_SCHOOL, HALVES, Correction, Diary, When
from daemon.demo.folder import CODES, COLUMNS, SESSIONS, write_table

SESSION = ("am", "pm")
_BELLS = (dt.time(8, 5), dt.time(14, 5))
_MARKS = ("student_id", "date", "session", "mark", "recorded_at")
_LEAVES = ("student_id", "from", "to", "kind")
_MOVEMENTS = ("student_id", "kind", "at", "evidence")
_THEIR_CODE = {ours: theirs for theirs, ours in CODES.items()}
_THEIR_SESSION = {ours: theirs for theirs, ours in SESSIONS.items()}


@dataclass(frozen=True, slots=True)
class Paper:
    """One file, the feed that will find it, and the instant (UTC) at which it is there."""

    at: dt.datetime
    feed: str
    path: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    encoding: str = "utf-8"

    def put(self, folder: Path) -> None:
        """Write it."""
        write_table(folder / self.path, self.columns, self.rows, encoding=self.encoding)


@dataclass(frozen=True)
class Office:
    """Where the papers are made: who is where, what happened, and on which dates there is school."""

    county: County
    diary: Diary
    dates: Sequence[dt.date]
    zone: ZoneInfo
    seed: int

    def instant(self, when: When) -> dt.datetime:
        """A moment of the term in UTC."""
        return dt.datetime.combine(self.dates[when.day], when.time, self.zone).astimezone(dt.UTC)

    def papers(self) -> list[Paper]:
        """All of them, in the order in which they appear."""
        every = [*self._rolls(), *self._corrections(), *self._slips(), *self._moves()]
        return sorted(every, key=lambda paper: (paper.at, paper.path))

    # ---- rolls ------------------------------------------------------------------------------------------------

    def _rolls(self) -> Iterator[Paper]:
        chance = random.Random(f"bells {self.seed}")  # noqa: S311 - spreads bells, keeps no secret
        for half in range(self.diary.days * HALVES):
            for school in SCHOOLS:
                day, session = divmod(half, HALVES)
                bell = _BELLS[session]
                yield self._roll(school, half, When(day, bell.replace(minute=bell.minute + chance.randint(0, 8))))

    def _roll(self, school: School, half: int, called: When) -> Paper:
        """The roll of a school, which waits for the line where there is none."""
        there, recorded = self.instant(called), ""
        cut = self.diary.cut
        if school is CUT_SCHOOL and cut is not None and cut[0] <= called.day < cut[1]:
            recorded = there.astimezone(self.zone).isoformat()
            there = self.instant(When(cut[1], dt.time(7, 40)))
        rows = [
            (child.student_id, half, self.diary.mark(child, half), recorded)
            for room in self.county.rooms_of(school)
            for child in room.children
        ]
        return self._sheet(school, there, f"{self.dates[called.day]:%Y%m%d}-{SESSION[half % HALVES]}", rows)

    def _corrections(self) -> Iterator[Paper]:
        school_of = {child.student_id: room.school for room in self.county.rooms for child in room.children}
        together: dict[tuple[When, str], list[Correction]] = defaultdict(list)
        for one in self.diary.corrections:
            together[one.entered, one.child.student_id].append(one)
        for (entered, student), found in together.items():
            rows = [(student, one.half, one.code, "") for one in found]
            at = self.instant(entered)
            yield self._sheet(school_of[student], at, f"{self._stamp(at)}-{student}-corrected", rows)

    def _sheet(self, school: School, at: dt.datetime, name: str, rows: Sequence[tuple[str, int, str, str]]) -> Paper:
        """Marks in the columns and words of the school's own software."""
        plain = school.export == "plain"
        columns = _MARKS if plain else tuple(COLUMNS)
        said = [
            (
                student,
                self.dates[half // HALVES].isoformat(),
                SESSION[half % HALVES] if plain else _THEIR_SESSION[SESSION[half % HALVES]],
                code if plain else _THEIR_CODE[code],
                recorded,
            )
            for student, half, code, recorded in rows
        ]
        encoding = "utf-8" if plain else school.export
        path = f"inbox/{school.unit_id}/marks-{name}.csv"
        return Paper(at, f"marks-{school.unit_id}", path, columns, said, encoding)

    # ---- slips and moves ----------------------------------------------------------------------------------------

    def _slips(self) -> Iterator[Paper]:
        together: dict[When, list[tuple[str, ...]]] = defaultdict(list)
        for slip in self.diary.slips:
            first, last = (self.dates[day].isoformat() for day in (slip.first, slip.last))
            together[slip.entered].append((slip.child.student_id, first, last, slip.kind))
        for entered, rows in together.items():
            at = self.instant(entered)
            yield Paper(at, "leaves", f"inbox/leaves-{self._stamp(at)}.csv", _LEAVES, rows)

    def _moves(self) -> Iterator[Paper]:
        for move in self.diary.moves:
            at = self.instant(move.entered)
            row = (move.child.student_id, "transfer_out", at.astimezone(self.zone).isoformat(), move.evidence)
            path = f"inbox/movements-{self._stamp(at)}-{move.child.student_id}.csv"
            yield Paper(at, "movements", path, _MOVEMENTS, [row])

    def _stamp(self, at: dt.datetime) -> str:
        return at.astimezone(self.zone).strftime("%Y%m%d-%H%M")
