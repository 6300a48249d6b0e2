"""What the columns hold: instants, days, JSON and sealed text, the same on every engine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.types import TypeDecorator

from daemon.store.keys import Keyring, KeyringError

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect, Engine

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_RING = "baoxue_keyring"
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
_Processor: TypeAlias = Callable[[Any], Any]


def to_micros(instant: dt.datetime) -> int:
    """Microseconds from 1970 UTC to an aware instant; ValueError when it is naive."""
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is no instant: give it a time zone")
    return (instant - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> dt.datetime:
    """The aware instant, in UTC, so many microseconds after 1970."""
    return EPOCH + dt.timedelta(microseconds=micros)


def to_json(value: object) -> str:
    """Canonical JSON: keys sorted, no spaces, Chinese as it is; equal values give equal bytes."""
    return _CANONICAL.encode(value)


# The processors are made once an engine and called once a value: plain functions, for a poll makes millions of calls.


class Instant(TypeDecorator[dt.datetime]):
    """An aware instant kept as microseconds since 1970 UTC; refuses naive datetimes."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002
        """Aware datetime → microseconds."""
        return lambda value: None if value is None else to_micros(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        """Microseconds → datetime in UTC."""
        return lambda value: None if value is None else from_micros(value)


class Day(TypeDecorator[dt.date]):
    """A school's own date, kept as ISO text; knows no time zone."""

    impl = String(10)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002
        """Date → `2026-03-18`; a datetime is refused, for its date depends on a zone."""
        return _iso_day

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        """ISO text → date."""
        return lambda value: None if value is None else dt.date.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """Plain values as canonical JSON text; the same bytes on every engine. Holds nothing personal."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> _Processor:  # noqa: ARG002
        """Value → text; None is NULL."""
        return lambda value: None if value is None else to_json(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        """Text → value."""
        return lambda value: None if value is None else json.loads(value)


class Encrypted(TypeDecorator[str]):
    """Personal text, sealed with AES-GCM for its own "table.column"; cannot be searched or compared in SQL.

    The ring belongs to the engine (see `give_keyring`), so that one process may hold two stores with two rings.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def bind_processor(self, dialect: Dialect) -> _Processor:
        """Text → sealed bytes."""
        seal, place = keyring_of(dialect).seal, self.place
        return lambda value: None if value is None else seal(value, place)

    def result_processor(self, dialect: Dialect, coltype: object) -> _Processor:  # noqa: ARG002
        """Sealed bytes → text; KeyringError when they do not open."""
        unseal, place = keyring_of(dialect).open, self.place
        return lambda value: None if value is None else unseal(value, place)


def _iso_day(value: dt.date | None) -> str | None:
    if isinstance(value, dt.datetime):
        raise TypeError("a datetime is no day")
    return None if value is None else value.isoformat()


def give_keyring(engine: Engine, keyring: Keyring) -> None:
    """Let the Encrypted columns of `engine`, and of its option variants, use `keyring`."""
    setattr(engine.dialect, _RING, keyring)


def keyring_of(dialect: Dialect) -> Keyring:
    """The ring given to a dialect's engine; KeyringError when none was."""
    keyring = getattr(dialect, _RING, None)
    if keyring is None:
        raise KeyringError("this engine was given no keyring")
    return cast("Keyring", keyring)
