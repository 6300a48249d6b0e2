"""`cases` and `case …`: the ledger, and what people do to a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from daemon.cli.casefile import print_case, with_reason
from daemon.cli.faults import refuse
from daemon.cli.language import Said, in_words
from daemon.cli.naming import children, children_shown, name_shown, refuse_unreadable, the_case
from daemon.cli.output import print_json, print_records
from daemon.cli.proving import proof
from daemon.cli.shared import as_json, configured, either_or, printing, the_house
from daemon.cli.vocabulary import STAGES, title_of
from daemon.clock import wall_clock
from daemon.desk.reasons import CLOSING
from daemon.jobs.dossier import list_ledger, open_dossier, outline, outlines
from daemon.jobs.find import search
from daemon.jobs.naming import open_names
from daemon.jobs.office import Acted, Actor, acknowledge, approve_closing, confirm, note, propose_closing
from rules.case import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from daemon.jobs.house import House

LEDGER = {
    "case": ("编号", "case"),
    "name": ("姓名", "name"),
    "stage": ("阶段", "stage"),
    "due_at": ("应报告", "due"),
    "student": ("学籍号", "student"),
    "school": ("学校", "school"),
    "class": ("班级", "class"),
    "town": ("乡镇", "town"),
    "run_from": ("缺勤起", "absent since"),
    "raised_at": ("报告于", "reported at"),
    "acknowledged_at": ("签收", "acknowledged"),
    "pending_closure": ("待销号", "to be closed"),
    "episode": ("报告次数", "reports"),
    "closed_at": ("销号", "closed"),
    "reason": ("原因", "reason"),
}
BY = click.option("--by", required=True, metavar="WHO", help="Who says so; kept in the journal.")
NUMBER = click.argument("number", metavar="N")


@click.command("cases")
@click.option("--stage", type=click.Choice([stage.value for stage in Stage]), help="Only this stage.")
@click.option("--unit", metavar="UNIT", help="Only children enrolled below, or living in, this unit: its id or name.")
@click.option("--all", "everything", is_flag=True, help="The closed ones, too.")
@printing
def list_cases(stage: str | None, unit: str | None, everything: bool) -> None:  # noqa: FBT001 - click's own way
    """List the ledger: open cases, or those of a stage or a unit."""
    with the_house() as house, house.store.read() as tx:
        records = list_ledger(tx, house, stage=stage, unit=unit, closed_too=everything)
    print_ledger(records)


def print_ledger(records: Sequence[Mapping[str, Any]]) -> None:
    """Print cases as a table, with the names of children and units; exit status 1 where a name cannot be read."""
    shown = records if as_json() else [with_reason(one) for one in children_shown(records)]
    print_records(shown, LEDGER, {"stage": STAGES})
    refuse_unreadable(one["name"] for one in records)


@click.group()
@configured
def case() -> None:
    """See, find, acknowledge, confirm or close one case; N is its number, or its child's id or name."""


@case.command()
@click.argument("words", metavar="WORDS...", nargs=-1, required=True)
@printing
def find(words: tuple[str, ...]) -> None:
    """Find cases by words that all fit: a number, a child's name or id, a school, class, town or village, a telephone.

    A part of a name is enough. Children who fit by themselves and have no case are listed, too. Exit status 1 where
    nothing fits.
    """
    with the_house() as house, house.store.read() as tx:
        rows, without = search(tx, house.people(tx), words)
        records = outlines(tx, house, rows) + [{"case": None, **one} for one in children(tx, house, without)]
    if not records:
        raise refuse("case find", "nothing fits", "write less of a name, or one word only", code=1)
    print_ledger(records)


@case.command()
@NUMBER
@printing
def show(number: str) -> None:
    """Show where a case stands, who was told what, its journal, and the child's dated marks."""
    with the_house() as house:
        number = the_case(house, number, part=True)
        with house.store.read() as tx:
            record = open_dossier(tx, house, number, wall_clock())
        titles = {name: title_of(rule.title) for name, rule in house.rulebook.rules.items()}
    if as_json():
        print_json(record)
        return
    print_case(record, titles)
    refuse_unreadable([record["name"]])


@case.command()
@NUMBER
@BY
@printing
def ack(number: str, by: str) -> None:
    """Acknowledge a report: the rungs that wait for that stay silent."""
    with the_house(writes=True) as house:
        done = acknowledge(house, the_case(house, number), Actor(by), wall_clock())
        _print(house, done, ("已签收", "acknowledged"), ("早已签收", "acknowledged before"))


@case.command("confirm")
@NUMBER
@either_or("--seen/--absent", "seen", help="The child is there, or is not; one of the two must be said.")
@BY
@printing
def confirm_(number: str, seen: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """Confirm by hand that the child is there, or absent, in the current session."""
    with the_house(writes=True) as house:
        done = confirm(house, the_case(house, number), seen=seen, actor=Actor(by), now=wall_clock())
        _print(house, done, ("已核实：在校", "confirmed: seen") if seen else ("已核实：缺勤", "confirmed: absent"))


@case.command("note")
@NUMBER
@click.argument("text", metavar="TEXT")
@BY
@printing
def note_(number: str, text: str, by: str) -> None:
    """Write a line into the journal of a case."""
    with the_house(writes=True) as house:
        done = note(house, the_case(house, number), text, Actor(by), wall_clock())
        _print(house, done, ("已记录", "written down"))


@case.command()
@NUMBER
@click.option("--reason", required=True, metavar="R", help=f"Why: {', '.join(CLOSING)}; or the same in Chinese.")
@BY
@printing
def close(number: str, reason: str, by: str) -> None:
    """Ask to close a case; a second person approves."""
    with the_house(writes=True) as house:
        done = propose_closing(house, the_case(house, number), reason, Actor(by), wall_clock())
        _print(house, done, ("待第二人批准", "waits for a second person to approve"))


@case.command()
@NUMBER
@BY
@printing
def approve(number: str, by: str) -> None:
    """Close a case somebody else asked to close; whoever was told of its report is told."""
    with the_house(writes=True) as house:
        done = approve_closing(house, the_case(house, number), Actor(by), wall_clock())
        _print(house, done, ("已销号", "closed"))


case.add_command(proof)


def _print(house: House, done: Acted, words: Said, unchanged: Said = ("", "")) -> None:
    with house.store.read() as tx:
        people = house.people(tx)
        name = open_names(tx, people, students=[done.case.student_id]).students.get(done.case.student_id)
        record: dict[str, Any] = {**outline(house, people, done.case), "name": name, "changed": done.changed}
    counts_in = f"  {done.session.date} {done.session.name}" if done.session else ""
    if as_json():
        print_json(record)
        return
    click.echo(f"{done.case.number}  {name_shown(name)}  {in_words(words if done.changed else unchanged)}{counts_in}")
