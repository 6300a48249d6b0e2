"""`rules explain`: what the rules see in one child at one instant, in words and as a picture of its register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from daemon.cli.faults import refuse
from daemon.cli.language import in_words, word_for, worded
from daemon.cli.layout import folded
from daemon.cli.naming import children, name_shown, named, refuse_unreadable, the_student
from daemon.cli.output import page_width, print_json, shown
from daemon.cli.shared import as_json, printing, the_house
from daemon.cli.vocabulary import CLOCKS, MOVES, SINCE, STAGES, STANDINGS, UNITS, title_of
from daemon.clock import wall_clock
from daemon.desk.spans import span_end

if TYPE_CHECKING:
    from daemon.jobs.house import House

NARROW = 100
"""Columns of a picture on a page that is no terminal."""
_INSTANT = dt.timedelta(microseconds=1)
_HANGING = "  "
_YES, _NO = "✓", "✗"
_WHY_NOT = {
    "scope": ("不在本规则范围内", "not in its scope"),
    "dates": ("不在施行期内", "not in force on the date last heard of"),
    "other": ("由另一规则报告", "another rule reports this child"),
}


@click.command()
@click.argument("student", metavar="STUDENT")
@click.option("--at", metavar="T", help="As known at an instant, or at the end of a date (default: now).")
@click.option("--rule", metavar="ID", help="Only this rule.")
@printing
def explain(student: str, at: str | None, rule: str | None) -> None:
    """Explain what the rules see in one child: facts, the dated marks behind them, and what is armed next.

    STUDENT is an id, a name or a part of one. Children of one name are listed, and none is explained.
    """
    from daemon.jobs.explain import explain as look  # noqa: PLC0415 - the rules and arrays, for whoever asks
    from daemon.jobs.explained import plain  # noqa: PLC0415 - likewise

    with the_house() as house:
        now, student = _instant(house, at), the_student(house, student, part=True)
        with house.store.read() as tx:
            seen = plain(look(tx, house, student, now, rule=rule, present=at is None))
            [child] = children(tx, house, [seen["student"]])
    record = {**seen, **{key: child[key] for key in ("name", "class_name", "school_name")}}
    if as_json():
        print_json(record)
    else:
        _print(record, whole=rule is not None)
    refuse_unreadable([record["name"]])


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

    width = page_width()
    for line in (*_head(record), *_ahead(record), ""):
        _say(line, width)
    for drawn in draw(record["picture"], width or NARROW):
        click.echo(drawn)
    for line in ("", *_rules(record, whole=whole), "", *_facts(record, whole=whole)):
        _say(line, width)


def _say(line: str, width: int | None) -> None:
    """Print a line, folded behind its own margin where the page is too narrow for it."""
    plain = line.lstrip()
    margin = " " * (len(line) - len(plain))
    first, *more = folded(plain, None if width is None else max(width - len(margin) - len(_HANGING), 1))
    click.echo(margin + first)
    for rest in more:
        click.echo(margin + _HANGING + rest)


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    yield f"{worded('学生', 'student')} {name_shown(record['name'])} {record['student']}"
    of_class = named(record["class"], record["class_name"])
    yield f"{worded('班级', 'class')} {of_class}  {worded('学校', 'school')} {_school(record)}"
    yield f"{worded('截至', 'as known at')} {shown(record['at'])}"
    case, none = record["case"], worded("无", "none")
    stage = f"  {worded('阶段', 'stage')} {word_for(record['stage'], STAGES)}" if case else ""
    yield f"{worded('个案', 'case')} {case or none}{stage}"
    yield f"{worded('当前缺勤', 'current run')}  {_run(record['run'])}"
    yield f"{worded('报告', 'report')}  {_report(record['report'])}"
    for leave in record["leaves"]:
        yield f"{worded('请假', 'leave')}  {shown(leave['from'])} – {shown(leave['to'])}  {leave['kind']}"
    for move in record["movements"]:
        proof = worded("有证明", "with evidence") if move["evidence"] else worded("无证明", "without evidence")
        kind = word_for(move["kind"], MOVES)
        yield f"{worded('学籍异动', 'movement')}  {kind}  {shown(move['at'])}  {proof}"


def _school(record: Mapping[str, Any]) -> str:
    return named(record["school"], record["school_name"]) or "–"


def _run(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return worded("无", "none")
    days = run["absent_days"]
    words = f"{worded('自', 'since')} {shown(run['from'])}  {worded(f'旷课 {days} 天', f'{days} days absent')}"
    return words if run["open"] else f"{words}  {worded('请假至', 'on leave until')} {shown(run['leave_until'])}"


def _report(report: Mapping[str, Any]) -> str:
    words = [str(report["rule"]), in_words(STANDINGS[report["standing"]])]
    for key, label in (
        ("due_at", ("应报告", "due")),
        ("raised_at", ("报告于", "raised")),
        ("waits_since", ("已到期，待点名，自", "due, waits since")),
        ("armed_at", ("将到期", "will be due")),
    ):
        if report[key]:
            words.append(f"{in_words(label)} {shown(report[key])}")
    return "  ".join([*words, *([worded("未核实", "unconfirmed")] if report["unconfirmed"] else [])])


def _ahead(record: Mapping[str, Any]) -> Iterator[str]:
    """What will be done if nothing more becomes known, in order of time."""
    armed = [(record["report"]["armed_at"], record["report"]["rule"], worded("到期", "report due"))]
    armed += [
        (one["sign"]["armed_at"], one["rule"], worded("提示", "raised")) for one in record["rules"] if one["sign"]
    ]
    for at, rule, what in sorted(one for one in armed if one[0]):
        next_ = worded("若无新情况，下一步", "next, if nothing more becomes known")
        yield f"{next_}  {shown(at)}  {rule}  {what}"


def _rules(record: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """The rules that hold, or were raised, each with its parts; then the others, a line each."""
    speaking = [rule for rule in record["rules"] if whole or _speaks(rule)]
    yield worded("规则", "rules")
    for rule in speaking:
        yield f"{_sign(rule['holds'])} {title_of(rule['title'])} {rule['rule']}"
        if not rule["applies"]:
            yield f"    {worded('不适用：', 'does not apply: ')}{in_words(_WHY_NOT[rule['why_not']])}"
            continue
        yield from _parts(worded("条件", "when"), rule["parts"])
        yield from _parts(worded("至", "until"), rule["until_parts"])
        yield from _state(rule)
    others = [rule for rule in record["rules"] if rule not in speaking]
    if others:
        yield worded("未成立", "do not hold")
    for rule in others:
        because = _brief(rule) if rule["applies"] else in_words(_WHY_NOT[rule["why_not"]])
        yield f"{_NO} {title_of(rule['title'])} {rule['rule']}  {because}"


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
    if isinstance(value, bool):
        return worded("是", "yes") if value else worded("否", "no")
    return f"{value:.4g}"


def _state(rule: Mapping[str, Any]) -> Iterator[str]:
    """When its clock began, how it stands, and what comes next."""
    kind = in_words(CLOCKS[rule["clock"]])
    wait = f"{worded('时限', 'wait')} {rule['after']} {kind}"
    if rule["clock_began"] and rule["holds"]:
        since = in_words(SINCE[rule["since"]])
        yield f"    {worded('计时', 'clock')}  {since} {shown(rule['clock_began'])}  {wait}"
    state = rule["sign"]
    if state is None:
        return
    for key, label in (
        ("raised_at", ("提示于", "raised")),
        ("rests_until", ("不再重复至", "not raised again until")),
        ("armed_at", ("若无新情况，将提示于", "will be raised, if nothing more becomes known,")),
    ):
        if state[key]:
            yield f"    {in_words(label)} {shown(state[key])}" + (_due(state) if key == "raised_at" else "")
    if state["due_now"]:
        yield f"    {worded('已到时限，下次查看时提示', 'its time has come: raised at the next look')}"


def _due(state: Mapping[str, Any]) -> str:
    over = worded("仍成立", "stands") if state["stands"] and not state["ends_now"] else worded("已结束", "over")
    times = state["times"]
    return f"  {worded('时限', 'due')} {shown(state['due_at'])}  {worded(f'第 {times} 次', f'no. {times}')}  {over}"


def _facts(record: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    """Each fact with its meaning and the dated marks behind it; those that rest on nothing a line each."""
    yield worded("事实", "facts")
    brief = [] if whole else [fact for fact in record["facts"] if not fact["days"]]
    for fact in record["facts"]:
        if fact in brief:
            continue
        yield _fact(fact)
        yield f"    {worded(fact['meaning_zh'], fact['meaning'])}"
        if fact["days"]:
            of = f"  {worded('共', 'of')} {fact['of_sessions'] or fact['of_days']}" if fact["of_days"] else ""
            yield f"    {worded('计入', 'counted')}  {_dates(fact)}{of}"
    yield from map(_fact, brief)


def _fact(fact: Mapping[str, Any]) -> str:
    name = worded(f"{fact['alias']} {fact['fact']}", fact["fact"])
    return f"{name} = {_value(fact['value'])}  ({word_for(fact['unit'], UNITS)})"


def _dates(fact: Mapping[str, Any]) -> str:
    """The days counted, each with the letters of its sessions that were."""
    marks = dict.fromkeys(fact["days"], "")
    for session in fact["sessions"]:
        marks[session["date"]] = marks.get(session["date"], "") + session["mark"]
    return ", ".join(f"{date} {letters}".strip() for date, letters in marks.items())
