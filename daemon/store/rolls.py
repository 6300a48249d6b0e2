"""Rolls as delivered: one row a class, session and delivery, its marks packed; read back as flat arrays."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sqlalchemy as sa

from daemon.store.coded import Names
from daemon.store.columns import to_micros
from daemon.store.tables import roll
from daemon.store.tx import chunks

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from daemon.store.tx import Tx

PAIR = np.dtype([("ordinal", "<u4"), ("code", "u1")])
"""One packed mark: five bytes, little-endian, so that a store may move between machines."""

_COLUMNS = "packed, class_id, session_date, session_name, feed_id, rank, recorded_at, delivered_at, implied"
_KINDS = ("u4", "u1", "i8", "i4", "i4", "i4", "i4", "i4", "i8", "i8", "?")
"""What becomes of them: ordinals, codes and length of `packed`, then one array a column."""
_TEXTS = 4
"""How many of the columns after `packed` are texts."""
_KNOWN = "known_at", "i8"
_PAGE = 500


@dataclass(frozen=True, slots=True, eq=False)
class Roll:
    """What one feed said of one class in one session at one instant; `ordinals` and `codes` are parallel.

    Its marks keep the order of the delivery: of two for one child the later is the later line. A code 0 is a row that
    named the child and was refused. `delivered_at` orders what one feed delivered (of a file when it was modified).
    """

    class_id: str
    session_date: dt.date
    session_name: str
    feed_id: str
    rank: int
    known_at: dt.datetime
    recorded_at: dt.datetime
    line: int
    implied: bool
    ordinals: npt.ArrayLike
    codes: npt.ArrayLike
    delivered_at: dt.datetime | None = None
    """None: when we took it in."""


@dataclass(frozen=True, slots=True, eq=False)
class RollBlock:
    """Many rolls as arrays: three a mark, and those a roll that `roll_index` points into; rolls are in no order.

    `class_index`, `session_index` and `feed_index` point into `classes`, `sessions` and `feeds`; instants are
    microseconds since 1970 UTC. When we took it in is told only where wanted (`known_at` is empty else).
    """

    classes: tuple[str, ...]
    sessions: tuple[str, ...]
    feeds: tuple[str, ...]
    ordinal: npt.NDArray[np.uint32]
    code: npt.NDArray[np.uint8]
    roll_index: npt.NDArray[np.int32]
    class_index: npt.NDArray[np.int32]
    date: npt.NDArray[np.datetime64]
    session_index: npt.NDArray[np.int32]
    feed_index: npt.NDArray[np.int32]
    rank: npt.NDArray[np.int32]
    recorded_at: npt.NDArray[np.int64]
    delivered_at: npt.NDArray[np.int64]
    implied: npt.NDArray[np.bool_]
    known_at: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.class_index)


def record_rolls(tx: Tx, rolls: Iterable[Roll]) -> int:
    """Append rolls, as delivered; how many there were. Does not ask whether they say anything new."""
    rows = [_row(tx.new_id(), one) for one in rolls]
    tx.add(roll, rows)
    return len(rows)


def load_rolls(
    tx: Tx,
    class_ids: Iterable[str] | None,
    first_date: dt.date,
    last_date: dt.date,
    known_by: dt.datetime | None = None,
    feed_id: str | None = None,
    *,
    dated: bool = False,
) -> RollBlock:
    """All rolls of the classes (None: of all) in sessions of these days, both included.

    As known by an instant, or as known now; said by one feed, or by any; `dated` with when we took each in.
    """
    known = np.iinfo(np.int64).max if known_by is None else to_micros(known_by)
    days: tuple[str | int, ...] = (first_date.isoformat(), last_date.isoformat(), int(known))
    where = "district_id = ? AND session_date >= ? AND session_date <= ? AND known_at <= ?"
    if feed_id is not None:
        where, days = f"{where} AND feed_id = ?", (*days, feed_id)
    gathered = _Gathering(dated=dated)
    if class_ids is None:
        gathered.take(tx, where, (tx.district, *days))
        return gathered.block()
    for part in chunks(dict.fromkeys(class_ids)):
        marks = ",".join("?" * len(part))
        gathered.take(tx, f"{where} AND class_id IN ({marks})", (tx.district, *days, *part))
    return gathered.block()


def sessions_brought(tx: Tx, feed_id: str, first_date: dt.date) -> list[tuple[str, dt.date, str]]:
    """Return class, day and session of every roll that a feed has brought for sessions from a day on, each once."""
    c = roll.c
    asked = sa.select(c.class_id, c.session_date, c.session_name).where(
        tx.ours(roll), c.session_date >= first_date, c.feed_id == feed_id
    )
    return [(row[0], row[1], row[2]) for row in tx.connection.execute(asked.distinct())]


def sessions_with(
    tx: Tx, class_ids: Iterable[str], first_date: dt.date, codes: Iterable[int], named: Iterable[int]
) -> list[tuple[str, dt.date, str]]:
    """Return class, day and session of rolls from a day on in which one of `codes` occurs, each once.

    Of feeds that name exceptions only those in which one of `named` does.
    """
    c = roll.c
    called, excepted = (sum(1 << code for code in set(those)) for those in (codes, named))
    occurs = c.signals.op("&")(sa.case((c.implied, excepted), else_=called)) != 0
    asked = sa.select(c.class_id, c.session_date, c.session_name).where(tx.ours(roll), c.session_date >= first_date)
    found: list[tuple[str, dt.date, str]] = []
    for part in chunks(dict.fromkeys(class_ids)):
        rows = tx.connection.execute(asked.where(c.class_id.in_(part), occurs).distinct())
        found += [(row[0], row[1], row[2]) for row in rows]
    return found


def _row(roll_id: str, one: Roll) -> dict[str, Any]:
    ordinals, codes = np.asarray(one.ordinals, np.uint32), np.asarray(one.codes, np.uint8)
    packed = np.empty(len(ordinals), PAIR)
    packed["ordinal"] = ordinals
    packed["code"] = codes
    return {
        "roll_id": roll_id,
        "class_id": one.class_id,
        "session_date": one.session_date,
        "session_name": one.session_name,
        "feed_id": one.feed_id,
        "rank": one.rank,
        "known_at": one.known_at,
        "recorded_at": one.recorded_at,
        "line": one.line,
        "delivered_at": one.delivered_at or one.known_at,
        "implied": one.implied,
        # Which codes occur, one bit each: whoever looks for absences need not unpack the others.
        "signals": int(np.bitwise_or.reduce(1 << codes.astype(np.int32), initial=0)),
        "packed": packed.tobytes(),
    }


def _pages(tx: Tx, columns: str, where: str, parameters: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    # The driver itself: SQLAlchemy's rows and types would cost more than the reading. Small pages, for the memory
    # of one is still warm when the next is read: 8 million marks take 0.4 s this way and 0.7 s in one piece.
    asked = f"SELECT {columns} FROM roll WHERE {where}"  # noqa: S608 – names and marks of ours only
    driver = cast("Any", tx.connection.connection.dbapi_connection)
    cursor = driver.cursor() if tx.is_sqlite else driver.cursor(binary=True)
    with closing(cursor):
        cursor.execute(asked if tx.is_sqlite else asked.replace("?", "%s"), parameters)
        while page := cursor.fetchmany(_PAGE):
            yield page


def _settle(names: Names, codes: npt.NDArray[np.int32]) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    """The texts of `names` sorted, and `codes` pointing into them."""
    texts = tuple(sorted(names.index))
    places = np.empty(len(texts), np.int32)
    for place, text in enumerate(texts):
        places[names.index[text]] = place
    return texts, places[codes]


class _Gathering:
    """Pages of rows becoming one RollBlock."""

    def __init__(self, *, dated: bool) -> None:
        self._columns, kinds = (f"{_COLUMNS}, {_KNOWN[0]}", (*_KINDS, _KNOWN[1])) if dated else (_COLUMNS, _KINDS)
        self._texts = tuple(Names() for _ in range(_TEXTS))
        self._parts: list[list[npt.NDArray[Any]]] = [[np.empty(0, kind)] for kind in kinds]

    def take(self, tx: Tx, where: str, parameters: Sequence[Any]) -> None:
        for page in _pages(tx, self._columns, where, parameters):
            packed, *texts_and_numbers = zip(*page, strict=True)
            texts, numbers = texts_and_numbers[:_TEXTS], texts_and_numbers[_TEXTS:]
            marks = np.frombuffer(b"".join(packed), PAIR)
            lengths = np.fromiter(map(len, packed), np.int64, len(page)) // PAIR.itemsize
            coded = [names.codes(values) for names, values in zip(self._texts, texts, strict=True)]
            arrays = [marks["ordinal"].copy(), marks["code"].copy(), lengths, *coded, *map(np.array, numbers)]
            for part, array in zip(self._parts, arrays, strict=True):
                part.append(array)

    def block(self) -> RollBlock:
        whole = [np.concatenate(part).astype(part[0].dtype, copy=False) for part in self._parts]
        ordinal, code, lengths, class_codes, day_codes, session_codes, feed_codes = whole[:7]
        rank, recorded, delivered, implied = whole[7:11]
        classes, class_index = _settle(self._texts[0], class_codes)
        days, day_index = _settle(self._texts[1], day_codes)
        sessions, session_index = _settle(self._texts[2], session_codes)
        feeds, feed_index = _settle(self._texts[3], feed_codes)
        return RollBlock(
            classes=classes,
            sessions=sessions,
            feeds=feeds,
            ordinal=ordinal,
            code=code,
            roll_index=np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
            class_index=class_index,
            date=np.array(days, "datetime64[D]")[day_index],
            session_index=session_index,
            feed_index=feed_index,
            rank=rank,
            recorded_at=recorded,
            delivered_at=delivered,
            implied=implied,
            known_at=whole[11] if len(whole) > len(_KINDS) else np.zeros(0, np.int64),
        )
