"""A case as the store keeps it: the columns one asks by, and the rest as plain JSON values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from daemon.store.cases import CaseRow
from rules.case import Case, Stage, Standing
from rules.climb import Climb, Unheard
from rules.finding import Finding
from rules.instants import EPOCH, from_micros, to_micros
from rules.ladder import Ladder, Rung
from rules.signs import Sign, View

_COLUMNS = frozenset(
    {"case_id", "number", "student_id", "stage", "episode", "run_from", "due_at", "raised_at", "closed_at", "wake_at"}
)
_STATE = tuple((one.name, one.default) for one in fields(Case) if one.name not in {*_COLUMNS, "version"})
_FINDING = tuple((one.name, one.default) for one in fields(Finding))
_INSTANTS = frozenset(field.name for cls in (Case, Finding) for field in fields(cls) if "datetime" in str(field.type))


def to_row(case: Case) -> CaseRow:
    """The row of `case`; what has its default is left out of the JSON."""
    return CaseRow(
        case_id=case.case_id,
        number=case.number,
        student_id=case.student_id,
        stage=case.stage.value,
        is_open=case.is_open,
        episode=case.episode,
        run_from=case.run_from,
        due_at=case.due_at,
        raised_at=case.raised_at,
        told_at=None,
        closed_at=case.closed_at,
        wake_at=case.wake_at,
        version=case.version,
        state=_state(case),
    )


def from_row(row: CaseRow) -> Case:
    """The case a row was made from."""
    return _BLANK.but(
        case_id=row.case_id,
        number=row.number,
        student_id=row.student_id,
        stage=Stage(row.stage),
        episode=row.episode,
        run_from=row.run_from,
        due_at=row.due_at,
        raised_at=row.raised_at,
        closed_at=row.closed_at,
        wake_at=row.wake_at,
        version=row.version,
        **_read(row.state),
    )


_BLANK = Case("", "", "", EPOCH)


def numbered(case: Case, number: str) -> Case:
    """The case under the number the ledger gave it."""
    return case.but(number=number)


def _state(case: Case) -> dict[str, Any]:
    return _not_blank(case, _STATE)


def _not_blank(value: object, names: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """The fields that are not what they are by default, as JSON."""
    return {name: _to_json(held) for name, blank in names if (held := getattr(value, name)) != blank}


def _to_json(value: object) -> Any:  # noqa: ANN401 - JSON is what it is
    written = _WRITTEN.get(type(value))
    return value if written is None else written(value)


def _written_sign(sign: Sign) -> list[Any]:
    instants = (sign.since, sign.armed_at, sign.due_at, sign.raised_at)
    known = [None if instant is None else to_micros(instant) for instant in instants]
    written = [sign.rule, sign.version, *known, sign.times, sign.over, _written_climb(sign.climb)]
    return written if sign.ladder is None else [*written, _written_ladder(sign.ladder)]


def _written_view(view: View) -> list[Any]:
    if view == View(view.rule, holds=False, over=False):
        return [view.rule]
    anchor = None if view.anchor is None else to_micros(view.anchor)
    return [view.rule, view.holds, view.over, anchor, view.hurried, dict(view.values)]


def _written_ladder(ladder: Ladder) -> dict[str, Any]:
    rungs = [_written_rung(rung) for rung in ladder.rungs]
    spans = {name: span.total_seconds() for name in _SPANS if (span := getattr(ladder, name)) is not None}
    return {"id": ladder.ladder_id, "rungs": rungs, "acknowledged_by": list(ladder.acknowledged_by), **spans}


_SPANS = ("remind_after", "lapses_after")


def _written_rung(rung: Rung) -> list[Any]:
    short = [rung.after.total_seconds(), rung.unless, list(rung.tell), list(rung.channels)]
    if rung == Rung(rung.after, rung.unless, rung.tell, rung.channels):
        return short
    repeat = None if rung.repeat is None else rung.repeat.total_seconds()
    return [*short, repeat, rung.until, rung.reach, rung.fall_back.total_seconds()]


def _written_climb(climb: Climb) -> int | list[Any]:
    """The next rung alone, where that is all there is to say."""
    if climb == Climb(climb.rung):
        return climb.rung
    written = [climb.rung, climb.turn, list(climb.owed), [[n, to_micros(at)] for n, at in climb.repeats]]
    unheard = [[one.rung, one.role, to_micros(one.since)] for one in climb.unheard]
    return [*written, unheard] if unheard else written


_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    dt.datetime: to_micros,
    Finding: lambda finding: _not_blank(finding, _FINDING),
    Sign: _written_sign,
    View: _written_view,
    Ladder: _written_ladder,
    Climb: _written_climb,
    tuple: lambda values: [_to_json(one) for one in values],
}


def _read(written: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a case, or of its finding, as values again."""
    return {
        _NAMED.get(name, name): value if (reads := _READS.get(name)) is None or value is None else reads(value)
        for name, value in written.items()
    }


