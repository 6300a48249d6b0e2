"""`check --live`: whom leaving shadow mode would tell, and of how much."""

from __future__ import annotations

from typing import Any

from daemon.cli.faults import Refusal
from daemon.cli.language import in_words
from daemon.cli.naming import named
from daemon.cli.output import print_json, print_records, say
from daemon.cli.shared import as_json, the_house
from daemon.clock import wall_clock
from daemon.jobs.naming import open_names
from daemon.jobs.unsent import Unsent, unsent
from notifiers.phrases import KINDS, ROLES

SHOWN = {
    "what": ("内容", "what"),
    "role": ("角色", "role"),
    "unit": ("单位", "unit"),
    "count": ("件数", "how many"),
    "cases": ("案件", "cases"),
    "reached": ("能否通知", "can be told"),
}
OWED = ("待补发", "owed")
MOST = 20
"""So many case numbers are shown on a line; the document has all of them."""


def print_unsent() -> None:
    """Print what the switch to live would send, or what is owed; exit status 1 where that reaches nobody."""
    with the_house() as house, house.store.read() as tx:
        found = unsent(tx, house, wall_clock())
        units = open_names(tx, house.people(tx))
    if as_json():
        print_json([_document(one) for one in found])
    elif found:
        print_records([_line(one, units.unit(one.unit)) for one in found], SHOWN, {"role": ROLES})
    else:
        say("没有待发的通知", "nothing would be sent, nothing is owed")
    if not all(one.reached for one in found):
        raise Refusal((), code=1)


def _document(one: Unsent) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "role": one.role,
        "unit": one.unit,
        "reached": one.reached,
        "count": one.count,
        "cases": list(one.cases),
    }


def _line(one: Unsent, unit_name: str | None) -> dict[str, Any]:
    more = f" … {len(one.cases)}" if len(one.cases) > MOST else ""
    return {
        "what": in_words(KINDS.get(one.kind, OWED)),
        "role": one.role,
        "unit": named(one.unit, unit_name),
        "count": one.count,
        "cases": " ".join(one.cases[:MOST]) + more,
        "reached": in_words(("是", "yes") if one.reached else ("否", "no")),
    }
