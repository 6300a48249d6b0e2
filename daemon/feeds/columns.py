"""Which column of a source is which field of a record."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from daemon.feeds.payload import Fault, quote
from daemon.problems import choose, nearest

_KNOWN_BY = {
    "student_id": ("学籍号", "学号", "全国学籍号", "学籍辅号", "student", "studentid", "student_no"),
    "name": ("姓名", "学生姓名", "名称"),
    "class_id": ("班级", "行政班", "班号", "class", "section_id", "school_id"),
    "date": ("日期", "考勤日期", "attendance_date", "day"),
    "session": ("节次", "时段", "period", "session_name"),
    "mark": ("考勤", "考勤状态", "状态", "attendancecode", "code", "attendance_status"),
    "at": ("时间", "打卡时间", "time", "timestamp"),
    "from": ("开始日期", "开始时间", "请假开始", "from_date", "start"),
    "to": ("结束日期", "结束时间", "请假结束", "to_date", "end"),
    "kind": ("类型", "类别", "假别", "type"),
    "role": ("角色", "职务"),
    "unit_id": ("单位", "单位编号", "unit"),
    "parent_id": ("上级", "上级单位", "parent"),
}
"""Other names a field goes by; never used to read, only to say which column was probably meant."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one kind of record; of each group in `either`, one is needed."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    either: tuple[tuple[str, ...], ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """Every column that is read; all others are ignored."""
        return frozenset(self.required).union(self.optional, *self.either)


LAYOUTS = {
    "units": Layout(("unit_id", "kind", "parent_id", "name"), ("code",)),
    "students": Layout(
        ("student_id", "name", "class_id"),
        ("sex", "birth_date", "grade", "residence_id", "boarding", "tags", "status", "status_since", "id_number"),
    ),
    "contacts": Layout(
        ("role", "name"), ("contact_id", "phone", "email", "endpoint", "language"), (("unit_id", "student_id"),)
    ),
    "marks": Layout(("student_id", "date", "session", "mark"), ("recorded_at", "came_at", "reason")),
    "punches": Layout(("student_id", "at"), ("device", "direction")),
    "leaves": Layout(("student_id", "from", "to", "kind"), ("recorded_at", "approved_by", "leave_id", "status")),
    "movements": Layout(("student_id", "kind", "at"), ("recorded_at", "to_school", "evidence")),
}


def fold(name: str) -> str:
    """A column name as it is compared: trimmed, half-width, without case or invisible marks."""
    plain = unicodedata.normalize("NFKC", name)
    return "".join(c for c in plain if c.isprintable() or c.isspace()).strip().casefold()


@dataclass(frozen=True, slots=True)
class Missing:
    """A column that is needed and not there: the names it may have, the field it is for, and whether it is theirs."""

    names: tuple[str, ...]
    field: str
    is_theirs: bool = False


def place(
    header: Sequence[str], layout: Layout, renames: Mapping[str, str], given: Collection[str] = ()
) -> dict[str, int]:
    """Return where each known column stands in `header`; a renamed column goes before one that bears the name itself.

    Fields that are `given` otherwise are not looked for. Raises Fault when two columns claim one field.
    """
    mapped = {fold(theirs): ours for theirs, ours in renames.items()}
    by_mapping: dict[str, int] = {}
    by_name: dict[str, int] = {}
    for at, cell in enumerate(header):
        name = fold(cell)
        field, found = (mapped[name], by_mapping) if name in mapped else (name, by_name)
        if field not in layout.known or field in given:
            continue
        if field in found:
            raise Fault(f'has two columns for "{field}"', "rename one, or name the right one in mapping.columns")
        found[field] = at
    return by_name | by_mapping


def not_placed(layout: Layout, there: Collection[str]) -> list[Missing]:
    """Return the columns that records of `layout` need and that are not `there`."""
    groups = (*((column,) for column in layout.required), *layout.either)
    return [Missing(group, group[0]) for group in groups if not any(column in there for column in group)]


def their_column(header: Sequence[str], name: str, field: str) -> int | None:
    """Return where the column that a source calls `name` stands, or None; raises Fault where there are two of it."""
    found = [at for at, cell in enumerate(header) if fold(cell) == fold(name)]
    if len(found) > 1:
        raise Fault(f"has two columns {quote(name)}", "rename one", column=field)
    return found[0] if found else None


def lacking(header: Sequence[str], missing: Sequence[Missing]) -> Fault:
    """Return the one Fault that names all columns `header` lacks, and for each the column that was probably meant."""
    wanted = [" or ".join(quote(name) for name in one.names) for one in missing]
    noun = "no column" if len(missing) == 1 else "no columns"
    fault = f"has {noun} {', '.join(wanted)}; its header is {_shown(header)}"
    return Fault(fault, _probable(header, missing), column=missing[0].field)


def _probable(header: Sequence[str], missing: Sequence[Missing]) -> str:
    """What to write so that the missing columns are found: each column of theirs is offered once."""
    free = {fold(cell): cell.strip() for cell in header if cell.strip()}
    if len(missing) == 1 and missing[0].is_theirs:
        return choose(missing[0].names[0], list(free.values()) or ["another"])
    near = {one.names[0]: nearest(one.names[0], free.values()) for one in missing if one.is_theirs}
    theirs = [f"{quote(name)}: did you mean {quote(meant)}?" for name, meant in near.items() if meant]
    renames: list[str] = []
    unknown: list[str] = []
    for one in missing:
        if one.is_theirs:
            continue
        name, column = _meant(one.names, free)
        if name is None:
            unknown.append(column)
        else:
            renames.append(f'{quote(free.pop(name))} = "{column}"')
    offered = [f"mapping.columns = {{ {', '.join(renames)} }}?"] if renames else []
    if unknown:
        offered.append(f"name {', '.join(unknown) if len(missing) > 1 else 'it'} in mapping.columns")
    return "; ".join([*offered, *theirs]) or "name the right ones in the mapping"


def _shown(header: Sequence[str]) -> str:
    names = [quote(cell.strip(), 24) for cell in header if cell.strip()]
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else "empty"  # noqa: PLR2004


def _meant(group: tuple[str, ...], free: Mapping[str, str]) -> tuple[str | None, str]:
    """The folded name of the column that was probably meant, or None, and the field it is."""
    for column in group:
        known = next((fold(alias) for alias in _KNOWN_BY.get(column, ()) if fold(alias) in free), None)
        close = known or nearest(column, free)
        if close:
            return close, column
    return None, group[0]
