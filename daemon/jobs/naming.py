"""Names beside ids, opened for the terminal and the papers of the office; never for a log, an error or an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from daemon.jobs.people import People
from daemon.store import roster as rosters
from daemon.store.keys import KeyringError
from daemon.store.tx import Tx
from rules.ladder import Unit


@dataclass(frozen=True, slots=True)
class Names:
    """What children, contacts and units are called; without the names that open with no key of the ring."""

    units: Mapping[str, Unit] = field(repr=False)
    students: Mapping[str, str] = field(repr=False)
    contacts: Mapping[str, str] = field(repr=False)

    def unit(self, unit_id: str | None) -> str | None:
        """Return the name of a unit; None for one that is not on the roster."""
        found = self.units.get(unit_id or "")
        return None if found is None else found.name


def open_names(
    tx: Tx, people: People, *, students: Iterable[str | None] = (), contacts: Iterable[str | None] = ()
) -> Names:
    """Open the names of some children and contacts; none where the key does not open them."""
    units = people.directory.units
    try:
        return Names(
            units,
            rosters.names_of(tx, sorted({one for one in students if one})),
            rosters.contact_names_of(tx, sorted({one for one in contacts if one})),
        )
    except KeyringError:
        return Names(units, {}, {})


def place_of(people: People, student_id: str) -> dict[str, str | None]:
    """Return class, school and town of a child, each as id and as name; all None for a child not on the roster."""
    child = people.roster.students.get(student_id)
    if child is None:
        return dict.fromkeys(("class", "class_name", "school", "school_name", "town", "town_name"))
    directory = people.directory
    of_class = directory.units.get(child.class_id)
    school = directory.school(child.class_id)
    town, _ = directory.town(child.class_id, child.residence_id)
    return {
        "class": child.class_id,
        "class_name": of_class.name if of_class else None,
        "school": school.unit_id if school else child.class_id,
        "school_name": school.name if school else (of_class.name if of_class else None),
        "town": town.unit_id if town else None,
        "town_name": town.name if town else None,
    }
