"""A term lived through by the whole daemon raises exactly what a backtest of it says, and the other way round."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from daemon.backtest.files import history_from_files
from daemon.backtest.stored import history_from_store
from daemon.config import Config, load_config
from daemon.rulebook import load_rules
from daemon.simulate import Simulation
from rules.records import Mark
from tests.county import HOUR, World
from tests.raised import Raised, journaled, lived_through, replayed
from tests.term import term, write_term

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("term")]


@dataclass(frozen=True)
class Lived:
    """The term, the daemon that lived through it, and what that raised."""

    world: World
    config: Config
    simulation: Simulation
    raised: list[Raised]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    world = term()
    config = load_config(write_term(world, tmp_path_factory.mktemp("feeds")))
    simulation = lived_through(config, world.start, world.end, tmp_path_factory.mktemp("store"))
    assert simulation.refused == []
    return Lived(world, config, simulation, journaled(simulation.house))


def test_the_daemon_raises_what_a_backtest_from_files_says_child_by_child(lived: Lived) -> None:
    history, refused = history_from_files(lived.config, lived.world.start, lived.world.end)

    assert refused == []
    assert replayed(lived.config, history, lived.world.end) == lived.raised


def test_the_daemon_raises_what_a_backtest_of_its_own_store_says_child_by_child(lived: Lived) -> None:
    house = lived.simulation.house
    with house.store.read() as tx:
        history = history_from_store(tx, house, lived.world.end)

    assert replayed(lived.config, history, lived.world.end) == lived.raised


def test_every_shipped_rule_is_raised_of_somebody(lived: Lived) -> None:
    found = Counter(one.rule for one in lived.raised)

    assert {rule for rule in load_rules(lived.config).rules if not found[rule]} == set()
    assert any(one.unconfirmed for one in lived.raised)
    assert max(Counter(one.student for one in lived.raised if one.rule == "absent-48h").values()) > 1


def test_marks_are_corrected_leave_is_back_dated_and_rolls_are_late(lived: Lived) -> None:
    world = lived.world
    cells = Counter((row.child, row.date, row.session) for row in world.marks)
    corrected = sum(count > 1 for count in cells.values()) / len(cells)
    absences = [row for row in world.marks if row.mark is Mark.ABSENT]
    afterwards = [row for row in world.leaves if row.recorded_at is not None and row.recorded_at > row.ends]
    sessions = {(one.class_id, one.date, one.name): one for every in world.class_sessions.values() for one in every}
    home = {child.child_id: child.classes[0][1] for child in world.children}
    first: dict[tuple[object, ...], bool] = {}
    for row in world.marks:
        roll = home[row.child], row.date, row.session
        assert row.recorded_at is not None
        in_time = row.recorded_at < sessions[roll].start + HOUR
        first[roll] = first.get(roll, False) or in_time

    assert corrected == pytest.approx(0.05, abs=0.001)
    assert len(afterwards) / len(absences) == pytest.approx(0.02, abs=0.01)
    assert any(row.withdrawn for row in world.leaves)
    assert sum(not in_time for in_time in first.values()) / len(first) == pytest.approx(0.01, abs=0.005)
