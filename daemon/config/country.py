"""The country of a time zone, by the tables of the time zone database itself."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def country_of(zone: str) -> str | None:
    """Return the ISO code of the country whose zone this is; None where there is none or several (UTC, Etc/GMT+8).

    An older name (US/Eastern, PRC) is that of the zone it stands for, where that zone is kept in one country only.
    """
    own = {row[2]: row[0] for row in _rows("zone.tab")}
    if zone in own:
        return own[zone]
    keepers = {row[2]: row[0].split(",") for row in _rows("zone1970.tab")}
    countries = keepers.get(_meant(zone) or "", [])
    return countries[0] if len(countries) == 1 else None


def _meant(zone: str) -> str | None:
    """The zone that an older name stands for."""
    links = (line.split() for line in _text("tzdata.zi").splitlines() if line.startswith("L "))
    return next((target for _, target, name in links if name == zone), None)


def _rows(table: str) -> list[list[str]]:
    return [line.split("\t") for line in _text(table).splitlines() if line and not line.startswith("#")]


def _text(name: str) -> str:
    return resources.files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
