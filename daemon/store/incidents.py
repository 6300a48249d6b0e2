"""Incidents: a silent feed, an absent class or school, a refused configuration, until it resolves or is judged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.cases import Conflict
from daemon.store.tables import incident
from daemon.store.tx import ours

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident as stored.

    `kind` is `feed_silent`, `mass_absence` or `configuration_refused`, `subject` the feed, the unit, what was refused.
    `sessions` are what it is about, as plain JSON; `judged_by` is kept sealed. Decides nothing.
    """

    incident_id: str
    kind: str
    subject: str
    sessions: Sequence[Any]
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None
    verdict: str | None = None
    judged_by: str | None = None
    judged_at: dt.datetime | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1


_COLUMNS = tuple(IncidentRow.__dataclass_fields__)


def insert_incidents(tx: Tx, rows: Sequence[IncidentRow]) -> None:
    """Open incidents; their ids are the caller's."""
    tx.add(incident, [{name: getattr(row, name) for name in _COLUMNS} for row in rows])


def update_incidents(tx: Tx, rows: Sequence[IncidentRow]) -> list[IncidentRow]:
    """Write changed incidents over the versions they were read at; the rows with their new version, or Conflict."""
    changed: list[IncidentRow] = []
    for row in rows:
        new = replace(row, version=row.version + 1)
        change = incident.update().where(
            tx.ours(incident), incident.c.incident_id == row.incident_id, incident.c.version == row.version
        )
        values = {name: getattr(new, name) for name in _COLUMNS if name != "incident_id"}
        if tx.connection.execute(change.values(values)).rowcount != 1:
            raise Conflict((row.incident_id,))
        changed.append(new)
    return changed


def incident_by_id(tx: Tx, incident_id: str) -> IncidentRow | None:
    """One incident; None when there is none."""
    found = tx.asks(_CHOSEN.where(incident.c.incident_id == incident_id)).first()
    return None if found is None else IncidentRow(*found)


def open_incidents(tx: Tx, kind: str | None = None) -> list[IncidentRow]:
    """Incidents not closed, the oldest first."""
    return _found(tx, kind, is_open=True)


def list_incidents(tx: Tx, kind: str | None = None) -> list[IncidentRow]:
    """All incidents, the oldest first."""
    return _found(tx, kind, is_open=False)


_CHOSEN = sa.select(*(incident.c[name] for name in _COLUMNS)).where(ours(incident))


def _found(tx: Tx, kind: str | None, *, is_open: bool) -> list[IncidentRow]:
    asked = _listed(of_kind=kind is not None, is_open=is_open)
    return [IncidentRow(*row) for row in tx.asks(asked, kind=kind)]


@cache
def _listed(*, of_kind: bool, is_open: bool) -> sa.Select[*tuple[Any, ...]]:
    asked = _CHOSEN.order_by(incident.c.opened_at, incident.c.incident_id)
    if of_kind:
        asked = asked.where(incident.c.kind == sa.bindparam("kind"))
    return asked.where(incident.c.closed_at.is_(None)) if is_open else asked
