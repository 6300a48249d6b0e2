"""`audit`: the self-audit, by hand."""

from __future__ import annotations

import click

from daemon.cli.faults import Refusal
from daemon.cli.output import print_json, print_records
from daemon.cli.shared import as_json, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.audit import WHAT
from daemon.jobs.audit import audit as look
from daemon.jobs.dossier import local

FOUND = {"what": "事项 what", "zh": "说明", "en": "in words", "count": "项数 how many", "since": "最早 since"}


@click.command()
@click.option("--mend", is_flag=True, help="重新排入 queue it again, as the daemon does every ten minutes.")
@printing
def audit(mend: bool) -> None:  # noqa: FBT001 - click's own way
    """自检 find work that should have been done by now; exit status 1 where there is any."""
    with the_house() as house:
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
    if as_json():
        print_json(records)
    elif records:
        print_records(records, FOUND)
    else:
        click.echo("没有逾期 nothing is overdue")
    if records:
        raise Refusal((), code=1)
