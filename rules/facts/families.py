"""Every fact there is, one entry a family: what it is called, counts and means; computes nothing."""

from __future__ import annotations

from rules.facts.fact import DAYS, PERCENT, POINTS, SESSIONS, YES, Family, Kind

RATE_EVIDENCE = 10
"""Known school days without which there is no rate: no rate from three days (New Mexico and Maine ask for ten)."""

WEEKDAY_EVIDENCE = 5
"""Absent days without which there is no weekday shape."""

RECENT_WINDOW, EARLIER_WINDOW = 20, 60
"""The two windows of the trend, one right after the other; each is divided by its own known sessions."""

LONG_SPELL, RELAPSE_WITHIN = 5, 20
"""A relapse follows a spell of so many days within so many school days of coming back."""

HOLIDAY_DAYS = 7
"""Calendar days without school after which the next school day opens a term or ends a holiday."""

TAGS: dict[str, str] = {
    "poverty_registered": "建档立卡",
    "left_behind": "留守",
    "single_parent": "单亲",
    "disabled": "残疾",
    "orphan": "孤儿",
    "de_facto_orphan": "事实无人抚养",
    "struggling": "学困",
    "migrant": "随迁",
    "in_hardship": "困境",
    "dibao": "低保",
    "tekun": "特困",
}
"""The tags a rule may ask for by a fact of their own, and what they are called (domain vocabulary)."""


def _days(stem: str, alias: str, meaning: str, zh: str, **rest: float | bool) -> Family:
    return Family(stem, alias, Kind.COUNT, DAYS, meaning, zh, **rest)  # type: ignore[arg-type]  # its own fields


def _over(stem: str, alias: str, meaning: str, zh: str, unit: str = DAYS) -> Family:
    return Family(stem, alias, Kind.COUNT, unit, meaning, zh, windowed=True)


def _rate(stem: str, alias: str, meaning: str, zh: str) -> Family:
    least = f"; 0 while fewer than {RATE_EVIDENCE} school days are known"
    least_zh = f";已知不足{RATE_EVIDENCE}个上学日时为0"
    return Family(
        stem,
        alias,
        Kind.SHARE,
        PERCENT,
        meaning + least,
        zh + least_zh,
        windowed=True,
        evidence=RATE_EVIDENCE,
        high=100.0,
    )


def _flag(stem: str, alias: str, meaning: str, zh: str, *, trait: bool = False) -> Family:
    return Family(stem, alias, Kind.FLAG, YES, meaning, zh, high=1.0, trait=trait)


def _unit_share(stem: str, alias: str, meaning: str, zh: str) -> Family:
    return Family(stem, alias, Kind.SHARE, PERCENT, meaning, zh, high=100.0)


