"""The page of a mass absence: how many are absent where and since when, and two buttons to judge it by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from daemon.console.pages import Button, Page, Said
from daemon.desk.faults import DeskError
from daemon.jobs.byhand import judge_by_link
from daemon.jobs.house import House
from daemon.store import incidents
from daemon.store.alerts import AlertRow
from daemon.store.incidents import IncidentRow
from daemon.store.tx import Tx
from notifiers.phrases import ROLES, instant
from rules.instants import from_micros

_REAL: Said = ("属实", "Real")
_NOT_REAL: Said = ("不属实", "Not real")
_VERDICTS: Mapping[str, Said] = {"real": _REAL, "not_real": _NOT_REAL}
_ASK: tuple[Said, ...] = (
    (
        "属实：学生确实没有到校，按缺勤处理，暂缓的报告发出。",
        "Real: the children were absent, and the reports that wait are sent.",
    ),
    (
        "不属实：停课、天气或数据故障，这些节次按情况不明处理。",
        "Not real: no school, the weather or a fault; those sessions count as unknown.",
    ),
)
_CHANGE: Said = (
    "如判断有误，可改判为“不属实”；改判后不能再改。",
    "If that was wrong it may be judged not real, and that is final.",
)
_FINAL: Said = (
    "已按不属实处理，不能再改；个别学生请补录考勤。",
    "It was judged not real, which is final; correct single children by hand.",
)


@dataclass(frozen=True, slots=True)
class Judging:
    """What a link to a mass absence is about: the alert it came with, the incident as it is now, its unit's name."""

    alert: AlertRow
    row: IncidentRow
    unit: str


def read_judging(tx: Tx, house: House, alert: AlertRow) -> Judging | None:
    """Return what there is to know for the page of a mass absence; None where the incident is gone, or another."""
    row = incidents.incident_by_id(tx, alert.incident_id or "")
    if row is None or row.kind != "mass_absence":
        return None
    unit = house.people(tx).directory.units.get(row.subject)
    return Judging(alert, row, unit.name if unit else row.subject)


def judging_page(house: House, judging: Judging) -> Page:
    """The page as the incident stands: with both buttons, with the one that may still be pressed, or with none."""
    row = judging.row
    if row.verdict is None:
        title, words = ("大面积缺勤：请判断", "Mass absence: please judge"), _ASK
        buttons: tuple[Button, ...] = (_button("real", _REAL), _button("not_real", _NOT_REAL, second=True))
    else:
        verdict = _VERDICTS[row.verdict]
        title = (f"已判断：{verdict[0]}", f"Judged: {verdict[1].lower()}")
        final = row.verdict == "not_real"
        words = (_judged(house, row), _FINAL if final else _CHANGE)
        buttons = () if final else (_button("not_real", ("改判为不属实", "Judge it not real"), second=True),)
    return Page(title, words, buttons=buttons, facts=_facts(house, judging))


def judge(house: House, judging: Judging, fields: Mapping[str, str], now: dt.datetime) -> bool:
    """Keep the judgement that was pressed; whether there was one that could be kept."""
    verdict = fields.get("verdict")
    if verdict not in _VERDICTS:
        return False
    try:
        judge_by_link(house, judging.alert, real=verdict == "real", now=now)
    except DeskError:
        return False
    return True


def _button(verdict: str, words: Said, *, second: bool = False) -> Button:
    return Button(words, "verdict", verdict, second)


def _facts(house: House, judging: Judging) -> list[tuple[Said, str]]:
    state, zone = judging.row.state, house.calendar.zone
    starts = [from_micros(at).astimezone(zone) for at in sorted(state.get("starts", ()))]
    found: list[tuple[Said, str]] = [(("单位", "Unit"), judging.unit)]
    if "absent" in state:
        found.append((("缺勤", "Absent"), f"{state['absent']} / {state['expected']}"))
    if starts:
        found.append((("节次", "Sessions"), "、".join(instant(at, "zh", short=True) for at in starts)))
    return found


def _judged(house: House, row: IncidentRow) -> Said:
    """By whom, in their role, and when; never by name."""
    role = ROLES.get((row.judged_by or "").split(" ")[0], ("办公室", "the office"))
    at = (row.judged_at or row.opened_at).astimezone(house.calendar.zone)
    return f"判断单位：{role[0]}，{instant(at, 'zh')}。", f"Judged by {role[1]}, {instant(at, 'en')}."
