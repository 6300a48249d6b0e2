"""Finds a child, a case, a unit or a contact by what an office calls it: an id, a number or a name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence

from daemon.config.ids import id_form
from daemon.desk.faults import DeskError
from daemon.desk.ledger import case_row
from daemon.jobs.people import People
from daemon.problems import nearest
from daemon.store import cases
from daemon.store import roster as rosters
from daemon.store.cases import CaseRow
from daemon.store.tx import Tx

FEW = 5_000
"""A nearest id is looked for among no more than this: comparing a county's is slow."""
_NUMBER = re.compile(r"(\d{4})-(\d{1,6})", re.ASCII)
_LEAST_DIGITS = 7
"""So many digits of a telephone number say whose it is."""


def folded(name: str) -> str:
    """Return a name without what people write in different ways: width, case, spaces, dots and other signs."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKC", name).casefold() if unicodedata.category(sign)[0] in "LMN"
    )


def students_called(tx: Tx, people: People, words: str, *, part: bool) -> list[str]:
    """Return the ids of the children with this number, now or earlier, else with this name; in order of ids.

    `part`: a part of a name is enough, where no whole name is the same. Raises KeyringError where names do not open.
    """
    known = _by_id(people, words)
    if known is not None:
        return [known]
    asked = folded(words)
    if not asked:
        return []
    names = {people.same.get(one, one): folded(name) for one, name in rosters.names_of_all(tx).items()}
    names = {one: name for one, name in names.items() if one in people.roster.students}
    whole = sorted(one for one, name in names.items() if name == asked)
    return whole or (sorted(one for one, name in names.items() if asked in name) if part else [])


def _by_id(people: People, words: str) -> str | None:
    students = people.roster.students
    found = next((one for one in (words, id_form(words)) if one in students), None)
    return None if found is None else students[found].student_id


def unknown_student(people: People, words: str, *, part: bool) -> DeskError:
    """Return what is to be said of a child nobody knows."""
    few = people.roster.students if len(people.roster.students) <= FEW else ()
    meant = nearest(words, few)
    name = "a name or a part of one" if part else "the whole name"
    hint = f'did you mean "{meant}"?' if meant else f"write the 学籍号 of the students feed, or {name}"
    return DeskError(f"student {words[:100]}", "is not on the roster", hint)


def case_numbered(tx: Tx, number: str) -> CaseRow | None:
    """Return the case of a number, which may be written without its zeros; None for what is no number of a case.

    Raises DeskError for a number that was never given.
    """
    plain = _case_number(number)
    return None if plain is None else case_row(tx, plain)


def _case_number(words: str) -> str | None:
    found = _NUMBER.fullmatch(unicodedata.normalize("NFKC", words).strip())
    return None if found is None else f"{found[1]}-{int(found[2]):06}"


def unit_called(people: People, words: str, key: str) -> str:
    """Return the id of the unit with this id or name; DeskError, about `key`, for none or several."""
    units = people.directory.units
    plain = next((one for one in (words, id_form(words)) if one in units), None)
    if plain is not None:
        return plain
    found = _called({one: unit.name for one, unit in units.items()}, words)
    if len(found) == 1:
        return found[0]
    if found:
        raise DeskError(key, f'{len(found)} units are called "{words}"', f"name one by its id: {_some(found)}")
    meant = nearest(words, [*units, *(unit.name for unit in units.values())] if len(units) <= FEW else ())
    hint = f'did you mean "{meant}"?' if meant else "write a unit_id or a name of the units feed"
    raise DeskError(key, f'"{words}" is no unit', hint)


def contact_called(tx: Tx, people: People, words: str, key: str) -> str:
    """Return the id of the contact with this id or name, also of one since gone; DeskError for none or several."""
    for plain in dict.fromkeys((words, id_form(words))):
        if rosters.contact_names_of(tx, [plain]):
            return plain
    ids = [one.contact_id for one in people.roster.contacts]
    found = _called(rosters.contact_names_of(tx, ids), words)
    if len(found) == 1:
        return found[0]
    if found:
        raise DeskError(key, f"{len(found)} contacts are called so", f"name one by its id: {_some(found)}")
    meant = nearest(words, ids if len(ids) <= FEW else ())
    hint = f'did you mean "{meant}"?' if meant else '"baoxue contacts" lists them'
    raise DeskError(key, f'"{words}" is no contact', hint)


def _called(names: Mapping[str, str], words: str) -> list[str]:
    asked = folded(words)
    return sorted(one for one, name in names.items() if asked and folded(name) == asked)


def _some(ids: Collection[str]) -> str:
    most = 8
    return ", ".join(sorted(ids)[:most]) + (" …" if len(ids) > most else "")


# ---- searching ------------------------------------------------------------------------------------------------------


def search(tx: Tx, people: People, words: Sequence[str]) -> tuple[list[CaseRow], list[str]]:
    """Return the cases that fit every word, by number, and the children who fit them and have none, by id.

    A word is a case's number, a child's id, a part of its name, a telephone number of its own contacts, or the id or a
    part of the name of a unit it is in or lives in. Children without a case are named only if a word is about them.
    """
    numbers = {found for word in words if (found := _case_number(word))}
    others = [word for word in words if not _case_number(word)]
    themselves = [set(students_called(tx, people, word, part=True)) | _by_phone(tx, people, word) for word in others]
    fitting = [mine | _in_units(people, word) for mine, word in zip(themselves, others, strict=True)]
    children = set.intersection(*fitting) if fitting else None
    rows = cases.list_cases(tx, student_ids=None if children is None else sorted(children))
    if numbers:
        return [row for row in rows if {row.number} == numbers], []
    meant = set.union(*themselves) & (children or set())
    return rows, sorted(meant - {row.student_id for row in rows})


def _by_phone(tx: Tx, people: People, word: str) -> set[str]:
    digits = "".join(re.findall(r"\d", unicodedata.normalize("NFKC", word), re.ASCII))
    if len(digits) < _LEAST_DIGITS or len(digits) < len(word.strip()) // 2:
        return set()
    theirs = {one.contact_id: one.student_id for one in people.roster.contacts if one.student_id and one.has_phone}
    opened = rosters.contacts_of(tx, theirs)
    return {
        people.same.get(student, student)
        for one, student in theirs.items()
        if student and (opened[one].phone or "").endswith(digits) and student in people.roster.students
    }


def _in_units(people: People, word: str) -> set[str]:
    """Return the children enrolled below, or living in, any unit with this id or with this as a part of its name."""
    asked, units = folded(word), people.directory.units
    named = {one for one, unit in units.items() if one == word.strip() or (asked and asked in folded(unit.name))}
    return set(children_under(people, named)) if named else set()


def children_under(people: People, units: Iterable[str]) -> list[str]:
    """Return the children enrolled below units, and those who live in them."""
    within: set[str] = set().union(*(people.directory.below(one) | {one} for one in units))
    return [
        child.student_id
        for child in people.roster.students.values()
        if child.class_id in within or child.residence_id in within
    ]
