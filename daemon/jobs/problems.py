"""Everything that is wrong now: with what feeds deliver, and with the service itself."""

from __future__ import annotations

from daemon.jobs import feed_problems, service_problems
from daemon.jobs.feed_findings import STOPS_THE_HEARTBEAT
from daemon.jobs.feed_problem_words import WORDS
from daemon.store.incidents import IncidentRow
from daemon.store.tx import Tx


def open_problems(tx: Tx) -> list[IncidentRow]:
    """Return what is wrong now, the oldest first; those without an id are not told of yet."""
    found = [*feed_problems.open_problems(tx), *service_problems.open_service_problems(tx)]
    return sorted(found, key=lambda row: row.opened_at)


def problem_words(row: IncidentRow) -> str:
    """Return a problem in one line of English for whoever runs the daemon."""
    of_service = row.kind in service_problems.SERVICE_WORDS
    return service_problems.service_problem_words(row) if of_service else feed_problems.problem_words(row)


def problem_in_words(row: IncidentRow) -> tuple[str, str]:
    """Return what a problem is, and of which feed or part of the service: 中文, English."""
    if row.kind in service_problems.SERVICE_WORDS:
        zh, en = service_problems.SERVICE_WORDS[row.kind]
        return f"{service_problems.part_in_chinese(row.subject)}：{zh}", f"{row.subject}: {en}"
    zh, en = WORDS[row.kind]
    return f"数据源 {row.subject}：{zh}", f"feed {row.subject}: {en}"


def stops_the_heartbeat(row: IncidentRow) -> bool:
    """Return whether somebody outside should come and look for this problem."""
    return row.kind in service_problems.SERVICE_WORDS or (bool(row.incident_id) and row.kind in STOPS_THE_HEARTBEAT)
