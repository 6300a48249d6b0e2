"""A file of outcomes: which child came to one, and when; read as a feed of movements is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

from daemon.config import FeedConfig, MappingConfig
from daemon.feeds.fetch import fetch_all
from daemon.feeds.payload import Payload, Reading, Refused
from daemon.feeds.read import read
from daemon.problems import ConfigError, Problem
from rules.backtest.cohort import DROPPED_OUT
from rules.instants import to_micros
from rules.records import MovementRecord

_KIND = "kind"


def read_outcomes(path: str, zone: ZoneInfo, now: dt.datetime) -> dict[str, int]:
    """Each child's first outcome in microseconds, of a table with the columns student_id and at.

    A table with a column kind counts its rows of `drop_out` only. Raises ConfigError with every row that cannot be
    read: one left out would be taken for a child that stayed.
    """
    found: dict[str, int] = {}
    problems: list[Problem] = []
    for payload in fetch_all(_feed(path), Path.cwd(), now):
        reading = _read(path, payload, zone)
        problems += [_problem(one) for one in reading.problems]
        for record in reading.records:
            if isinstance(record, MovementRecord) and record.kind == DROPPED_OUT:
                at = to_micros(record.at)
                found[record.student_id] = min(at, found.get(record.student_id, at))
    if problems:
        raise ConfigError(problems)
    return found


def _read(path: str, payload: Payload, zone: ZoneInfo) -> Reading:
    """The movements of a table; where it names no kind, all of its rows are outcomes."""
    reading = read(_feed(path), payload, zone)
    if reading.records or [one.column for one in reading.problems] != [_KIND]:
        return reading
    return read(_feed(path, MappingConfig(constant={_KIND: DROPPED_OUT})), payload, zone)


def _problem(one: Refused) -> Problem:
    """A fault of a row; there is no mapping to advise on, for nothing is configured of such a file."""
    hint = "its columns are student_id and at" if one.fault.startswith("has no column") else one.hint
    return Problem(one.source, one.line or None, one.column or "", one.fault, hint)


def _feed(path: str, mapping: MappingConfig | None = None) -> FeedConfig:
    return FeedConfig(id="outcomes", kind="file", records="movements", path=path, mapping=mapping or MappingConfig())
