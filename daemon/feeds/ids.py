"""Ids as cells hold them: what a spreadsheet did to one is undone where that is sure, and refused where it is not."""

from __future__ import annotations

import datetime as dt
import json
import re
import unicodedata

from daemon.config.ids import id_form
from daemon.feeds.payload import Fault

LONGEST_ID = 128
MOST_DIGITS = 15
"""A number kept as a floating-point number keeps so many digits."""

AS_TEXT = "format the column as text before filling it"
LOST_DIGITS = "was saved as a number and lost digits"

PLAIN_ID = re.compile(
    r"(?!\d+[eE]|\d{4}-\d\d-\d\d\Z|\d{1,2}-[A-Z]|[A-Z][a-z]{2}-|\d+[年月]|[NnUu无空暂未不]|[_-]*\Z)"
    rf"[0-9A-Za-z_\u4e00-\u9fff-]{{1,{LONGEST_ID}}}"
)
"""An id at which nothing is to be done, as nearly all are: one look instead of many."""

_APOSTROPHES = "'’‘`＇"
_WRAPPED = re.compile(r'=\s*"([^"]*)"')
_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)
_ROUNDED = re.compile(r"[+-]?\d(?:\.\d*)?[eE]\+\d+|[+-]?\d\.\d+[eE]\d+", re.ASCII)
_ERROR = re.compile(r"#(?:N/A|NV|[A-Z/0-9_]+[!?]|GETTING_DATA)", re.ASCII)
_CLOCK = r"(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)? *(?:[AP]M)?(?:Z|[+-]\d{2}:?\d{2})?)"
_DATE = re.compile(
    rf"(\d{{4}})-(\d\d)-(\d\d){_CLOCK}?|(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_CLOCK}"
    rf"|(\d{{4}})/(\d{{1,2}})/(\d{{1,2}}){_CLOCK}?|(\d{{4}})年(\d{{1,2}})月(\d{{1,2}})日{_CLOCK}?",
    re.ASCII,
)
_YEAR_LAST = re.compile(rf"(?:(\d{{1,2}})/(\d{{1,2}})/(\d{{4}})|(\d\d)\.(\d\d)\.(\d{{4}})){_CLOCK}?", re.ASCII)
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_DAY_OF_MONTH = re.compile(
    rf"\d{{1,2}}-(?:{_MONTHS})(?:-\d{{2}}(?:\d{{2}})?)?|(?:{_MONTHS})-\d{{2}}(?:\d{{2}})?|(?:{_MONTHS})-\d{{1,2}}"
    r"|\d{1,2}月\d{1,2}日",
    re.ASCII,
)
_TIME = re.compile(r"(?:\d+ days?, )?\d{1,2}:\d{2}:\d{2}(?:\.\d+)?", re.ASCII)
_YEARS = range(1900, 2101)

NOTHING = frozenset(
    ("null", "(null)", "<null>", "[null]", "nil", "none", "<none>", "nan", "n/a", "<na>", "undefined", r"\n")
).union("无空", ("暂无", "未知", "不详"))
"""What programs and people write where there is nothing, without case; NA is one in capitals only."""


def an_id(text: str) -> str:
    """Return an id in the one form it has everywhere; raises Fault for what is none, saying what became of it.

    Half-width and without invisible marks; `="001"`, an apostrophe before it and the `.0` of a number are undone.
    """
    plain = id_form(unquoted(id_form(text)))
    if not plain:
        raise Fault("is missing")
    if len(plain) > LONGEST_ID:
        raise Fault(f"is longer than {LONGEST_ID} characters")
    if not plain.isprintable():
        raise Fault("holds invisible characters")
    whole = whole_number(plain)
    _refuse_no_id(whole)
    return whole


def unwrapped(text: str) -> str:
    """Return a cell out of the `="…"` that keeps a spreadsheet from reading it as a number."""
    if text[:1] not in {"=", "＝"}:
        return text
    found = _WRAPPED.fullmatch(unicodedata.normalize("NFKC", text[:1]) + text[1:].rstrip())
    return text if found is None else found[1]


def unquoted(text: str) -> str:
    """Return a cell without `="…"`, and without the apostrophe that marks text for a spreadsheet."""
    plain = unwrapped(text.strip()).strip()
    if plain[:1] not in _APOSTROPHES or not plain:
        return plain
    bare = plain.strip(_APOSTROPHES + " ")
    return bare if bare == unwrapped(bare) else unquoted(unwrapped(bare))


def whole_number(text: str) -> str:
    """Return a whole number without the `.0` it got as a floating-point number; raises Fault where that cost digits."""
    found = _WHOLE.fullmatch(text)
    if found is None:
        return text
    if len(found[1]) > MOST_DIGITS:
        raise Fault(LOST_DIGITS, AS_TEXT)
    return found[1]


def plainer(text: str) -> str:
    """Return a code as it was before a spreadsheet: without `="…"`, apostrophe and the `.0` of a number."""
    plain = unquoted(text)
    found = _WHOLE.fullmatch(plain)
    return found[1] if found is not None and len(found[1]) <= MOST_DIGITS else plain


def is_nothing(text: str) -> bool:
    """Whether a cell holds a word that programs write where there is nothing."""
    plain = text.strip()
    return plain == "NA" or plain.casefold() in NOTHING


def meant_as_empty(text: str) -> str:
    """Return the hint for a word that may stand for an empty cell."""
    return f"if it means empty: mapping.empty = [{json.dumps(text.strip(), ensure_ascii=False)}]"


def is_rounded(text: str) -> bool:
    """Whether a spreadsheet wrote a number of which it keeps the first digits only (6.10324E+17)."""
    return _ROUNDED.fullmatch(text) is not None


def _refuse_no_id(plain: str) -> None:
    if is_rounded(plain):
        raise Fault(LOST_DIGITS, AS_TEXT)
    if _ERROR.fullmatch(plain):
        raise Fault("is an error of the spreadsheet", "mend its formula, or paste values instead of formulas")
    if is_nothing(plain):
        raise Fault(f'"{plain}" is no id, but what stands for nothing', meant_as_empty(plain))
    if _is_date(plain):
        raise Fault("was turned into a date by a spreadsheet", AS_TEXT)
    if _TIME.fullmatch(plain):
        raise Fault("was turned into a time of day by a spreadsheet", AS_TEXT)
    if plain.startswith("="):
        raise Fault("is a formula", "paste its value instead")
    if not any(character.isalnum() for character in plain):
        raise Fault("holds neither a letter nor a digit", meant_as_empty(plain))


def _is_date(plain: str) -> bool:
    """Whether this is surely a day, as spreadsheets show one; 2026-1-3 may be a class, and is none."""
    if _DAY_OF_MONTH.fullmatch(plain):
        return True
    if found := _DATE.fullmatch(plain):
        year, month, day = (int(part) for part in found.groups() if part is not None)
        return _is_day(year, month, day)
    if found := _YEAR_LAST.fullmatch(plain):
        first, second, year = (int(part) for part in found.groups() if part is not None)
        return _is_day(year, first, second) or _is_day(year, second, first)
    return False


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return dt.date(year, month, day).year in _YEARS
    except ValueError:
        return False