FAMILIES: tuple[Family, ...] = (
    # -- the current run --
    _days(
        "absent_days",
        "缺勤天数",
        "different school days with a known absence without leave in the current run; 0 where there is no run",
        "当前连续缺勤中未请假缺勤的上学日数;没有则为0",
        of_run=True,
    ),
    Family(
        "absent_sessions",
        "缺勤节次",
        Kind.COUNT,
        SESSIONS,
        "sessions with a known absence without leave in the current run; 0 where there is no run",
        "当前连续缺勤中未请假缺勤的节次数;没有则为0",
        of_run=True,
    ),
    # -- counts and rates over any window --
    _over(
        "absence_days",
        "缺席天数",
        "school days with a session missed for any reason, leave included",
        "有缺席(含请假)的上学日数",
    ),
    _over(
        "absence_sessions",
        "缺席节次",
        "sessions missed for any reason, leave included",
        "缺席(含请假)的节次数",
        SESSIONS,
    ),
    _rate(
        "absence_rate", "缺席率", "sessions missed for any reason, of those known", "缺席(含请假)节次占已知节次的百分比"
    ),
    _over("unexcused_days", "旷课天数", "school days with an absence without leave", "有旷课的上学日数"),
    _over("unexcused_sessions", "旷课节次", "sessions missed without leave", "旷课节次数", SESSIONS),
    _rate("unexcused_rate", "旷课率", "sessions missed without leave, of those known", "旷课节次占已知节次的百分比"),
    _over("leave_days", "请假天数", "school days with a session on leave", "有请假的上学日数"),
    _over("lateness", "迟到早退次数", "sessions the child came late to or left early", "迟到或早退的节次数", SESSIONS),
    _over(
        "half_days",
        "半日缺勤天数",
        "school days on which the child was seen and also missed a session without leave",
        "当天到过校又有旷课的上学日数",
    ),
    _over("seen_days", "到校天数", "school days on which the child was seen", "到校的上学日数"),
    _over(
        "unseen_days",
        "未见天数",
        "school days on which the roll was called and the child neither seen nor on leave",
        "已点名而未见到且未请假的上学日数",
    ),
    _over(
        "unnamed_days",
        "未点到天数",
        "school days on which the roll was called and nobody said anything of the child",
        "已点名而名单未提到该生的上学日数",
    ),
    _over(
        "known_days",
        "已知天数",
        "school days of which something is known: seen, absent or on leave",
        "有出勤、缺勤或请假记录的上学日数",
    ),
    _over(
        "spells",
        "缺勤段数",
        "spells of two or more whole school days in a row missed without leave, each counted on its second day",
        "连续两个及以上整日旷课的段数,各计在其第二日",
        "spells",
    ),
    Family(
        "weekday_share",
        "周一周五占比",
        Kind.SHARE,
        PERCENT,
        "of the days absent, leave included, those on the first or last weekday of the school's week (Monday and "
        f"Friday in a week of five days); 0 below {WEEKDAY_EVIDENCE} days absent",
        "缺席日(含请假)中落在本校每周第一个或最后一个上学日(五天制为周一、周五)的百分比;"
        f"不足{WEEKDAY_EVIDENCE}个缺席日时为0",
        windowed=True,
        evidence=WEEKDAY_EVIDENCE,
        high=100.0,
    ),
    Family(
        "weekday_p",
        "周一周五概率",
        Kind.SHARE,
        "probability",
        "how likely so many of the days absent, or more, fall on those two weekdays by chance (binomial, by their "
        f"share of the child's known days); 1 below {WEEKDAY_EVIDENCE} days absent",
        f"缺席偶然如此集中于这两个上学日的概率(二项分布,以其占该生已知上学日的比例为基准);不足{WEEKDAY_EVIDENCE}个缺席日时为1",
        windowed=True,
        evidence=WEEKDAY_EVIDENCE,
        high=1.0,
        blank=1.0,
    ),
    # -- trend, spells that go on --
    Family(
        "absence_trend",
        "缺席趋势",
        Kind.SHARE,
        POINTS,
        f"absence rate of the last {RECENT_WINDOW} school days less that of the {EARLIER_WINDOW} before, each over its "
        f"own known sessions; 0 while either knows fewer than {RATE_EVIDENCE} school days",
        f"最近{RECENT_WINDOW}个上学日缺席率减去此前{EARLIER_WINDOW}个上学日缺席率,各以本段已知节次为分母;"
        f"任一段已知不足{RATE_EVIDENCE}日时为0",
        evidence=RATE_EVIDENCE,
        low=-100.0,
        high=100.0,
    ),
    _days(
        "spell_days",
        "整日缺勤天数",
        "whole school days missed without leave, in a row, up to the last one heard of; a day is whole if nothing else "
        "is known of it, and days of which nothing is known are passed over",
        "截至最近有消息的上学日,连续整日旷课的天数;当天除旷课外别无记录即为整日,无记录之日略过",
    ),
    _days(
        "unheard_days",
        "无信号天数",
        "school days in a row on which the roll was called and nobody said anything of the child; days without a roll "
        "are passed over",
        "连续点名而未提到该生的上学日数;未点名之日略过",
    ),
    _days(
        "gone_days",
        "连续未见天数",
        "school days in a row on which the roll was called and the child neither seen nor on leave; days without a "
        "roll are passed over",
        "连续点名而未见到且未请假的上学日数;未点名之日略过",
    ),
    _days(
        "no_show_days",
        "开学未到天数",
        "school days on which the roll was called and the child not seen, since school began again after "
        f"{HOLIDAY_DAYS} days or more without (a term, the end of a holiday); 0 once seen or on leave",
        f"停课{HOLIDAY_DAYS}天及以上后复课(开学、假期结束)以来,已点名而未见到的上学日数;见到或请假后为0",
    ),
    _days(
        "overrun_days",
        "逾假天数",
        "school days missed without leave since the last session on leave; 0 once seen, and where there was no leave",
        "最后一个请假节次之后旷课的上学日数;见到后及从未请假的为0",
    ),
    _days(
        "long_leave_days",
        "连续请假天数",
        "whole school days on leave in a row, up to the last one heard of; being seen or missed ends it",
        "截至最近有消息的上学日,连续整日请假的上学日数;到校或旷课即中断",
    ),
    _days(
        "relapse_days",
        "反弹天数",
        f"whole school days missed, in a spell that began within {RELAPSE_WITHIN} known school days of coming back "
        f"from one of at least {LONG_SPELL}; 0 otherwise",
        f"整日旷课{LONG_SPELL}日及以上返校后,{RELAPSE_WITHIN}个已知上学日内再次开始的连续整日旷课天数;否则为0",
    ),
    _days(
        "resumption_days",
        "复学未到天数",
        "school days missed without leave since the day a suspension ended (resumption, transfer in); 0 once seen or "
        "on leave, and where none ended",
        "自复学(或转入)之日起旷课的上学日数;见到或请假后、未曾休学复学的为0",
    ),
    # -- movements --
    _flag(
        "suspended",
        "休学中",
        "a suspension is on record, one dated ahead included, and neither resumption nor transfer in after it",
        "有休学记录(含日期未到的),而无其后的复学或转入记录",
    ),
    _flag(
        "transfer_pending",
        "转学未落实",
        "a transfer out is on record, one dated ahead included, without evidence, transfer in, verification or "
        "resumption, and the child was not seen since its date",
        "有转出记录(含日期未到的),而无证明、转入、核实或复学记录,且自该日起未见到",
    ),
    # -- the class and the school --
    _unit_share(
        "class_absence_share",
        "班级缺勤占比",
        "of the children of its class expected in the last session heard of the child, those absent without leave",
        "该生最近有消息的节次中,本班应到学生旷课的百分比",
    ),
    _unit_share(
        "school_absence_share",
        "学校缺勤占比",
        "of the children of its school expected in the last session heard of the child, those absent without leave",
        "该生最近有消息的节次中,本校应到学生旷课的百分比",
    ),
    # -- what the child is --
    Family(
        "grade",
        "年级",
        Kind.COUNT,
        "grade",
        "the grade as a number (七年级 and Grade 7 are 7, 初一 is 7); 0 where it is not known",
        "年级数(七年级、初一为7);未知为0",
        high=13.0,
        trait=True,
    ),
    _flag("boarding", "寄宿", "the child boards at school", "在校寄宿", trait=True),
    *(
        _flag(f"tag_{tag}", f"标签_{alias}", f"the roster tags the child {tag}", f"名单标注:{alias}", trait=True)
        for tag, alias in TAGS.items()
    ),
)
"""Every fact, in the order in which they are listed."""
