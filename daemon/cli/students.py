"""`student`: one child under two numbers."""

from __future__ import annotations

import click

from daemon.cli.casework import BY
from daemon.cli.naming import children, children_shown
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import as_json, configured, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.dossier import local
from daemon.jobs.renumber import join_numbers, part_number
from daemon.store.renumbering import renumberings

SAME = {
    "student": ("原学籍号", "earlier number"),
    "same_as": ("现学籍号", "present number"),
    "name": ("姓名", "name"),
    "class": ("班级", "class"),
    "case": ("个案", "case"),
    "closed": ("并入后销号", "closed as duplicate"),
    "rows": ("补入行数", "rows that waited"),
}
JOINED = {
    "student": ("原学籍号", "earlier number"),
    "same_as": ("现学籍号", "present number"),
    "name": ("姓名", "name"),
    "since": ("登记时间", "since"),
    "by": ("由谁", "by"),
}


@click.group()
@configured
def student() -> None:
    """Say that a child has two numbers, or has not."""


@student.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--sure", is_flag=True, help="They are one child though both are on the roster, or their names differ.")
@BY
@printing
def same(old: str, new: str, sure: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """Join two numbers: OLD and NEW are one child, NEW from now on: one run of absences, one leave, one case.

    Whatever a feed still says of OLD counts for NEW. Nobody is told; of two open cases the older report goes on.
    """
    with the_house(writes=True) as house:
        joined = join_numbers(house, old, new, by, wall_clock(), sure=sure)
        with house.store.read() as tx:
            [child] = children(tx, house, [joined.same_as])
    facts = {**child, "student": joined.student_id, "same_as": joined.same_as}
    record = {**facts, "case": joined.case, "closed": joined.closed, "rows": joined.rows}
    print_record(record if as_json() else children_shown([record])[0], SAME)


@student.command()
@click.argument("old", metavar="OLD")
@BY
@printing
def apart(old: str, by: str) -> None:
    """Part numbers again: OLD was joined to another by mistake, and is a child of its own, with the cases it had."""
    with the_house(writes=True) as house:
        was = part_number(house, old, by, wall_clock())
        with house.store.read() as tx:
            [child] = children(tx, house, [was.student_id])
    record = {**child, "same_as": was.same_as, "by": by}
    print_record(record if as_json() else children_shown([record])[0], JOINED)


@student.command("list")
@printing
def list_() -> None:
    """List the numbers that are another child's now."""
    with the_house() as house, house.store.read() as tx:
        joined = list(renumberings(tx))
        now = children(tx, house, [one.same_as or one.student_id for one in joined])
        records = [
            {
                **child,
                "student": one.student_id,
                "same_as": one.same_as,
                "since": local(house, one.known_at),
                "by": one.said_by,
            }
            for one, child in zip(joined, now, strict=True)
        ]
    print_records(records if as_json() else children_shown(records), JOINED)
