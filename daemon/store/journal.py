"""The journal of a case: entries chained by hash, only ever added to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.columns import keyring_of, to_json, to_micros
from daemon.store.keys import KeyringError
from daemon.store.tables import entry
from daemon.store.tx import ours, rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from daemon.store.tx import Tx

_START = ""
"""What the first entry of a case has for a previous hash."""


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """A line to be written: what happened to a case at `at`, known at `known_at`; `body` is plain JSON, kept sealed."""

    case_id: str
    at: dt.datetime
    known_at: dt.datetime
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as written; never changed. `hash` covers it and, through `prev_hash`, all lines before it."""

    case_id: str
    seq: int
    at: dt.datetime
    known_at: dt.datetime
    kind: str
    body: Mapping[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A place where a journal is not what was written. A cut-off end cannot be seen from within."""

    case_id: str
    seq: int
    fault: str


def append(tx: Tx, drafts: Sequence[EntryDraft], *, begun: Collection[str] = ()) -> None:
    """Write lines, in order, to the journals of their cases; those of the cases `begun` are known to be empty.

    Two writers of one case at once: the slower gets IntegrityError (its case's version would have stopped it first).
    """
    heads = _heads(tx, {draft.case_id for draft in drafts}.difference(begun))
    rows: list[dict[str, Any]] = []
    for one in drafts:
        seq, before = heads.get(one.case_id, (0, _START))
        body = to_json(one.body)
        digest = _hash(tx.district, one.case_id, seq + 1, one.at, one.known_at, one.kind, body, before)
        values = (one.case_id, seq + 1, one.at, one.known_at, one.kind, body, before, digest)
        rows.append(dict(zip(Entry.__dataclass_fields__, values, strict=True)))
        heads[one.case_id] = (seq + 1, digest)
    tx.add(entry, rows)


def history(tx: Tx, case_id: str) -> list[Entry]:
    """The journal of a case, oldest first."""
    asked = sa.select(*(entry.c[name] for name in Entry.__dataclass_fields__))
    ordered = asked.where(tx.ours(entry), entry.c.case_id == case_id).order_by(entry.c.seq)
    found = [Entry(*row) for row in tx.connection.execute(ordered)]
    return [replace(one, body=json.loads(str(one.body))) for one in found]


def verify(tx: Tx, case_id: str | None = None) -> list[Broken]:
    """Every place where a chain does not hold, at most one a case; empty when all do. Of one case, or of all."""
    names = (name for name in Entry.__dataclass_fields__ if name != "body")
    asked = sa.select(*(entry.c[name] for name in names), sa.type_coerce(entry.c.body, sa.LargeBinary))
    ordered = asked.where(tx.ours(entry)).order_by(entry.c.case_id, entry.c.seq)
    if case_id is not None:
        ordered = ordered.where(entry.c.case_id == case_id)
    rows = tx.connection.execution_options(yield_per=1000).execute(ordered)
    found = (_first_fault(tx, case_id, lines) for case_id, lines in groupby(rows, key=itemgetter(0)))
    return [broken for broken in found if broken is not None]


def _first_fault(tx: Tx, case_id: str, rows: Iterator[Any]) -> Broken | None:
    last = _START
    for seq, row in enumerate(rows, start=1):
        if row.seq != seq:
            return Broken(case_id, seq, "an entry is missing")
        if row.prev_hash != last:
            return Broken(case_id, seq, "does not follow from the entry before it")
        try:
            body = keyring_of(tx.connection.dialect).open(bytes(row[7]), "entry.body")
        except KeyringError as error:
            return Broken(case_id, seq, error.fault)
        if row.hash != _hash(tx.district, case_id, seq, row.at, row.known_at, row.kind, body, last):
            return Broken(case_id, seq, "is not what was written")
        last = row.hash
    return None


def _heads(tx: Tx, case_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
    return {row[0]: (row[1], row[2]) for row in rows_where_in(tx, _LAST, entry.c.case_id, case_ids)}


_LATER = entry.alias("later")
_FOLLOWS = sa.exists().where(
    _LATER.c.district_id == entry.c.district_id, _LATER.c.case_id == entry.c.case_id, _LATER.c.seq == entry.c.seq + 1
)
_LAST = sa.select(entry.c.case_id, entry.c.seq, entry.c.hash).where(ours(entry), ~_FOLLOWS)


def _hash(
    district: str, case_id: str, seq: int, at: dt.datetime, known_at: dt.datetime, kind: str, body: str, prev: str
) -> str:
    said = [district, case_id, seq, to_micros(at), to_micros(known_at), kind, body, prev]
    return hashlib.sha256(to_json(said).encode()).hexdigest()
