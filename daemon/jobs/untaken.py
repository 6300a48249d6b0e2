"""What of each feed is not taken now, as the store knows it: for commands that must not say that all is well."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from daemon.config import FeedConfig
from daemon.feeds.payload import Cursor, Refused
from daemon.jobs.delivery import TakenIn
from daemon.jobs.held import ROSTERS
from daemon.store import absences, incidents, intake, untaken
from daemon.store.intake import FeedState
from daemon.store.renumbering import same_children
from daemon.store.tx import Tx
from daemon.store.untaken import Untaken
from rules.register import Movement, confirmed_outs

ELSEWHERE = frozenset({"mass_absence", "configuration_refused", "held_deliveries"})
"""Incidents that do not speak of what a feed delivered, or say again what another says."""

HELD = "delivery_held"


class Doing(StrEnum):
    """How a feed is doing: it is new, being read, well, read but not all of it taken, or not to be read."""

    NEW = "new"
    READING = "reading"
    OK = "ok"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True)
class Outstanding:
    """What of one feed is not taken: rows refused, rows waiting for a child, children missing, open incidents."""

    state: FeedState
    refused: Sequence[Refused] = ()
    waiting: Sequence[Refused] = ()
    missing: Sequence[str] = ()
    incidents: Sequence[str] = ()
    """The kinds of the feed's open incidents."""

    @property
    def doing(self) -> Doing:
        """How the feed is doing by all of this."""
        if self.state.state in {Doing.FAILED, Doing.NEW, Doing.READING}:
            return Doing(self.state.state)
        amiss = self.refused or self.waiting or self.missing or self.incidents
        return Doing.INCOMPLETE if amiss else Doing.OK

    @property
    def is_well(self) -> bool:
        """Whether nothing the feed said was lost, as far as it was ever read."""
        amiss = self.refused or self.waiting or self.missing or self.incidents
        return not amiss and self.state.state not in {Doing.FAILED, Doing.READING}


def outstanding(tx: Tx, feed: FeedConfig, now: dt.datetime) -> Outstanding:
    """Return what of `feed` is not taken now; files that are gone are not counted."""
    state = intake.feed_state(tx, feed.id)
    names = Cursor.from_json(state.cursor).seen if feed.url is None else None
    since = stands_since(feed, now)
    return Outstanding(
        state,
        [_refused(one) for one in untaken.refused_rows(tx, feed.id, names, since)],
        [_refused(one) for one in untaken.waiting_rows(tx, feed.id, since)],
        missing_children(tx, feed, now),
        _incidents(tx, feed),
    )


def waiting(tx: Tx, feed_id: str) -> list[Refused]:
    """Return the rows of a feed that wait for a child to be on the roster, however old."""
    return [_refused(one) for one in untaken.waiting_rows(tx, feed_id)]


STANDS = dt.timedelta(days=14)
"""So long what was not taken of attendance is of any use; of a roster it stands until it is mended."""


def stands_since(feed: FeedConfig, now: dt.datetime) -> dt.datetime | None:
    """Return from when on deliveries of a feed still matter; None: all of them."""
    return None if feed.records in ROSTERS else now - STANDS


def after_poll(known: Outstanding, taken: TakenIn) -> Outstanding:
    """Return `known` with what a poll just said: its words first, for they may know more than the store keeps."""
    refused = list(dict.fromkeys([*taken.refused, *known.refused]))
    waiting = {(one.source, one.line, one.student_id): one for one in [*known.waiting, *taken.parked]}
    missing = sorted({*known.missing, *taken.missing})
    kinds = dict.fromkeys([*known.incidents, *([HELD] if taken.held else [])])
    return Outstanding(known.state, refused, list(waiting.values()), missing, list(kinds))


def _refused(one: Untaken) -> Refused:
    return Refused(one.name, one.line, one.column, one.fault, one.hint, one.student_id)


def missing_children(tx: Tx, feed: FeedConfig, now: dt.datetime) -> list[str]:
    """Return the children missing from a roster feed, but those who are known to have gone, or by another number."""
    if feed.records != "students":
        return []
    same = same_children(tx)
    missing = [one for one in untaken.missing_students(tx, feed.id) if one not in same]
    known: dict[str, list[Movement]] = {}
    for one in absences.load_movements(tx, missing, now) if missing else ():
        known.setdefault(one.student_id, []).append(Movement(one.kind, one.at, bool(one.evidence)))
    return [one for one in missing if not _is_gone(known, one, now)]


def _is_gone(known: Mapping[str, Sequence[Movement]], student: str, now: dt.datetime) -> bool:
    outs = confirmed_outs(known.get(student, ()))
    return any(out.at <= now and (out.until is None or now < out.until) for out in outs)


def _incidents(tx: Tx, feed: FeedConfig) -> list[str]:
    rows: Iterable[incidents.IncidentRow] = incidents.open_incidents(tx)
    return [row.kind for row in rows if row.subject == feed.id and row.kind not in ELSEWHERE]
