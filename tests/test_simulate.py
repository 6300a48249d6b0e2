"""A whole district nobody here wrote: a simulation reports exactly the children it must, line by line."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from daemon.config import load_config
from daemon.simulate import simulate

GRAND_BEND = Path(__file__).parents[1].parent / "shared" / "data" / "edfi-grand-bend"
CHICAGO = ZoneInfo("America/Chicago")
KEYS = [
    "due_at",
    "raised_at",
    "told_at",
    "kind",
    "rule",
    "case",
    "episode",
    "student",
    "contact",
    "role",
    "unit",
    "channel",
    "text",
    "unconfirmed",
]
pytestmark = [
    pytest.mark.skipif(not GRAND_BEND.is_dir(), reason="the district's data are not here"),
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("grand-bend"),
]

Line = dict[str, Any]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The district's files, with a broken store where the operator's would be: a simulation must not look at it."""
    copied = tmp_path_factory.mktemp("district") / "grand-bend"
    shutil.copytree(GRAND_BEND, copied)
    copied.chmod(0o755)
    (copied / "x.db").write_bytes(b"this is no database")
    return copied


@pytest.fixture(scope="session")
def lines(folder: Path) -> list[Line]:
    """What a simulation of the school year prints."""
    config = load_config(folder / "config.toml")
    year = (dt.datetime(2021, 8, 23, tzinfo=CHICAGO), dt.datetime(2022, 5, 28, tzinfo=CHICAGO))
    return [json.loads(json.dumps(line)) for line in simulate(config, *year)]


@pytest.fixture(scope="session")
def expected() -> list[tuple[str, str, str]]:
    with (GRAND_BEND / "expected-reports.csv").open(encoding="utf-8", newline="") as file:
        return sorted((row["student_id"], row["due_at"], row["raised_at"]) for row in csv.DictReader(file))


def of_kind(lines: list[Line], *kinds: str) -> list[Line]:
    return [line for line in lines if line["kind"] in kinds]


def test_exactly_the_63_reports_are_made_each_at_its_instant(
    lines: list[Line], expected: list[tuple[str, str, str]]
) -> None:
    made = {(line["student"], line["due_at"], line["raised_at"]) for line in of_kind(lines, "report")}

    assert len(expected) == 63
    assert sorted(made) == expected


def test_town_and_office_have_each_report_once_and_nobody_else_does(
    lines: list[Line], expected: list[tuple[str, str, str]]
) -> None:
    told = Counter(
        (line["student"], line["due_at"], line["role"], line["channel"]) for line in of_kind(lines, "report")
    )

    assert told == Counter(
        (student, due_at, role, "email")
        for student, due_at, _ in expected
        for role in ("town_government", "education_office")
    )


def test_what_follows_a_report_goes_to_those_who_were_told_of_it_and_after_it(lines: list[Line]) -> None:
    told: dict[tuple[str, int], set[tuple[str, str]]] = {}
    for line in of_kind(lines, "report", "return", "retraction", "reopened", "closed"):
        about, whom = (line["case"], line["episode"]), (line["contact"], line["channel"])
        if line["kind"] == "report":
            told.setdefault(about, set()).add(whom)
        else:
            assert whom in told[about]


def test_every_correction_reaches_all_who_were_told_of_its_report_once(lines: list[Line]) -> None:
    corrections = Counter(
        (line["case"], line["episode"], line["kind"], line["raised_at"])
        for line in of_kind(lines, "return", "retraction", "reopened", "closed")
    )

    assert corrections
    assert set(corrections.values()) == {2}


def test_every_child_reported_is_seen_again_or_still_reported(lines: list[Line]) -> None:
    last: dict[str, str] = {}
    for line in of_kind(lines, "report", "return", "retraction", "reopened"):
        last[line["case"]] = line["kind"]

    assert Counter(last.values())["return"] > 30


def test_no_feed_is_silent_while_its_file_speaks_for_every_day(lines: list[Line]) -> None:
    assert of_kind(lines, "feed_stale", "feed_recovered", "confirm_request", "mass_absence") == []


def test_a_line_has_the_keys_it_is_promised_to_have_in_order_of_telling(lines: list[Line]) -> None:
    assert all(list(line) == KEYS for line in lines)
    assert [line["told_at"] for line in lines] == sorted(
        (line["told_at"] for line in lines), key=dt.datetime.fromisoformat
    )
    assert all(dt.datetime.fromisoformat(line["told_at"]).utcoffset() for line in lines)
    assert all(line["rule"] == "absent-48h" for line in of_kind(lines, "report"))


def test_no_text_holds_a_childs_name(lines: list[Line]) -> None:
    with (GRAND_BEND / "students.csv").open(encoding="utf-8", newline="") as file:
        families = {row["student_id"]: row["name"].split()[-1] for row in csv.DictReader(file)}

    assert not [line["case"] for line in of_kind(lines, "report") if families[line["student"]] in line["text"]]


def test_the_operators_store_is_left_alone(folder: Path, lines: list[Line]) -> None:
    assert lines
    assert (folder / "x.db").read_bytes() == b"this is no database"
    before = {path.name for path in GRAND_BEND.iterdir()} | {"x.db"}
    assert {path.name for path in folder.iterdir()} == before
