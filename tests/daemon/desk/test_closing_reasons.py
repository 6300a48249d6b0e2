"""Which words close a case, and who is the same person."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from daemon.desk.faults import DeskError
from daemon.desk.reasons import CLOSING, closing_reason, is_same_person, who
from daemon.desk.spans import read_date, span_end, span_start

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("reason", CLOSING)
def test_every_reason_is_understood_however_its_words_are_joined(reason: str) -> None:
    for written in (reason, reason.upper(), reason.replace(" ", "_"), reason.replace(" ", "-"), f"  {reason} "):
        assert closing_reason(written, "case 1") == reason


@pytest.mark.parametrize(("written", "reason"), [("已休学", "suspended"), ("误报", "false alarm")])
def test_reasons_have_chinese_words(written: str, reason: str) -> None:
    assert closing_reason(written, "case 1") == reason


def test_a_misspelt_reason_is_answered_with_the_nearest() -> None:
    with pytest.raises(DeskError) as refused:
        closing_reason("transfered", "case 1")
    assert refused.value.hint == 'did you mean "transferred"?'


@pytest.mark.parametrize("written", ["family moved, unreachable", "Unreachable", "举家外出", "失联"])
def test_a_family_that_cannot_be_reached_closes_nothing(written: str) -> None:
    with pytest.raises(DeskError, match="never closes a case"):
        closing_reason(written, "case 1")


def test_case_width_and_spaces_make_no_second_person() -> None:
    assert is_same_person("Tao Li", "tao  li")
    assert is_same_person("ＴＡＯ", "Tao")
    assert not is_same_person("Tao", "Eve")


@pytest.mark.parametrize("nobody", ["", "   ", "x" * 101])
def test_somebody_must_say_so(nobody: str) -> None:
    with pytest.raises(DeskError):
        who(nobody, "case 1")


def test_whole_dates_mean_both_days_inclusive() -> None:
    assert span_start("2026-03-16", SHANGHAI, "") == dt.datetime(2026, 3, 15, 16, tzinfo=dt.UTC)
    assert span_end("2026-03-16", SHANGHAI, "") == dt.datetime(2026, 3, 16, 16, tzinfo=dt.UTC)


def test_an_instant_without_an_offset_is_local() -> None:
    assert span_end("2026-03-16T08:00", SHANGHAI, "") == span_start("2026-03-16T00:00Z", SHANGHAI, "")


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "2026-13-01T08:00"])
def test_what_is_no_date_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(DeskError) as refused:
        span_start(text, SHANGHAI, "--from")
    assert refused.value.hint
    with pytest.raises(DeskError):
        read_date(text, "--from")
