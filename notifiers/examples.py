"""Made-up facts to try templates with; no such child, school or number exists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

_ZONE = dt.timezone(dt.timedelta(hours=8))
PUBLIC = "https://baoxue.example.gov.cn"
"""What the links of examples begin with."""


def _at(day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, 3, day, hour, minute, tzinfo=_ZONE)


_ALERT: Mapping[str, Any] = {
    "case": "2026-000123",
    "student": "张**",
    "school": "城关镇中心小学",
    "class": "三年级1班",
    "grade": "三年级",
    "village": "柳树村",
    "town": "城关镇",
    "residence_assumed": False,
    "run_from": _at(16, 8),
    "due_at": _at(18, 8),
    "raised_at": _at(18, 8, 10),
    "answer_by": _at(19, 8, 10),
    "episode": 1,
    "unconfirmed": False,
    "reason": "corrected",
    "days_absent": 3,
    "kind": "report",
    "rule": "unexcused-days",
    "rule_version": "5d41402abc4b",
    "title": "四周内多次旷课",
    "acknowledge_url": f"{PUBLIC}/a/AZWgscLTZk3vQ9tLm2Rc8dWy",
    "record_url": None,
    "confirm_seen_url": f"{PUBLIC}/a/AZWgscLTr2XwKp7dHs5nVb1g",
    "confirm_absent_url": f"{PUBLIC}/a/AZWgscLTe8Nc4yHaPt7zLq3k",
}
_FACTS: Mapping[str, Any] = {
    "alerts": [_ALERT],
    "unit": "城关镇中心小学",
    "count": 45,
    "share": 0.5625,
    "classes": ["三年级1班", "三年级2班"],
    "faults": [
        {
            "file": "rules.toml",
            "line": 12,
            "key": "rule[1].when",
            "fault": "'absent_day' is no fact",
            "hint": "did you mean absent_days?",
        },
        {"file": "templates/sms/report.zh.txt.j2", "line": None, "key": "", "fault": "is no UTF-8 text", "hint": None},
    ],
    "part": {"zh": "渠道email", "en": "channel email"},
    "problem": {"what": "rows_refused", "zh": "有数据行被拒收", "en": "rows are refused"},
    "overdue": [
        {"what": "message_late", "zh": "消息到期未发", "en": "messages due and not sent", "count": 12},
        {"what": "case_unwoken", "zh": "个案缺少定时", "en": "cases that nothing would wake", "count": 1},
    ],
    "failures": [
        {
            "contact": "town-1",
            "role": "town_government",
            "unit": "城关镇",
            "channel": "sms",
            "why": "gateway: answered 422",
            "lost": ["2026-000123"],
        },
        {
            "contact": "office-2",
            "role": "education_office",
            "unit": None,
            "channel": "email",
            "why": "did not arrive: 5.1.1",
            "lost": [],
        },
    ],
    "owed": [
        {"role": "town_government", "unit": "城关镇", "cases": ["2026-000123", "2026-000124"], "count": 2},
        {"role": "education_office", "unit": "城关镇中心小学", "cases": ["2026-000123"], "count": 1},
    ],
    "findings": [
        {"what": "rung", "ladder": "statutory", "rung": 2, "count": 2, "places": "sch-1 / t-1, sch-2 / t-2"},
        {"what": "duty", "fault": "unknown", "role": "education_office", "unit": None, "contact": "office-9"},
        {"what": "duty", "fault": "unreachable", "role": "education_office", "unit": None, "contact": "office-2"},
        {"what": "duty", "fault": "nobody", "role": "operator", "unit": None, "contact": None},
        {
            "what": "address",
            "contact": "town-1",
            "role": "town_government",
            "unit": "城关镇",
            "channel": "sms",
            "since": "2026-03-16 08:00",
            "why": "gateway: answered 422",
        },
        {"what": "number", "contact": "town-2", "role": "town_government", "unit": "柳树镇"},
        {"what": "silence", "silence": "4f0c", "since": "2026-03-16 08:00", "until": "2026-03-20 18:00"},
    ],
    "answer": {
        "what": "no_code",
        "cases": [],
        "waiting": [{"case": "2026-000123", "code": "40213"}, {"case": "2026-000124", "code": "90817"}],
        "more": 1,
    },
    "feed": "marks",
    "since": _at(16, 8),
    "incident": "7",
    "district": "青禾县教育局",
    "callback": "0900-5550100",
    "reply_code": "40213",
    "signature": None,
    "judge_url": f"{PUBLIC}/a/AZWgscLTj9nWe3UcXm5Pb2Ks",
    "notices": (),
    "recipient_role": "town_government",
}
_ENGLISH_ALERT = {
    "student": "A** L**",
    "school": "Valley School",
    "class": "Class 3A",
    "grade": "Grade 3",
    "village": "Millbrook",
    "town": "Riverton",
    "title": "Absent without leave several times in four weeks",
}
_DEED = {"acknowledge_url": None, "record_url": f"{PUBLIC}/a/AZWgscLTd4mQz8RvTq1Lx6Hy"}
"""What differs for somebody whose acknowledgement does not count."""
_NOTHING: Mapping[str, Any] = dict.fromkeys(
    ("classes", "notices", "faults", "overdue", "failures", "findings", "owed"), ()
)
_ENGLISH = {"unit": "Valley School", "classes": ["3A", "3B"], "district": "Green Valley Schools"}


def examples(language: str) -> dict[str, Mapping[str, Any]]:
    """One alert, several, an unconfirmed one, one to somebody who may not acknowledge, a digest, and little known.

    With the facts of an incident.
    """
    english = language == "en"
    facts = {**_FACTS, **(_ENGLISH if english else {})}
    if english:
        facts |= {key: [_in_riverton(one) for one in _FACTS[key]] for key in ("failures", "findings", "owed")}
    alert = {**_ALERT, **(_ENGLISH_ALERT if english else {})}
    bare = {**dict.fromkeys(alert), **{key: alert[key] for key in ("case", "student", "school", "run_from")}}
    kept = {key: facts[key] for key in ("district", "since")}
    return {
        "one": {**facts, "alerts": [alert]},
        "several": {**facts, "alerts": [alert, *_others(alert)]},
        "unconfirmed": {**facts, "alerts": [{**alert, "unconfirmed": True, "days_absent": 1}]},
        "deed": {**facts, "alerts": [{**alert, **_DEED}], "reply_code": None},
        "mixed": {**facts, "alerts": _signs(alert), "notices": _notices(facts), "reply_code": None},
        "bare": {**dict.fromkeys(facts), **kept, **_NOTHING, "alerts": [bare]},
    }


def _in_riverton(one: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**one, "unit": _ENGLISH_ALERT["town"]} if one.get("unit") else one


def _signs(alert: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a digest tells of children: nothing of it asks to be acknowledged."""
    nothing = dict.fromkeys(
        ("raised_at", "reason", "answer_by", "acknowledge_url", "confirm_seen_url", "confirm_absent_url")
    )
    sign = {**alert, **nothing, "kind": "risk"}
    second = {"case": "2026-000124", "student": "欧阳**", "kind": "reminder", "record_url": _DEED["record_url"]}
    return [{**sign, "due_at": None}, {**sign, **second}]


def _notices(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a digest tells of feeds and of the daemon itself."""
    told = dict.fromkeys(("unit", "feed", "classes", "count", "since"))
    stale = {key: facts[key] for key in ("unit", "feed", "classes", "since")}
    return [{**told, **stale, "kind": "feed_stale"}, {**told, "kind": "daily_watch"}]


def _others(alert: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    second = {
        "case": "2026-000124",
        "student": "欧阳**",
        "residence_assumed": True,
        "acknowledge_url": f"{PUBLIC}/a/AZWgscLTQm5xJs1uGd9wCf4e",
    }
    third = {"case": "2026-000125", "student": "B**", "unconfirmed": True, "grade": None, "reason": "leave"}
    return [{**alert, **second}, {**alert, **third, "acknowledge_url": f"{PUBLIC}/a/AZWgscLTWb7yFt6oKn1rXh8j"}]
