"""What is wrong with the service itself: one incident a problem and part, told to the operator, over when mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from daemon.jobs.announce import announce, announce_to_told
from daemon.jobs.house import House
from daemon.jobs.routing import operators
from daemon.jobs.tell import queue
from daemon.jobs.ways import PREFERENCE
from daemon.store import incidents, outbox
from daemon.store.alerts import AlertDraft
from daemon.store.incidents import IncidentRow
from daemon.store.tx import Tx
from rules.instants import from_micros, to_micros

TOLD, OVER = "service_problem", "service_problem_over"

BETWEEN_NEWS = dt.timedelta(hours=1)
"""How long after a problem was told of a new reason for it may be told; meanwhile it waits."""
MOST_REASONS = 20
_LONGEST = 300


class ServiceProblem(StrEnum):
    """What can be wrong with the service; each withholds the heartbeat and makes it unready."""

    CHANNEL_REFUSED = "channel_refused"
    CHANNEL_FAILING = "channel_failing"
    JOB_FAILING = "job_failing"
    STORE_FAILING = "store_failing"
    CLOCK_BEHIND = "clock_behind"
    CLOCK_AHEAD = "clock_ahead"
    CLOCK_WAS_AHEAD = "clock_was_ahead"
    BACKUP_OVERDUE = "backup_overdue"


SERVICE_WORDS: Mapping[str, tuple[str, str]] = {
    ServiceProblem.CHANNEL_REFUSED: ("账号、发件人或设置被拒绝", "the account, the sender or a setting is refused"),
    ServiceProblem.CHANNEL_FAILING: ("消息一直发不出去", "nothing leaves"),
    ServiceProblem.STORE_FAILING: ("读写失败，提醒发不出去", "it cannot be used, so that nobody is told of a child"),
    ServiceProblem.JOB_FAILING: ("后台任务反复失败", "it fails again and again"),
    ServiceProblem.CLOCK_BEHIND: ("时间落后，暂停判断", "it is behind, nothing is judged"),
    ServiceProblem.CLOCK_AHEAD: ("时间突然超前，暂停判断", "it was set far ahead, nothing is judged"),
    ServiceProblem.CLOCK_WAS_AHEAD: ("时间曾超前，现已校正", "it was ahead, and has been set right"),
    ServiceProblem.BACKUP_OVERDUE: ("没有新近的备份", "there is no recent backup"),
}
"""Each problem: 中文, English."""

PARTS = {"channel": "渠道", "job": "任务", "clock": "系统时钟", "store": "数据库", "backup": "备份"}
"""How parts of the service begin, and what that is in 中文."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One problem of one part of the service, such as `channel email`; why, and what might help.

    `channel` is the channel it is about, so that the operator is told by another one first.
    """

    problem: ServiceProblem
    part: str
    reason: str
    hint: str | None = None
    channel: str | None = None


def note_problem(tx: Tx, house: House, trouble: Trouble, now: dt.datetime) -> None:
    """Open an incident and tell the operator, or tell anew for a new reason; a problem told of stays as it is.

    A problem of which nobody could be told is told as soon as there is an operator.
    """
    if house.simulated:
        return
    row = _known(tx, trouble.problem, trouble.part)
    told: Sequence[str] = row.state["told"] if row is not None else ()
    if row is not None and told and (trouble.reason in told or now - _told_at(row) < BETWEEN_NEWS):
        return
    if row is None:
        row = IncidentRow(house.new_id(), trouble.problem, trouble.part, [], now, state={"told": []})
        incidents.insert_incidents(tx, [row])
    drafts = _drafts(tx, house, trouble, row, now)
    heard = [*told, trouble.reason][-MOST_REASONS:] if drafts else []
    state = {"told": heard, "told_at": to_micros(now), "reason": trouble.reason, "channel": trouble.channel}
    incidents.update_incidents(tx, [replace(row, state=state)])
    queue(tx, house, drafts, now)


def end_problem(tx: Tx, house: House, problem: ServiceProblem, part: str, now: dt.datetime) -> None:
    """Close the incident of a problem, if there is one, and tell those who were told of it that it is over."""
    row = _known(tx, problem, part)
    if row is None:
        return
    incidents.update_incidents(tx, [replace(row, closed_at=now, verdict="over")])
    outbox.cancel(tx, now, "over", incident_id=row.incident_id)
    facts = _facts(problem, part, (), row.opened_at)
    queue(tx, house, announce_to_told(tx, house, OVER, row.incident_id, facts, now), now)


def open_service_problems(tx: Tx) -> list[IncidentRow]:
    """Return what is wrong with the service now, the oldest first."""
    return [row for row in incidents.open_incidents(tx) if row.kind in SERVICE_WORDS]


def service_problem_words(row: IncidentRow) -> str:
    """Return a problem in one line of English for whoever runs the daemon."""
    return f"{row.subject}: {SERVICE_WORDS[row.kind][1]} ({row.state.get('reason', '')})"


def service_facts(trouble: Trouble, since: dt.datetime, *, over: bool) -> dict[str, Any]:
    """Return what the words about a problem need, where no incident is kept of it; `since` is local."""
    faults = () if over else [_fault_line(trouble)]
    return _facts(trouble.problem, trouble.part, faults, since) | {"since": since}


def _known(tx: Tx, problem: ServiceProblem, part: str) -> IncidentRow | None:
    return next((row for row in incidents.open_incidents(tx, problem) if row.subject == part), None)


def _told_at(row: IncidentRow) -> dt.datetime:
    return from_micros(row.state["told_at"])


def _drafts(tx: Tx, house: House, trouble: Trouble, row: IncidentRow, now: dt.datetime) -> list[AlertDraft]:
    """Return alerts to every operator: by a channel that works, and by the one in trouble, which leaves once mended."""
    failing = {one.state.get("channel") for one in open_service_problems(tx)} | {trouble.channel}
    order = tuple(sorted(PREFERENCE, key=lambda channel: channel in failing))
    facts = _facts(trouble.problem, trouble.part, [_fault_line(trouble)], row.opened_at)
    news = f"{row.incident_id}/{len(row.state['told'])}"
    drafts: dict[str, AlertDraft] = {}
    for channels in (order, (trouble.channel,) if trouble.channel else ()):
        sought = [replace(one, channels=channels) for one in operators(house.people(tx), about=None)]
        told = announce(tx, house, TOLD, news, sought if channels else [], facts, now, incident_id=row.incident_id)
        drafts |= {one.key: one for one in told if one.key not in drafts}
    return list(drafts.values())


def _fault_line(trouble: Trouble) -> dict[str, Any]:
    fault = trouble.reason[:_LONGEST]
    return {"file": trouble.part, "line": None, "key": None, "fault": fault, "hint": trouble.hint}


def part_in_chinese(part: str) -> str:
    """Return how a part of the service is called in 中文."""
    kind, _, name = part.partition(" ")
    return f"{PARTS.get(kind, kind)}{name}"


def _facts(problem: str, part: str, faults: Sequence[Mapping[str, Any]], since: dt.datetime) -> dict[str, Any]:
    zh, en = SERVICE_WORDS[problem]
    return {
        "part": {"zh": part_in_chinese(part), "en": part},
        "problem": {"what": str(problem), "zh": zh, "en": en},
        "faults": [*faults],
        "since": to_micros(since),
    }
