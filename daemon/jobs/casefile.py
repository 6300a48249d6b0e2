"""A case as the store keeps it: the columns one asks by, and the rest as plain JSON values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from daemon.store.cases import CaseRow
from rules.case import Case, Stage, Standing
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
    written = [sign.rule, sign.version, *known, sign.times, sign.over, sign.rung]
    return written if sign.ladder is None else [*written, _written_ladder(sign.ladder)]


def _written_view(view: View) -> list[Any]:
    if view == View(view.rule, holds=False, over=False):
        return [view.rule]
    anchor = None if view.anchor is None else to_micros(view.anchor)
    return [view.rule, view.holds, view.over, anchor, view.hurried, dict(view.values)]


def _written_ladder(ladder: Ladder) -> dict[str, Any]:
    rungs = [[rung.after.total_seconds(), rung.unless, list(rung.tell), list(rung.channels)] for rung in ladder.rungs]
    return {"id": ladder.ladder_id, "rungs": rungs, "acknowledged_by": list(ladder.acknowledged_by)}


_WRITTEN: Mapping[type, Callable[[Any], Any]] = {
    dt.datetime: to_micros,
    Finding: lambda finding: _not_blank(finding, _FINDING),
    Sign: _written_sign,
    View: _written_view,
    Ladder: _written_ladder,
    tuple: lambda values: [_to_json(one) for one in values],
}


def _read(written: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a case, or of its finding, as values again."""
    return {
        name: value if (reads := _READS.get(name)) is None or value is None else reads(value)
        for name, value in written.items()
    }


def _sign(
    rule: str,
    version: str,
    since: int | None,
    armed: int | None,
    due: int | None,
    raised: int | None,
    times: int,
    over: bool,  # noqa: FBT001 - in the order in which they were written
    rung: int,
    ladder: Mapping[str, Any] | None = None,
) -> Sign:
    known = (_instant(since), _instant(armed), _instant(due), _instant(raised))
    return Sign(rule, version, *known, times, over, rung, None if ladder is None else _ladder(ladder))


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


def _ladder(value: Mapping[str, Any]) -> Ladder:
    rungs = tuple(
        Rung(dt.timedelta(seconds=after), unless, tuple(tell), tuple(channels))
        for after, unless, tell, channels in value["rungs"]
    )
    return Ladder(value["id"], rungs, tuple(value["acknowledged_by"]))


_READS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_INSTANTS, from_micros),
    "finding": lambda written: Finding(**_read(written)),
    "signs": lambda written: tuple(_sign(*sign) for sign in written),
    "views": lambda written: tuple(_view(*view) for view in written),
    "ladder": _ladder,
    "standing": Standing,
}
"""By field how it is read; others are what they are written as."""
