"""What is the fault of a channel, of one recipient, or of a job: who is noted, who is told, and when it is over."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from daemon.jobs.failing_jobs import LASTS_SECONDS, Failing, failed_once_more, review_jobs
from daemon.jobs.ways import NOT_ARRIVED_AGAIN, REFUSED_AGAIN, ways_of
from notifiers.contract import Fault
from tests.daemon.senders.live import MINUTE, Live
from tests.daemon.senders.receivers import Behaviour, HttpReceiver
from tests.phones_http import Answer, HttpRequest

OTHERS = [f"town_government,t-1,镇政府,other-{n},1380000010{n},," for n in range(3)]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A district with an SMS gateway and four recipients of text messages, before its report is raised."""
    opened = Live(tmp_path, "http", OTHERS)
    yield opened
    opened.ends()


def gateway(live: Live) -> HttpReceiver:
    return cast("HttpReceiver", live.receivers["http"])


def refuses(live: Live, monkeypatch: pytest.MonkeyPatch, status: int, *numbers: str) -> None:
    """The gateway answers so to messages for these numbers."""

    def fault(request: HttpRequest) -> Answer | None:
        return Answer(status) if json.loads(request.body)["phone"] in numbers else None

    monkeypatch.setattr(gateway(live), "fault", fault)


def state_of(live: Live, contact: str) -> tuple[str, str | None]:
    [one] = [each for each in live.deliveries() if each.message.contact_id == contact]
    return one.message.state, one.attempts[-1].fault if one.attempts else None


def flagged(live: Live, contact: str) -> bool:
    with live.house.store.read() as tx:
        return bool(ways_of(tx, live.house.config, live.house.notifiers, [contact], live.now).flagged)


def test_who_alone_is_refused_while_others_are_sent_to_is_at_fault_itself(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(live, monkeypatch, 403, "+8613800000101")
    live.begins()
    assert state_of(live, "http") == ("sent", None)
    assert state_of(live, "other-1") == ("queued", Fault.ACCOUNT)
    assert live.is_ready() == []

    for _ in range(5):
        live.turns(20 * MINUTE)
    assert state_of(live, "other-1") == ("failed", Fault.ADDRESS)
    assert flagged(live, "other-1")
    assert not flagged(live, "other-2")
    assert [part for kind, part in live.operator_heard() if kind == "service_problem"] == []


def test_a_channel_that_refuses_one_address_after_another_is_told_of(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(live, monkeypatch, 422, "+8613800000001", "+8613800000100", "+8613800000101", "+8613800000102")
    live.begins()
    live.turns()
    assert ("service_problem", "channel sms") in live.operator_heard()
    assert any("channel sms" in one and "one after another" in one for one in live.withholds())


def test_an_address_that_was_refused_is_tried_again_after_a_day(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    refuses(live, monkeypatch, 422, "+8613800000101")
    live.begins()

    def reached(after: dt.timedelta) -> bool:
        with live.house.store.read() as tx:
            return ways_of(tx, live.house.config, ["sms"], ["other-1"], live.now + after).reaches("other-1")

    assert [reached(after) for after in (MINUTE, REFUSED_AGAIN - MINUTE, REFUSED_AGAIN)] == [False, False, True]
    assert NOT_ARRIVED_AGAIN > REFUSED_AGAIN  # what came back was taken first: it costs more to try
    assert flagged(live, "other-1")


def test_a_job_that_keeps_failing_is_told_by_another_channel_until_it_goes_on(live: Live) -> None:
    live.begins()
    first = failed_once_more(None, "send sms", AttributeError("a secret"))
    again = failed_once_more(failed_once_more(first, "send sms", AttributeError()), "send sms", AttributeError())
    assert [again.lasts(again.since + seconds) for seconds in (0, LASTS_SECONDS)] == [False, True]
    assert not first.lasts(first.since + LASTS_SECONDS)

    live.vitals.failing = lambda: [again]
    assert live.is_ready() == ["job send sms keeps failing (AttributeError, see the log)"]
    assert live.withholds() == live.is_ready()
    for _ in range(2):
        review_jobs(live.house, [again], live.now)
        live.turns()
    assert live.operator_heard() == [("service_problem", "job send sms")]

    live.vitals.failing = tuple
    review_jobs(live.house, (), live.now)
    live.turns(MINUTE)
    assert live.operator_heard()[1:] == [("service_problem_over", "job send sms")]
    assert live.is_ready() == []


def test_a_test_message_that_is_taken_ends_the_problem_of_its_channel(live: Live) -> None:
    gateway(live).behaves(Behaviour.REFUSED_FOR_THE_ACCOUNT)
    live.begins()
    assert any("channel sms" in one for one in live.is_ready())

    gateway(live).behaves(Behaviour.TAKEN)
    asked = ["say", "--to", "http", "--channel", "sms", "--config", "config.toml"]
    subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-m", "daemon", *asked], cwd=live.folder, env={"PYTHONPATH": str(ROOT)}, check=True
    )
    assert live.is_ready() == []


def test_a_gateway_that_knows_the_id_of_a_doubtful_message_has_taken_it(live: Live) -> None:
    gateway(live).behaves(Behaviour.BROKEN_AFTER_TAKING)
    live.begins()
    assert state_of(live, "http") == ("queued", Fault.PASSING)

    gateway(live).usual = Answer(409)
    live.turns(10 * MINUTE)
    assert state_of(live, "http") == ("sent", None)
    assert not flagged(live, "http")


def test_a_failing_job_is_named_by_its_kind_of_error_only() -> None:
    assert "secret" not in failed_once_more(None, "sweep", ValueError("a secret")).words
    assert Failing("sweep", "ValueError").part == "job sweep"
