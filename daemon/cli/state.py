"""`feeds` and `feed`: how each feed is doing, and what of it is not taken; what is held of one may be accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from daemon.cli.casework import BY
from daemon.cli.faults import Refusal, refuse
from daemon.cli.language import Said, word_for
from daemon.cli.output import print_record, print_records
from daemon.cli.reading import said_of_feed
from daemon.cli.shared import as_json, configured, printing, the_house
from daemon.cli.vocabulary import COUNTS, RECORDS
from daemon.clock import wall_clock
from daemon.config import FeedConfig
from daemon.desk.reasons import who
from daemon.desk.waiting import first_children
from daemon.jobs import held
from daemon.jobs.dossier import local
from daemon.jobs.feed_problem_words import WORDS
from daemon.jobs.house import House
from daemon.jobs.untaken import Doing, Outstanding, outstanding
from daemon.problems import Problem, choose
from daemon.store import incidents
from daemon.store.incidents import IncidentRow
from rules.instants import from_micros

FEEDS = {
    "feed": ("数据源", "feed"),
    "doing": ("状态", "state"),
    "records": ("内容", "records"),
    "last_polled_at": ("上次轮询", "last poll"),
    "last_ok_at": ("上次成功", "last good"),
    "silent_since": ("中断自", "silent since"),
    "refused": ("被拒", "refused"),
    "waiting": ("等待名单", "waiting"),
    "missing": ("名单缺少", "missing from the roster"),
    "incidents": ("未了事件", "open incidents"),
    "problem": ("问题", "problem"),
    "counts": ("上次读取", "last read"),
}
DOING: Mapping[str, Said] = {
    Doing.NEW: ("未读", "new"),
    Doing.READING: ("读取中", "reading"),
    Doing.OK: ("正常", "ok"),
    Doing.INCOMPLETE: ("不完整", "incomplete"),
    Doing.FAILED: ("失败", "failed"),
}
"""How a feed is doing, in both languages."""


ACCEPTED = {
    "feed": ("数据源", "feed"),
    "accepted": ("采用", "accepted"),
    "by": ("由谁", "by"),
    "counts": ("读取", "read"),
}


@click.command()
@printing
def feeds() -> None:
    """Show the state of each feed; exit status 1 where one failed, or not everything it said was taken."""
    now = wall_clock()
    with the_house() as house, house.store.read() as tx:
        silent = {row.subject: row for row in incidents.open_incidents(tx, "feed_silent")}
        known = [(feed, outstanding(tx, feed, now)) for feed in house.config.feed]
        records = [_feed(house, feed, one, silent.get(feed.id)) for feed, one in known]
    print_records(
        records if as_json() else [shown(one) for one in records], FEEDS, {"doing": DOING, "records": RECORDS}
    )
    amiss = [
        Problem("baoxue", None, f"feed {feed.id}", _fault(one), f"see them with: baoxue import --feed {feed.id}")
        for feed, one in known
        if not one.is_well
    ]
    if amiss:
        raise Refusal(amiss, code=1)


@click.group()
@configured
def feed() -> None:
    """Take in what is held of a feed."""


@feed.command()
@click.argument("feed_id", metavar="ID")
@BY
@printing
def accept(feed_id: str, by: str) -> None:
    """Take in what a feed delivered although it lacks much of what is in force; read it anew at once."""
    from daemon.jobs.poll import poll_feed  # noqa: PLC0415 - reads feeds, which the others need not

    person = who(by, f"feed {feed_id}")
    with the_house(writes=True) as house:
        config = next((one for one in house.config.feed if one.id == feed_id), None)
        if config is None:
            ids = [one.id for one in house.config.feed]
            raise refuse("feed", f'"{feed_id}" is no feed', choose(feed_id, ids) if ids else "add a [[feed]]")
        now = house.clock()
        accepted = house.store.commit(lambda tx: held.accept(tx, feed_id, person, now))
        if not accepted:
            raise refuse(f"feed {feed_id}", "has nothing that is held", "baoxue feeds shows the state of each feed")
        taken = poll_feed(house, config, now)
        with house.store.read() as tx:
            known = outstanding(tx, config, now)
    counts = {key: count for key, count in sorted(taken.counts.items()) if count}
    print_record({"feed": feed_id, "accepted": list(accepted), "by": by, "counts": counts}, ACCEPTED)
    if taken.held or known.doing is Doing.FAILED:  # what is there now is not what was accepted
        fault = _fault(known) if known.doing is Doing.FAILED else "is held anew: it lacks others than were accepted"
        raise Refusal([Problem("baoxue", None, f"feed {feed_id}", fault, "look at it with: baoxue feeds")], code=1)


def _feed(house: House, feed: FeedConfig, known: Outstanding, silent: IncidentRow | None) -> dict[str, Any]:
    state = known.state
    since = None if silent is None else from_micros(silent.state["since"])
    return {
        "feed": feed.id,
        "records": feed.records,
        "kind": feed.kind,
        "state": known.doing.value,
        "last_polled_at": local(house, state.last_polled_at),
        "last_ok_at": local(house, state.last_ok_at),
        "silent_since": local(house, since),
        "refused": len(known.refused),
        "waiting": waiting_of(known),
        "missing": list(known.missing),
        "incidents": list(known.incidents),
        "problem": state.problem or (None if known.is_well else _fault(known)),
        "counts": dict(state.counts),
    }


def waiting_of(known: Outstanding) -> dict[str, Any] | None:
    """Return how many rows wait for how many children, and for which first; None where none does."""
    if not known.waiting:
        return None
    children = {one.student_id for one in known.waiting}
    return {"rows": len(known.waiting), "children": len(children), "first": first_children(known.waiting)}


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as a table has room for it."""
    waiting = record["waiting"] and {key: record["waiting"][key] for key in ("rows", "children")}
    return {
        **record,
        "doing": record["state"],
        "refused": record["refused"] or None,
        "missing": len(record["missing"]) or None,
        "waiting": waiting and counted(waiting),
        "incidents": [word_for(one, INCIDENTS) for one in record.get("incidents", ())],
        "problem": said_of_feed(record.get("problem")),
        "counts": counted(record["counts"]),
    }


def counted(counts: Mapping[str, int]) -> str:
    """Return what was counted in the reader's language, without what did not occur."""
    return ", ".join(
        f"{' '.join(str(word_for(word, RECORDS | COUNTS)) for word in what.split())} {count}"
        for what, count in counts.items()
        if count
    )


INCIDENTS = {str(kind): words for kind, words in WORDS.items()}


def _fault(known: Outstanding) -> str:
    """Say in a few words what of a feed is not well."""
    if known.doing is Doing.FAILED:
        return f"failed: {known.state.problem or 'cannot be read'}"
    if known.doing is Doing.READING:
        return known.state.problem or "files are still to be read"
    counts = {
        "rows are refused": len(known.refused),
        "rows wait for children not on the roster": len(known.waiting),
        "children are missing from it": len(known.missing),
    }
    parts = [f"{count} {what}" for what, count in counts.items() if count]
    return ", ".join(parts) or f"open: {', '.join(known.incidents)}"
