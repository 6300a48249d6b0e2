"""Every channel and provider, through the senders of a daemon, against receivers that behave in every way they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from notifiers.contract import Fault
from tests.daemon.senders.live import CHANNEL_OF, GROUPS, MINUTE, Live, Seen
from tests.daemon.senders.receivers import Behaviour

Opens = Callable[[str, Behaviour], Live]
OF_FOLDERS = {"gammu"}
"""What is handed over as a file is taken at once, or not at all."""
ROBOTS = {"wecom", "dingtalk", "feishu"}
KNOW_IDS = {"webhook", "curl"}

every_group = pytest.mark.parametrize("group", GROUPS)
over_a_network = pytest.mark.parametrize("group", [one for one in GROUPS if one not in OF_FOLDERS])


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    """Opens a district whose receivers all behave so, and raises its report."""
    opened: list[Live] = []

    def open_live(group: str, behaviour: Behaviour) -> Live:
        live = Live(tmp_path, group)
        opened.append(live)
        behave(live, behaviour)
        live.begins()
        return live

    yield open_live
    for live in opened:
        live.ends()


def behave(live: Live, behaviour: Behaviour) -> None:
    for receiver in live.receivers.values():
        receiver.behaves(behaviour)


def part_of(name: str) -> str:
    channel = CHANNEL_OF[name]
    return f"channel {channel} {name}" if channel in {"chat", "webhook"} else f"channel {channel}"


def told(live: Live, kind: str) -> list[str]:
    """The parts of the service that the operator was told such a thing of."""
    return sorted(part for told, part in live.operator_heard() if told == kind)


def is_well(live: Live) -> bool:
    assert (live.is_ready(), live.withholds()) == ([], [])
    return True


def is_unwell_for(live: Live, name: str) -> bool:
    return all(any(part_of(name) in one for one in said) for said in (live.is_ready(), live.withholds()))


@every_group
def test_taken_is_told_once_and_all_is_well(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.TAKEN)
    assert {name: live.sees(name) for name in live.receivers} == {
        name: Seen("sent", 1, doubtful=False, flagged=False, fault=None) for name in live.receivers
    }
    assert live.operator_heard() == []
    assert is_well(live)


@over_a_network
def test_slow_is_told_once_and_all_is_well(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.SLOW)
    assert {name: live.sees(name) for name in live.receivers} == {
        name: Seen("sent", 1, doubtful=False, flagged=False, fault=None) for name in live.receivers
    }
    assert live.operator_heard() == []
    assert is_well(live)


@every_group
def test_a_refused_account_waits_to_be_mended_and_is_told_once(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.REFUSED_FOR_THE_ACCOUNT)
    for name in live.receivers:
        assert live.sees(name) == Seen("queued", 0, doubtful=False, flagged=False, fault=Fault.ACCOUNT), name
        assert is_unwell_for(live, name), name
    live.turns(20 * MINUTE)
    live.turns(20 * MINUTE)
    assert told(live, "service_problem") == sorted(map(part_of, live.receivers))

    behave(live, Behaviour.TAKEN)
    live.turns(20 * MINUTE)
    for name in live.receivers:
        assert live.sees(name) == Seen("sent", 1, doubtful=False, flagged=False, fault=None), name
    assert told(live, "service_problem_over") == sorted(map(part_of, live.receivers))
    assert is_well(live)


@over_a_network
def test_a_refused_recipient_is_noted_and_told_and_the_channel_is_well(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.REFUSED_FOR_THE_RECIPIENT)
    for name in live.receivers:
        fault = Fault.MESSAGE if name in ROBOTS else Fault.ADDRESS
        seen = live.sees(name)
        assert seen == Seen("failed", 0, doubtful=False, flagged=fault is Fault.ADDRESS, fault=fault), name
    assert told(live, "undeliverable") != []
    assert told(live, "service_problem") == []
    assert live.is_ready() == []
    assert live.withholds() == ["overdue: 1 rung_owed"]  # of the channel nothing: but nobody knows of the child


@over_a_network
def test_a_busy_receiver_is_asked_again_and_told_of_when_it_lasts(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.BUSY)
    for name in live.receivers:
        assert live.sees(name) == Seen("queued", 0, doubtful=False, flagged=False, fault=Fault.PASSING), name
    assert live.operator_heard() == []
    assert is_well(live)

    for _ in range(4):
        live.turns(10 * MINUTE)
    assert told(live, "service_problem") == sorted(map(part_of, live.receivers))
    assert all(is_unwell_for(live, name) for name in live.receivers)

    behave(live, Behaviour.TAKEN)
    live.turns(20 * MINUTE)
    assert all(live.sees(name).state == "sent" and live.sees(name).copies == 1 for name in live.receivers)
    assert told(live, "service_problem_over") == sorted(map(part_of, live.receivers))
    assert is_well(live)


@over_a_network
def test_silence_is_in_doubt_only_where_the_message_was_given(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.SILENT)
    for name in live.receivers:
        doubtful = name != "email"  # its server said nothing before it was given the mail
        assert live.sees(name) == Seen("queued", 0, doubtful=doubtful, flagged=False, fault=Fault.PASSING), name

    behave(live, Behaviour.TAKEN)
    live.turns(10 * MINUTE)
    assert all(live.sees(name).state == "sent" and live.sees(name).copies == 1 for name in live.receivers)
    assert is_well(live)


@over_a_network
def test_what_broke_after_it_was_taken_is_repeated_once_and_said_to_be(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.BROKEN_AFTER_TAKING)
    for name in live.receivers:
        assert live.sees(name) == Seen("queued", 1, doubtful=True, flagged=False, fault=Fault.PASSING), name
    live.turns(2 * MINUTE)
    assert all(live.sees(name).copies == 1 for name in live.receivers if name not in KNOW_IDS)

    behave(live, Behaviour.TAKEN)
    live.turns(10 * MINUTE)
    for name in live.receivers:
        assert live.sees(name).state == "sent", name
        assert name in KNOW_IDS or live.sees(name).copies == 2, name
    assert is_well(live)


@over_a_network
def test_what_breaks_every_time_reaches_a_person_four_times_and_no_more(opens: Opens, group: str) -> None:
    live = opens(group, Behaviour.BROKEN_AFTER_TAKING)
    for minutes in (6, 40, 150, 150, 600, 1440):
        live.turns(minutes * MINUTE)
    for name in live.receivers:
        if name not in KNOW_IDS:
            seen = live.sees(name)
            assert (seen.state, seen.copies, seen.flagged) == ("failed", 4, False), name
            assert is_unwell_for(live, name), name
            assert part_of(name) in told(live, "service_problem"), name
