"""Alerts about a unit, a feed or the daemon itself rather than a child: each recipient once, on one channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from daemon.jobs.house import House
from daemon.jobs.routing import Route, Routing, Sought
from daemon.jobs.tell import recipient_of
from daemon.store import outbox
from daemon.store.outbox import AlertDraft
from daemon.store.tx import Tx


def announce(
    tx: Tx,
    house: House,
    kind: str,
    subject: str,
    sought: Sequence[Sought],
    facts: Mapping[str, Any],
    now: dt.datetime,
    *,
    incident_id: str | None = None,
) -> list[AlertDraft]:
    """Alerts to everybody sought, about `subject`, of which each is told of one kind once, for ever."""
    routes = _routes(tx, house, sought, now)
    return [_draft(kind, subject, route, facts, now, incident_id=incident_id) for route in routes]


def announce_several(
    tx: Tx,
    house: House,
    kind: str,
    told: Sequence[tuple[str, Mapping[str, Any]]],
    sought: Sequence[Sought],
    now: dt.datetime,
    group: str,
) -> list[AlertDraft]:
    """Alerts to everybody sought, about several subjects with their facts, which go into messages of one `group`."""
    routes = _routes(tx, house, sought, now)
    return [_draft(kind, subject, route, facts, now, group=group) for subject, facts in told for route in routes]


def _routes(tx: Tx, house: House, sought: Sequence[Sought], now: dt.datetime) -> list[Route]:
    routing = Routing(house, house.people(tx), now)
    routing.look_up(tx, sought)
    return routing.routes(sought)[0]


def announce_to_told(
    tx: Tx, house: House, kind: str, incident_id: str, facts: Mapping[str, Any], now: dt.datetime
) -> list[AlertDraft]:
    """Alerts to exactly those told of an incident before, on the channels that reached them; in shadow, on paper."""
    told = [one.alert for one in outbox.told(tx, incident_id=incident_id) if house.shadow or not one.shadow]
    routing = Routing(house, house.people(tx), now)
    routing.look_up(tx, (), (one.contact_id for one in told))
    routes = {(one.contact_id, one.channel): routing.route(recipient_of(one), (one.channel,), None) for one in told}
    return [_draft(kind, incident_id, route, facts, now, incident_id=incident_id) for route in routes.values()]


def _draft(
    kind: str,
    subject: str,
    route: Route,
    facts: Mapping[str, Any],
    now: dt.datetime,
    *,
    incident_id: str | None = None,
    group: str | None = None,
) -> AlertDraft:
    recipient = route.recipient
    return AlertDraft(
        key=f"{subject}/{kind}/{recipient.contact_id}/{route.channel}",
        incident_id=incident_id,
        unit_id=recipient.unit_id,
        contact_id=recipient.contact_id,
        role=recipient.role,
        channel=route.channel,
        kind=kind,
        raised_at=now,
        facts=facts,
        group_key=group,
        addressee=route.addressee,
        fallback=route.fallback,
        falls_back_at=route.falls_back_at,
    )
