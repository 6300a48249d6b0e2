"""The past as files tell it and as the store remembers it: one history, whoever is asked, at every instant of it."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.ground import learners
from daemon.backtest.files import history_from_files
from daemon.backtest.stored import history_from_store
from daemon.config import Config, load_config
from daemon.jobs.scenes import load_judgement
from daemon.rulebook import load_rules
from daemon.simulate import Simulation
from daemon.store import enrolment, overlays
from daemon.store.overlays import Overlay
from rules.history import History
from rules.instants import to_micros
from rules.records import Mark, StudentRecord
from rules.register import Leave, Movement, Register, build_register
from rules.rolls import Rolls
from tests.county import DAY, HALF_DAYS, HOUR, MINUTE, Child, LeaveRow, MarkRow, World, write_feeds
from tests.worlds import worlds

if TYPE_CHECKING:
    from daemon.jobs.house import House
    from daemon.store.tx import Tx

GRAND_BEND = Path(__file__).parents[2].parent / "shared" / "data" / "edfi-grand-bend"


def as_known(history: History, now: dt.datetime) -> Register:
    """The register of what a history says was known at an instant."""
    said, known = history.rolls, history.known_at <= to_micros(now)
    number = np.cumsum(known) - 1
    marks = known[said.roll]
    of_rolls = ("class_index", "column", "recorded_at", "rank", "line", "implied")
    part = Rolls(
        **{name: getattr(said, name)[known] for name in of_rolls},
        roll=number[said.roll[marks]].astype(np.int32),
        row=said.row[marks],
        code=said.code[marks],
    )
    newest = {one.leave_id: one for one in history.leaves if one.known_at <= now}
    leaves: dict[int, list[Leave]] = {}
    for one in sorted(newest.values(), key=lambda one: one.leave_id):
        if not one.withdrawn:
            leaves.setdefault(one.row, []).append(Leave(one.starts, one.ends, one.kind))
    movements: dict[int, list[Movement]] = {}
    for moved in history.movements:
        if moved.known_at <= now:
            movements.setdefault(moved.row, []).append(moved.movement)
    said_by_hand = [one for one in history.overlays if one.said_at <= now]
    return build_register(
        history.calendar,
        history.spells,
        history.variants,
        part,
        overlays=said_by_hand,
        leaves=leaves,
        movements=movements,
    )


def same(one: Register, other: Register) -> None:
    assert np.array_equal(one.marks, other.marks)
    assert np.array_equal(one.variant, other.variant)
    assert np.array_equal(one.classes, other.classes)
    assert (one.enrolled is None) == (other.enrolled is None)
    assert one.enrolled is None or other.enrolled is None or np.array_equal(one.enrolled, other.enrolled)
    assert (dict(one.leaves), dict(one.movements), dict(one.outs)) == (
        dict(other.leaves),
        dict(other.movements),
        dict(other.outs),
    )


def seen_by_daemon(tx: Tx, house: House, history: History, now: dt.datetime) -> None:
    """Assert that the daemon, asked at `now`, would see what the history says was known then."""
    people = house.people(tx)
    ordinals = [people.roster.students.ordinals[student] for student in history.students]
    seen, known = load_judgement(tx, house, people, ordinals, now).register, as_known(history, now)
    columns = seen.marks.shape[1]
    assert np.array_equal(seen.marks, known.marks[:, :columns])
    assert (dict(seen.leaves), dict(seen.movements)) == (dict(known.leaves), dict(known.movements))


def lived_through(config: Config, start: dt.datetime, end: dt.datetime, folder: Path) -> House:
    """A house that took in what its feeds say as a simulation does, and judged nobody."""
    simulation = Simulation(config, start, end, folder)
    simulation._load()
    while simulation._ahead and (instant := simulation._ahead[0].at) <= end:
        simulation.now = instant
        simulation._take_in(instant)
    return simulation.house


def told_alike(config: Config, start: dt.datetime, end: dt.datetime, folder: Path) -> History:
    """The history of the files, once the store's has been found to be the same."""
    of_files, _ = history_from_files(config, start, end)
    house = lived_through(config, start, end, folder)
    with house.store.read() as tx:
        of_store = history_from_store(tx, house, end)
        for now in instants(start, end):
            seen_by_daemon(tx, house, of_store, now)
    house.store.close()
    assert (of_files.students, of_files.spells) == (of_store.students, of_store.spells)
    assert (of_files.class_ids, of_files.school_ids) == (of_store.class_ids, of_store.school_ids)
    assert of_files.stale_after == of_store.stale_after
    assert sorted(of_files.known_at.tolist()) == sorted(of_store.known_at.tolist())
    for now in instants(start, end):
        same(as_known(of_files, now), as_known(of_store, now))
    return of_files


