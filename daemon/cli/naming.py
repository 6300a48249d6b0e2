"""What an office types for a child or a case, and names beside ids as a table shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daemon.cli.faults import Refusal, refuse
from daemon.cli.language import in_words
from daemon.cli.output import print_table
from daemon.problems import Problem

if TYPE_CHECKING:
    from daemon.jobs.house import House
    from daemon.store.tx import Tx

CHILDREN = {
    "student": ("学籍号", "student"),
    "name": ("姓名", "name"),
    "class": ("班级", "class"),
    "school": ("学校", "school"),
    "town": ("乡镇", "town"),
}
PLACES = ("class", "school", "town")
UNREADABLE = ("（密钥打不开）", "(key does not open it)")
"""What stands in place of a name that opens with no key of the ring."""


def the_student(house: House, words: str, *, part: bool = False) -> str:
    """Return the id of the child meant by an id, an earlier number or a name; several are listed on standard error.

    `part`: a part of a name is enough. Only what changes nothing may be asked of a child so.
    """
    with house.store.read() as tx:
        return _student(tx, house, words, part=part)


def the_case(house: House, words: str, *, part: bool = False) -> str:
    """Return the number of the case meant by a number, or by a child: its newest case. As `the_student`."""
    from daemon.desk.ledger import case_row  # noqa: PLC0415 - for whoever names a case
    from daemon.jobs.find import case_numbered, students_called  # noqa: PLC0415 - likewise
    from daemon.store.cases import cases_of  # noqa: PLC0415 - likewise

    with house.store.read() as tx:
        if found := case_numbered(tx, words):
            return found.number
        if not students_called(tx, house.people(tx), words, part=part):
            return case_row(tx, words).number  # says that there is none, and which was meant
        theirs = cases_of(tx, [_student(tx, house, words, part=part)])
    if not theirs:
        raise refuse(f"case {words}", "this child has no case", '"baoxue cases --all" lists them')
    return theirs[-1].number


def _student(tx: Tx, house: House, words: str, *, part: bool) -> str:
    from daemon.jobs.find import students_called, unknown_student  # noqa: PLC0415 - for whoever names a child

    people = house.people(tx)
    found = students_called(tx, people, words, part=part)
    if len(found) == 1:
        return found[0]
    if not found:
        raise unknown_student(people, words, part=part)
    print_table(children_shown(children(tx, house, found)), CHILDREN, err=True)
    raise refuse("student", f"{len(found)} children are called so", "name one by its id, from the list above")


def children(tx: Tx, house: House, students: Sequence[str]) -> list[dict[str, Any]]:
    """Return children as records: id, name, class, school and town."""
    from daemon.jobs.naming import open_names, place_of  # noqa: PLC0415 - for whoever names a child

    people = house.people(tx)
    names = open_names(tx, people, students=students).students
    return [{"student": one, "name": names.get(one), **place_of(people, one)} for one in students]


def children_shown(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return records as a table shows them: each unit by its name and id, and a word where a name cannot be read."""
    return [
        {**one, **{key: named(one.get(key), one.get(f"{key}_name")) for key in PLACES}, "name": name_shown(one["name"])}
        for one in records
    ]


def name_shown(name: str | None) -> str:
    """Return a name, or that no key opens it."""
    return in_words(UNREADABLE) if name is None else name


def named(unit_id: str | None, name: str | None) -> str | None:
    """Return a name with its id behind it; the id alone where there is no name, or where both are the same."""
    return unit_id if name is None or name == unit_id else f"{name} {unit_id}"


def refuse_unreadable(names: Iterable[str | None]) -> None:
    """Raise Refusal, exit status 1, where a name could not be read: what was printed lacks it."""
    if any(name is None for name in names):
        hint = "put back the key the store was written with; one key a line, the current one first"
        raise Refusal([Problem("baoxue", None, "privacy.key_file", "names open with no key of it", hint)], code=1)
