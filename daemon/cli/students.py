"""`student`: one child under two numbers."""

from __future__ import annotations

import click

from daemon.cli.casework import BY
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import configured, printing, the_house
from daemon.clock import wall_clock
from daemon.jobs.dossier import local
from daemon.jobs.renumber import join_numbers, part_number
from daemon.store.renumbering import renumberings

SAME = {
    "student": "原学籍号 earlier number",
    "same_as": "现学籍号 present number",
    "class": "班级 class",
    "case": "个案 case",
    "closed": "并入后销号 closed as duplicate",
    "rows": "补入行数 rows that waited",
}
JOINED = {
    "student": "原学籍号 earlier number",
    "same_as": "现学籍号 present number",
    "since": "登记时间 since",
    "by": "由谁 by",
}


@click.group()
@configured
def student() -> None:
    """学生 one child under two numbers."""


@student.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--sure", is_flag=True, help="确认是同一人 though both are on the roster, or their names differ.")
@BY
@printing
def same(old: str, new: str, sure: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """合并学籍号 OLD and NEW are one child, NEW from now on: one run of absences, one leave, one case.

    Whatever a feed still says of OLD counts for NEW. Nobody is told; of two open cases the older report goes on.
    """
    with the_house(writes=True) as house:
        joined = join_numbers(house, old, new, by, wall_clock(), sure=sure)
        with house.store.read() as tx:
            class_id = house.people(tx).class_now(joined.same_as)
    facts = {"student": joined.student_id, "same_as": joined.same_as, "class": class_id}
    print_record({**facts, "case": joined.case, "closed": joined.closed, "rows": joined.rows}, SAME)


@student.command()
@click.argument("old", metavar="OLD")
@BY
@printing
def apart(old: str, by: str) -> None:
    """撤销合并 OLD was joined to another number by mistake: it is a child of its own again, with the cases it had."""
    with the_house(writes=True) as house:
        was = part_number(house, old, by, wall_clock())
    print_record({"student": was.student_id, "same_as": was.same_as, "by": by}, JOINED)


@student.command("list")
@printing
def list_() -> None:
    """The numbers that are another child's now."""
    with the_house() as house, house.store.read() as tx:
        records = [
            {
                "student": one.student_id,
                "same_as": one.same_as,
                "since": local(house, one.known_at),
                "by": one.said_by,
            }
            for one in renumberings(tx)
        ]
    print_records(records, JOINED)
