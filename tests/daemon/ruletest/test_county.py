"""What a test says becomes known as it says, and of two words said at once the later line counts."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from daemon.ruletest.compare import told
from daemon.ruletest.play import play_file

HEAD = """[rules]
packs = ["statutory"]
[[test]]
name = "x"
from = 2026-03-16
about = ["absent-48h"]
"""
SAID = '[[test.mark]]\nstudent = "ana"\ndate = 2026-03-17\nsession = "pm"\nmark = "{}"\nat = 2026-03-17 18:00\n'


def spoken(folder: Path, text: str) -> list[str]:
    """What is told of a test's children, but for the class list."""
    path = folder / "t.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    (verdict,) = play_file(path).verdicts
    zone = ZoneInfo("Asia/Shanghai")
    return [told(one, zone) for one in verdict.spoken if one.kind != "first_absence" and one.rule == "absent-48h"]


REPORTED = "2026-03-18 08:10  report  absent-48h  ana  due 2026-03-18 08:00"


@pytest.mark.parametrize(("words", "reported"), [(("present", "absent"), True), (("absent", "present"), False)])
def test_of_two_marks_of_one_instant_the_later_line_counts(
    tmp_path: Path,
    words: tuple[str, str],
    reported: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    text = 'marks.ana = "AA AA AA"\n' + "".join(SAID.format(word) for word in words)
    assert spoken(tmp_path, text) == ([REPORTED] if reported else [])


def test_a_roll_may_come_later_than_ten_minutes_after_the_start(tmp_path: Path) -> None:
    told_late = spoken(tmp_path, 'roll_after = "90m"\nmarks.ana = "AA AA AA"\n')
    assert told_late == [REPORTED.replace("08:10", "09:00")]


def test_a_child_without_a_mark_in_a_roll_that_was_called_is_not_named(tmp_path: Path) -> None:
    """Absent one day only, then unnamed in its classmates' rolls: asked about, and reported unconfirmed."""
    text = (
        'students = { ana = { class = "k" }, ben = { class = "k" } }\nmarks = { ana = "AA -- --", ben = "PP PP PP" }\n'
    )
    assert spoken(tmp_path, text)[-1] == "2026-03-18 14:20  report  absent-48h  ana  due 2026-03-18 14:20  unconfirmed"


def test_a_later_version_of_a_leave_replaces_the_earlier(tmp_path: Path) -> None:
    leave = (
        '[[test.leave]]\nstudent = "ana"\nid = "l"\nfrom = 2026-03-16\nto = 2026-03-18\nknown = {}\nwithdrawn = {}\n'
    )
    text = 'marks.ana = "AA AA AA"\n' + leave.format("2026-03-16 07:00", "false")
    assert spoken(tmp_path, text) == []
    assert spoken(tmp_path, text + leave.format("2026-03-17 12:00", "true")) == [REPORTED]
