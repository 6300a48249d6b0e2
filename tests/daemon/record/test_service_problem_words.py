"""What is wrong with the service is said to the operator in 中文: why, and what may help."""

from __future__ import annotations

import datetime as dt

import pytest

from daemon.clock import ClockDoubt, Reading
from daemon.jobs.channel_problems import TRY_AGAIN
from daemon.jobs.clock_doubts import trouble_of
from daemon.jobs.failing_jobs import IN_THE_LOG
from notifiers.glosses import fault_words, hint_words

NOON = dt.datetime(2026, 3, 18, 4, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("doubt", "shown", "fault", "hint"),
    [
        (
            ClockDoubt.BEHIND,
            NOON - dt.timedelta(hours=23, minutes=59),
            "显示 2026-03-17 04:01 UTC，比已知的最新时刻早23小时59分钟，暂停读取和判断",
            "请校正本机时钟；如时钟无误，请运行 baoxue clock accept --by WHO",
        ),
        (
            ClockDoubt.AHEAD,
            NOON + dt.timedelta(days=3, hours=2),
            "显示 2026-03-21 06:00 UTC，比已知的最新时刻晚3天2小时，其间没有点名，暂停判断",
            "有新的点名后自动恢复；如时钟无误，请运行 baoxue clock accept --by WHO",
        ),
    ],
)
def test_a_clock_in_doubt_is_said_in_chinese(doubt: ClockDoubt, shown: dt.datetime, fault: str, hint: str) -> None:
    trouble = trouble_of(Reading(NOON, shown, doubt))
    assert trouble is not None
    assert fault_words(trouble.reason, original=False) == fault
    assert hint_words(trouble.hint or "") == hint


def test_a_job_that_fails_and_a_channel_are_said_in_chinese() -> None:
    assert fault_words("OperationalError", original=False) == "程序出错（OperationalError）"
    assert hint_words(IN_THE_LOG) == "详见日志"
    assert hint_words(TRY_AGAIN.format("sms")) == "请检查配置或联系服务商；试发：baoxue say --channel sms"
