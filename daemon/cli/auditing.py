"""`audit`: the self-audit, by hand."""

from __future__ import annotations

from typing import Any

import click

from daemon.cli.faults import Refusal
from daemon.cli.language import worded
from daemon.cli.output import print_json, print_records, say
from daemon.cli.shared import as_json, printing, the_house, working
from daemon.clock import wall_clock
from daemon.jobs.audit import WHAT
from daemon.jobs.audit import audit as look
from daemon.jobs.clock_doubts import fault_of_clock
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.jobs.problems import problem_in_words
from daemon.store.incidents import IncidentRow
from daemon.store.trial_write import try_to_write
from notifiers.glosses import fault_words

FOUND = {"words": ("说明", "what"), "count": ("项数", "how many"), "since": ("最早", "since"), "what": ("事项", "code")}


def _problem(house: House, row: IncidentRow) -> dict[str, Any]:
    """Return what is wrong with what a feed delivers, or with a part of the service, as one thing found."""
    zh, en = problem_in_words(row)
    return {
        "what": f"{row.kind} {row.subject}",
        "zh": zh,
        "en": en,
        "count": row.state.get("count", len(row.state.get("classes", ()))),
        "since": local(house, row.opened_at),
    }


@click.command()
@click.option("--mend", is_flag=True, help="Queue it again, as the daemon does every ten minutes.")
@printing
def audit(mend: bool) -> None:  # noqa: FBT001 - click's own way
    """Find overdue work, and what is wrong with feeds; exit status 1 where there is any."""
    with the_house(writes=mend) as house:
        with working(worded("正在自检", "looking for overdue work")):
            done = look(house, wall_clock(), mend=mend)
        records = [
            {
                "what": one.what,
                "zh": WHAT[one.what][0],
                "en": WHAT[one.what][1],
                "count": one.count,
                "since": local(house, one.since),
            }
            for one in done.found
        ]
        records += [_problem(house, row) for row in done.problems]
        with house.store.read() as tx:
            fault = fault_of_clock(tx, wall_clock())
        if (unwritten := try_to_write(house.store)) is not None:
            zh = f"数据库写不进去：{fault_words(str(unwritten), original=False)}"
            en = f"the store takes nothing that is written: {unwritten}"
            records.append({"what": "store", "zh": zh, "en": en, "count": 1, "since": None})
        if fault is not None:
            records.append({"what": "clock", "zh": "系统时钟落后", "en": fault, "count": 1, "since": None})
    if as_json():
        print_json(records)
    elif records:
        print_records([{**one, "words": worded(str(one["zh"]), str(one["en"]))} for one in records], FOUND)
    else:
        say("没有逾期，数据源和系统正常", "nothing is overdue, and neither feeds nor the service have a problem")
    if records:
        raise Refusal((), code=1)
