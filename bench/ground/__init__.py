"""What every bench stands on: a district of any size in a store of its own, and how figures are shown."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np

from daemon.app import build_house, make_id
from daemon.clock import wall_clock
from daemon.config import load_config
from daemon.jobs.house import House
from daemon.store import enrolment, rolls
from daemon.store.engine import open_store
from daemon.store.keys import Keyring
from daemon.store.rolls import Roll
from notifiers.contract import Notifier
from rules.records import ContactRecord, Mark, StudentRecord, UnitRecord

ZONE = ZoneInfo("Asia/Shanghai")
CLASS_SIZE = 40
SCHOOL_CLASSES = 50
FIRST = dt.date(2026, 3, 2)

CONFIG = """
[service]
district = "610999"
database = "sqlite:///bench.db"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
holidays = "none"
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }, { name = "pm", start = 14:00:00, end = 17:00:00 }]
[[feed]]
id = "marks"
kind = "file"
records = "marks"
path = "marks.csv"
units = ["county"]
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms"]
[channels.sms]
url = "http://127.0.0.1:9/sms"
"""


@dataclass
class District:
    """A house over a store on disk, and who is in it."""

    house: House
    folder: Path
    keyring: Keyring
    students: list[str]
    classes: list[str]

    def twin(self, folder: Path) -> District:
        """The same district over a copy of its store, as it is now."""
        self.house.store.backup(folder / "bench.db")
        shutil.copy(self.folder / "config.toml", folder)
        return District(open_house(folder, self.keyring), folder, self.keyring, self.students, self.classes)


def open_house(folder: Path, keyring: Keyring, notifiers: Mapping[str, Notifier] | None = None) -> House:
    """The house of the configuration in `folder`; without `notifiers` it has text messages that nobody may send."""
    config = load_config(folder / "config.toml")
    store = open_store(config.database_url, config.service.district, keyring, state_dir=folder)
    store.upgrade()
    channels = {"sms": cast("Notifier", None)} if notifiers is None else notifiers
    return build_house(config, store, link_keys=[b"bench"], notifiers=channels, clock=wall_clock, new_id=make_id)


def build(folder: Path, children: int, config: str = CONFIG, keyring: Keyring | None = None) -> District:
    """A district of `children`, in classes of 40 and schools of 50 classes, each school in a town."""
    (folder / "config.toml").write_text(config, encoding="utf-8")
    keyring = keyring or Keyring.parse(Keyring.generate())
    house = open_house(folder, keyring)
    classes = [f"k-{n:05}" for n in range(-(-children // CLASS_SIZE))]
    students = [f"s-{n:07}" for n in range(children)]
    with house.store.write() as tx:
        enrolment.upsert_units(tx, _units(classes), _early(), source="bench")
        enrolment.upsert_contacts(tx, _contacts(classes), _early(), source="bench")
        children_records = [_student(student, classes[n // CLASS_SIZE]) for n, student in enumerate(students)]
        enrolment.upsert_students(tx, children_records, _early(), source="bench", on=FIRST)
    return District(house, folder, keyring, students, classes)


def history(
    district: District, sessions: int, absent: float = 0.0, days: Sequence[dt.date] | None = None
) -> Sequence[dt.date]:
    """Roll every class for `sessions` half-days, on `days` or from the first of the term on; the days they lie on."""
    days = days or school_days(-(-sessions // 2))
    size = len(district.students)
    with district.house.store.read() as tx:
        known = district.house.people(tx).roster.students.ordinals
    ordinals = np.array([known[one] for one in district.students], np.uint32)
    chance = np.random.default_rng(7)
    for day in days:
        with district.house.store.write() as tx:
            for name, hour in (("am", 8), ("pm", 14)):
                at = dt.datetime.combine(day, dt.time(hour, 10), ZONE).astimezone(dt.UTC)
                codes = np.where(chance.random(size) < absent, Mark.ABSENT, Mark.PRESENT).astype(np.uint8)
                rolls.record_rolls(tx, _rolls(district, ordinals, codes, day, name, at))
    return days


def school_days(count: int) -> list[dt.date]:
    """The first `count` school days of the term."""
    days = (FIRST + dt.timedelta(days=n) for n in range(400))
    return [day for day in days if day.isoweekday() <= 5][:count]


def _rolls(
    district: District, ordinals: np.ndarray, codes: np.ndarray, day: dt.date, name: str, at: dt.datetime
) -> Iterator[Roll]:
    for n, class_id in enumerate(district.classes):
        part = slice(n * CLASS_SIZE, (n + 1) * CLASS_SIZE)
        yield Roll(
            class_id, day, name, "marks", 1, at, at, 1, implied=False, ordinals=ordinals[part], codes=codes[part]
        )


def _early() -> dt.datetime:
    return dt.datetime.combine(FIRST, dt.time(), ZONE).astimezone(dt.UTC)


def _units(classes: list[str]) -> list[UnitRecord]:
    units = [UnitRecord("county", "county", None, "县", None, 1)]
    for n in range(0, len(classes), SCHOOL_CLASSES):
        school = f"sch-{n // SCHOOL_CLASSES}"
        units.append(UnitRecord(f"t-{school}", "town", "county", f"镇{n}", None, 1))
        units.append(UnitRecord(school, "school", f"t-{school}", f"学校{n}", None, 1))
        units += [UnitRecord(one, "class", school, one, None, 1) for one in classes[n : n + SCHOOL_CLASSES]]
    return units


def _contacts(classes: list[str]) -> list[ContactRecord]:
    found = [_contact("education_office", "county"), _contact("operator", "county")]
    for n in range(-(-len(classes) // SCHOOL_CLASSES)):
        found.append(_contact("town_government", f"t-sch-{n}"))
        found.append(_contact("mentor", f"sch-{n}"))
    return found + [_contact("class_teacher", one) for one in classes]


def _contact(role: str, unit: str) -> ContactRecord:
    return ContactRecord(f"{role}-{unit}", role, unit, None, f"{role} {unit}", "+8613800000000", None, None, None, 1)


def _student(student: str, class_id: str) -> StudentRecord:
    return StudentRecord(student, f"学生{student}", class_id, None, None, None, None, None, (), None, None, None, 1)


# ---- figures ----------------------------------------------------------------------------------------------------


@contextmanager
def timed() -> Iterator[list[float]]:
    """Seconds of the block, in a list that is filled at its end."""
    took: list[float] = []
    begun = perf_counter()
    yield took
    took.append(perf_counter() - begun)


def show(what: str, figure: float, limit: float, unit: str) -> None:
    """One line: the figure as a share of its limit."""
    ratio = figure / limit
    verdict = "within" if ratio <= 1 else "OVER"
    print(f"  {what:<64} {figure:9.3f} {unit}  {ratio:5.2f} × the limit of {limit:g} {unit}  {verdict}")
    sys.stdout.flush()
