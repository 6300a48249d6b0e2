"""A rule test means what the daemon does: the same children, as feeds, make a simulation say the same."""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from daemon.config import load_config
from daemon.ruletest.county import boundary, child_of, instant
from daemon.ruletest.play import Played, laws_for, play_file
from daemon.ruletest.read import Trial
from daemon.simulate import simulate
from daemon.store.keys import Keyring

CHILDREN = ("ana", "ben", "eva")
TAGS = ("left_behind", "", "orphan;struggling")
TERM = (dt.date(2026, 3, 2), dt.date(2026, 4, 10))
LADDER = """
[[ladder]]
id = "{}"
acknowledged_by = ["education_office"]
rung = [
  {{ after = "0h", tell = ["education_office"], channels = ["sms"] }},
  {{ after = "30h", tell = ["education_director"], channels = ["sms"] }},
]
"""
RULES = '[rules]\npacks = ["statutory", "at-risk"]\n'
CALENDAR = f"[calendar]\nterms = [{{ from = {TERM[0]}, to = {TERM[1]} }}]\nclosed = [2026-03-20]\n"
CONFIG = """
[service]
district = "610999"
database = "sqlite:///none.db"
{calendar}
holidays = "none"
sessions = [{{ name = "am", start = 08:00:00, end = 11:40:00 }}, {{ name = "pm", start = 14:00:00, end = 17:00:00 }}]
{rules}{ladders}
{feeds}
[channels.sms]
url = "http://127.0.0.1:9/sms"
[privacy]
key_file = "baoxue.key"
"""
RECORDS = ("units", "students", "contacts", "marks", "leaves", "movements")


def write_test(path: Path, chance: random.Random) -> Played:
    """A file with one random test, played."""
    lines = [RULES, CALENDAR, LADDER.format("statutory"), LADDER.format("watch")]
    lines += ["[[test]]", 'name = "any"', f"from = {TERM[0]}", "until = 2026-04-12T00:00"]
    lines += [
        f'students.{child} = {{ class = "k-{n % 2}", tags = {[tag for tag in TAGS[n].split(";") if tag]} }}'
        for n, child in enumerate(CHILDREN)
    ]
    lines += [f'marks.{child} = "{_row(chance)}"' for child in CHILDREN]
    lines += [_correction(chance) for _ in range(4)]
    lines += [_leave(chance, n) for n in range(chance.randint(0, 3))]
    lines += [_movement(chance) for _ in range(chance.randint(0, 2))]
    path.write_text("\n".join(lines).replace("'", '"'), encoding="utf-8")
    return play_file(path)


def _row(chance: random.Random) -> str:
    """Days in stretches: seen, absent, on leave, called without the child, or not called."""
    days: list[str] = []
    while len(days) < 28:
        kind, length = chance.choice(("PP", "PP", "AA", "AA", "AP", "LL", "??", "--", "TP")), chance.randint(1, 5)
        days += [kind] * length
    return " ".join(days[:28])


def _date(chance: random.Random, *, last: int = 38) -> dt.date:
    return TERM[0] + dt.timedelta(days=chance.randint(0, last))


def _at(chance: random.Random, day: dt.date) -> str:
    return f"{day + dt.timedelta(days=chance.randint(0, 4))}T{chance.randint(0, 23):02}:{chance.choice((0, 10, 30)):02}"


def _correction(chance: random.Random) -> str:
    day = _date(chance, last=36)
    while day.isoweekday() > 5 or day == dt.date(2026, 3, 20):
        day -= dt.timedelta(days=1)
    at = f"{day}T18:30" if chance.random() < 0.5 else _at(chance, day + dt.timedelta(days=1))
    mark, session = chance.choice(("present", "absent", "unknown", "leave")), chance.choice(("am", "pm"))
    who = chance.choice(CHILDREN)
    return f'[[test.mark]]\nstudent = "{who}"\ndate = {day}\nsession = "{session}"\nmark = "{mark}"\nat = {at}'


def _leave(chance: random.Random, number: int) -> str:
    day = _date(chance, last=30)
    last, who = day + dt.timedelta(days=chance.randint(0, 6)), chance.choice(CHILDREN)
    known = f"{day - dt.timedelta(days=1)}T10:00" if chance.random() < 0.5 and day > TERM[0] else _at(chance, day)
    return f'[[test.leave]]\nstudent = "{who}"\nfrom = {day}\nto = {last}\nid = "l-{number}"\nknown = {known}'


def _movement(chance: random.Random) -> str:
    day, kind = _date(chance, last=30), chance.choice(("transfer_out", "suspend", "resume", "transfer_in"))
    evidence, who = str(chance.random() < 0.5).lower(), chance.choice(CHILDREN)
    return f'[[test.movement]]\nstudent = "{who}"\nkind = "{kind}"\nat = {day}T09:00\nevidence = {evidence}'


