"""What all schools of a county have in common: the configuration, the units, and who answers for everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.faults.office import DAYS, EXCEPTIONS, FAR_TOWN, GATE, GROWING, School, contacts
from tests.faults.web import Source

_CONFIG = """
[service]
district = "610999"
timezone = "Asia/Shanghai"
mode = "live"
callback = "0911-1234567"
[calendar]
terms = [{{ from = 2026-03-16, to = 2026-07-10 }}]
holidays = "none"
sessions = [{{ name = "am", start = 08:00:00, end = 11:40:00 }}, {{ name = "pm", start = 14:00:00, end = 17:00:00 }}]
{feeds}
[[ladder]]
id = "statutory"
acknowledged_by = ["town_government", "education_office"]
[[ladder.rung]]
after = "0h"
tell = ["town_government", "education_office", "mentor"]
channels = ["sms"]
[[ladder.rung]]
after = "24h"
unless = "acknowledged"
tell = ["town_head", "education_director"]
channels = ["sms"]
[pacing]
wait = "0s"
throttle = []
[channels.sms]
provider = "http"
url = "http://127.0.0.1:9/sms"
[console]
public_url = "https://baoxue.example.org"
"""


def write_county(folder: Path, schools: Sequence[School], web: Source) -> None:
    """The configuration, the units, and the people who answer for the whole county."""
    feeds = [_feed("units", "units", 'path = "units.csv"'), _feed("contacts", "contacts", 'path = "contacts.csv"')]
    units = [("county", "county", "", "向阳县"), (FAR_TOWN, "town", "county", "远镇")]
    for school in schools:
        (folder / f"rolls-{school.number:02}").mkdir()
        feeds += _feeds(school, web.url)
        units.append((school.town, "town", "county", f"镇 {school.town}"))
        units.append((school.unit, "school", school.town, f"学校 {school.unit}"))
        units += [(room, "class", school.unit, f"班 {room}") for room in school.rooms]
    people = [(role, "county") for role in ("education_office", "education_director", "operator")]
    people += [("town_government", FAR_TOWN), ("town_head", FAR_TOWN)]
    lines = [",".join(one) for one in [("unit_id", "kind", "parent_id", "name"), *units]]
    (folder / "units.csv").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "contacts.csv").write_bytes(contacts("contacts.csv", people, 0).content())
    (folder / "config.toml").write_text(_CONFIG.format(feeds="\n".join(feeds)), encoding="utf-8")


def _feeds(school: School, url: str) -> Iterator[str]:
    for records in ("students", "contacts", "leaves"):
        yield _feed(school.feed(records), records, f'path = "{school.feed(records)}.csv"')
    owes, rolls = f'units = ["{school.unit}"]', f"rolls-{school.number:02}"
    if school.shape == EXCEPTIONS:
        source = f'url = "{url}/{school.number:02}"\npresence = "implied"'
    else:
        path = {GROWING: f"{school.feed('marks')}.csv", DAYS: rolls, GATE: f"{rolls}/marks*.csv"}[school.shape]
        source = f'path = "{path}"'
    yield _feed(school.feed("marks"), "marks", f"{source}\n{owes}", kind="http" if "url" in source else "file")
    if school.shape == GATE:
        yield _feed(school.feed("gate"), "punches", f'path = "{school.feed("gate")}.csv"')


def _feed(feed_id: str, records: str, rest: str, kind: str = "file") -> str:
    return f'[[feed]]\nid = "{feed_id}"\nkind = "{kind}"\nrecords = "{records}"\n{rest}\n'
