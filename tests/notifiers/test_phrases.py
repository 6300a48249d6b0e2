"""Masked names, instants, and the price of a text message."""

from __future__ import annotations

import datetime as dt

import pytest

from notifiers.phrases import class_words, grade_words, instant, known_reason, reason_words, role_words, span
from notifiers.words import mask_name, sms_encoding, sms_segments


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张**"),
        ("张小明", "张**"),
        ("欧阳小明", "欧阳**"),
        ("欧阳", "欧**"),
        ("阿卜杜拉·买买提", "阿**"),
        ("扎西 次仁", "扎**"),
        ("Ana Lima", "A** L**"),
        ("Ana María de la Cruz", "A** C**"),
        ("Ana", "A**"),
        ("  \t\r\nAna", "A**"),
        ("😀李雷", "李**"),
        ("𠮷野", "𠮷**"),
        ("<b>王</b>", "b**"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_name_keeps_its_first_letter_only(name: str, masked: str, language: str) -> None:
    assert mask_name(name, language) == masked


def test_no_name_is_masked_too() -> None:
    assert [mask_name("", "zh"), mask_name("123", "en")] == ["某**", "N**"]


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("", "gsm7", 1),
        ("a" * 160, "gsm7", 1),
        ("a" * 161, "gsm7", 2),
        ("a" * 306, "gsm7", 2),
        ("a" * 307, "gsm7", 3),
        ("€" * 80, "gsm7", 1),
        ("€" * 81, "gsm7", 2),
        ("a" * 152 + "€" + "a" * 153, "gsm7", 3),
        ("报" * 70, "ucs2", 1),
        ("报" * 71, "ucs2", 2),
        ("报" * 134, "ucs2", 2),
        ("报" * 135, "ucs2", 3),
        ("😀" * 35, "ucs2", 1),
        ("报" * 66 + "😀" + "报" * 66, "ucs2", 3),
        ("a\u00a0b", "ucs2", 1),
    ],
)
def test_a_text_costs_what_it_costs_on_the_air(text: str, encoding: str, segments: int) -> None:
    assert (sms_encoding(text), sms_segments(text)) == (encoding, segments)


def test_an_instant_is_told_in_its_own_zone() -> None:
    at = dt.datetime(2026, 3, 16, 8, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert instant(at, "zh") == "2026年3月16日（周一）08:05"
    assert instant(at, "zh", short=True) == "3月16日08:05"
    assert instant(at, "en") == "Mon 16 Mar 2026 08:05"
    assert instant(at, "en", short=True) == "16 Mar 08:05"


def test_a_reason_is_known_however_it_is_joined() -> None:
    assert known_reason("Verified elsewhere") == known_reason("verified-elsewhere") == "verified_elsewhere"
    assert known_reason("whatever") is None
    assert known_reason(None) is None
    assert reason_words(None, "en", "email") == "see the ledger"


def test_a_role_has_words() -> None:
    assert [role_words("mentor", "zh"), role_words("mentor", "en"), role_words("x", "zh"), role_words(None, "en")] == [
        "帮扶责任人",
        "mentor",
        "x",
        "",
    ]


@pytest.mark.parametrize(
    ("grade", "chinese", "english"),
    [
        ("8", "八年级", "grade 8"),
        ("08", "八年级", "grade 8"),
        ("八年级", "八年级", "grade 8"),
        ("初二", "八年级", "grade 8"),
        ("高中2年级", "高二", "grade 11"),
        ("12", "高三", "grade 12"),
        ("Grade 3", "三年级", "Grade 3"),
        ("Year 7", "七年级", "Year 7"),
        ("学前班", "学前班", "学前班"),
        ("2026级", "2026级", "2026级"),
        ("0", "0", "0"),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_grade_is_said_as_people_say_it(grade: str | None, chinese: str | None, english: str | None) -> None:
    assert (grade_words(grade, "zh"), grade_words(grade, "en")) == (chinese, english)


@pytest.mark.parametrize(
    ("name", "grade", "said"),
    [
        ("1班", "8", "八年级1班"),
        ("三年级1班", "3", "三年级1班"),
        ("八(2)班", "8", "八(2)班"),
        ("初二3班", "8", "初二3班"),
        ("301班", "3", "301班"),
        ("向日葵班", None, "向日葵班"),
        ("", "8", None),
        (None, "8", None),
    ],
)
def test_a_class_can_be_found_by_what_it_is_called(name: str | None, grade: str | None, said: str | None) -> None:
    assert class_words(name, grade, "zh") == said


def test_a_length_of_time_is_said_in_the_largest_whole_unit() -> None:
    hour = dt.timedelta(hours=1)
    assert [span(one, "zh") for one in (hour / 2, hour, 24 * hour, 36 * hour, 72 * hour)] == [
        "30分钟",
        "1小时",
        "24小时",
        "36小时",
        "3天",
    ]
    assert [span(hour, "en"), span(72 * hour, "en")] == ["1 hour", "3 days"]
