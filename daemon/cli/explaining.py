"""`rules explain`: what the rules see in one child at one instant, in words and as a picture of its register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from daemon.cli.faults import refuse
from daemon.cli.output import page, print_json, shown
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock
from daemon.desk.spans import span_end

if TYPE_CHECKING:
    from daemon.jobs.house import House

NARROW = 100
"""Columns of a picture on a page that is no terminal."""
_INSTANT = dt.timedelta(microseconds=1)
_YES, _NO = "✓", "✗"
_STANDING = {"none": "无 none", "raised": "已报告 raised", "returned": "已返校 returned"}
_WHY_NOT = {
    "scope": "不在本规则范围内 not in its scope",
    "dates": "不在施行期内 not in force on the date last heard of",
    "other": "由另一规则报告 another rule reports this child",
}
_SINCE = {
    "absence": "缺勤开始 the run began",
    "leave_end": "请假期满 leave ended",
    "movement": "学籍异动 movement",
    "term_start": "开学 term began",
    "condition": "条件成立 the condition came true",
}


@click.command()
@click.argument("student", metavar="STUDENT")
@click.option("--at", metavar="T", help="时刻 as known at an instant, or at the end of a date (default: now).")
@click.option("--rule", metavar="ID", help="规则 only this rule.")
@printing
def explain(student: str, at: str | None, rule: str | None) -> None:
    """解释 what the rules see in one child: facts, the dated marks behind them, and what is armed next."""
    from daemon.jobs.explain import explain as look  # noqa: PLC0415 - the rules and arrays, for whoever asks
    from daemon.jobs.explained import plain  # noqa: PLC0415 - likewise

    with the_house() as house:
        now = _instant(house, at)
        with house.store.read() as tx:
            record = plain(look(tx, house, student, now, rule=rule, present=at is None))
    if as_json():
        print_json(record)
    else:
        _print(record, whole=rule is not None)


def _instant(house: House, at: str | None) -> dt.datetime:
    now = wall_clock()
    if at is None:
        return now
    asked = span_end(at, ZoneInfo(house.config.service.timezone), "--at")
    if len(at.strip()) == len("2026-03-18"):
        asked = min(asked - _INSTANT, now)
    if asked > now:
        raise refuse("--at", "lies in the future", "nothing is known of it yet")
    return asked


# ---- in words -----------------------------------------------------------------------------------------------------


def _print(record: Mapping[str, Any], *, whole: bool) -> None:
    """A head, what comes next, the picture, the rules and the facts; unless `whole`, what says little is brief."""
    from daemon.cli.picture import draw  # noqa: PLC0415 - rich

    console = page()
    width = console.width if console.is_terminal else NARROW
    for line in (*_head(record), *_ahead(record)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print()
    for drawn in draw(record["picture"], width):
        console.print(drawn, soft_wrap=True)
    for line in ("", *_rules(record, whole=whole), "", *_facts(record, whole=whole)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    where = f"班级 class {record['class']}  学校 school {record['school'] or '–'}"
    yield f"学生 student {record['student']}  {where}  时刻 as known at {shown(record['at'])}"
    case = record["case"]
    yield f"个案 case {case}  阶段 stage {record['stage']}" if case else "个案 case 无 none"
    yield f"当前缺勤 current run  {_run(record['run'])}"
    yield f"报告 report  {_report(record['report'])}"
    for leave in record["leaves"]:
        yield f"请假 leave  {shown(leave['from'])} – {shown(leave['to'])}  {leave['kind']}"
    for move in record["movements"]:
        proof = "有证明 with evidence" if move["evidence"] else "无证明 without evidence"
        yield f"学籍异动 movement  {move['kind']}  {shown(move['at'])}  {proof}"


def _run(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "无 none"
    words = f"自 since {shown(run['from'])}  旷课 {run['absent_days']} 天 days absent"
    return words if run["open"] else f"{words}  请假至 on leave until {shown(run['leave_until'])}"


def _report(report: Mapping[str, Any]) -> str:
    words = [str(report["rule"]), _STANDING[report["standing"]]]
    for key, label in (
        ("due_at", "应报告 due"),
        ("raised_at", "报告于 raised"),
        ("waits_since", "已到期待点名 due, waits since"),
        ("armed_at", "将到期 will be due"),
    ):
        if report[key]:
            words.append(f"{label} {shown(report[key])}")
    return "  ".join([*words, *(["未核实 unconfirmed"] if report["unconfirmed"] else [])])


def _ahead(record: Mapping[str, Any]) -> Iterator[str]:
    """What will be done if nothing more becomes known, in order of time."""
    armed = [(record["report"]["armed_at"], record["report"]["rule"], "到期 report due")]
    armed += [(one["sign"]["armed_at"], one["rule"], "提示 raised") for one in record["rules"] if one["sign"]]
    for at, rule, what in sorted(one for one in armed if one[0]):
        yield f"若无新情况 next, if nothing more becomes known  {shown(at)}  {rule}  {what}"


def _rules(record: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """The rules that hold, or were raised, each with its parts; then the others, a line each."""
    speaking = [rule for rule in record["rules"] if whole or _speaks(rule)]
    yield "规则 rules"
    for rule in speaking:
        title = "  ".join(rule["title"][language] for language in ("zh", "en") if language in rule["title"])
        yield f"{_sign(rule['holds'])} {rule['rule']}  {title}"
        if not rule["applies"]:
            yield f"    不适用 does not apply: {_WHY_NOT[rule['why_not']]}"
            continue
        yield from _parts("条件 when", rule["parts"])
        yield from _parts("至 until", rule["until_parts"])
        yield from _state(rule)
    others = [rule for rule in record["rules"] if rule not in speaking]
    if others:
        yield "未成立 do not hold"
    for rule in others:
        because = _brief(rule) if rule["applies"] else _WHY_NOT[rule["why_not"]]
        yield f"{_NO} {rule['rule']}  {because}"


def _speaks(rule: Mapping[str, Any]) -> bool:
    state = rule["sign"]
    return rule["holds"] or (state is not None and (state["stands"] or bool(state["rests_until"])))


def _brief(rule: Mapping[str, Any]) -> str:
    """The parts that fail, and the values they fail on."""
    failing = [part for part in rule["parts"] if not part["holds"]]
    values = {name: value for part in failing for name, value in part["values"].items()}
    return f"{'  '.join(part['text'] for part in failing)}    {_values(values)}"


def _sign(holds: bool) -> str:  # noqa: FBT001 - the one thing it is about
    return _YES if holds else _NO


def _parts(label: str, parts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for part in parts:
        yield f"    {label}  {_sign(part['holds'])} {part['text']}    {_values(part['values'])}"


def _values(values: Mapping[str, Any]) -> str:
    return "  ".join(f"{name} = {_value(value)}" for name, value in values.items())


def _value(value: float | bool) -> str:  # noqa: FBT001 - a fact's value
    return {True: "是 yes", False: "否 no"}[value] if isinstance(value, bool) else f"{value:.4g}"


def _state(rule: Mapping[str, Any]) -> Iterator[str]:
    """When its clock began, how it stands, and what comes next."""
    wait = f"{rule['after']} {'上学日计时 of school days' if rule['clock'] == 'school' else '连续计时 elapsed'}"
    if rule["clock_began"] and rule["holds"]:
        yield f"    计时 clock  {_SINCE[rule['since']]} {shown(rule['clock_began'])}  时限 wait {wait}"
    state = rule["sign"]
    if state is None:
        return
    for key, label in (
        ("raised_at", "提示于 raised"),
        ("rests_until", "不再重复至 not raised again until"),
        ("armed_at", "将提示 will be raised, if nothing more becomes known,"),
    ):
        if state[key]:
            yield f"    {label} {shown(state[key])}" + (_due(state) if key == "raised_at" else "")
    if state["due_now"]:
        yield "    已到时限 its time has come: raised at the next look"


def _due(state: Mapping[str, Any]) -> str:
    over = "仍成立 stands" if state["stands"] and not state["ends_now"] else "已结束 over"
    return f"  时限 due {shown(state['due_at'])}  第 {state['times']} 次 no. {state['times']}  {over}"


def _facts(record: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """Each fact with its meaning and the dated marks behind it; those that rest on nothing a line each."""
    yield "事实 facts"
    brief = [] if whole else [fact for fact in record["facts"] if not fact["days"]]
    for fact in record["facts"]:
        if fact in brief:
            continue
        yield _fact(fact)
        yield f"    {fact['meaning_zh']}"
        yield f"    {fact['meaning']}"
        if fact["days"]:
            of = f"  共 of {fact['of_sessions'] or fact['of_days']}" if fact["of_days"] else ""
            yield f"    计入 counted  {_dates(fact)}{of}"
    yield from map(_fact, brief)


def _fact(fact: Mapping[str, Any]) -> str:
    return f"{fact['alias']} {fact['fact']} = {_value(fact['value'])}  ({fact['unit']})"


def _dates(fact: Mapping[str, Any]) -> str:
    """The days counted, each with the letters of its sessions that were."""
    marks = dict.fromkeys(fact["days"], "")
    for session in fact["sessions"]:
        marks[session["date"]] = marks.get(session["date"], "") + session["mark"]
    return ", ".join(f"{date} {letters}".strip() for date, letters in marks.items())
