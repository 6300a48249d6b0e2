"""Silences: what is not to be told for a while, who said so, and why; ended, never deleted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.tables import silence

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """A silence as stored; `scope` is plain JSON of ids and words; who and why are kept sealed."""

    silence_id: str
    scope: Mapping[str, Any]
    created_by: str = field(repr=False)
    reason: str = field(repr=False)
    created_at: dt.datetime
    starts_at: dt.datetime
    ends_at: dt.datetime
    ended_at: dt.datetime | None = None
    ended_by: str | None = field(default=None, repr=False)


_COLUMNS = tuple(SilenceRow.__dataclass_fields__)


def insert_silence(tx: Tx, row: SilenceRow) -> None:
    """Begin a silence."""
    tx.add(silence, [{name: getattr(row, name) for name in _COLUMNS}])


def end_silence(tx: Tx, silence_id: str, by: str, now: dt.datetime) -> None:
    """End a silence before its time."""
    ending = silence.update().where(tx.ours(silence), silence.c.silence_id == silence_id, silence.c.ended_at.is_(None))
    tx.connection.execute(ending.values(ended_at=now, ended_by=by))


def silence_by_id(tx: Tx, silence_id: str) -> SilenceRow | None:
    """One silence; None when there is none."""
    found = tx.connection.execute(_chosen(tx).where(silence.c.silence_id == silence_id)).first()
    return None if found is None else SilenceRow(*found)


def scopes_in_force(tx: Tx, now: dt.datetime) -> list[tuple[str, Mapping[str, Any], dt.datetime, dt.datetime]]:
    """Id, scope, start and end of the silences that hold something now; opens nothing that is sealed."""
    names = (silence.c.silence_id, silence.c.scope, silence.c.starts_at, silence.c.ends_at)
    asked = sa.select(*names).where(tx.ours(silence), *_running(now)).order_by(silence.c.silence_id)
    return [(row[0], row[1], row[2], row[3]) for row in tx.connection.execute(asked)]


def list_silences(tx: Tx, now: dt.datetime | None = None) -> list[SilenceRow]:
    """Silences, the oldest first: those not over at `now`, or all (None)."""
    asked = _chosen(tx).order_by(silence.c.created_at, silence.c.silence_id)
    if now is not None:
        asked = asked.where(silence.c.ended_at.is_(None), silence.c.ends_at > now)
    return [SilenceRow(*row) for row in tx.connection.execute(asked)]


def _running(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return silence.c.ended_at.is_(None), silence.c.ends_at > now, silence.c.starts_at <= now


def _chosen(tx: Tx) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(*(silence.c[name] for name in _COLUMNS)).where(tx.ours(silence))
