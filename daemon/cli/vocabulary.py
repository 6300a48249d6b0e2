"""What codes are called in tables, by column: 中文, English. Codes themselves are what JSON has."""

from __future__ import annotations

from collections.abc import Mapping

from daemon.cli.language import Said, readers_language

Words = dict[str, Said]

STAGES: Words = {
    "watch": ("关注", "watched"),
    "first_absence": ("首次缺勤", "first absence"),
    "reported": ("已报告", "reported"),
    "suspected": ("疑似辍学", "suspected"),
    "dropped_out": ("辍学", "dropped out"),
    "returned": ("已返校", "returned"),
    "closed": ("已销号", "closed"),
}
STANDINGS: Words = {
    "none": ("无", "none"),
    "raised": ("已报告", "reported"),
    "returned": ("已返校", "returned"),
}
MARKS: Words = {
    "present": ("到校", "present"),
    "late": ("迟到", "late"),
    "left_early": ("早退", "left early"),
    "absent": ("旷课", "absent"),
    "leave": ("请假", "leave"),
    "unknown": ("不明", "unknown"),
    "untaken": ("未点名", "no roll"),
}
MOVES: Words = {
    "transfer_out": ("转出", "transfer out"),
    "transfer_in": ("转入", "transfer in"),
    "suspend": ("休学", "suspension"),
    "resume": ("复学", "resumption"),
    "drop_out": ("辍学", "drop-out"),
    "graduate": ("毕业", "graduation"),
    "verified_elsewhere": ("核实在他处就读", "in school elsewhere, verified"),
}
SINCE: Words = {
    "absence": ("缺勤开始", "the run began"),
    "leave_end": ("请假期满", "leave ended"),
    "movement": ("学籍异动", "movement"),
    "term_start": ("开学", "term began"),
    "condition": ("条件成立", "the condition came true"),
}
CLOCKS: Words = {"school": ("上学日计时", "of school days"), "elapsed": ("连续计时", "elapsed")}
UNITS: Words = {
    "school days": ("上学日", "school days"),
    "sessions": ("节次", "sessions"),
    "spells": ("段", "spells"),
    "percentage points": ("百分点", "percentage points"),
    "probability": ("概率", "probability"),
    "yes/no": ("是否", "yes/no"),
    "grade": ("年级", "grade"),
}
FACT_KINDS: Words = {"count": ("计数", "count"), "share": ("比例", "share"), "flag": ("是否", "flag")}
VERDICTS: Words = {
    "all well": ("已处理完", "all well"),
    "feed removed": ("数据源已删除", "feed removed"),
    "more": ("情况有变，另行记录", "others took its place"),
    "not_real": ("不属实", "not real"),
    "over": ("已解决", "over"),
    "real": ("属实", "real"),
    "resumed": ("考勤已恢复", "records resumed"),
}
"""How an incident was judged or ended."""
COUNTS: Words = {
    "added": ("新增", "added"),
    "changed": ("变更", "changed"),
    "unchanged": ("未变", "unchanged"),
    "parked": ("等待名单", "waiting for the roster"),
    "rows": ("行", "rows"),
    "children": ("人", "children"),
}
"""What was counted of a delivery, behind the kind of record where there is one."""
RECORDS: Words = {
    "units": ("单位", "units"),
    "students": ("学生", "students"),
    "contacts": ("联系人", "contacts"),
    "marks": ("考勤", "marks"),
    "punches": ("刷卡", "punches"),
    "leaves": ("请假", "leaves"),
    "movements": ("学籍异动", "movements"),
}


def title_of(title: Mapping[str, str]) -> str:
    """Return what a rule is called in the reader's language, else in the other."""
    return title.get(readers_language()) or next(iter(title.values()), "")
