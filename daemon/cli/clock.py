"""`clock`: whether the machine's clock can be right, by what the store has seen; and a person's word that it is."""

from __future__ import annotations

import click

from daemon.cli.casework import BY
from daemon.cli.faults import Refusal, refuse
from daemon.cli.output import print_record
from daemon.cli.shared import HINT_BEHIND, printing, the_house
from daemon.clock import wall_clock
from daemon.desk.reasons import who
from daemon.jobs.clock_doubts import PROBLEMS, accept_clock, fault_of_clock
from daemon.jobs.dossier import local
from daemon.jobs.problems import problem_words
from daemon.problems import Problem
from daemon.store import incidents, newest

CLOCK = {
    "shows": ("时钟", "it shows"),
    "newest": ("数据库最新时刻", "newest instant of the store"),
    "doubts": ("疑问", "doubts"),
}
ACCEPTED = {"accepted": ("采信", "accepted"), "by": ("由谁", "by")}


@click.group(invoke_without_command=True)
@printing
@click.pass_context
def clock(context: click.Context) -> None:
    """Show what the machine's clock shows and what the store has seen; exit status 1 where it cannot be right."""
    if context.invoked_subcommand is not None:
        return
    with the_house() as house, house.store.read() as tx:
        now = wall_clock()
        fault = fault_of_clock(tx, now)
        doubts = [problem_words(row) for row in incidents.open_incidents(tx) if row.kind in PROBLEMS.values()]
        record = {"shows": local(house, now), "newest": local(house, newest.newest_instant(tx)), "doubts": doubts}
    print_record(record, CLOCK)
    if fault is not None or doubts:
        problems = [Problem("baoxue", None, "clock", fault, HINT_BEHIND)] if fault is not None else []
        raise Refusal(problems, code=1)


@clock.command()
@BY
@printing
def accept(by: str) -> None:
    """Say that the clock is right; what was noted by one that was ahead is moved back, and judging goes on."""
    person, now = who(by, "clock"), wall_clock()
    with the_house() as house:
        if not house.store.commit(lambda tx: accept_clock(tx, house, person, now)):
            raise refuse("clock", "is in no doubt", "baoxue clock shows what the store has seen", code=1)
        accepted = local(house, now)
    print_record({"accepted": accepted, "by": by}, ACCEPTED)
