"""Dates and instants as people and programs write them; what has two readings is not guessed."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

from daemon.feeds.ids import is_nothing, meant_as_empty, unquoted
from daemon.feeds.payload import Fault, quote

_YEAR_FIRST = re.compile(
    r"(\d{4})\s*(?:[-/.—–。、]\s*(\d{1,2})\s*[-/.—–。、]\s*(\d{1,2})|年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号]?)",
    re.ASCII,
)
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4})", re.ASCII)
_COMPACT = re.compile(r"\d{8}", re.ASCII)
_SERIAL = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d{1,9})?", re.ASCII)
_MIDNIGHT = re.compile(r"(?:[T\s]+0?0:00(?::00(?:\.0+)?)?|\s+12:00(?::00)?\s*AM)", re.ASCII | re.IGNORECASE)
_MOMENT = re.compile(
    r"(?P<date>.+?)(?:[T\s]\s*|(?<=日))(?P<hour>\d{1,2}):(?P<rest>\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)"
    r"\s*(?P<half>[AP]M)?\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_WHOLE = re.compile(r"(\d{8,})\.0+", re.ASCII)
"""Digits that became a floating-point number (20260316.0); fewer are a spreadsheet's count of days, or another's."""
_DAY_NUMBER = re.compile(r"(?P<days>[+-]?\d{1,4})(?:\.0+)?(?: since ?(?P<of>.*))?", re.ASCII)
_EVIDENCE = re.compile(r"\s*(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*\d{4}(?!\d)|\s*(\d{2})(\d{2})\d{4}(?!\d)", re.ASCII)

_EPOCH_ZERO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EXCEL_ZERO = dt.date(1899, 12, 30)
_EXCEL_FIRST, _EXCEL_LAST = 20_000, 80_000
_EARLIEST, _LATEST = 1900, 2100
_MILLISECONDS = 13
_UTC_MIDNIGHT = dt.time(tzinfo=dt.UTC)
_NOON = 12
_MOST_MONTHS = 12
_END_OF_DAY = 24
_LONGEST = 48
_MOST_REMEMBERED = 1 << 18

_FORMS = "write 2026-03-16"
_ORDER_HINT = 'set mapping.dates to "dmy" or "mdy"'


class Dates:
    """One source's dates in one zone; remembers what it has read once.

    `order` settles dates that end in their year: "dmy", "mdy", "ymd" (refuse them all), or "auto". With "auto" the
    source itself must settle it: at least one of its dates has only one reading (8/15/2020) and none has only the
    other. `candidates` gives the source's raw date cells, and is asked only when such a date turns up.
    `origins` are the days 0 of a source that numbers its days, by the word after `since`, or by "" where there is none.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        order: str,
        candidates: Callable[[], Iterable[str]],
        origins: Mapping[str, dt.date] = MappingProxyType({}),
    ) -> None:
        self.zone = zone
        self._origins = origins
        self._order: str | None = None if order == "auto" else order
        self._contradictory = False
        self._candidates = candidates
        self._dates: dict[str, dt.date] = {}
        self._instants: dict[str, dt.datetime] = {}

    def date(self, text: str) -> dt.date:
        """The date `text` writes; raises Fault. A time of day other than midnight does not belong in a date."""
        known = self._dates.get(text)
        if known is None:
            known = self._dates[text] = self._read_date(_plain(text))
        return known

    def instant(self, text: str) -> dt.datetime:
        """The UTC instant `text` writes, local to the zone where it has no offset; raises Fault.

        An hour that a clock change repeats is its first pass; one that it skips never was, and is refused.
        """
        known = self._instants.get(text)
        if known is None:
            if len(self._instants) >= _MOST_REMEMBERED:  # passages of a year are as many as rows
                self._instants.clear()
            known = self._instants[text] = self._read_instant(_plain(text), text)
        return known

    def known_at(self, text: str) -> dt.datetime:
        """Like `instant`; a bare date is the end of that day, since nobody knew it later and nothing says earlier."""
        day = self.whole_day(text)
        return self.instant(text) if day is None else self.midnight(day + dt.timedelta(days=1))

    def whole_day(self, text: str) -> dt.date | None:
        """The date, if `text` is a bare date without any time; None if it is anything else."""
        plain = _plain(text)
        if _EPOCH.fullmatch(plain) or _MOMENT.fullmatch(plain):
            return None
        try:
            return self.date(text)
        except Fault:
            if self._has_date_shape(plain):
                raise
            return None

    def midnight(self, day: dt.date) -> dt.datetime:
        """The UTC instant at which `day` begins in the zone; where a clock change skips midnight, the change."""
        return dt.datetime.combine(day, dt.time(), self.zone).astimezone(dt.UTC)

    def _has_date_shape(self, plain: str) -> bool:
        shapes = (_YEAR_FIRST, _YEAR_LAST, _COMPACT)
        numbered = self._origins and _DAY_NUMBER.fullmatch(plain)
        return bool(numbered) or any(shape.fullmatch(plain) for shape in shapes)

    def _read_date(self, plain: str) -> dt.date:
        midnight = _MIDNIGHT.search(plain)
        if midnight and midnight.end() == len(plain):
            plain = plain[: midnight.start()]
        if match := _YEAR_FIRST.fullmatch(plain):
            year, *rest = (int(part) for part in match.groups() if part is not None)
            return _make(plain, year, *rest)
        if match := _YEAR_LAST.fullmatch(plain):
            return self._year_last(plain, *(int(part) for part in match.groups()))
        if _COMPACT.fullmatch(plain):
            return self._compact(plain)
        if _SERIAL.fullmatch(plain) and _EXCEL_FIRST <= float(plain) <= _EXCEL_LAST and float(plain).is_integer():
            return _EXCEL_ZERO + dt.timedelta(days=int(float(plain)))
        if _EPOCH.fullmatch(plain):
            return self._epoch_day(plain)
        if self._origins and (match := _DAY_NUMBER.fullmatch(plain)):
            return self._numbered(int(match["days"]), match["of"] or "")
        raise Fault(f"{quote(plain)} is not a date", _hint(plain))

    def _epoch_day(self, plain: str) -> dt.date:
        """The day of seconds since 1970 that are a midnight, in UTC or else in the zone; no other is a date."""
        moment = _from_epoch(plain)
        there = moment.astimezone(self.zone)
        if _is_utc_midnight(moment):
            return moment.date()
        if there.astimezone(dt.UTC) == self.midnight(there.date()):
            return there.date()
        raise Fault(f"{quote(plain)} is an instant and no whole day", _FORMS)

    def _numbered(self, days: int, of: str) -> dt.date:
        origin = self._origins.get(of)
        if origin is None:
            raise Fault(f"{quote(of)} has no day 0", "add it to mapping.origin")
        return origin + dt.timedelta(days=days)

    def _compact(self, plain: str) -> dt.date:
        """Eight digits: the year stands where a year can be, which is never both ends at once."""
        try:
            return _make(plain, int(plain[:4]), int(plain[4:6]), int(plain[6:]))
        except Fault:
            if not _EARLIEST <= int(plain[4:]) <= _LATEST:
                raise
        return self._year_last(plain, int(plain[:2]), int(plain[2:4]), int(plain[4:]))

    def _year_last(self, plain: str, first: int, second: int, year: int) -> dt.date:
        order = self._settled_order()
        if order == "ymd":
            raise Fault(f"{quote(plain)} does not begin with its year", "mapping.dates is ymd")
        if order == "dmy" or (order is None and first == second and not self._contradictory):
            return _make(plain, year, second, first)
        if order == "mdy":
            return _make(plain, year, first, second)
        if self._contradictory:
            raise Fault(f"{quote(plain)}: some dates here are day/month, others month/day", _ORDER_HINT)
        if max(first, second) > _MOST_MONTHS:
            raise Fault(f"{quote(plain)} is not a date", _FORMS)
        raise Fault(f"{quote(plain)} can be day/month or month/day", _ORDER_HINT)

    def _settled_order(self) -> str | None:
        if self._order is None and not self._contradictory:
            proofs = {proof for text in set(self._candidates()) if (proof := _proof(_plain(text[:_LONGEST])))}
            self._contradictory = len(proofs) > 1
            self._order = proofs.pop() if len(proofs) == 1 else None
            self._candidates = tuple  # asked once
        return self._order

    def _read_instant(self, plain: str, text: str) -> dt.datetime:
        if _EPOCH.fullmatch(plain):
            return _from_epoch(plain)
        if _SERIAL.fullmatch(plain) and "." in plain and _EXCEL_FIRST <= float(plain) <= _EXCEL_LAST:
            days = dt.timedelta(seconds=round(float(plain) * 86_400))
            return self._local(plain, dt.datetime.combine(_EXCEL_ZERO, dt.time()) + days)
        match = _MOMENT.fullmatch(plain)
        if match is None:
            return self._iso(plain, text)
        day = self._read_date(match["date"])
        hour = _hour(int(match["hour"]), match["half"])
        if hour == _END_OF_DAY and match["rest"].strip("0:") == "":
            day, hour = day + dt.timedelta(days=1), 0
        return self._composed(plain, f"{day.isoformat()}T{hour:02d}:{match['rest']}{(match['offset'] or '').upper()}")

    def _iso(self, plain: str, text: str) -> dt.datetime:
        """Basic ISO forms (20260316T081000Z) and nothing that lacks a time."""
        if self.whole_day(text) is not None:
            raise Fault(f"{quote(plain)} has no time of day", "write 2026-03-16 08:10")
        if "T" not in plain:
            raise Fault(f"{quote(plain)} is not an instant", _hint(plain, "write 2026-03-16 08:10"))
        return self._composed(plain, plain)

    def _composed(self, plain: str, iso: str) -> dt.datetime:
        try:
            moment = dt.datetime.fromisoformat(iso.replace(",", "."))
        except ValueError:
            raise Fault(f"{quote(plain)} is not an instant", "write 2026-03-16 08:10") from None
        if not _EARLIEST <= moment.year <= _LATEST:
            raise Fault(f"{quote(plain)} is out of range")
        return moment.astimezone(dt.UTC) if moment.tzinfo is not None else self._local(plain, moment)

    def _local(self, plain: str, moment: dt.datetime) -> dt.datetime:
        there = moment.replace(tzinfo=self.zone).astimezone(dt.UTC)
        if there.astimezone(self.zone).replace(tzinfo=None) != moment:
            raise Fault(f"{quote(plain)} never was: clocks were put forward over it", "write the offset too")
        return there


