"""From a CSV of 100 000 marks to judged and committed, while 1 000 deadlines pass; and store to judged by itself."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.ground import FIRST, ZONE, District, build, history, show, timed
from bench.ground.deadlines import Sweeper, Watch, arm, fill
from daemon.clockwork.memory import collect_seldom, take_short_turns
from daemon.jobs.people import load_people
from daemon.jobs.poll import poll_feed
from daemon.jobs.scenes import load_scene
from daemon.store import rolls
from daemon.store.rolls import PAIR
from rules.records import Mark

CHILDREN = int(os.environ.get("BAOXUE_BENCH_CHILDREN", "100000"))
DEADLINES = 1_000
SESSIONS = 80
FAR = 1_000_000


def main() -> None:
    """Print the figures of a poll."""
    collect_seldom()
    take_short_turns()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        district = build(Path(one), CHILDREN + DEADLINES)
        days = history(district, SESSIONS)
        today = days[-1] + dt.timedelta(days=3 if days[-1].isoweekday() == 5 else 1)
        print(f"{CHILDREN} children, {SESSIONS} sessions of history, {DEADLINES} deadlines of other children meanwhile")
        roster(district)
        store_to_judged(district, today)
        plain_pass(district)
        full = district.twin(Path(two))
        poll(district, today, "100 000 marks from CSV to judged and committed")
        fill(full.house, FAR, dt.datetime.combine(today + dt.timedelta(days=300), dt.time(), dt.UTC))
        store_to_judged(full, today)
        poll(full, today, "the same with 1 000 000 deadlines armed")


def roster(district: District) -> None:
    """Read who is where, as after every change of the roster."""
    with district.house.store.read() as tx, timed() as took:
        load_people(tx, district.house.calendar)
    show("roster of 100 000 children read", took[0], 1.0, "s")


def store_to_judged(district: District, today: dt.date) -> None:
    """Load and judge everybody by the whole history, two schools at a time as a sweep does, deciding nothing."""
    now = dt.datetime.combine(today, dt.time(7), ZONE).astimezone(dt.UTC)
    best = float("inf")
    for _ in range(3):
        with district.house.store.read() as tx:
            schools = list(district.house.people(tx).classes_of_school.values())
            with timed() as took:
                for one, other in zip_longest(schools[::2], schools[1::2], fillvalue=()):
                    load_scene(tx, district.house, [*one, *other], now)
        best = min(best, took[0])
    show("store to judged, 100 000 × 80 (best of three)", best, 1.0, "s")


def plain_pass(district: District) -> None:
    """A peer: one pass of numpy over the same bytes that only finds each child's last presence and first absence."""
    with district.house.store.read() as tx, timed() as took:
        block = rolls.load_rolls(tx, None, FIRST, FIRST + dt.timedelta(days=400))
        columns = np.unique(block.date, return_inverse=True)[1] * 2 + block.session_index
        grid = np.zeros((int(block.ordinal.max()) + 1, int(columns.max()) + 1), np.uint8)
        grid[block.ordinal, columns[block.roll_index]] = block.code
        present, absent = grid == Mark.PRESENT, grid == Mark.ABSENT
        last = grid.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
        np.argmax(absent & (np.arange(grid.shape[1]) > last[:, None]), axis=1)
    size = len(block.ordinal) * PAIR.itemsize / 1e6
    print(f"  peer: one plain numpy pass over the same {size:.0f} MB of marks {took[0]:27.3f} s")


def poll(district: District, today: dt.date, words: str) -> None:
    """One delivery of everybody's morning marks, 5 % absent, all of them first absences; deadlines pass meanwhile."""
    house = district.house
    marked, others = district.students[:CHILDREN], district.students[CHILDREN:]
    rows = [f"{one},{today},am,{'absent' if n % 20 == 0 else 'present'}" for n, one in enumerate(marked)]
    file = district.folder / "marks.csv"
    file.write_text("student_id,date,session,mark\n" + "\n".join(rows) + "\n", encoding="utf-8")
    os.utime(file, (1e9, 1e9))
    watch = Watch(dt.datetime.combine(today, dt.time(8, 10), ZONE).astimezone(dt.UTC))
    arm(house, others, [watch.begin + dt.timedelta(seconds=0.2 + 2.6 * n / len(others)) for n in range(len(others))])
    classes = -(-CHILDREN // 40)
    with Sweeper(house, watch):
        cpu, watch.started = time.process_time(), perf_counter()
        poll_feed(house, house.config.feed[0], watch.now())
        polled = watch.now()
        _until(lambda: len(watch.judged) >= classes and len(watch.late) >= len(others))
        cpu = time.process_time() - cpu
    assert watch.judged_at is not None
    whole = (watch.judged_at - watch.begin).total_seconds()
    print(f"  polled after {(polled - watch.begin).total_seconds():.2f} s; {cpu:.2f} s of CPU in all")
    show(words, whole, 3.0, "s")
    show("  deadlines meanwhile: median lateness", statistics.median(watch.late), 0.25, "s")
    show("  deadlines meanwhile: greatest lateness", max(watch.late), 0.25, "s")


def _until(done: Callable[[], bool]) -> None:
    for _ in range(6000):
        if done():
            return
        time.sleep(0.01)
    raise SystemExit("not done within a minute")


if __name__ == "__main__":
    main()
