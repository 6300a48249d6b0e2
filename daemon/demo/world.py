"""What happens in the county that no file says: a day begins, snow falls, a line is cut."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from daemon.demo.diary import CUT_SCHOOL, SNOW_SCHOOL, When
from daemon.demo.papers import Office

_MORNING = dt.time(7)
_CALLED = (dt.time(8, 20), dt.time(14, 20))
_WORLD = ("世界", "world")

Said = tuple[tuple[str, str], str, str]
"""Topic, 中文, English."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A day (counted from 0) that begins, something to be said, or, with neither, rolls that have been called."""

    at: dt.datetime
    day: int | None = None
    said: Said | None = None


def scenes(office: Office) -> list[Scene]:
    """All scenes of the term, in order."""
    found = [Scene(office.instant(When(day, _MORNING)), day=day) for day in range(len(office.dates))]
    found += [Scene(office.instant(When(day, at))) for day in range(len(office.dates)) for at in _CALLED]
    found += [Scene(office.instant(when), said=(_WORLD, zh, en)) for when, zh, en in _events(office)]
    return sorted(found, key=lambda scene: scene.at)


def _events(office: Office) -> Iterator[tuple[When, str, str]]:
    snow, cut = office.diary.snow, office.diary.cut
    if snow is not None:
        yield (
            When(snow, dt.time(7, 10)),
            f"大雪封山，{SNOW_SCHOOL.name}多数学生到不了校",
            "snow: hardly anybody gets to school",
        )
    if cut is not None:
        yield (
            When(cut[0], dt.time(7, 10)),
            f"{CUT_SCHOOL.name}网络专线中断，点名传不出来",
            "a line is cut, rolls do not get out",
        )
        yield When(cut[1], dt.time(7, 35)), f"{CUT_SCHOOL.name}线路修复，补传点名", "the line is mended, rolls are sent"