def is_utc_midnight(text: str) -> bool:
    """Whether `text` is seconds since 1970 that are a midnight in UTC: they may be meant as that whole day."""
    plain = text.strip()
    return _EPOCH.fullmatch(plain) is not None and _is_utc_midnight(_from_epoch(plain))


def is_day_number(text: str) -> bool:
    """Whether `text` is a number of days rather than a date: up to four digits with their sign."""
    found = _DAY_NUMBER.fullmatch(text.strip())
    return found is not None and found["of"] is None


def _plain(text: str) -> str:
    stripped = unquoted(text)
    if len(stripped) > _LONGEST:
        raise Fault(f"{quote(stripped)} is not a date", _FORMS)
    plain = stripped if stripped.isascii() else unquoted(unicodedata.normalize("NFKC", stripped))
    whole = _WHOLE.fullmatch(plain)
    return plain if whole is None else whole[1]


def _hint(plain: str, forms: str = _FORMS) -> str:
    return meant_as_empty(plain) if is_nothing(plain) else forms


def _make(plain: str, year: int, month: int, day: int) -> dt.date:
    try:
        made = dt.date(year, month, day)
    except ValueError:
        raise Fault(f"{quote(plain)} is not a date", _FORMS) from None
    if not _EARLIEST <= year <= _LATEST:
        raise Fault(f"{quote(plain)} is out of range", _FORMS)
    return made


def _from_epoch(plain: str) -> dt.datetime:
    whole, _, part = plain.partition(".")
    unit = dt.timedelta(milliseconds=1) if len(whole) == _MILLISECONDS else dt.timedelta(seconds=1)
    return _EPOCH_ZERO + int(whole) * unit + float(f"0.{part or 0}") * unit


def _is_utc_midnight(moment: dt.datetime) -> bool:
    return moment.timetz() == _UTC_MIDNIGHT


def _hour(hour: int, half: str | None) -> int:
    if half is None or not 1 <= hour <= _NOON:
        return hour if half is None else 99
    return hour % _NOON + (_NOON if half.upper() == "PM" else 0)


def _proof(plain: str) -> str | None:
    """The order a date that ends in its year can only have; None if it can have both, or is none."""
    match = _EVIDENCE.match(plain)
    if match is None:
        return None
    compact = match[3] is not None
    first, second = (int(match[3]), int(match[4])) if compact else (int(match[1]), int(match[2]))
    if compact and not _EARLIEST <= int(plain[4:8]) <= _LATEST:
        return None
    if first > _MOST_MONTHS >= second >= 1:
        return "dmy"
    return "mdy" if second > _MOST_MONTHS >= first >= 1 else None
