"""A made-up learning site in the shape and size of a public one: who enrolled, who withdrew when, who clicked on what.

Seven modules in 22 presentations, 32 593 learners, 10 655 280 rows of clicks, 10 072 dated withdrawals. Activity falls
in the weeks before a withdrawal and ends with it; nobody here is anybody.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS = 10_655_280
WITHDRAWN = 10_072
PRESENTATIONS = {
    ("AAA", "2013J"): (268, 383),
    ("AAA", "2014J"): (269, 365),
    ("BBB", "2013B"): (240, 1767),
    ("BBB", "2013J"): (268, 2237),
    ("BBB", "2014B"): (234, 1613),
    ("BBB", "2014J"): (262, 2292),
    ("CCC", "2014B"): (241, 1936),
    ("CCC", "2014J"): (269, 2498),
    ("DDD", "2013B"): (240, 1303),
    ("DDD", "2013J"): (261, 1938),
    ("DDD", "2014B"): (241, 1228),
    ("DDD", "2014J"): (262, 1803),
    ("EEE", "2013J"): (268, 1052),
    ("EEE", "2014B"): (241, 694),
    ("EEE", "2014J"): (269, 1188),
    ("FFF", "2013B"): (240, 1614),
    ("FFF", "2013J"): (268, 2283),
    ("FFF", "2014B"): (241, 1500),
    ("FFF", "2014J"): (269, 2365),
    ("GGG", "2013J"): (261, 952),
    ("GGG", "2014B"): (241, 833),
    ("GGG", "2014J"): (269, 749),
}
"""Length in days, and learners, by module and presentation."""

BEFORE = 25
"""The site opens so many days before a presentation begins."""

STARTS = {"2013B": "2013-02-01", "2013J": "2013-10-01", "2014B": "2014-02-01", "2014J": "2014-10-01"}
HEADERS = {
    "courses": "code_module code_presentation module_presentation_length",
    "studentInfo": "code_module code_presentation id_student gender region highest_education imd_band age_band "
    "num_of_prev_attempts studied_credits disability final_result",
    "studentRegistration": "code_module code_presentation id_student date_registration date_unregistration",
    "studentVle": "code_module code_presentation id_student id_site date sum_click",
}


def lay_out(folder: Path, rows: int = ROWS, seed: int = 1) -> None:
    """Write the four tables of the site, with `rows` rows of clicks, and the configuration that reads them."""
    rng = np.random.default_rng(seed)
    learners = sum(count for _, count in PRESENTATIONS.values())
    ids = rng.permutation(np.arange(6_516, 6_516 + 4 * learners))[:learners]
    leaves = np.zeros(learners, np.bool_)
    leaves[rng.permutation(learners)[:WITHDRAWN]] = True
    files = {name: (folder / f"{name}.csv").open("w", encoding="ascii") for name in HEADERS}
    for name, header in HEADERS.items():
        files[name].write(_line(header.split()))
    first, left = 0, rows
    for n, ((module, term), (length, count)) in enumerate(PRESENTATIONS.items()):
        own = slice(first, first + count)
        ends = np.where(leaves[own], _withdrawals(rng, count, length), length)
        files["courses"].write(_line([module, term, length]))
        files["studentInfo"].writelines(_enrolments(rng, module, term, ids[own], leaves[own]))
        files["studentRegistration"].writelines(_registrations(rng, module, term, ids[own], leaves[own], ends))
        share = left if n == len(PRESENTATIONS) - 1 else rows * count // learners
        files["studentVle"].writelines(_clicks(rng, module, term, ids[own], ends, length, share))
        first, left = first + count, left - share
    for file in files.values():
        file.close()
    (folder / "config.toml").write_text(config(), encoding="utf-8")


def _line(cells: list[object]) -> str:
    return ",".join(f'"{cell}"' for cell in cells) + "\n"


def _withdrawals(rng: np.random.Generator, count: int, length: int) -> NDArray[np.int64]:
    """The day on which each would withdraw, a quarter of them before the beginning."""
    early = rng.random(count) < 0.25
    return np.where(early, rng.integers(-120, 0, count), rng.integers(0, length, count))


def _enrolments(
    rng: np.random.Generator, module: str, term: str, ids: NDArray[np.int64], leaves: NDArray[np.bool_]
) -> Iterator[str]:
    results = rng.choice(["Pass", "Fail", "Distinction"], len(ids), p=[0.55, 0.32, 0.13])
    for learner, goes, result in zip(ids.tolist(), leaves.tolist(), results.tolist(), strict=True):
        said = "Withdrawn" if goes else result
        disabled = "Y" if learner % 10 == 0 else "N"
        yield _line(
            [module, term, learner, "MF"[learner % 2], "Ireland", "A Level", "50-60%", "0-35", 0, 60, disabled, said]
        )


def _registrations(
    rng: np.random.Generator,
    module: str,
    term: str,
    ids: NDArray[np.int64],
    leaves: NDArray[np.bool_],
    ends: NDArray[np.int64],
) -> Iterator[str]:
    since = rng.integers(-160, -120, len(ids)).tolist()
    for learner, begun, goes, end in zip(ids.tolist(), since, leaves.tolist(), ends.tolist(), strict=True):
        yield _line([module, term, learner, begun, end if goes else ""])


def _clicks(
    rng: np.random.Generator,
    module: str,
    term: str,
    ids: NDArray[np.int64],
    ends: NDArray[np.int64],
    length: int,
    rows: int,
) -> Iterator[str]:
    """Rows of clicks by day: each learner has a habit, which wears off in the month before the end."""
    days = np.arange(-BEFORE, length)
    habit = rng.beta(1.2, 2.4, len(ids))
    wear = np.clip((ends[:, None] - days) / 30, 0, 1)
    active = rng.random((len(ids), len(days))) < habit[:, None] * np.where(ends[:, None] >= length, 1, wear)
    day, learner = np.nonzero(active.T)
    clicks = 1 + rng.multinomial(rows - len(day), np.full(len(day), 1 / len(day))) if rows > len(day) else None
    picked = np.sort(rng.permutation(len(day))[:rows]) if clicks is None else np.repeat(np.arange(len(day)), clicks)
    sites = rng.integers(526_721, 1_077_905, len(picked)).tolist()
    sums = rng.geometric(0.27, len(picked)).tolist()
    who, when = ids[learner[picked]].tolist(), days[day[picked]].tolist()
    for one, site, date, total in zip(who, sites, when, sums, strict=True):
        yield f'"{module}","{term}","{one}","{site}","{date}","{total}"\n'


def config() -> str:
    """The configuration by which the site's tables are a district's, by mapping alone."""
    units = "".join(
        f'[[calendar.unit]]\nunit = "{module}-{term}"\n'
        f"terms = [{{ from = {_day(term, -BEFORE)}, to = {_day(term, length - 1)} }}]\n"
        for (module, term), (length, _) in PRESENTATIONS.items()
    )
    return _CONFIG.replace("@UNITS\n", units)


def _day(term: str, number: int) -> str:
    return str(np.datetime64(STARTS[term]) + number)


_CONFIG = """\
[service]
district = "ou"
timezone = "Europe/London"
language = "en"

