"""The one law on random counties: the daemon tells what the reference tells, whatever the order, and once."""

from __future__ import annotations

import datetime as dt
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from daemon.config import Config, load_config
from daemon.jobs import scenes
from daemon.jobs.intake import arm_class
from daemon.jobs.sweep import sweep_due
from daemon.simulate import Simulation, simulate
from daemon.store.tx import Tx
from rules.case import Entry
from tests.county import MarkRow, World, write_feeds
from tests.reference import simulated_lines, tell, told_lines
from tests.replay import live_through
from tests.worlds import worlds

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("schema_at_once")]
MANY = settings(
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
ABOUT_A_CHILD = {"report", "retraction", "return", "reopened", "closed", "confirm_request"}


def config_of(world: World, folder: str) -> Config:
    return load_config(write_feeds(world, Path(folder)))


def printed(world: World) -> list[str]:
    """Every line of a simulation, as the command prints it."""
    with tempfile.TemporaryDirectory() as folder:
        lines = simulate(config_of(world, folder), world.start, world.end)
        return [json.dumps(line, ensure_ascii=False) for line in lines]


# ---- the same as the reference --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "recent"), [(0, scenes.RECENT), (1, 1), (2, 2), (3, 4)])
def test_a_simulation_tells_what_the_reference_tells(
    part: int, recent: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few sessions a sweep reads at first."""
    met: Counter[str] = Counter()
    monkeypatch.setattr(scenes, "RECENT", recent)

    @seed(part)
    @settings(MANY, derandomize=False, max_examples=32)
    @given(worlds(moves=False))
    def compare(world: World) -> None:
        lines, expected = simulated_lines(printed(world)), told_lines(world)
        assert lines == expected
        met.update({"worlds", *(line[0] for line in expected)})

    compare()
    with capsys.disabled():
        print(f"\n{dict(met.most_common())}")  # noqa: T201 - how much was compared
    assert met["report"] * 20 > met["worlds"]


@pytest.mark.parametrize("part", range(2))
def test_the_rules_alone_say_of_each_child_what_the_reference_says(part: int) -> None:
    """Also of children who change their class, of which plain feeds cannot say when; and of what is said by hand."""

    @seed(100 + part)
    @settings(MANY, derandomize=False, max_examples=150)
    @given(worlds(hands=part == 1))
    def compare(world: World) -> None:
        said = {
            (one.kind, one.student, _due(one.kind, one.due_at), one.raised_at)
            for one in live_through(world).spoken
            if one.kind in ABOUT_A_CHILD
        }
        expected = {
            (one.kind, one.student, _due(one.kind, one.due_at), one.raised_at)
            for one in tell(world)
            if one.kind in ABOUT_A_CHILD
        }
        assert said == expected

    compare()


def _due(kind: str, due_at: dt.datetime | None) -> dt.datetime | None:
    return None if kind == "confirm_request" else due_at


# ---- the order in which things come, and how often one looks --------------------------------------------------------


def shuffled(world: World, chance: random.Random) -> World:
    """The same rows, those of one instant in another order; two of one child and session keep theirs."""
    rows: list[MarkRow] = []
    ordered = sorted(world.marks, key=lambda row: (row.recorded_at or dt.datetime.max.replace(tzinfo=dt.UTC), row.line))
    for _, together in groupby(ordered, key=lambda row: row.recorded_at):
        held = list(together)
        places = list(held)
        chance.shuffle(places)
        rows += _with_pairs_in_order(places)
    lines = sorted(row.line for row in world.marks)
    return replace(world, marks=tuple(replace(row, line=line) for row, line in zip(rows, lines, strict=True)))


def _with_pairs_in_order(rows: list[MarkRow]) -> Iterator[MarkRow]:
    waiting: dict[tuple[str, dt.date, str], list[MarkRow]] = {}
    for row in sorted(rows, key=lambda row: row.line):
        waiting.setdefault((row.child, row.date, row.session), []).append(row)
    for row in rows:
        yield waiting[row.child, row.date, row.session].pop(0)


def without_texts(lines: list[str]) -> list[dict[str, Any]]:
    """What was told to whom and when; texts carry links, whose ids follow the order in which rows were stored."""
    told = [json.loads(line) for line in lines]
    return sorted(
        ({**one, "text": None, "case": None} for one in told), key=lambda one: json.dumps(one, sort_keys=True)
    )


@settings(MANY, max_examples=6)
@given(worlds(moves=False), st.randoms(use_true_random=False))
def test_the_order_of_rows_that_become_known_together_changes_nothing(world: World, chance: random.Random) -> None:
    assert without_texts(printed(shuffled(world, chance))) == without_texts(printed(world))


@settings(MANY, max_examples=60)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_rules_do_not_see_in_which_order_rows_were_stored(world: World, chance: random.Random) -> None:
    marks, leaves, movements = list(world.marks), list(world.leaves), list(world.movements)
    for rows in (marks, leaves, movements):
        chance.shuffle(rows)
    other = replace(world, marks=tuple(marks), leaves=tuple(leaves), movements=tuple(movements))

    assert set(live_through(other).spoken) == set(live_through(world).spoken)


@settings(MANY, max_examples=4)
@given(worlds(moves=False))
def test_two_simulations_print_the_same_bytes(world: World) -> None:
    assert printed(world) == printed(world)


class LooksTwice(Simulation):
    """A simulation that judges everybody again at every instant, and fails when that decides anything."""

    def _act(self, instant: dt.datetime) -> list[dict[str, Any]]:
        lines = super()._act(instant)
        with self.house.store.read() as tx:
            classes = self.house.people(tx).class_ids
            before = _written(tx)
        self.house.store.commit(lambda tx: arm_class(tx, classes, instant))
        sweep_due(self.house, instant)
        with self.house.store.read() as tx:
            assert _written(tx) == before, f"looking again at {instant} decided something"
        return lines


def _written(tx: Tx) -> list[int]:
    """How many journal lines, alerts, messages and incidents there are."""
    counts = "SELECT count(*) FROM entry UNION ALL SELECT count(*) FROM alert"
    counts += " UNION ALL SELECT count(*) FROM message UNION ALL SELECT count(*) FROM incident"
    return [row[0] for row in tx.connection.exec_driver_sql(counts)]


@settings(MANY, max_examples=8)
@given(worlds(moves=False))
def test_looking_again_at_every_instant_decides_nothing_new(world: World) -> None:
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as state:
        lines = list(LooksTwice(config_of(world, folder), world.start, world.end, Path(state)).run())

    assert [json.dumps(line, ensure_ascii=False) for line in lines] == printed(world)


@settings(MANY, max_examples=60)
@given(worlds())
def test_deciding_again_at_once_decides_nothing(world: World) -> None:
    decided: list[Entry] = []

    def look_again(county: Any, now: dt.datetime) -> None:  # noqa: ANN401
        decided.extend(entry for decision in county.sweep(now) for entry in decision.entries)

    live_through(world, after_each=look_again)

    assert decided == []
