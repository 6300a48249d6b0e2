"""What a registered template may be filled with: each fact as a short text, and how it is shortened."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from notifiers import phrases
from notifiers.phrases import one_line

CASE = 12
"""The longest case number there is: a year, a dash, and seven figures."""

FIXED: Mapping[str, int] = {
    "case": CASE,
    "cases": CASE,
    "case_year": 4,
    "case_serial": 6,
    "callback": 1,
    "count": 3,
    "run_from": 12,
    "due_at": 12,
    "due_date": 5,
    "due_time": 5,
    "raised_at": 12,
    "answer_by": 12,
    "since": 12,
    "days_absent": 3,
    "share": 4,
    "reply_code": 8,
}
"""Facts that are told whole or not at all, with the length their longest value takes."""

CUT = ("student", "school", "class", "village", "unit", "district", "title", "reason", "kind", "role", "feed")
"""Facts that are shortened where a template has less room."""

FACTS = frozenset({*FIXED, *CUT})
"""Every fact a parameter may be filled with."""

NOTHING = {"zh": "无", "en": "none"}
"""What stands for a fact that is not known: providers refuse an empty variable."""

_AND_MORE = {"zh": "等{}{}", "en": " and {} more"}
_REGION = re.compile(r"^[^省市州盟县区旗]{1,8}[省市州盟县区旗](?=..)")
_WEB = re.compile(r"(?i)https?:|www\.|[a-z0-9-]+\.(?:com|cn|net|org|gov)\b|[【】]")


def sms_facts(kind: str, language: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """The facts of one message as texts, of several children the first and how many; knows no template."""
    tongue = language if language in NOTHING else "zh"
    alerts: Sequence[Mapping[str, Any]] = facts.get("alerts", ())
    first = alerts[0] if alerts else {}
    told = {name: first.get(name) for name in ("student", "school", "class", "village", "title", "case")}
    told |= {name: _when(first.get(name), tongue) for name in ("run_from", "due_at", "raised_at", "answer_by")}
    told |= {name: facts.get(name) for name in ("unit", "district", "feed", "callback", "reply_code")}
    told["case_year"], _, told["case_serial"] = (told["case"] or "").partition("-")
    due = first.get("due_at")
    told |= {"due_date": due and f"{due:%m-%d}", "due_time": due and f"{due:%H:%M}"}
    told |= {
        "days_absent": first.get("days_absent"),
        "reason": phrases.reason_words(first["reason"], tongue, "sms") if first.get("reason") else None,
        "kind": phrases.KINDS.get(kind, (kind, kind))[tongue == "en"],
        "role": phrases.role_words(facts.get("recipient_role"), tongue),
        "since": _when(facts.get("since"), tongue),
        "share": None if facts.get("share") is None else f"{facts['share'] * 100:.0f}%",
        "count": facts.get("count") if facts.get("count") is not None else len(alerts) or None,
        "cases": "、".join(alert["case"] for alert in alerts) if alerts else None,
    }
    if len(alerts) > 1 and told["student"]:
        told["student"] = f"{told['student']}{more(len(alerts), '人', tongue)}"
    return {name: said if (said := _plain(value)) else NOTHING[tongue] for name, value in told.items()}


def more(count: int, unit: str, language: str) -> str:
    """What follows the first of `count`: 等3人, or “and 2 more”."""
    return _AND_MORE["en"].format(count - 1) if language == "en" else _AND_MORE["zh"].format(count, unit)


def shortened(fact: str, text: str, room: int) -> str | None:
    """`text` in at most `room` characters; None where it may not be cut."""
    if len(text) <= room:
        return text
    if fact == "cases":
        kept = text[: room + 1].rpartition("、")[0]
        return kept or None
    if fact in FIXED:
        return None
    if fact in {"school", "unit"}:
        text = _without_region(text, room)
    if fact == "student" and (found := re.search(r"(等\d+人| and \d+ more)$", text)):
        return f"{text[: found.start()][: room - len(found[0])]}{found[0]}"[:room]
    return text[:room].rstrip()


def _without_region(name: str, room: int) -> str:
    """A school's name without the province, city and county before it, as far as room demands."""
    while len(name) > room and (found := _REGION.match(name)):
        name = name[found.end() :]
    return name


def _when(at: Any, language: str) -> str | None:  # noqa: ANN401 - an instant or nothing
    return None if at is None else phrases.instant(at, language, short=True)


def _plain(value: object) -> str:
    """One line without what providers take for a web address or a signature."""
    return "" if value is None else _WEB.sub(" ", one_line(str(value))).strip()
