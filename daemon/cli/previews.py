"""Made-up facts of a message, told as its recipient would be told real ones: own links, and no more than is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daemon.jobs.compose import ACKNOWLEDGED, is_told_where, signature_of
from daemon.jobs.house import House
from notifiers.examples import PUBLIC, examples


def previewed(
    house: House, kind: str, channel: str, language: str, role: str | None, example: str | None
) -> dict[str, Any]:
    """Made-up facts, with all of the house's own that make a message longer or shorter."""
    given = examples(language)[example or ("mixed" if kind == "digest" else "one")]
    config = house.config
    role = role or given["recipient_role"]
    alerts = [_as_told(house, one, kind, role, channel) for one in given["alerts"]]
    own: dict[str, Any] = {
        "district": house.district_name(),
        "signature": signature_of(house, channel),
        "callback": config.service.callback,
        "recipient_role": role,
        "alerts": alerts,
    }
    acknowledged = any(one.get("acknowledge_url") for one in alerts)
    if not getattr(config.channels.sms, "replies", False) or not acknowledged or kind not in ACKNOWLEDGED:
        own["reply_code"] = None
    return {**_ours(house, given), **own}


def _as_told(house: House, alert: Mapping[str, Any], kind: str, role: str, channel: str) -> dict[str, Any]:
    """A made-up alert as one who holds a role is told of it: its own link, and no more of the child than is needed."""
    told = _ours(house, alert)
    if not is_told_where(kind, role, channel):
        told |= {"class": None, "village": None}
    if kind in ACKNOWLEDGED and told.get("acknowledge_url") and not _may_acknowledge(house, role):
        told |= {"acknowledge_url": None, "record_url": told["acknowledge_url"]}
    if kind == "reminder" and told.get("acknowledge_url"):
        told |= {"acknowledge_url": None, "record_url": told["acknowledge_url"]}
    return told


def _may_acknowledge(house: House, role: str) -> bool:
    """Return whether the ladder of reports, or any where there is none, counts the word of a role."""
    ladders = house.config.ladder
    of_reports = [one for one in ladders if one.id == house.law.ladder.ladder_id] or ladders
    return not of_reports or any(role in one.acknowledged_by for one in of_reports)


def _ours(house: House, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Made-up facts whose links begin as ours do, so that a text message costs what it will."""
    public = house.config.console.public_url.rstrip("/")
    urls = {key: url.replace(PUBLIC, public) for key, url in facts.items() if key.endswith("_url") and url}
    return {**facts, **urls}
