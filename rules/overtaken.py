"""What was to be told and is not true any more: it is not tried on another channel."""

from __future__ import annotations

from rules.case import Case, Standing

_CORRECTIONS = frozenset({"return", "retraction", "closed"})


def is_overtaken(case: Case, kind: str, episode: int | None, rule: str | None) -> bool:
    """Whether a case has moved on since something was to be told about it, so that nobody need hear of it any more.

    `rule` is the one that the alert names. An acknowledgement is not looked at.
    """
    if kind in _CORRECTIONS:
        return case.episode != episode or (kind != "closed" and case.standing is Standing.RAISED)
    if not case.is_open:
        return True
    if kind in {"risk", "reminder"} and rule != case.rule:
        return not any(sign.rule == rule and sign.stands for sign in case.signs)
    if kind == "first_absence":
        return not case.told_first
    if kind == "confirm_request":
        return case.asked_at is None or case.standing is Standing.RAISED
    return case.episode != episode or case.standing is not Standing.RAISED
