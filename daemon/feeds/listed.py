"""What one delivery lists twice: the same said again is passed over, something else about the same key is refused."""

from __future__ import annotations

from dataclasses import replace

from daemon.feeds.payload import Fault
from rules.records import ContactRecord, LeaveRecord, Record, StudentRecord, UnitRecord, contact_id_of

_KEYS: dict[type, str] = {StudentRecord: "student_id", UnitRecord: "unit_id", ContactRecord: "contact_id"}


class Listed:
    """The records of one delivery by their key, each with its place; judges nothing but whether two agree."""

    def __init__(self) -> None:
        self._first: dict[tuple[type, str], tuple[Record, str]] = {}
        self._namesakes: dict[str, list[tuple[ContactRecord, str]]] = {}

    def take(self, record: Record, source: str) -> Record | None:
        """Return the record to keep, None for one that says nothing new; raises Fault for one that contradicts another.

        The first row stands. Of two rows for one leave the later replaces the earlier, but never another child's.
        """
        if isinstance(record, LeaveRecord):
            return self._leave(record, source)
        if isinstance(record, ContactRecord) and record.contact_id == contact_id_of(record):
            return self._contact(record, source)
        key = _KEYS.get(type(record))
        return record if key is None else self._once(record, key, source)

    def _once(self, record: Record, key: str, source: str) -> Record | None:
        first, where = self._first.setdefault((type(record), getattr(record, key)), (record, source))
        if first is record:
            return record
        _agree(first, where, record, source, f"keep one row for each {key}")
        return None

    def _leave(self, leave: LeaveRecord, source: str) -> LeaveRecord:
        first, where = self._first.setdefault((LeaveRecord, leave.leave_id), (leave, source))
        if isinstance(first, LeaveRecord) and first.student_id != leave.student_id:
            at = _place(first, where, source)
            raise Fault(f"is another child's on {at}", "give each leave an id of its own", column="leave_id")
        return leave

    def _contact(self, contact: ContactRecord, source: str) -> ContactRecord | None:
        """One without a contact_id: others of that role, unit and name are other people if they share no address."""
        known = self._namesakes.setdefault(contact.contact_id, [])
        for other, where in known:
            if _share_an_address(other, contact):
                _agree(other, where, replace(contact, contact_id=other.contact_id), source, "give each a contact_id")
                return None
        kept = contact if not known else replace(contact, contact_id=contact.id_by_address)
        known.append((kept, source))
        return kept


def _agree(first: Record, where: str, record: Record, source: str, hint: str) -> None:
    """Raise Fault, about the first field in which two records of one key differ, naming the line of the other."""
    names = [name for name in record.__annotations__ if name != "line"]
    different = next((name for name in names if getattr(first, name) != getattr(record, name)), None)
    if different is not None:
        raise Fault(f"{_place(first, where, source)} says otherwise", hint, column=different)


def _place(record: Record, where: str, source: str) -> str:
    return f"line {record.line}" if where == source else f"{where}:{record.line}"


def _share_an_address(one: ContactRecord, other: ContactRecord) -> bool:
    return any(mine is not None and mine == theirs for mine, theirs in zip(one.addresses, other.addresses, strict=True))
