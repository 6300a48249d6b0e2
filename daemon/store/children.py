"""The children of a roster, held so that hundreds of thousands need little memory and are read in a moment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from daemon.store.coded import Names
from daemon.store.tables import student
from daemon.store.tx import among

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    import numpy.typing as npt

    from daemon.store.tx import Tx

    _Column = tuple[Sequence[Any], npt.NDArray[np.unsignedinteger[Any]]]
    """The different values, and by ordinal which of them, in as few bytes as can say it."""

_PAGE = 500


class RosterStudent(NamedTuple):
    """A child for judging and routing; carries no name."""

    student_id: str
    ordinal: int
    class_id: str
    residence_id: str | None
    grade: str | None
    tags: tuple[str, ...]
    boarding: bool | None
    status: str | None
    status_since: dt.date | None
    missing_since: dt.datetime | None


_KEYS = ("student_id", "ordinal")
_REST = RosterStudent._fields[len(_KEYS) :]


class Children(Mapping[str, RosterStudent]):
    """Children by id, in order; each is put together when it is asked for, out of columns by ordinal.

    One that has another number now is found under both, and counted once.
    """

    def __init__(
        self, ordinals: dict[str, int], columns: Mapping[str, _Column], same: Mapping[str, str] | None = None
    ) -> None:
        self._same = {old: new for old, new in (same or {}).items() if new in ordinals}
        self.by_id = {one: n for one, n in ordinals.items() if one not in self._same} if self._same else ordinals
        """The small number of each child, by the number it has now."""
        theirs = {old: ordinals[new] for old, new in self._same.items()}
        self.ordinals = {**self.by_id, **theirs} if theirs else ordinals
        """The small number of each child, by every number it ever had."""
        self._by_name = columns
        self._columns = list(columns.values())
        self._classes = columns["class_id"]

    def __getitem__(self, student_id: str) -> RosterStudent:
        ordinal = self.ordinals[student_id]
        student_id = self._same.get(student_id, student_id)
        return RosterStudent(student_id, ordinal, *[values[codes.item(ordinal)] for values, codes in self._columns])

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_id)

    def __len__(self) -> int:
        return len(self.by_id)

    def __contains__(self, student_id: object) -> bool:
        return student_id in self.ordinals

    def joined(self, same: Mapping[str, str]) -> Children:
        """The same children, some numbers of whom (`same`) are other children's: those are found under either."""
        return Children(self.ordinals, self._by_name, same)

    def class_of(self, student_id: str) -> str:
        """The class a child is in; KeyError when it is not on the roster."""
        values, codes = self._classes
        return str(values[codes.item(self.ordinals[student_id])])

    def column(self, name: str) -> tuple[Sequence[Any], npt.NDArray[np.unsignedinteger[Any]]]:
        """A field of all children at once: its different values, and by ordinal which of them."""
        return self._by_name[name]

    @property
    def class_ids(self) -> Sequence[str]:
        """Every class there is anybody in."""
        return self._classes[0]


def load_children(tx: Tx, student_ids: Iterable[str] | None) -> Children:
    """The children asked for (None: all)."""
    ids: list[str] = []
    numbers: list[int] = []
    names = [Names() for _ in _REST]
    coded: list[list[npt.NDArray[np.int32]]] = [[] for _ in _REST]
    for page in _pages(tx, student_ids):
        page_ids, page_numbers, *rest = zip(*page, strict=True)
        ids += page_ids
        numbers += page_numbers
        for name, parts, values in zip(names, coded, rest, strict=True):
            parts.append(name.codes(values))
    places = np.array(numbers, np.int64)
    columns = {
        column: (_read(tx, column, name), _by_ordinal(places, parts, len(name.index)))
        for column, name, parts in zip(_REST, names, coded, strict=True)
    }
    return Children(dict(zip(ids, numbers, strict=True)), columns)


def _pages(tx: Tx, student_ids: Iterable[str] | None) -> Iterator[Sequence[sa.Row[Any]]]:
    """Rows with what lies in the table: each different value is understood once, not once a child."""
    columns = [sa.type_coerce(student.c[name], _plain(student.c[name])) for name in (*_KEYS, *_REST)]
    asked = sa.select(*columns).where(tx.ours(student))
    if student_ids is not None:
        asked = asked.where(among(tx, student.c.student_id, list(dict.fromkeys(student_ids))))
    return tx.connection.execute(asked.order_by(student.c.student_id)).partitions(_PAGE)


def _plain(column: sa.Column[Any]) -> sa.types.TypeEngine[Any]:
    kind = column.type
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind


def _read(tx: Tx, column: str, names: Names) -> Sequence[Any]:
    kind = student.c[column].type
    reader: Callable[[Any], Any] | None = None
    if isinstance(kind, sa.types.TypeDecorator):
        reader = kind.result_processor(tx.connection.dialect, None)
    values = names.index if reader is None else map(reader, names.index)
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)


def _by_ordinal(
    places: npt.NDArray[np.int64], parts: Sequence[npt.NDArray[np.int32]], values: int
) -> npt.NDArray[np.unsignedinteger[Any]]:
    codes = np.zeros(int(places.max(initial=-1)) + 1, np.min_scalar_type(values))
    if parts:
        codes[places] = np.concatenate(parts)
    return codes
