"""Classes whose rolls a feed no longer brings, while a gate or a leave is heard of them: the operator is told."""

from __future__ import annotations

from daemon.clockwork.startup import prepare
from daemon.jobs.audit import audit
from daemon.jobs.feed_problems import open_problems, problem_words
from daemon.jobs.send import send_due
from tests.daemon.desk.county_office import Office
from tests.daemon.ingest.conftest import Opens
from tests.daemon.ingest.test_which_word_counts import PLAIN, writes

GATE = '\n[[feed]]\nid = "gate"\nkind = "file"\nrecords = "punches"\npath = "gate*.csv"\nunits = ["sch-1"]\n'
LEAVES = '\n[[feed]]\nid = "leaves"\nkind = "file"\nrecords = "leaves"\npath = "leaves*.csv"\n'


def begins(office: Office) -> Office:
    """The office, with everything armed that a start arms."""
    prepare(office.house, office.now)
    return office


def told(office: Office, day: int, clock: str) -> list[tuple[str, str]]:
    """Who hears what at an instant at which the self-audit comes, too."""
    heard = office.step(day, clock)
    audit(office.house, office.now)
    while send_due(office.house, "sms", office.now):
        pass
    return [one for one in (*heard, *office.phone.said()) if one[1] != "overdue"]  # here nobody looks after all timers


def test_rolls_that_stop_while_the_gate_goes_on_are_told_and_so_is_their_return(opens: Opens) -> None:
    office = begins(opens("", ("[[ladder]]\n", f"{GATE}[[ladder]]\n")))
    office.roll(0, "am", "PPP", "08:10")
    office.roll(0, "pm", "PPP", "14:10")
    rows = [f"s-00{n},2026-03-17 {clock}" for n in (2, 3) for clock in ("07:50", "13:50")]
    writes(office, "gate.csv", *rows, head="student_id,at")

    assert told(office, 1, "15:50") == []
    assert told(office, 1, "16:10") == [("4", "feed_problem")]
    assert "k-1" in office.phone.texts[-1]
    assert told(office, 1, "16:30") == []

    rolls = [f"s-00{n},2026-03-17,pm,present" for n in (1, 2, 3)]
    writes(office, "marks-late.csv", *rolls, head=PLAIN)
    assert told(office, 1, "16:40") == [("4", "feed_problem_over")]


def test_rolls_that_stop_while_a_child_is_on_leave_are_told(opens: Opens) -> None:
    office = begins(opens("", ("[[ladder]]\n", f"{LEAVES}[[ladder]]\n")))
    writes(office, "leaves.csv", "s-003,2026-03-16,2026-03-20,sick", head="student_id,from,to,kind")
    office.roll(0, "am", "PPP", "08:10")
    office.roll(0, "pm", "PPP", "14:10")

    assert ("4", "feed_problem") in told(office, 1, "16:10")


def test_a_class_that_is_silent_is_told_as_such_and_not_twice(opens: Opens) -> None:
    office = begins(opens())
    office.roll(0, "am", "PPP", "08:10")
    office.roll(0, "pm", "PPP", "14:10")

    heard = told(office, 1, "16:10")

    assert ("4", "feed_stale") in heard
    assert ("4", "feed_problem") not in heard


def test_a_class_all_of_whose_children_are_on_leave_owes_no_roll(opens: Opens) -> None:
    office = begins(opens("", ("[[ladder]]\n", f"{LEAVES}[[ladder]]\n")))
    rows = [f"s-00{n},2026-03-16,2026-03-20,sick" for n in (1, 2, 3)]
    writes(office, "leaves.csv", *rows, head="student_id,from,to,kind")

    assert told(office, 1, "16:10") == []


def test_a_silent_feed_and_one_that_has_just_failed_are_not_well(opens: Opens) -> None:
    office = begins(opens())
    office.roll(0, "am", "PPP", "08:10")
    office.step(0, "17:00")
    (office.folder / "units.csv").unlink()
    told(office, 1, "16:10")

    with office.store.read() as tx:
        words = [problem_words(row) for row in open_problems(tx)]

    assert words == ["feed marks: no attendance records (1)", "feed units: the feed cannot be read (1)"]
