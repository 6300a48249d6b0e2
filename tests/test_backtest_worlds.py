"""Random small counties: what the daemon raises, and the law itself, is what a backtest says, by anchor and clock."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from daemon.backtest.files import history_from_files
from daemon.config import Config, load_config
from rules.backtest.replay import replay
from rules.case import Entry
from rules.rulebook import read_rules
from tests.county import MINUTE, Child, MovementRow, Slot, World, write_feeds
from tests.histories import history_of, laws_in
from tests.raised import Raised, journaled, lived_through, of_flag, replayed
from tests.replay import PACK, live_through
from tests.term import WATCH
from tests.worlds import worlds

pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("schema_at_once")]

LOW = """
[[rule]]
id = "two-of-three"
when = "unexcused_sessions_3 >= 2"
until = "unexcused_sessions_3 = 0"
stage = "watch"
ladder = "watch"
rearm = "1d"

[[rule]]
id = "away"
when = "absence_days_term >= 1"
stage = "watch"
ladder = "watch"
rearm = "0s"

[[rule]]
id = "a-whole-day"
when = "spell_days >= 1"
since = "condition"
after = "20h"
stage = "watch"
ladder = "watch"
rearm = "2d"

[[rule]]
id = "overrun"
when = "overrun_days >= 1"
since = "leave_end"
after = "15h"
stage = "watch"
ladder = "watch"
rearm = "1d"

[[rule]]
id = "limbo"
when = "transfer_pending"
since = "movement"
after = "10h"
stage = "watch"
ladder = "watch"

[[rule]]
id = "no-show"
when = "no_show_days >= 1"
since = "term_start"
after = "9h"
clock = "school"
stage = "watch"
ladder = "watch"

[[rule]]
id = "six-hours"
when = "absent_sessions >= 1"
since = "absence"
after = "6h"
stage = "first_absence"

[[rule]]
id = "a-day-of-school"
when = "absent_sessions >= 2"
since = "absence"
after = "1d"
clock = "school"
stage = "first_absence"

[[rule]]
id = "gone"
when = "gone_days >= 1 AND seen_days_5 >= 1"
until = "gone_days = 0"
stage = "watch"
ladder = "watch"
rearm = "12h"

[[rule]]
id = "unheard"
when = "unheard_days >= 1"
stage = "watch"
ladder = "watch"
rearm = "1d"

[[rule]]
id = "on-leave"
when = "long_leave_days >= 1"
stage = "watch"
ladder = "watch"
rearm = "1d"

[[rule]]
id = "late"
when = "lateness_4 >= 1"
stage = "watch"
ladder = "watch"
rearm = "0s"

[[rule]]
id = "suspected-7d"
when = "absent_days >= 2"
after = "60h"
since = "absence"
stage = "suspected"
"""
"""Thresholds so low that a week is enough, of every anchor and with either clock."""
LADDERS = ("statutory", "watch")
BOOK = read_rules([("statutory", PACK.read_text(encoding="utf-8")), ("low", LOW)], LADDERS)
_GENERATED = settings(deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=tuple(HealthCheck))


@st.composite
def unsettled(draw: st.DrawFn) -> World:
    """A world as plain feeds can tell it, in which one child mostly has a transfer open."""
    world = draw(worlds(moves=False))
    if draw(st.sampled_from((False, True, True))):
        child = draw(st.sampled_from(world.children[:6]))
        at = draw(st.sampled_from(world.timetable(child))).start - 30 * MINUTE
        known = at + draw(st.sampled_from((-600, 60, 1500))) * MINUTE
        out = MovementRow(child.child_id, "transfer_out", at, known, None, len(world.movements) + 2)
        world = replace(world, movements=(*world.movements, out))
    return world


@st.composite
def two_timetables(draw: st.DrawFn) -> World:
    """A world whose second school, if there is one, mostly begins earlier, or lacks a session; some change school."""
    world = draw(worlds())
    earlier = tuple(Slot(one.name, _before(one.start), one.end) for one in world.slots)
    own = draw(st.sampled_from((None, earlier, world.slots[:-1], earlier[1:])))
    if not own or len(world.schools) == 1:
        return world
    few = len(world.children) <= 6
    children = tuple(draw(_changing(world, child)) if few else child for child in world.children)
    return replace(world, own_slots=(("sch-2", own),), children=children)


@st.composite
def _changing(draw: st.DrawFn, world: World, child: Child) -> Child:
    """Mostly the child in a class of the other school from some day on."""
    schools, (_, home) = dict(world.classes), child.classes[0]
    others = [name for name, school in world.classes if school != schools[home]]
    since = draw(st.sampled_from((None, *sorted(world.school_days[0][1])[1:])))
    if since is None or len(child.classes) > 1:
        return child
    return replace(child, classes=(*child.classes, (since, draw(st.sampled_from(others)))))


def _before(time: dt.time) -> dt.time:
    """Half an hour before a time of day."""
    return (dt.datetime.combine(dt.date.min, time) - 30 * MINUTE).time()


def configured(world: World, folder: Path) -> Config:
    """The world's feeds with the low rules beside the statutory ones."""
    path = write_feeds(world, folder)
    (folder / "low.toml").write_text(LOW, encoding="utf-8")
    text = path.read_text(encoding="utf-8").replace("[rules]\n", '[rules]\nfiles = ["low.toml"]\n', 1)
    path.write_text(text + WATCH, encoding="utf-8")
    return load_config(path)


def raised_by_both(world: World, folder: Path) -> tuple[list[Raised], list[Raised]]:
    """What the daemon raises of a world, and what a backtest of its files says."""
    config = configured(world, folder)
    simulation = lived_through(config, world.start, world.end, folder)
    history, _ = history_from_files(config, world.start, world.end)
    return journaled(simulation.house), replayed(config, history, world.end)


def test_the_daemon_raises_of_random_worlds_what_a_backtest_says() -> None:
    met: Counter[str] = Counter()

    @seed(12)
    @settings(_GENERATED, max_examples=12)
    @given(unsettled())
    def compare(world: World) -> None:
        with tempfile.TemporaryDirectory() as folder:
            daemon, backtest = raised_by_both(world, Path(folder))
        assert backtest == daemon
        met.update({one.rule for one in daemon})

    compare()
    anchors_and_clocks = {"six-hours", "a-day-of-school", "overrun", "limbo", "no-show", "a-whole-day", "gone"}
    assert {"absent-48h", "suspected-7d", *anchors_and_clocks} - met.keys() == set()


@settings(_GENERATED, max_examples=60)
@given(two_timetables())
def test_the_law_raises_of_random_worlds_what_a_backtest_says(world: World) -> None:
    laws = laws_in(world, BOOK, LADDERS)

    county = live_through(world, **{name: getattr(laws.default, name) for name in ("stages", "signs", "ladders")})

    assert sorted(map(of_flag, replay(history_of(world), laws, world.end).flags)) == sorted(
        one for at, student, entry in county.journal for one in _raised(at, student, entry)
    )


def _raised(at: dt.datetime, student: str, entry: Entry) -> Iterator[Raised]:
    said = entry.body
    if entry.kind in {"raised", "sign raised"}:
        version = BOOK.rules[said["rule"]].version
        rest = said.get("times", 0), said["due_at"], at, said.get("unconfirmed", False)
        yield Raised(said["rule"], version, student, *rest)
    elif entry.kind == "stage" and "rule" in said:
        yield Raised(said["rule"], said["version"], student, 0, at, at)
