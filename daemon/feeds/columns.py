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


def place(
    header: Sequence[str], layout: Layout, renames: Mapping[str, str], given: Collection[str] = ()
) -> dict[str, int]:
    """Where each known column stands in `header`; a renamed column goes before one that bears the name itself.

    Fields that are `given` otherwise are not looked for. Raises Fault when a required column is missing or two columns
    claim one field.
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
    places = by_name | by_mapping
    for group in (*((column,) for column in layout.required), *layout.either):
        _demand(group, {*places, *given}, header)
    return places


def their_column(header: Sequence[str], name: str, field: str) -> int:
    """Where the column that a source calls `name` stands; raises Fault, about `field`, unless there is one of it."""
    found = [at for at, cell in enumerate(header) if fold(cell) == fold(name)]
    if len(found) > 1:
        raise Fault(f"has two columns {quote(name)}", "rename one", column=field)
    if not found:
        fault = f"has no column {quote(name)}; its header is {_shown(header)}"
        raise Fault(fault, choose(name, [cell.strip() for cell in header if cell.strip()] or ["another"]), column=field)
    return found[0]


def is_header(cells: Sequence[str], layout: Layout, renames: Mapping[str, str], given: Collection[str] = ()) -> bool:
    """Whether `cells` hold every required column of `layout`."""
    try:
        place(cells, layout, renames, given)
    except Fault:
        return False
    return True


def _demand(group: tuple[str, ...], there: Collection[str], header: Sequence[str]) -> None:
    if any(column in there for column in group):
        return
    wanted = " or ".join(f'"{column}"' for column in group)
    raise Fault(f"has no column {wanted}; its header is {_shown(header)}", _meant(group, header), column=group[0])


def _shown(header: Sequence[str]) -> str:
    names = [quote(cell.strip(), 24) for cell in header if cell.strip()]
    return ", ".join(names[:12]) + (", …" if len(names) > 12 else "") if names else "empty"  # noqa: PLR2004


def _meant(group: tuple[str, ...], header: Sequence[str]) -> str:
    folded = {fold(cell): cell.strip() for cell in header if cell.strip()}
    for column in group:
        known = next((folded[fold(alias)] for alias in _KNOWN_BY.get(column, ()) if fold(alias) in folded), None)
        close = known or folded.get(nearest(column, folded) or "")
        if close:
            return f'mapping.columns = {{ {quote(close)} = "{column}" }}?'
    return "name it in mapping.columns"
