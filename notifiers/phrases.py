"""Small words in two languages: masked names, instants, reasons, roles."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

REASONS: dict[str, tuple[str, str]] = {
    "returned": ("学生已返校", "the child is back at school"),
    "excused": ("缺勤已有请假或说明", "the absence is excused"),
    "leave": ("已补录请假", "leave was entered"),
    "corrected": ("考勤记录已更正", "the attendance record was corrected"),
    "movement": ("学籍异动已确认", "a change of enrolment was confirmed"),
    "marked_leave": ("点名记为请假", "the roll says that the child was on leave"),
    "present": ("点名记录显示当时在校", "the roll says that the child was at school"),
    "not_real": ("大面积缺勤经核实不属实", "the mass absence was judged not real"),
    "false_alarm": ("误报", "false alarm"),
    "transferred": ("已转学", "transferred to another school"),
    "suspended": ("已休学", "suspended from school (休学)"),
    "graduated": ("已毕业", "graduated"),
    "verified_elsewhere": ("已核实在他处就读", "verified in school elsewhere"),
    "home_schooling": ("送教上门或居家学习", "taught at home"),
    "deceased": ("已死亡", "deceased"),
    "not_ours": ("不属本辖区", "not of this district"),
}
"""Reasons a message may give, by code: 中文, English."""

_BY_MAIL_ONLY = frozenset({"deceased", "home_schooling", "suspended"})
"""Reasons that tell of illness, disability or death: not for a text message, nor for a group that anybody may read."""

_SEE = ("详见台账", "see the ledger")

ROLES: dict[str, tuple[str, str]] = {
    "guardian": ("监护人", "guardian"),
    "class_teacher": ("班主任", "class teacher"),
    "principal": ("校长", "principal"),
    "central_school": ("中心校", "central school"),
    "education_office": ("教育局控辍保学办公室", "education office"),
    "education_director": ("教育局长", "education director"),
    "county_head": ("县领导", "county head"),
    "town_government": ("乡镇（街道）政府", "town government"),
    "town_head": ("乡镇（街道）领导", "town head"),
    "village_head": ("村（社区）负责人", "village head"),
    "mentor": ("帮扶责任人", "mentor"),
    "operator": ("系统管理员", "operator"),
}
"""Whom a message is for: 中文, English."""

SMS_LIST = 8
"""How many alerts one text message names; more are only counted, so whoever bundles stops here."""

KINDS: dict[str, tuple[str, str]] = {
    "first_absence": ("首次缺勤", "first absence"),
    "report": ("报告", "report"),
    "escalation": ("升级督办", "escalation"),
    "retraction": ("撤回", "retraction"),
    "return": ("返校", "return"),
    "reopened": ("重开", "reopened"),
    "closed": ("销号", "closed"),
    "confirm_request": ("请核实", "please confirm"),
    "feed_stale": ("考勤数据中断", "no attendance records"),
    "feed_recovered": ("考勤数据恢复", "attendance records resumed"),
    "mass_absence": ("大面积缺勤", "mass absence"),
    "feed_problem": ("数据源问题", "problem with a feed"),
    "feed_problem_over": ("数据源问题已解决", "problem with a feed is over"),
    "service_problem": ("系统故障", "fault of the service"),
    "service_problem_over": ("系统故障已排除", "fault of the service is over"),
    "rules_refused": ("配置未生效", "configuration refused"),
    "rules_accepted": ("配置已恢复正常", "configuration accepted"),
    "reply_answer": ("回复结果", "answer to a reply"),
    "undeliverable": ("无法送达", "not delivered"),
    "nobody_to_tell": ("无人可通知", "nobody to tell"),
    "rehearsal": ("试运行", "shadow mode"),
    "daily_watch": ("每日巡检", "daily check"),
    "risk": ("辍学苗头", "signs of dropping out"),
    "reminder": ("时限提醒", "deadline"),
    "overdue": ("自检告警", "overdue work"),
    "digest": ("汇总", "summary"),
    "test": ("测试", "test"),
}
"""What a message can be: 中文, English."""

_DAYS_ZH = "一二三四五六日"
_DAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TWO_SURNAMES = re.compile(
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|"
    "太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|令狐|百里|呼延|东郭|南门|西门"
)
_COMPULSORY = "一二三四五六七八九"
_LAST_GRADE = 12
_NUMERALS = {word: n for n, word in enumerate(_COMPULSORY, 1)} | {"十": 10, "十一": 11, "十二": 12}
_STAGES = {"小学": 0, "小": 0, "初中": 6, "初": 6, "高中": 9, "高": 9}
_GRADE = re.compile(
    r"(?:grade|year)?\s*(?P<stage>小学|小|初中|初|高中|高)?\s*(?:0?(?P<digits>\d{1,2})|(?P<numeral>十[一二]?|[一二三四五六七八九]))"
    r"\s*(?:年级|级)?",
    re.ASCII | re.IGNORECASE,
)
_LATIN = re.compile(r"[A-Za-z]")
_SAYS_GRADE = re.compile(
    r"年级|[小初高][一二三四五六]|[一二三四五六七八九]\s*[(（]|\b(?:grade|year)\b|^\d{1,2}\s*[(（]\d|^\d{3,4}",
    re.IGNORECASE,
)
"""What a class is called that says its grade itself: 三年级1班, 初二3班, 八(2)班, 301班."""
_UNITS = (
    (24 * 60, "天", "day", "days", 2),
    (60, "小时", "hour", "hours", 1),
    (1, "分钟", "minute", "minutes", 1),
)
"""Minutes, words, and from how many on: a single day is 24 hours."""
_FULL_NAME = 3
_SHOWN_DIGITS = 4
_HAN = re.compile(r"[㐀-鿿豈-﫿\U00020000-\U0003FFFF]")


def mask_name(name: str, language: str) -> str:
    """A name with all but its surname (Han) or initials (other scripts) hidden: 张**, A** L**.

    The number of stars says nothing about the length. A name without any letter becomes 某** or N**.
    """
    letters = one_line(name)
    first = next((character for character in letters if character.isalpha()), None)
    if first is None:
        return "某**" if language == "zh" else "N**"
    if _HAN.match(first):
        han = letters[letters.index(first) :]
        two = _TWO_SURNAMES.match(han) if len(han) >= _FULL_NAME else None
        return f"{two[0] if two else first}**"
    initials = [found for word in letters.split() if (found := next((c for c in word if c.isalpha()), None))]
    return " ".join(f"{initial}**" for initial in (initials if len(initials) == 1 else (initials[0], initials[-1])))


def mask_address(address: str | None) -> str | None:
    """A number without all but its last digits, or a mail address without all but its first letter and its domain."""
    if not address:
        return None
    name, at, domain = one_line(address).rpartition("@")
    return f"{name[:1]}**@{domain}" if at else f"**{domain[-_SHOWN_DIGITS:]}"


def one_line(text: str) -> str:
    """The text without line breaks, control characters or marks that turn the direction of reading."""
    return " ".join("".join(" " if _hides(character) else character for character in text).split())


def known_reason(reason: str | None) -> str | None:
    """The code of a reason, however its words are joined; None for one we have no words for."""
    code = (reason or "").strip().lower().replace(" ", "_").replace("-", "_")
    return code if code in REASONS else None


def reason_words(reason: str | None, language: str, channel: str) -> str:
    """A reason in words; a free text is told nowhere, since nobody knows whom it names."""
    code = known_reason(reason)
    tongue = 0 if language == "zh" else 1
    if code is None or (channel != "email" and code in _BY_MAIL_ONLY):
        return _SEE[tongue]
    return REASONS[code][tongue]


def role_words(role: str | None, language: str) -> str:
    """A role in words; an unknown one as it is."""
    if role is None or role not in ROLES:
        return role or ""
    return ROLES[role][0 if language == "zh" else 1]


def grade_words(text: str | None, language: str) -> str | None:
    """A grade as people say it: `8` and `初二` are 八年级, `11` is 高二; what is no number is left as it is."""
    written = one_line(text or "")
    found = _GRADE.fullmatch(unicodedata.normalize("NFKC", written))
    if not written or found is None:
        return written or None
    stage, digits, numeral = found["stage"] or "", found["digits"], found["numeral"]
    number = (int(digits) if digits else _NUMERALS[numeral]) + _STAGES.get(stage, 0)
    if not 0 < number <= _LAST_GRADE:
        return written
    if language != "zh":
        return written if _LATIN.search(written) else f"grade {number}"
    return f"{_COMPULSORY[number - 1]}年级" if number <= len(_COMPULSORY) else f"高{_COMPULSORY[number - 10]}"


def class_words(name: str | None, grade: str | None, language: str) -> str | None:
    """A class as it can be found in its school: its name, with the grade before it where that does not stand in it."""
    plain = one_line(name or "")
    said = grade_words(grade, language)
    if not plain or said is None or said in plain or _SAYS_GRADE.search(unicodedata.normalize("NFKC", plain)):
        return plain or None
    return f"{said}{plain}" if language == "zh" else f"{said} {plain}"


def span(length: dt.timedelta, language: str) -> str:
    """A length of time as people say it, in the largest unit that is whole."""
    minutes = max(round(length.total_seconds() / 60), 1)
    size, zh, one, many, _ = next(
        found for found in _UNITS if minutes % found[0] == 0 and minutes >= found[-1] * found[0]
    )
    count = minutes // size
    return f"{count}{zh}" if language == "zh" else f"{count} {one if count == 1 else many}"


def instant(at: dt.datetime, language: str, *, short: bool = False) -> str:
    """A local instant as people read it, in its own zone; without the year and weekday where it must be short."""
    if language == "zh":
        year, day = ("", "") if short else (f"{at.year}年", f"（周{_DAYS_ZH[at.weekday()]}）")
        return f"{year}{at.month}月{at.day}日{day}{at:%H:%M}"
    day, year = ("", "") if short else (f"{_DAYS_EN[at.weekday()]} ", f" {at.year}")
    return f"{day}{at.day} {_MONTHS[at.month - 1]}{year} {at:%H:%M}"


def day(at: dt.datetime, language: str) -> str:
    """A local day as people read it where it must be short, without the year."""
    return f"{at.month}月{at.day}日" if language == "zh" else f"{at.day} {_MONTHS[at.month - 1]}"


def _hides(character: str) -> bool:
    if unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}:
        return True
    return character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
