"""Messages on paper: each alert as one line of plain values, as `simulate` and `rules backtest` write them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

from daemon.store.alerts import AlertRow
from notifiers.contract import Message


def line(alert: AlertRow, words: Message, number: str | None, told_at: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """One alert with the words of the message it left in; `number` is its case's, instants are local to `zone`."""
    text = words.text if words.body is None else json.dumps(words.body, ensure_ascii=False, sort_keys=True)
    return {
        "due_at": local(alert.due_at, zone),
        "raised_at": local(alert.raised_at, zone),
        "told_at": local(told_at, zone),
        "kind": alert.kind,
        "rule": alert.facts.get("rule"),
        "case": number,
        "episode": alert.episode,
        "student": alert.student_id,
        "contact": alert.contact_id,
        "role": alert.role,
        "unit": alert.unit_id,
        "channel": alert.channel,
        "text": text,
        "unconfirmed": bool(alert.facts.get("unconfirmed", False)),
    }


def local(instant: dt.datetime | None, zone: ZoneInfo) -> str | None:
    """An instant as the schools' clocks show it, with its offset."""
    return None if instant is None else instant.astimezone(zone).isoformat()
