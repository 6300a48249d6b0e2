"""Whatever goes wrong between a school's file and a phone: nobody absent is hidden, nobody is reported because of it.

Each test is one school with one history, of which a week or less goes wrong in one or two ways. A child whose report
is due by what truly happened is reported to its town that day, or somebody is told that day of something that is wrong
with the child, its class, its school or a feed of it; no child that is there is reported, and nothing is taken back,
because of the fault; on the day on which all is right again the same reports stand as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.store.keys import Keyring
from tests.faults.catalogue import FAULTS
from tests.faults.plan import Trial, trials
from tests.faults.play import Outcome, play
from tests.faults.verdict import Verdict

_TRIALS = trials()
Lives = Callable[[int], Outcome]

pytestmark = pytest.mark.timeout(600)


def _cases(number_of_faults: int) -> list[object]:
    """The trials with so many faults, each in the group of its county: one worker lives through it once."""
    chosen = [one for one in _TRIALS if len(one.school.faults) == number_of_faults]
    return [pytest.param(one, id=one.name, marks=pytest.mark.xdist_group(f"faults-{one.county}")) for one in chosen]


@pytest.fixture(scope="session")
def lives(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, keyring: Keyring) -> Lives:
    """Lives through a county, once."""
    known: dict[int, Outcome] = {}

    def lived(county: int) -> Outcome:
        if county not in known:
            schools = [one.school for one in _TRIALS if one.county == county]
            known[county] = play(schools, tmp_path_factory.mktemp("county") / "in", sqlite_template, keyring)
        return known[county]

    return lived


def _hold(verdict: Verdict, findings: list[str]) -> None:
    """Nothing is found; else tell the history, the children concerned with their days, and what is wrong."""
    if findings:
        pytest.fail("\n  ".join([verdict.story(), *findings]), pytrace=False)


@pytest.mark.parametrize("trial", _cases(0))
def test_where_nothing_goes_wrong_exactly_the_reports_of_the_law_are_made(trial: Trial, lives: Lives) -> None:
    verdict = Verdict(trial.school, lives(trial.county))

    _hold(verdict, verdict.unlike_the_law())


@pytest.mark.parametrize("trial", _cases(1))
def test_nobody_is_hidden_and_nobody_reported_because(trial: Trial, lives: Lives) -> None:
    verdict = Verdict(trial.school, lives(trial.county))

    _hold(verdict, verdict.findings())


@pytest.mark.parametrize("trial", _cases(2))
def test_nobody_is_hidden_and_nobody_reported_when_two_things_go_wrong(trial: Trial, lives: Lives) -> None:
    verdict = Verdict(trial.school, lives(trial.county))

    _hold(verdict, verdict.findings())


def test_every_kind_of_fault_is_tried_in_every_run() -> None:
    tried = {fault.name for one in _TRIALS if len(one.school.faults) == 1 for fault in one.school.faults}

    assert tried == {fault.name for fault in FAULTS}
    assert len(FAULTS) == len(tried)