[calendar]
terms = [{ from = 2013-01-01, to = 2015-12-31 }]
weekdays = [1, 2, 3, 4, 5, 6, 7]
holidays = "none"
sessions = [{ name = "day", start = 00:00:00, end = 23:59:00 }]
@UNITS
[[feed]]
id = "site"
kind = "file"
records = "units"
path = "courses.csv"
[feed.mapping]
constant = { unit_id = "site", kind = "county", name = "the site", parent_id = "" }

[[feed]]
id = "modules"
kind = "file"
records = "units"
path = "courses.csv"
[feed.mapping]
join = { unit_id = ["code_module"], name = ["code_module"] }
constant = { kind = "school", parent_id = "site" }

[[feed]]
id = "presentations"
kind = "file"
records = "units"
path = "courses.csv"
[feed.mapping]
columns = { code_module = "parent_id" }
join = { unit_id = ["code_module", "code_presentation"], name = ["code_module", "code_presentation"] }
constant = { kind = "class" }

[[feed]]
id = "learners"
kind = "file"
records = "students"
path = "studentInfo.csv"
[feed.mapping]
columns = { gender = "sex", disability = "tags" }
[feed.mapping.join]
student_id = ["code_module", "code_presentation", "id_student"]
class_id = ["code_module", "code_presentation"]
name = ["id_student"]

[[feed]]
id = "clicks"
kind = "file"
records = "marks"
path = "studentVle.csv"
units = ["site"]
stale_after = "24h"
[feed.mapping]
join = { student_id = ["code_module", "code_presentation", "id_student"] }
constant = { session = "day", mark = "present" }
[feed.mapping.origin]
column = "code_presentation"
2013B = 2013-02-01
2013J = 2013-10-01
2014B = 2014-02-01
2014J = 2014-10-01

[[feed]]
id = "withdrawals"
kind = "file"
records = "movements"
path = "studentRegistration.csv"
[feed.mapping]
columns = { date_unregistration = "at" }
join = { student_id = ["code_module", "code_presentation", "id_student"] }
constant = { kind = "drop_out" }
skip = { at = ["", "?"] }
[feed.mapping.origin]
column = "code_presentation"
2013B = 2013-02-01
2013J = 2013-10-01
2014B = 2014-02-01
2014J = 2014-10-01

[[ladder]]
id = "statutory"
acknowledged_by = ["education_office"]
[[ladder.rung]]
after = "0h"
tell = ["education_office"]
channels = ["email"]

[channels.email]
host = "127.0.0.1"
port = 2525
security = "none"
from = "baoxue@example.org"
"""

if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
