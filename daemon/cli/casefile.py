"""One case on a terminal: where it stands, who was told what, its journal in words, and the child's dated marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daemon.cli.language import in_words, word_for, worded
from daemon.cli.naming import children_shown, name_shown, named
from daemon.cli.output import print_record, print_table
from daemon.cli.vocabulary import MARKS, MOVES, STAGES, STANDINGS
from daemon.desk.deeds import WORDS
from daemon.jobs.entries import ENTRIES, FACTS, PASSED_OVER, WAYS
from daemon.jobs.proof import CHANNELS
from notifiers.phrases import KINDS, REASONS, ROLES, known_reason

CASE = {
    "case": ("编号", "case"),
    "name": ("姓名", "name"),
    "student": ("学籍号", "student"),
    "class": ("班级", "class"),
    "school": ("学校", "school"),
    "town": ("乡镇", "town"),
    "stage": ("阶段", "stage"),
    "standing": ("报告现状", "report"),
    "episode": ("报告次数", "reports"),
    "unconfirmed": ("未核实", "unconfirmed"),
    "run_from": ("缺勤起", "absent since"),
    "absent_days": ("缺勤天数", "days absent"),
    "due_at": ("应报告", "due"),
    "raised_at": ("报告于", "reported at"),
    "rule": ("规则", "rule"),
    "rule_version": ("规则版本", "rule version"),
    "acknowledged_at": ("签收", "acknowledged"),
    "acknowledged_by": ("签收方", "acknowledged by"),
    "pending_closure": ("待销号", "to be closed"),
    "reason": ("原因", "reason"),
    "closed_at": ("销号", "closed"),
    "wake_at": ("下次处理", "looked at next"),
}
TOLD = {
    "told_at": ("时间", "told"),
    "kind": ("内容", "kind"),
    "contact": ("对象", "contact"),
    "role": ("角色", "role"),
    "channel": ("渠道", "channel"),
    "unit": ("单位", "unit"),
    "episode": ("报告次数", "report no."),
    "doubtful": ("存疑", "in doubt"),
    "shadow": ("试运行", "shadow"),
}
SIGNS = {
    "rule": ("规则", "rule"),
    "version": ("版本", "version"),
    "due_at": ("时限", "due"),
    "raised_at": ("出现", "raised"),
    "times": ("次数", "times"),
    "stands": ("持续", "stands"),
}
JOURNAL = {"seq": ("序", "no."), "at": ("时间", "at"), "kind": ("事项", "entry"), "body": ("内容", "details")}
HISTORY = {"date": ("日期", "date"), "marks": ("考勤", "marks")}
LEAVES = {"from": ("起", "from"), "to": ("止", "to"), "kind": ("类别", "kind"), "leave": ("编号", "leave")}
MOVEMENTS = {"at": ("时间", "at"), "kind": ("异动", "movement"), "evidence": ("依据", "evidence")}


def print_case(record: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Print a case whole; `titles` are what rules are called, by id."""
    [seen] = children_shown([{**record, "rule": named(record["rule"], titles.get(record["rule"] or ""))}])
    print_record(with_reason(seen), CASE, {"stage": STAGES, "standing": STANDINGS, "acknowledged_by": ROLES})
    _print_parts(record, titles)


def _days(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the marks of each day on a line."""
    days: dict[str, list[str]] = {}
    for one in history:
        days.setdefault(one["date"], []).append(f"{one['session']} {word_for(one['mark'], MARKS)}")
    return [{"date": date, "marks": "  ".join(marks)} for date, marks in days.items()]


def _print_parts(record: Mapping[str, Any], titles: Mapping[str, str]) -> None:
    """Print what is known of a case beside its head, each kind of it as a table."""
    told = [
        {
            **one,
            "contact": named(one["contact"], name_shown(record["contact_names"].get(one["contact"]))),
            "unit": named(one["unit"], one["unit_name"]),
        }
        for one in record["told"]
    ]
    for records, columns, title, words in (
        (
            [{**one, "rule": named(one["rule"], titles.get(one["rule"]))} for one in record["signs"]],
            SIGNS,
            ("苗头与时限", "signs and deadlines"),
            {},
        ),
        (told, TOLD, ("已告知", "told"), {"kind": KINDS, "role": ROLES, "channel": CHANNELS}),
        (_readable(record), JOURNAL, ("日志", "journal"), {"kind": ENTRIES}),
        (_days(record["history"]), HISTORY, ("考勤", "marks"), {}),
        (record["leaves"], LEAVES, ("请假", "leave"), {}),
        (record["movements"], MOVEMENTS, ("学籍异动", "movements"), {"kind": MOVES}),
    ):
        if records:
            print_table(records, columns, title, words=words)


def with_reason(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a case with its reason in the reader's language."""
    code = known_reason(record.get("reason"))
    return {**record, "reason": in_words(REASONS[code])} if code else record


def _readable(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the journal of a case in words, contacts by their names; JSON has the codes."""
    names = record["contact_names"]
    return [
        {**one, "body": {in_words(FACTS[key]) if key in FACTS else key: _fact(key, said, names) for key, said in body}}
        for one in record["journal"]
        for body in [one["body"].items()]
    ]


def _fact(key: str, said: object, names: Mapping[str, str]) -> object:
    """Return what a line of a journal says of one thing, in words."""
    if isinstance(said, list):
        return [_fact(key, one, names) for one in said]
    if isinstance(said, bool):
        return worded("是", "yes") if said else worded("否", "no")
    if key in {"contact", "to"} and isinstance(said, str):
        return named(said, names.get(said))
    if key == "reason" and isinstance(said, str) and (code := known_reason(said)):
        return in_words(REASONS[code])
    return word_for(said, BODIES[key]) if key in BODIES else said


BODIES = {
    "because": PASSED_OVER,
    "by": ROLES,
    "channel": CHANNELS,
    "deed": {str(deed): words for deed, words in WORDS.items()},
    "kind": KINDS,
    "mark": MARKS,
    "role": ROLES,
    "roles": ROLES,
    "stage": STAGES,
    "tell": ROLES,
    "was": STAGES,
    "way": WAYS,
}
"""The codes that lines of a journal say, by key."""