def write_feeds(folder: Path, played: Played) -> Path:
    """The same as a configuration and plain feeds."""
    (trial,) = (verdict.trial for verdict in played.verdicts)
    zone = played.draft.calendar.zone
    _write(folder, "units", ("unit_id", "kind", "parent_id", "name"), _units())
    _write(folder, "students", ("student_id", "name", "class_id", "tags"), _students(trial))
    roles = ("education_office", "education_director", "class_teacher", "principal", "operator")
    contacts = [(role, "c", role, f"1380000000{n}") for n, role in enumerate(roles)]
    _write(folder, "contacts", ("role", "unit_id", "name", "phone"), contacts)
    _write(folder, "marks", ("student_id", "date", "session", "mark", "recorded_at"), _marks(trial, played))
    leaves = [
        (
            one.id or "",
            child_of(trial.table, one.student),
            boundary(one.from_, zone, after=0).isoformat(),
            boundary(one.to, zone, after=1).isoformat(),
            one.kind,
            instant(one.known, zone).isoformat() if one.known else "",
        )
        for one in trial.table.leave
    ]
    _write(folder, "leaves", ("leave_id", "student_id", "from", "to", "kind", "recorded_at"), leaves)
    moves = [
        (one.student or "", one.kind, *[instant(one.at, zone).isoformat()] * 2, "paper" if one.evidence else "")
        for one in trial.table.movement
    ]
    _write(folder, "movements", ("student_id", "kind", "at", "recorded_at", "evidence"), moves)
    (folder / "baoxue.key").write_text(Keyring.generate("test"), encoding="utf-8")
    (folder / "baoxue.key").chmod(0o600)
    feeds = [f'[[feed]]\nid = "{name}"\nkind = "file"\nrecords = "{name}"\npath = "{name}.csv"' for name in RECORDS]
    ladders = LADDER.format("statutory") + LADDER.format("watch")
    text = CONFIG.format(calendar=CALENDAR, rules=RULES, ladders=ladders, feeds="\n".join(feeds))
    config = folder / "config.toml"
    config.write_text(text.replace('path = "marks.csv"', 'path = "marks.csv"\nunits = ["c"]'), encoding="utf-8")
    return config


def _write(folder: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _units() -> list[tuple[str, ...]]:
    classes = [(f"k-{n}", "class", "school", f"Class {n}") for n in range(2)]
    return [("c", "county", "", "County"), ("school", "school", "c", "School"), *classes]


def _students(trial: Trial) -> list[tuple[str, ...]]:
    described = trial.table.students
    return [(child, f"Child {child}", one.class_ or "", ";".join(one.tags)) for child, one in described.items()]


def _marks(trial: Trial, played: Played) -> list[tuple[str, ...]]:
    calendar = played.draft.calendar
    starts = {"am": dt.time(8), "pm": dt.time(14)}
    rows: list[tuple[str, ...]] = []
    for child, cells in trial.cells.items():
        for cell in cells:
            known = dt.datetime.combine(cell.date, starts[cell.session], calendar.zone) + trial.table.roll_after
            rows.append((child, cell.date.isoformat(), cell.session, cell.mark.name.lower(), known.isoformat()))
    for one in trial.table.mark:
        at = instant(one.at, calendar.zone).isoformat()
        rows.append((one.student or "", one.date.isoformat(), one.session, one.mark, at))
    return rows


Line = tuple[str, dt.datetime, str, str | None, dt.datetime | None, bool]


def rehearsed(played: Played) -> set[Line]:
    """What the test says is told, of rules that have a ladder."""
    (verdict,) = played.verdicts
    speaking = {"absent-48h"} | _at_risk(played)
    return {
        (one.student, one.at, one.kind, one.rule, one.due_at, one.unconfirmed)
        for one in verdict.spoken
        if one.kind != "stage" and one.rule in speaking
    }


def _at_risk(played: Played) -> set[str]:
    return {rule.rule_id for rule in laws_for(played.draft).book.rules.values() if rule.ladder == "watch"}


def simulated(config: Path) -> set[Line]:
    """What the daemon tells about children on a virtual clock."""
    zone = dt.timezone(dt.timedelta(hours=8))
    start = dt.datetime(2026, 2, 27, tzinfo=zone)
    end = dt.datetime(2026, 4, 12, tzinfo=zone)
    lines = simulate(load_config(config), start.astimezone(dt.UTC), end.astimezone(dt.UTC))
    return {_line(line) for line in lines if line["student"] is not None}


def _line(line: dict[str, Any]) -> Line:
    due = dt.datetime.fromisoformat(line["due_at"]).astimezone(dt.UTC) if line["due_at"] else None
    raised = dt.datetime.fromisoformat(line["raised_at"]).astimezone(dt.UTC)
    return line["student"], raised, line["kind"], line["rule"], due, line["unconfirmed"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(4))
def test_a_rule_test_says_what_a_simulation_of_the_same_children_says(seed: int, tmp_path: Path) -> None:
    played = write_test(tmp_path / "rules-test.toml", random.Random(seed))  # noqa: S311 - a reproducible story

    ours, theirs = rehearsed(played), simulated(write_feeds(tmp_path, played))

    assert sorted(ours - theirs, key=str) == []
    assert sorted(theirs - ours, key=str) == []
    assert len(ours) > 10
