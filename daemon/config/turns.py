"""What a duty rota may not say: two of one role, substitutes for nobody, days that end before they begin."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from daemon.config.scene import Scene, Tree, rows
from daemon.config.values import quoted
from daemon.config.wording import Finding


def substitutes(scene: Scene) -> Iterator[Finding]:
    """A substitute stands in for somebody of the rota, and not backwards in time."""
    named = {
        one for key in ("contacts", "on_holidays") if isinstance(found := scene.table.get(key), list) for one in found
    }
    found = list(rows(scene.table.get("substitute")))
    named |= {row.get("by") for _, row in found}
    for number, row in found:
        contact, first, last = row.get("contact"), row.get("from"), row.get("to")
        if isinstance(contact, str) and contact not in named:
            hint = "write the contact_id of somebody in contacts or on_holidays"
            yield scene.found(("substitute", number, "contact"), f"{quoted(contact)} takes no turns here", hint)
        if type(first) is dt.date and type(last) is dt.date and last < first:
            hint = f"swap the two, or write a day from {first} on"
            yield scene.found(("substitute", number, "to"), f"{last} lies before the first day, {first}", hint)


def one_rota_each(tree: Tree) -> Iterator[Finding]:
    """A role of a unit has one rota."""
    first: dict[tuple[str, str], int] = {}
    for number, row in rows(tree.get("duty")):
        key = (str(row.get("role")), str(row.get("unit")))
        if "role" in row and first.setdefault(key, number) != number:
            fault = f"{quoted(key[0])} has a rota for that unit already, duty[{first[key]}]"
            yield Finding(("duty", number, "role"), fault, "make one rota of the two, or name another unit")
