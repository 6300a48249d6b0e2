"""What the mapping of a feed may say of its kind of records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from daemon.config.columns import COLUMNS
from daemon.config.scene import Scene, Tree, below, rows
from daemon.config.values import quoted
from daemon.config.wording import Finding
from daemon.problems import choose
from rules.records import MARK_NAMES, MOVEMENT_KINDS, ROLES, UNIT_KINDS

_MEANINGS: dict[str, tuple[tuple[str, ...], str]] = {
    "units": (UNIT_KINDS, "kind of unit"),
    "contacts": ((*ROLES, "zh", "en"), "role or language"),
    "marks": (tuple(MARK_NAMES), "mark"),
    "movements": (MOVEMENT_KINDS, "kind of movement"),
}
"""What a code may stand for, where that is not free."""

_CODED = {"units": ("kind",), "contacts": ("role", "language"), "marks": ("mark",), "movements": ("kind",)}
"""The columns whose cells are such codes."""

_DATELESS = ("units", "contacts")


def _renames(scene: Scene) -> Iterator[Finding]:
    """Columns of that kind of record, words it is limited to, sessions of some timetable."""
    records = scene.text("records")
    columns = COLUMNS.get(records or "", ())
    targets: dict[str, tuple[Sequence[str], str]] = {
        "columns": (columns, f"column of {records}"),
        "codes": _MEANINGS.get(records or "", ((), "")),
        "sessions": (_timetabled(scene.tree), "session of any timetable"),
    }
    for part, (known, noun) in targets.items():
        for word, ours in _part(scene, part).items() if known else ():
            if isinstance(ours, str) and ours not in known:
                yield scene.found(("mapping", part, word), f"{quoted(ours)} is no {noun}", choose(ours, known))


def _given(scene: Scene) -> Iterator[Finding]:
    """Joined and constant columns are ours, and each is given once."""
    records = scene.text("records")
    columns = COLUMNS.get(records or "", ())
    taken = {ours: f"columns.{word}" for word, ours in _part(scene, "columns").items() if isinstance(ours, str)}
    for part in ("join", "constant"):
        for ours in _part(scene, part):
            place = ("mapping", part, ours)
            if columns and ours not in columns:
                yield scene.found(place, f"{quoted(ours)} is no column of {records}", choose(ours, columns))
            elif ours in taken:
                yield scene.found(place, f"is given by mapping.{taken[ours]} already", "keep one of the two")
            taken.setdefault(ours, f"{part}.{ours}")


def _constants(scene: Scene) -> Iterator[Finding]:
    """A constant means something to its column."""
    records = scene.text("records") or ""
    known, noun = _MEANINGS.get(records, ((), ""))
    limits: dict[str, tuple[Sequence[str], str]] = dict.fromkeys(_CODED.get(records, ()), (known, noun))
    if records == "marks":
        limits["session"] = _timetabled(scene.tree), "session of any timetable"
    translated = {"session": _part(scene, "sessions")}
    for ours, word in _part(scene, "constant").items():
        meant, noun = limits.get(ours, ((), ""))
        if meant and isinstance(word, str) and word not in {*meant, *translated.get(ours, _part(scene, "codes"))}:
            yield scene.found(("mapping", "constant", ours), f"{quoted(word)} is no {noun}", choose(word, meant))


def _sense(scene: Scene) -> Iterator[Finding]:
    """Only tables are rearranged, and only records with dates count days."""
    records, written = scene.text("records"), below(scene.table, "mapping")
    parts = written if isinstance(written, dict) else {}
    if scene.text("kind") == "edfi":
        for part in ("join", "constant", "skip", "empty", "origin"):
            if part in parts:
                yield scene.found(("mapping", part), "is of no use to an Ed-Fi file", "leave it out, or give a table")
    elif records in _DATELESS and "origin" in parts:
        yield scene.found(("mapping", "origin"), f"makes no sense of {records}", "leave it out")


def _part(scene: Scene, part: str) -> Tree:
    found = below(scene.table, "mapping", part)
    return found if isinstance(found, dict) else {}


def _timetabled(tree: Tree) -> tuple[str, ...]:
    """The names of all sessions, of the district and of units that differ."""
    owners = [below(tree, "calendar"), *(row for _, row in rows(below(tree, "calendar", "unit")))]
    names = (row.get("name") for owner in owners for _, row in rows(below(owner, "sessions")))
    return tuple(dict.fromkeys(name for name in names if isinstance(name, str)))


CHECKS = (_renames, _given, _constants, _sense)
"""For every feed."""
