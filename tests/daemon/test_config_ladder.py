"""What a ladder may not say, each refused at its line with what to write instead."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from daemon.config import ConfigError, load_config
from daemon.problems import Problem
from daemon.settings import ladder_of
from rules.ladder import Rung
from tests.daemon.config_sample import ENVIRON, Page, changed, furnish, tree, without

RUNG = ("ladder", 0, "rung", 0)
HOUR = dt.timedelta(hours=1)


def refused(folder: Path, values: dict[str, Any]) -> Problem:
    furnish(folder)
    page = Page(values)
    (folder / "config.toml").write_text(page.text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_config(folder / "config.toml", ENVIRON)
    [problem] = error.value.problems
    return problem


@pytest.mark.parametrize(
    ("values", "key", "fault"),
    [
        (without(tree("env"), (*RUNG, "repeat")), "ladder[0].rung[0].until", "ends a repeat, and there is none"),
        (changed(tree("env"), (*RUNG, "repeat"), "4m"), "ladder[0].rung[0].repeat", "is too often to be heard"),
        (changed(tree("env"), (*RUNG, "reach"), "every"), "ladder[0].rung[0].fall_back", "is no use where every"),
        (
            changed(tree("env"), ("ladder", 0, "remind_after"), "72h"),
            "ladder[0].remind_after",
            "no sooner than it lapses",
        ),
        (
            without(changed(tree("env"), ("ladder", 0, "lapses_after"), "24h"), ("ladder", 0, "remind_after")),
            "ladder[0].lapses_after",
            "no sooner than it lapses",
        ),
    ],
    ids=["an end of nothing", "too often", "a fall-back of none", "reminded too late", "lapsing before the default"],
)
def test_what_makes_no_sense_together_is_refused(tmp_path: Path, values: dict[str, Any], key: str, fault: str) -> None:
    problem = refused(tmp_path, values)

    assert (problem.key, problem.line is not None) == (key, True)
    assert fault in problem.fault
    assert problem.hint


def test_a_ladder_is_read_with_all_its_rungs_say(tmp_path: Path) -> None:
    furnish(tmp_path)
    (tmp_path / "config.toml").write_text(Page(tree("env")).text, encoding="utf-8")

    ladder = ladder_of(load_config(tmp_path / "config.toml", ENVIRON).ladder[0])

    assert (ladder.remind_after, ladder.lapses_after) == (24 * HOUR, 72 * HOUR)
    channels = ladder.rungs[0].channels
    assert ladder.rungs[0] == Rung(
        0 * HOUR, "acknowledged", ("town_head",), channels, 24 * HOUR, "acted", "first", HOUR / 4
    )


def test_a_reminder_and_a_lapse_are_turned_off_with_nothing(tmp_path: Path) -> None:
    furnish(tmp_path)
    values = changed(changed(tree("env"), ("ladder", 0, "remind_after"), "0"), ("ladder", 0, "lapses_after"), "0")
    (tmp_path / "config.toml").write_text(Page(values).text, encoding="utf-8")

    ladder = ladder_of(load_config(tmp_path / "config.toml", ENVIRON).ladder[0])

    assert (ladder.remind_after, ladder.lapses_after) == (None, None)
