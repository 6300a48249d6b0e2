"""The generator against its promise to meet every turn of the law, and the reference against itself."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tomllib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from rules.records import POSITIVE, Mark
from tests.county import DAY, HOUR, MINUTE, Child, World
from tests.reference import Replay, simulated_lines, tell, told_lines
from tests.worlds import worlds, write_feeds

if TYPE_CHECKING:
    import random

    from tests.reference import Told

_MANY = settings(
    deadline=None,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example),
)


def _turns(world: World) -> set[str]:
    """What a world has in it: every kind told, and the shapes of runs as finally known."""
    replay = Replay(world).run()
    found = {one.kind for one in replay.told}
    found |= {"unconfirmed" for one in replay.told if one.unconfirmed}
    found |= {"relapse" for one in replay.told if one.kind == "report" and one.episode != 1}
    found |= {"due, not raised" for _ in replay.due[sum(one.kind == "report" for one in replay.told) :]}
    for pupil in replay.pupils.values():
        for session, _ in pupil.expected(world.end):
            run = pupil.run(session.start)
            excused = pupil.mark(session) is Mark.LEAVE or pupil.covered(session)
            if run is not None and run.bridged:
                found.add("bridged hole")
            if excused and pupil.mark(session) not in POSITIVE and pupil.run(session.start, before=True):
                found.add("cut by leave")
    return found


def test_every_turn_of_the_law_is_met_in_one_world_of_twenty(capsys: pytest.CaptureFixture[str]) -> None:
    met: Counter[str] = Counter()
    seen = Counter[str]()

    @seed(48)
    @settings(_MANY, max_examples=400)
    @given(worlds())
    def count(world: World) -> None:
        met.update(_turns(world))
        seen["worlds"] += 1

    count()
    with capsys.disabled():
        print(f"\nof {seen['worlds']} worlds:", dict(met.most_common()))  # noqa: T201
    needed = {
        "report",
        "bridged hole",
        "cut by leave",
        "retraction",
        "return",
        "reopened",
        "confirm_request",
        "mass_absence",
    }
    assert {turn for turn in needed if met[turn] < seen["worlds"] / 20} == set()


@settings(_MANY, max_examples=60)
@given(worlds(), st.lists(st.integers(0, 60 * 24 * 30), max_size=40))
def test_looking_more_often_changes_nothing(world: World, minutes: list[int]) -> None:
    extra = [world.start + minute * MINUTE for minute in minutes]
    extra += [row.recorded_at + MINUTE for row in world.marks if row.recorded_at]

    assert tell(world) == tell(world, extra)


@settings(_MANY, max_examples=25)
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_in_which_rows_are_held_changes_nothing(world: World, chance: random.Random) -> None:
    marks = list(world.marks)
    chance.shuffle(marks)

    assert tell(world) == tell(replace(world, marks=tuple(marks)))


# ------------------------------------------------------------------------------------------- beside a simulation


@settings(_MANY, max_examples=40)
@given(worlds(moves=False))
def test_a_world_can_be_written_as_plain_feeds(tmp_path_factory: pytest.TempPathFactory, world: World) -> None:
    folder = tmp_path_factory.mktemp("county")

    config = tomllib.loads(write_feeds(world, folder).read_text(encoding="utf-8"))

    lines = [path.read_text(encoding="utf-8").splitlines() for path in folder.glob("marks-*.csv")]
    assert sum(len(list(csv.DictReader(of_a_file))) for of_a_file in lines) == len(world.marks)
    for school, days in world.school_days:
        assert days == _taught(config["calendar"], school)


def _taught(calendar: dict[str, Any], school: str) -> set[dt.date]:
    """The dates a written calendar says a school teaches on."""
    own = next(unit for unit in calendar["unit"] if unit["unit"] == school)
    term = calendar["terms"][0]
    dates = (term["from"] + n * DAY for n in range((term["to"] - term["from"]).days + 1))
    weekdays = {date for date in dates if date.isoweekday() in calendar["weekdays"]}
    return (weekdays - {*calendar["closed"], *own["closed"]}) | {*calendar["open"], *own["open"]}


@settings(_MANY, max_examples=1)
@given(worlds(moves=False))
def test_plain_feeds_cannot_date_a_change_of_class(tmp_path_factory: pytest.TempPathFactory, world: World) -> None:
    since, class_id = world.children[0].classes[0]
    moved = Child("c-00", ((since, class_id), (since + DAY, class_id)))

    with pytest.raises(ValueError, match="change of class"):
        write_feeds(replace(world, children=(moved,)), tmp_path_factory.mktemp("county"))


@settings(_MANY, max_examples=40)
@given(worlds())
def test_simulation_lines_compare_with_what_the_reference_tells(world: World) -> None:
    printed = [_printed(one, role) for one in tell(world) for role in ("mentor", "operator")]

    assert told_lines(world) == simulated_lines([*printed, json.dumps({"kind": "digest"})])


def _printed(one: Told, role: str) -> str:
    """Write what was told as a simulation does, once for each recipient, in another zone than UTC."""
    raised_at = one.raised_at.astimezone(dt.timezone(8 * HOUR)).isoformat()
    due_at = one.due_at and one.due_at.astimezone(dt.timezone(8 * HOUR)).isoformat()
    said = {"kind": one.kind, "student": one.student, "due_at": due_at, "raised_at": raised_at, "role": role}
    return json.dumps({**said, "episode": one.episode, "unconfirmed": one.unconfirmed})