_NAMED = {"rung": "climb"}
"""Fields that were called otherwise before."""


def _sign(
    rule: str,
    version: str,
    since: int | None,
    armed: int | None,
    due: int | None,
    raised: int | None,
    times: int,
    over: bool,  # noqa: FBT001 - in the order in which they were written
    climb: int | list[Any],
    ladder: Mapping[str, Any] | None = None,
) -> Sign:
    known = (_instant(since), _instant(armed), _instant(due), _instant(raised))
    return Sign(rule, version, *known, times, over, _climb(climb), None if ladder is None else _ladder(ladder))


def _instant(micros: int | None) -> dt.datetime | None:
    return None if micros is None else from_micros(micros)


def _view(
    rule: str,
    holds: bool = False,  # noqa: FBT001, FBT002 - in the order in which they were written
    over: bool = False,  # noqa: FBT001, FBT002
    anchor: int | None = None,
    hurried: bool = False,  # noqa: FBT001, FBT002
    values: Mapping[str, Any] = MappingProxyType({}),
) -> View:
    return View(rule, holds, over, _instant(anchor), hurried, dict(values))


def _climb(written: int | list[Any]) -> Climb:
    if isinstance(written, int):
        return Climb(written)
    rung, turn, owed, repeats, *more = written
    unheard = tuple(Unheard(n, role, from_micros(at)) for found in more for n, role, at in found)
    return Climb(rung, turn, tuple(owed), tuple((n, from_micros(at)) for n, at in repeats), unheard)


def _ladder(value: Mapping[str, Any]) -> Ladder:
    """A ladder as it was; those of old say less of their rungs, and never recall an acknowledgement."""
    rungs = tuple(_rung(*rung) for rung in value["rungs"])
    spans = {name: dt.timedelta(seconds=value[name]) for name in _SPANS if name in value}
    return Ladder(value["id"], rungs, tuple(value["acknowledged_by"]), **spans)


def _rung(  # in the order in which they were written
    after: float,
    unless: str | None,
    tell: Iterable[str],
    channels: Iterable[str],
    repeat: float | None = None,
    until: str = "acknowledged",
    reach: str = "first",
    fall_back: float | None = None,
) -> Rung:
    rung = Rung(dt.timedelta(seconds=after), unless, tuple(tell), tuple(channels), until=until, reach=reach)
    again = None if repeat is None else dt.timedelta(seconds=repeat)
    return replace(rung, repeat=again, fall_back=rung.fall_back if fall_back is None else dt.timedelta(0, fall_back))


_READS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_INSTANTS, from_micros),
    "finding": lambda written: Finding(**_read(written)),
    "signs": lambda written: tuple(_sign(*sign) for sign in written),
    "views": lambda written: tuple(_view(*view) for view in written),
    "ladder": _ladder,
    "climb": _climb,
    "rung": _climb,
    "standing": Standing,
}
"""By field how it is read; others are what they are written as."""
