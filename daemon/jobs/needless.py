"""What waits to be told and is not needed any more, because somebody acknowledged or did something about the case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from daemon.store import outbox
from daemon.store.alerts import AlertRow
from daemon.store.tx import Tx
from rules.case import Case
from rules.ladder import Ladder

_SPOKEN = frozenset({"escalation", "risk", "reminder"})
"""Kinds that a ladder speaks; the report itself is owed to everybody it is for, whoever acknowledges."""


def acted(tx: Tx, case: Case, now: dt.datetime) -> Case:
    """The case somebody did something about; what waits only until then is told to nobody."""
    outbox.cancel(tx, now, "acted", case_id=case.case_id, kinds=list(_SPOKEN), only=needless(case, "acted"))
    return replace(case, acted_at=now)


def needless(case: Case, word: str) -> Callable[[AlertRow], bool]:
    """Whether an alert that waits is needless once what `word` names has come: "acknowledged" or "acted".

    That is what the alert's rung says; a rung that speaks whatever happens is never needless.
    """
    ladders = {sign.rule: sign.ladder for sign in case.signs}

    def is_needless(alert: AlertRow) -> bool:
        if is_recall(case, alert):
            return True
        ladder = case.ladder if alert.kind == "escalation" else ladders.get(alert.facts.get("rule") or "")
        return ladder is not None and _ends(ladder, alert.rung or 0, word)

    return is_needless


def is_recall(case: Case, alert: AlertRow) -> bool:
    """Whether an alert reminds of an acknowledgement of the case's report."""
    return alert.kind == "reminder" and alert.facts.get("rule") == case.rule


def _ends(ladder: Ladder, index: int, word: str) -> bool:
    if index >= len(ladder.rungs):
        return False
    rung = ladder.rungs[index]
    return rung.unless == word or (rung.repeat is not None and rung.until == word)
