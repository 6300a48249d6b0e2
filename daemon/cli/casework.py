"""`cases` and `case …`: the ledger, and what people do to a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.cli.output import page, print_json, print_record, print_records, table
from daemon.cli.proving import proof
from daemon.cli.shared import as_json, configured, printing, the_house
from daemon.clock import wall_clock
from daemon.desk.deeds import DONE, WORDS, Deed
from daemon.jobs.dossier import list_ledger, open_dossier, outline
from daemon.jobs.office import Acted, Actor, acknowledge, approve_closing, confirm, note, propose_closing
from rules.case import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.jobs.house import House

LEDGER = {
    "case": "编号 case",
    "stage": "阶段 stage",
    "student": "学生 student",
    "school": "学校 school",
    "class": "班级 class",
    "town": "乡镇 town",
    "episode": "次数 episode",
    "run_from": "缺勤起 absent since",
    "due_at": "应报告 due",
    "raised_at": "已报告 raised",
    "acknowledged_at": "签收 acknowledged",
    "pending_closure": "待销号 to be closed",
}
CASE = {
    "case": "编号 case",
    "name": "姓名 name",
    "student": "学籍号 student",
    "class": "班级 class",
    "school": "学校 school",
    "town": "乡镇 town",
    "stage": "阶段 stage",
    "standing": "报告 report",
    "episode": "次数 episode",
    "unconfirmed": "未核实 unconfirmed",
    "run_from": "缺勤起 absent since",
    "absent_days": "缺勤天数 days absent",
    "due_at": "应报告 due",
    "raised_at": "已报告 raised",
    "rule": "规则 rule",
    "rule_version": "规则版本 rule version",
    "acknowledged_at": "签收 acknowledged",
    "acknowledged_by": "签收方 acknowledged by",
    "pending_closure": "待销号 to be closed",
    "reason": "原因 reason",
    "closed_at": "销号 closed",
    "wake_at": "下次处理 looked at next",
}
TOLD = {
    "told_at": "时间 told",
    "kind": "内容 kind",
    "role": "角色 role",
    "contact": "对象 contact",
    "channel": "渠道 channel",
    "episode": "次数 episode",
    "doubtful": "存疑 in doubt",
    "shadow": "演练 shadow",
}
SIGNS = {
    "rule": "规则 rule",
    "version": "版本 version",
    "due_at": "时限 due",
    "raised_at": "出现 raised",
    "times": "次数 times",
    "stands": "持续 stands",
}
JOURNAL = {"seq": "序 no.", "at": "时间 at", "kind": "事项 entry", "body": "内容 details"}
HISTORY = {"date": "日期 date", "session": "节次 session", "mark": "考勤 mark"}
LEAVES = {"from": "起 from", "to": "止 to", "kind": "类别 kind", "leave": "编号 leave"}
MOVEMENTS = {"at": "时间 at", "kind": "异动 movement", "evidence": "依据 evidence"}

BY = click.option("--by", required=True, metavar="WHO", help="由谁 who says so; kept in the journal.")


@click.command("cases")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), help="阶段 only this stage.")
@click.option("--unit", metavar="UNIT", help="单位 only children enrolled below, or living in, this unit.")
@click.option("--all", "everything", is_flag=True, help="含已销号 the closed ones, too.")
@printing
def list_cases(stage: str | None, unit: str | None, everything: bool) -> None:  # noqa: FBT001 - click's own way
    """台账 the ledger: open cases, or those of a stage or a unit."""
    with the_house() as house, house.store.read() as tx:
        records = list_ledger(tx, house, stage=stage, unit=unit, closed_too=everything)
    print_records(records, LEDGER)


@click.group()
@configured
def case() -> None:
    """个案 one case: see it, acknowledge it, confirm it, close it by two."""


@case.command()
@click.argument("number", metavar="N")
@printing
def show(number: str) -> None:
    """Where a case stands, who was told what, its journal, and the child's dated marks."""
    with the_house() as house, house.store.read() as tx:
        record = open_dossier(tx, house, number, wall_clock())
    if as_json():
        print_json(record)
        return
    print_record(record, CASE)
    for key, columns, title in (
        ("signs", SIGNS, "苗头与时限 signs and deadlines"),
        ("told", TOLD, "已告知 told"),
        ("journal", JOURNAL, "日志 journal"),
        ("history", HISTORY, "考勤 marks"),
        ("leaves", LEAVES, "请假 leave"),
        ("movements", MOVEMENTS, "学籍异动 movements"),
    ):
        if record[key]:
            page().print(table(_readable(record[key]), columns, title))


def _readable(records: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Records with the deeds of a journal in words, 中文 and English; the code is what JSON has."""
    return [_in_words(one) if one.get("kind") == DONE else one for one in records]


def _in_words(record: Mapping[str, Any]) -> Mapping[str, Any]:
    body = record["body"]
    return {**record, "body": {**body, "deed": " ".join(WORDS[Deed(body["deed"])])}}


@case.command()
@click.argument("number", metavar="N")
@BY
@printing
def ack(number: str, by: str) -> None:
    """签收 acknowledge a report: the rungs that wait for that stay silent."""
    with the_house(writes=True) as house:
        done = acknowledge(house, number, Actor(by), wall_clock())
        _print(house, done, "已签收 acknowledged", "早已签收 acknowledged before")


@case.command("confirm")
@click.argument("number", metavar="N")
@click.option(
    "--seen/--absent", "seen", default=None, required=True, help="见到学生/确认缺勤 the child is there, or not."
)
@BY
@printing
def confirm_(number: str, seen: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """核实 confirm by hand that the child is there, or absent, in the current session."""
    with the_house(writes=True) as house:
        done = confirm(house, number, seen=seen, actor=Actor(by), now=wall_clock())
        _print(house, done, "已核实 confirmed")


@case.command("note")
@click.argument("number", metavar="N")
@click.argument("text", metavar="TEXT")
@click.option("--by", metavar="WHO", help="由谁 who says so.")
@printing
def note_(number: str, text: str, by: str | None) -> None:
    """备注 write a line into the journal of a case."""
    with the_house(writes=True) as house:
        done = note(house, number, text, Actor(by) if by else None, wall_clock())
        _print(house, done, "已记录 written down")


@case.command()
@click.argument("number", metavar="N")
@click.option("--reason", required=True, metavar="R", help="原因 returned, excused, transferred, … or 已转学, ….")
@BY
@printing
def close(number: str, reason: str, by: str) -> None:
    """申请销号 ask to close a case; a second person approves."""
    with the_house(writes=True) as house:
        done = propose_closing(house, number, reason, Actor(by), wall_clock())
        _print(house, done, "待第二人批准 waits for a second person to approve")


@case.command()
@click.argument("number", metavar="N")
@BY
@printing
def approve(number: str, by: str) -> None:
    """批准销号 close a case somebody else asked to close; whoever was told of its report is told."""
    with the_house(writes=True) as house:
        done = approve_closing(house, number, Actor(by), wall_clock())
        _print(house, done, "已销号 closed")


case.add_command(proof)


def _print(house: House, done: Acted, words: str, unchanged: str = "") -> None:
    with house.store.read() as tx:
        record: dict[str, Any] = {**outline(house, house.people(tx), done.case), "changed": done.changed}
    if as_json():
        print_json(record)
        return
    click.echo(f"{done.case.number}  {words if done.changed else unchanged}")