def instants(start: dt.datetime, end: dt.datetime) -> list[dt.datetime]:
    return [start + (end - start) * n / 6 for n in range(7)]


@st.composite
def passages(draw: st.DrawFn, world: World) -> list[tuple[str, dt.datetime]]:
    """Draw who passed a gate when, in and out of school."""
    within = st.integers(-30, int((world.end - world.start) / MINUTE))
    who = st.sampled_from([*(child.child_id for child in world.children), "stranger"])
    return [
        (child, world.start + minutes * MINUTE) for child, minutes in draw(st.lists(st.tuples(who, within), max_size=8))
    ]


def lay_out(world: World, folder: Path, presence: str, gate: list[tuple[str, dt.datetime]]) -> Path:
    """The feeds of a world, the first of marks perhaps one of exceptions, and a gate beside them."""
    path = write_feeds(world, folder)
    lines = ["student_id,at", *(f"{child},{at.isoformat()}" for child, at in gate)]
    (folder / "gate.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    feed = '[[feed]]\nid = "gate"\nkind = "file"\nrecords = "punches"\npath = "gate.csv"\n'
    text = path.read_text(encoding="utf-8").replace("[rules]", feed + "[rules]", 1)
    text = text.replace('path = "marks-1.csv"', f'path = "marks-1.csv"\npresence = "{presence}"', 1)
    path.write_text(text, encoding="utf-8")
    return path


@settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.data(), worlds(moves=False), st.sampled_from(("explicit", "implied")), st.sampled_from((0, 0, 30, 60)))
def test_files_and_store_tell_one_history(drawn: st.DataObject, world: World, presence: str, later: int) -> None:
    start = min(world.start + later * HOUR, world.end - HOUR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gate = drawn.draw(passages(world))
        config = load_config(lay_out(world, folder, presence, gate))
        told_alike(config, start, world.end, folder)


@pytest.mark.skipif(not GRAND_BEND.is_dir(), reason="the district's data are not here")
def test_a_district_of_events_of_whole_days_has_one_history(tmp_path: Path) -> None:
    folder = tmp_path / "grand-bend"
    shutil.copytree(GRAND_BEND, folder)
    folder.chmod(0o755)
    config = load_config(folder / "config.toml")
    start, end = dt.datetime(2021, 8, 23, tzinfo=dt.UTC), dt.datetime(2022, 5, 28, tzinfo=dt.UTC)

    history = told_alike(config, start, end, tmp_path)

    assert len(history.rolls.row) > 1_900
    assert history.rolls.implied.any()


def a_week(tmp_path: Path) -> tuple[Config, World]:
    """A class of three, its roll called every half-day of a week, and one leave that was entered afterwards."""
    days = frozenset(dt.date(2026, 3, day) for day in range(16, 21))
    world = World(
        zone="Asia/Shanghai",
        slots=HALF_DAYS,
        schools=(("sch-1", "t-1"),),
        school_days=(("sch-1", days),),
        classes=(("k-1", "sch-1"), ("k-2", "sch-1")),
        children=tuple(Child(f"c-{n}", ((min(days), f"k-{1 + n // 2}"),)) for n in range(3)),
        start=dt.datetime(2026, 3, 15, 16, tzinfo=dt.UTC),
        end=dt.datetime(2026, 3, 21, tzinfo=dt.UTC),
    )
    rows = [
        MarkRow(child.child_id, one.date, one.name, Mark.ABSENT if n % 3 else Mark.PRESENT, one.start + HOUR, 0)
        for child in world.children
        for n, one in enumerate(world.timetable(child))
    ]
    leave = LeaveRow(
        "l-1", "c-1", world.start + DAY, world.start + 2 * DAY, "sick", world.end - DAY, withdrawn=False, line=2
    )
    world = replace(world, marks=tuple(replace(row, line=n + 2) for n, row in enumerate(rows)), leaves=(leave,))
    return load_config(write_feeds(world, tmp_path)), world


def test_what_was_said_by_hand_and_who_changed_class_is_remembered(tmp_path: Path) -> None:
    config, world = a_week(tmp_path)
    house = lived_through(config, world.start, world.end, tmp_path)
    noon = world.start + 3 * DAY + 12 * HOUR
    day = dt.date(2026, 3, 17)
    moved = StudentRecord("c-2", "child 2", "k-1", None, None, None, None, None, (), None, None, None, 4)
    with house.store.write() as tx:
        school = Overlay(day, "am", Mark.LEAVE, noon, "x", unit_id="sch-1")
        child = Overlay(day, "pm", Mark.LATE, noon, "x", student_id="c-0")
        overlays.record_overlays(tx, [school, child])
        enrolment.upsert_students(tx, [moved], noon, source="x", on=dt.date(2026, 3, 19))

    with house.store.read() as tx:
        history = history_from_store(tx, house, world.end)
        for now in instants(world.start, world.end):
            seen_by_daemon(tx, house, history, now)
    house.store.close()

    assert [len(line) for line in history.spells] == [1, 1, 2]
    assert len(history.overlays) == 2
    late = as_known(history, world.end).marks == Mark.LATE
    assert late.sum() == 1


def test_a_history_ends_where_it_is_asked_to_and_begins_with_what_was_known(tmp_path: Path) -> None:
    config, world = a_week(tmp_path)
    start, end = world.start + 2 * DAY, world.start + 3 * DAY

    history, refused = history_from_files(config, start, end)

    assert (int(history.known_at.min()), int(history.known_at.max()) <= to_micros(end)) == (to_micros(start), True)
    assert (history.leaves, refused) == ([], [])


def test_rows_of_strangers_and_rows_outside_every_session_are_counted(tmp_path: Path) -> None:
    config, world = a_week(tmp_path)
    with (tmp_path / "marks-1.csv").open("a", encoding="utf-8") as file:
        file.writelines(f"{child},2026-03-1{day},am,absent,\n" for child in ("c-0", "nobody") for day in (4, 5))
    with (tmp_path / "movements.csv").open("a", encoding="utf-8") as file:
        file.write("nobody,drop_out,2026-03-17,,\n")

    _, refused = history_from_files(config, world.start, world.end)

    hint = "check the calendar: holidays, make-up days and session names"
    assert [str(one) for one in refused] == [
        "movements.csv:2 student_id  rows of children who are not on the roster, left out: 1",
        "marks-1.csv:34 student_id  rows of children who are not on the roster, left out: 2",
        f"marks-1.csv:32 session  rows in no session of the child's class, left out: 2 – {hint}",
    ]


def test_a_table_of_another_form_tells_the_same_history(tmp_path: Path) -> None:
    config, world = a_week(tmp_path)
    as_csv, _ = history_from_files(config, world.start, world.end)
    table = (tmp_path / "marks-1.csv").read_text(encoding="utf-8").splitlines()
    names = table[0].split(",")
    lines = [json.dumps(dict(zip(names, row.split(","), strict=True))) for row in table[1:]]
    (tmp_path / "marks-1.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    as_json, _ = history_from_files(config, world.start, world.end)

    same(as_known(as_csv, world.end), as_known(as_json, world.end))


def test_the_documented_mapping_of_a_learning_site_is_the_one_that_is_tried_here(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "backtest-from-files.md").read_text(encoding="utf-8")
    _, whole, rules = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "site.toml").write_text(rules, encoding="utf-8")
    (tmp_path / "config.toml").write_text(whole, encoding="utf-8")
    (tmp_path / "learners.toml").write_text(learners.config(), encoding="utf-8")

    documented, tried = load_config(tmp_path / "config.toml"), load_config(tmp_path / "learners.toml")

    assert documented.feed == tried.feed
    assert documented.calendar.unit == tried.calendar.unit[:2]
    assert "gone-14" in load_rules(documented).rules


def test_a_learning_sites_tables_are_a_history_by_mapping_alone(tmp_path: Path) -> None:
    learners.lay_out(tmp_path, rows=60_000)
    config = load_config(tmp_path / "config.toml")

    history, refused = history_from_files(
        config, dt.datetime(2013, 1, 1, tzinfo=dt.UTC), dt.datetime(2015, 12, 31, tzinfo=dt.UTC)
    )

    assert (len(history.students), len(history.class_ids), refused) == (32_593, 22, [])
    assert len(history.movements) == learners.WITHDRAWN
    assert {one.movement.kind for one in history.movements} == {"drop_out"}
    assert len(history.rolls.row) == 60_000
    assert history.traits.tagged("Y").mean() == pytest.approx(0.1, abs=0.02)
