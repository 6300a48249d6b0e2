"""What is not true any more is not tried on another channel."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from rules.case import Case, Stage, Standing
from rules.overtaken import is_overtaken
from rules.signs import Sign

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)
WATCHED = Case("c", "2026-000001", "ana", NOW, told_first=True, asked_at=NOW)
REPORTED = replace(WATCHED, stage=Stage.REPORTED, standing=Standing.RAISED, episode=1, rule="absent-48h")
RETURNED = replace(REPORTED, stage=Stage.RETURNED, standing=Standing.RETURNED)
CLOSED = replace(RETURNED, stage=Stage.CLOSED)
RISK = Sign("late", raised_at=NOW, times=1)


@pytest.mark.parametrize(
    ("kind", "case", "overtaken"),
    [
        ("report", REPORTED, False),
        ("report", RETURNED, True),
        ("report", CLOSED, True),
        ("report", replace(REPORTED, episode=2), True),
        ("escalation", RETURNED, True),
        ("reopened", REPORTED, False),
        ("return", RETURNED, False),
        ("return", CLOSED, False),
        ("return", REPORTED, True),
        ("retraction", replace(RETURNED, standing=Standing.NONE), False),
        ("closed", CLOSED, False),
        ("closed", replace(CLOSED, episode=2), True),
        ("first_absence", WATCHED, False),
        ("first_absence", replace(WATCHED, told_first=False), True),
        ("confirm_request", WATCHED, False),
        ("confirm_request", replace(WATCHED, asked_at=None), True),
        ("confirm_request", REPORTED, True),
    ],
)
def test_a_case_that_moved_on_overtakes_what_was_to_be_told(kind: str, case: Case, overtaken: bool) -> None:  # noqa: FBT001
    assert is_overtaken(case, kind, 1, "absent-48h") is overtaken


def test_a_sign_is_told_while_it_stands() -> None:
    assert not is_overtaken(replace(WATCHED, signs=(RISK,)), "risk", 0, "late")
    assert is_overtaken(replace(WATCHED, signs=(replace(RISK, over=True),)), "risk", 0, "late")
    assert is_overtaken(WATCHED, "risk", 0, "late")
