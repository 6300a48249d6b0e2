"""A backtest as known then: 100 000 children × 380 sessions × 12 rules, with 5 % of all marks corrected later."""

from __future__ import annotations

import datetime as dt
import os
import sys
from importlib import resources
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from typing import Self
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from bench.ground import show
from daemon.backtest.abreast import replay_abreast
from rules.backtest.cells import cells_of
from rules.backtest.events import PART
from rules.backtest.ground import Ground
from rules.backtest.replay import groups_of
from rules.backtest.running import current_runs
from rules.calendar import Calendar, Period, Timetable
from rules.case import Law
from rules.facts.evaluate import read_facts
from rules.facts.reading import Reading
from rules.history import History
from rules.instants import HOUR, NEVER
from rules.ladder import Ladder
from rules.laws import Laws, laws_of
from rules.records import Mark
from rules.register import Spell
from rules.rolls import Rolls
from rules.rulebook import Rulebook, read_rules
from rules.traits import unknown

CHILDREN = int(os.environ.get("BAOXUE_BENCH_CHILDREN", "100000"))
SESSIONS = int(os.environ.get("BAOXUE_BENCH_SESSIONS", "380"))
CLASS_SIZE, SCHOOL_CLASSES = 40, 25
CORRECTED = 0.05
FIRST = dt.date(2025, 9, 1)
RULES = (
    "absent-48h",
    "suspected-7d",
    "dropped-out-30d",
    "absence-rate-12",
    "absence-rate-20",
    "unexcused-10-sessions",
    "unexcused-10-days",
    "absence-10-in-term",
    "repeated-spells",
    "lateness-drift",
    "monday-friday",
    "absence-trend",
)


def main() -> None:
    """Print the figures of a backtest."""
    history, laws = made_up(), twelve()
    print(f"{CHILDREN} children × {SESSIONS} sessions, {len(laws.book.rules)} rules, {CORRECTED:.0%} corrected later")
    plain = plain_pass(history)
    begun = perf_counter()
    with Memory() as memory:
        replayed = replay_abreast(history, laws, dt.datetime.combine(last_day(history), dt.time(12), dt.UTC))
    took = perf_counter() - begun
    counts = np.bincount(replayed.columns.rule, minlength=len(RULES))
    found = dict(zip((rule for rule, _ in replayed.columns.rules), counts.tolist(), strict=True))
    print(f"  flags: {', '.join(f'{rule} {found[rule]}' for rule in RULES)}")
    show("backtest as known then", took, 20.0, "s")
    show("  peak memory of all its processes", memory.peak / 1e9, 2.0, "GB")
    filtered = hindsight(history, laws)
    print(f"  a filter by what is known in the end: all facts and rules once {filtered:29.3f} s")
    print(f"  peer: one plain numpy pass over the same bytes {plain:45.3f} s")


def last_day(history: History) -> dt.date:
    """The last day anything is known of."""
    return history.calendar.dates[-1]


class Memory:
    """The most memory this process and its children held together while the block ran: what each has for itself."""

    def __enter__(self) -> Self:
        self.peak = 0
        self._over = Event()
        self._watch = Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._over.wait(1.0):
            self.peak = max(self.peak, sum(_share(one) for one in (os.getpid(), *_children())))


def _children() -> list[int]:
    here = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(one) for one in here.read_text().split()]


