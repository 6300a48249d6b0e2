"""Names the contacts whose telephone number no text message reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daemon.check.reading import Looked
from daemon.desk.promises import Findings
from daemon.problems import Problem
from notifiers.numbers import MENDING, kind_of, takes_texts
from rules.records import ContactRecord

MOST_NAMED = 50
"""So many contacts are named line by line; the rest are counted."""


def examine_numbers(looked: Sequence[Looked], found: Findings) -> None:
    """Say of each number that takes no text messages whose it is; one without another address is told nothing."""
    named = list(_without_texts(looked))
    lost = [problem for one, problem in named if not (one.email or one.endpoint)]
    others = [problem for one, problem in named if one.email or one.endpoint]
    found.findings += _few(lost)
    found.notices += _few(others)


def _without_texts(looked: Sequence[Looked]) -> Iterator[tuple[ContactRecord, Problem]]:
    for feed in looked:
        for name, reading in feed.readings:
            for one in reading.records:
                if isinstance(one, ContactRecord) and one.phone and not takes_texts(one.phone):
                    yield one, Problem(name, one.line, "phone", _fault(one), MENDING)


def _fault(one: ContactRecord) -> str:
    fault = f"{kind_of(one.phone or '')}: no text message reaches the {one.role} of {one.unit_id or one.student_id}"
    return fault if one.email or one.endpoint else f"{fault}, who has no other address"


def _few(problems: Sequence[Problem]) -> Iterator[Problem]:
    yield from problems[:MOST_NAMED]
    if len(problems) > MOST_NAMED:
        last = problems[MOST_NAMED]
        fault = f"{len(problems) - MOST_NAMED} more numbers from this line on take no text messages"
        yield Problem(last.path, last.line, "phone", fault, "list them with: baoxue contacts --unreachable")
