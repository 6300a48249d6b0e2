"""How a source's own words, columns and days are read in ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from daemon.config.table import Table
from daemon.config.values import Cell, Text, kind_of, quoted, refusal


@dataclass(frozen=True, slots=True)
class Origin:
    """Day 0 of a source that numbers its days: one, under "", or one by what stands in `column`."""

    column: str | None
    days: Mapping[str, dt.date]


def _origin(value: object) -> Origin:
    hint = 'write 2013-02-01, or { column = "term", "spring" = 2013-02-01, "autumn" = 2013-10-01 }'
    if isinstance(value, Origin):
        return value
    if type(value) is dt.date:
        return Origin(None, {"": value})
    if not isinstance(value, dict):
        raise refusal(f"is {kind_of(value)}, not a date", hint)
    column, days = value.get("column"), {str(key): day for key, day in value.items() if key != "column"}
    if not isinstance(column, str) or not column.strip():
        raise refusal("names no column", hint)
    wrong = next((key for key, day in days.items() if type(day) is not dt.date), None)
    if wrong is not None:
        raise refusal(f"has {kind_of(days[wrong])} for {quoted(wrong)}, not a date", hint)
    if not days:
        raise refusal("has no day", hint)
    return Origin(column, days)


Parts = Annotated[tuple[Text, ...], Field(min_length=1)]
Cells = Annotated[tuple[Cell, ...], Field(min_length=1)]


class MappingConfig(Table):
    """How a school's own export is read: its columns, codes, dates and sessions in our words."""

    columns: dict[str, Text] = Field(
        default={}, description="its column to ours", examples=['{ "学号" = "student_id" }']
    )
    join: dict[str, Parts] = Field(
        default={},
        description='our column to those of its own that make it, with "-" between them',
        examples=['{ student_id = ["school", "number"] }'],
    )
    constant: dict[str, Cell] = Field(
        default={}, description="our column to what all its rows mean", examples=['{ session = "am" }']
    )
    skip: dict[str, Cells] = Field(
        default={}, description="the cells of a column whose rows are passed over", examples=['{ at = ["", "?"] }']
    )
    codes: dict[str, Text] = Field(default={}, description="its code to our mark", examples=['{ "旷课" = "absent" }'])
    empty: tuple[Text, ...] = Field(
        default=(), description="the cells of any column that mean nothing", examples=['["NULL", "\\\\N"]']
    )
    dates: Literal["auto", "ymd", "dmy", "mdy"] = Field(default="auto", description="the order of year, month and day")
    origin: Annotated[Origin, BeforeValidator(_origin)] | None = Field(
        default=None,
        description="the date of day 0 where it numbers its days, one or one by a column",
        examples=["2013-02-01"],
    )
    sessions: dict[str, Text] = Field(default={}, description="its session to ours", examples=['{ "上午" = "am" }'])