def _share(process: int) -> int:
    """Bytes of a process, of what it shares its part only."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def twelve() -> Laws:
    """The twelve rules, as shipped."""
    packs = [
        (name, (resources.files("rules") / "packs" / f"{name}.toml").read_text()) for name in ("statutory", "at-risk")
    ]
    every = read_rules(packs, ["statutory", "watch"])
    ladders = {name: Ladder(name, (), ()) for name in ("statutory", "watch")}
    return laws_of(Rulebook({name: every.rules[name] for name in RULES}), Law(ladders=ladders))


def plain_pass(history: History) -> float:
    """Seconds of a peer: all marks laid in a grid by the last word, and how often each child was absent."""
    begun = perf_counter()
    rolls = history.rolls
    grid = np.zeros((CHILDREN, history.calendar.starts.shape[1]), np.uint8)
    grid[rolls.row, rolls.column[rolls.roll]] = rolls.code
    absent = grid == Mark.ABSENT
    absent.sum(axis=1)
    np.argmax(absent[:, ::-1], axis=1)
    return perf_counter() - begun


def hindsight(history: History, laws: Laws) -> float:
    """Seconds to say whom each rule would flag by what is known in the end, all at once, some thousand at a time."""
    begun = perf_counter()
    for whole in groups_of(history):
        for _, group in whole.parts(PART):
            ground, cells = Ground(group, laws.book.needs), cells_of(group)
            ground.say(cells.column, cells.row.astype(np.intp), cells.code)
            ground.tally.refresh(slice(None), 0, len(history.calendar.dates) - 1)
            rows, last = np.arange(ground.rows), ground.columns - 1
            runs = current_runs(ground, rows, np.full(ground.rows, NEVER), last, laws.default.clock)
            size = np.zeros(ground.rows, np.int64)
            traits = history.traits.part(group.rows)
            reading = Reading(ground.tally, ground.windows, rows, traits, runs.days, size, ground.moves, size)
            facts = read_facts(reading, laws.book.needs)
            for rule in laws.book.rules.values():
                rule.when(facts)
    return perf_counter() - begun


# ---- a history nobody lived -----------------------------------------------------------------------------------------


def made_up() -> History:
    """Whole classes called in every session, ten minutes in; two of forty marks corrected within five days."""
    days = -(-SESSIONS // 2)
    last = FIRST + dt.timedelta(days=days * 7 // 5 + 7)
    periods = (Period("am", dt.time(8), dt.time(11, 40)), Period("pm", dt.time(14), dt.time(17)))
    zone = ZoneInfo("Asia/Shanghai")
    calendar = Calendar(zone, Timetable(((FIRST, last),), periods)).until(FIRST + dt.timedelta(days=days * 7 // 5 - 1))
    classes = CHILDREN // CLASS_SIZE
    sessions = calendar.starts.shape[1]
    rolls, known = _rolls(calendar, classes, sessions)
    return History(
        calendar,
        [f"s-{n:06}" for n in range(CHILDREN)],
        [(Spell(n // CLASS_SIZE, None),) for n in range(CHILDREN)],
        [f"k-{n}" for n in range(classes)],
        [f"sch-{n // SCHOOL_CLASSES}" for n in range(classes)],
        [0] * classes,
        rolls,
        known,
        unknown(CHILDREN),
    )


def _rolls(calendar: Calendar, classes: int, sessions: int) -> tuple[Rolls, np.ndarray]:
    chance = np.random.default_rng(5)
    calls = classes * sessions
    klass, column = np.divmod(np.arange(calls, dtype=np.int32), sessions)
    said = calendar.starts[0][column] + HOUR // 6
    mended = said + chance.integers(1, 5 * 24, calls) * HOUR
    row = np.arange(CHILDREN, dtype=np.int32).reshape(classes, 1, CLASS_SIZE)
    row = np.broadcast_to(row, (classes, sessions, CLASS_SIZE)).reshape(-1)
    code = _codes(chance, row, sessions)
    wrong = chance.random(len(row)) < CORRECTED
    first = np.where(
        wrong, chance.choice([Mark.ABSENT, Mark.PRESENT, Mark.PRESENT, Mark.LATE], len(row)).astype(np.uint8), code
    )
    roll = np.repeat(np.arange(calls, dtype=np.int32), CLASS_SIZE)
    recorded = np.concatenate([said, mended])
    rolls = Rolls(
        np.tile(klass, 2),
        np.tile(column, 2),
        recorded,
        np.ones(2 * calls, np.int32),
        np.ones(2 * calls, np.int32),
        np.zeros(2 * calls, np.bool_),
        np.concatenate([roll, roll[wrong] + calls]).astype(np.int32),
        np.concatenate([row, row[wrong]]),
        np.concatenate([first, code[wrong]]),
    )
    return rolls, recorded


def _codes(chance: np.random.Generator, row: np.ndarray, sessions: int) -> np.ndarray:
    """Most children miss little, some much, one in a hundred leaves for good."""
    often = chance.beta(0.5, 18, CHILDREN)[row]
    drawn = chance.random(len(row))
    code = np.full(len(row), Mark.PRESENT, np.uint8)
    code[drawn < often + 0.02] = Mark.LATE
    code[drawn < often] = Mark.ABSENT
    code[drawn < often * 0.6] = Mark.LEAVE
    leaves = np.where(chance.random(CHILDREN) < 0.005, chance.integers(40, sessions + 40, CHILDREN), sessions + 1)
    column = np.tile(np.repeat(np.arange(sessions), CLASS_SIZE), len(row) // (sessions * CLASS_SIZE))
    code[column >= leaves[row]] = Mark.ABSENT
    return code


if __name__ == "__main__":
    main()
