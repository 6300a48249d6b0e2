"""What could not be read of an exception feed makes nobody present; what was answered whole speaks for what is over."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from daemon.feeds import http
from daemon.jobs.scenes import load_judgement
from daemon.store import intake
from rules.records import Mark
from tests.daemon.desk.county_office import MONDAY, Office
from tests.daemon.feeds.servers import Answer, Source
from tests.daemon.ingest.conftest import Opens, absent, answers, says

LETTERS = {Mark.UNTAKEN: "-", Mark.UNKNOWN: "?", Mark.ABSENT: "A", Mark.PRESENT: "P", Mark.LEAVE: "L"}
TWO_DAYS = absent("s-001", "16 am", "16 pm", "17 am", "17 pm")
LOGIN = b"<html><body><h1>Please log in</h1></body></html>\n"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two attempts nobody waits."""
    monkeypatch.setattr(http, "FIRST_WAIT", 0.0)


def week(office: Office, child: str = "s-001") -> str:
    """A child's marks from Monday on, two letters a day, as known now."""
    with office.store.read() as tx:
        people = office.house.people(tx)
        ordinal = people.roster.students[child].ordinal
        register = load_judgement(tx, office.house, people, [ordinal], office.now).register
    variant = people.variants[people.class_on(ordinal, MONDAY)]
    first = register.calendar.column(variant, MONDAY, "am")
    assert first is not None
    marks = np.pad(register.marks[0, first : first + 10], (0, 10))[:10]
    letters = "".join(LETTERS[Mark(one)] for one in marks.tolist())
    return " ".join(letters[n : n + 2] for n in range(0, 10, 2))


def state(office: Office) -> intake.FeedState:
    with office.store.read() as tx:
        return intake.feed_state(tx, "marks")


def reported(office: Office, source: Source) -> None:
    """The first child is out since Monday, and reported on Wednesday."""
    for day, sessions in ((0, ("16 am", "16 pm")), (1, ("17 am", "17 pm"))):
        says(source, absent("s-001", *[one for one in TWO_SESSIONS if one <= sessions[1]]))
        office.step(day, "17:10")
    says(source, [*TWO_DAYS, *absent("s-001", "18 am")])
    assert ("1", "report") in office.step(2, "09:10")
    office.step(2, "11:45")
    office.phone.said()


TWO_SESSIONS = ("16 am", "16 pm", "17 am", "17 pm")


@pytest.mark.parametrize(
    "body",
    [LOGIN, b"", b'{"error": "session expired"}', b"\n", b"[]", b"student_id;date\n", "请登录".encode()],
    ids=["login page", "empty", "error JSON", "blank line", "empty list", "half a header", "words"],
)
def test_an_answer_nobody_can_read_makes_nobody_present(exceptions: Office, source: Source, body: bytes) -> None:
    reported(exceptions, source)

    answers(source, body)
    told = exceptions.step(2, "17:30")

    assert told == [("4", "feed_problem")]
    assert (state(exceptions).state, state(exceptions).failed_polls) == ("failed", 1)
    assert week(exceptions) == "AA AA A- -- --"
    assert exceptions.case(exceptions.number()).stage == "reported"


def test_the_operator_hears_when_the_answer_can_be_read_again(exceptions: Office, source: Source) -> None:
    reported(exceptions, source)
    answers(source, LOGIN)
    exceptions.step(2, "17:30")
    assert exceptions.step(2, "17:35") == []

    says(source, [*TWO_DAYS, *absent("s-001", "18 am", "18 pm")])

    assert exceptions.step(2, "17:40") == [("4", "feed_problem_over")]
    assert week(exceptions) == "AA AA AA -- --"
    assert (state(exceptions).state, state(exceptions).failed_polls) == ("ok", 0)


def test_an_answer_that_stays_unreadable_stays_failed(exceptions: Office, source: Source) -> None:
    answers(source, LOGIN)
    for minute in range(4):
        exceptions.step(0, f"08:0{minute}")

    assert (state(exceptions).state, state(exceptions).failed_polls) == ("failed", 4)


@pytest.mark.parametrize("etag", ["", '"v1"'])
def test_the_same_answer_again_speaks_for_the_sessions_that_are_over_since(
    exceptions: Office, source: Source, etag: str
) -> None:
    says(source, absent("s-001", "16 am", "16 pm"), {"ETag": etag} if etag else {})
    for day, clock in ((0, "17:10"), (1, "17:10"), (2, "08:20"), (2, "17:10")):
        told = exceptions.step(day, clock)

    assert told == []
    assert week(exceptions) == "AA PP PP -- --"
    assert week(exceptions, "s-002") == "PP PP PP -- --"


def test_a_session_under_way_is_spoken_for_when_it_is_over(exceptions: Office, source: Source) -> None:
    says(source, absent("s-001", "16 pm"))
    exceptions.step(0, "14:30")
    assert week(exceptions, "s-002") == "P? -- -- -- --"

    exceptions.step(0, "17:05")

    assert (week(exceptions), week(exceptions, "s-002")) == ("PA -- -- -- --", "PP -- -- -- --")


def test_a_child_whom_the_feed_names_no_more_is_present_from_its_next_answer_on(
    exceptions: Office, source: Source
) -> None:
    says(source, absent("s-001", "16 am"))
    exceptions.step(0, "12:00")
    assert week(exceptions) == "A- -- -- -- --"

    says(source, absent("s-002", "16 am"))
    exceptions.step(0, "12:30")

    assert (week(exceptions), week(exceptions, "s-002")) == ("P- -- -- -- --", "A- -- -- -- --")


def test_a_304_that_nobody_asked_for_is_a_failure(exceptions: Office, source: Source) -> None:
    exceptions.step(0, "12:00")
    answers(source, b"", 304)

    exceptions.step(0, "17:10")

    assert state(exceptions).state == "failed"
    assert week(exceptions) == "P- -- -- -- --"


@pytest.mark.parametrize("packed", ["cut", "whole", "several parts"])
def test_only_a_packed_answer_that_is_whole_is_taken(exceptions: Office, source: Source, packed: str) -> None:
    text = b"student_id,date,session,mark\ns-002,2026-03-16,am,absent\n"
    body = gzip.compress(text[:40]) + gzip.compress(text[40:]) if packed == "several parts" else gzip.compress(text)
    answers(source, body[:-9] if packed == "cut" else body, headers={"Content-Encoding": "gzip"})

    exceptions.step(0, "12:00")

    assert week(exceptions, "s-002") == ("-- -- -- -- --" if packed == "cut" else "A- -- -- -- --")
    assert state(exceptions).state == ("failed" if packed == "cut" else "ok")


def test_an_answer_that_stops_within_a_row_is_asked_for_again_and_not_taken(exceptions: Office, source: Source) -> None:
    answers(source, b"student_id,date,session,mark\ns-002,2026-03-16,am,absent\ns-001,2026-03-16,am,abs")

    exceptions.step(0, "12:00")

    assert len(source.asked) == 1 + 2
    assert state(exceptions).state == "failed"
    assert week(exceptions) == "-- -- -- -- --"


def test_a_last_line_without_an_end_is_taken_when_it_comes_again_the_same(exceptions: Office, source: Source) -> None:
    answers(source, b"student_id,date,session,mark\ns-002,2026-03-16,am,absent")

    exceptions.step(0, "12:00")

    assert week(exceptions, "s-002") == "A- -- -- -- --"


def test_an_answer_that_was_torn_once_is_whole_at_the_second_attempt(exceptions: Office, source: Source) -> None:
    whole = b"student_id,date,session,mark\ns-002,2026-03-16,am,absent\ns-001,2026-03-16,am,absent\n"
    source.answers.clear()
    source.answers.extend([Answer(body=whole[:-20]), Answer(body=whole)])

    exceptions.step(0, "12:00")

    assert week(exceptions) == "A- -- -- -- --"


@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_refused_feed_is_told_after_a_few_polls_and_again_when_it_is_over(
    exceptions: Office, source: Source, status: int
) -> None:
    answers(source, b"", status)
    told = [exceptions.step(0, f"08:{minute:02}") for minute in (0, 5, 10, 15)]
    says(source, [])

    assert told == [[], [], [("4", "feed_problem")], []]
    assert exceptions.step(0, "08:20") == [("4", "feed_problem_over")]


# ---- refused rows ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        "s-001,2026-03-17,{session},旷课",
        's-001,2026-03-17,{session},"absent',
        "s-001,2026-03-17,{session},absent,one cell too many",
        "s-001,2026-03-17,{session},",
        "s-001,2026-03-17,,absent",
        "s-001,2026-03-17,period 1,absent",
    ],
    ids=["unmapped code", "open quote", "too wide", "no mark", "no session", "unknown session"],
)
def test_a_refused_row_of_an_exception_feed_makes_its_child_unknown(
    exceptions: Office, source: Source, row: str
) -> None:
    refused = [row.format(session=session) for session in ("am", "pm")]
    says(source, [*absent("s-001", "16 am", "16 pm"), *refused, *absent("s-002", "16 am")])

    exceptions.step(1, "17:10")

    assert week(exceptions) == "AA ?? -- -- --"


def test_a_row_without_a_session_leaves_the_others_of_its_class_open_that_day(
    exceptions: Office, source: Source
) -> None:
    says(source, [*absent("s-001", "16 am"), "s-001,2026-03-17,,absent"])

    exceptions.step(1, "17:10")

    assert week(exceptions, "s-002") == "PP ?? -- -- --"


def test_a_row_without_a_child_leaves_everybody_open_in_its_session(exceptions: Office, source: Source) -> None:
    says(source, [*absent("s-001", "16 am"), ",2026-03-17,am,absent"])

    exceptions.step(1, "17:10")

    assert week(exceptions, "s-002") == "PP -P -- -- --"


def test_a_row_without_a_date_leaves_everybody_open_throughout(exceptions: Office, source: Source) -> None:
    says(source, [*absent("s-001", "16 am"), "s-003,yesterday,am,absent"])

    exceptions.step(1, "17:10")

    assert (week(exceptions), week(exceptions, "s-002")) == ("A- -- -- -- --", "?- -- -- -- --")


def test_a_refused_row_beside_a_good_one_of_the_same_child_and_session_changes_nothing(
    exceptions: Office, source: Source
) -> None:
    says(source, [*absent("s-001", "16 am"), "s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,absent"])

    exceptions.step(0, "12:00")

    assert week(exceptions) == "A- -- -- -- --"


def test_what_a_feed_said_before_stands_when_its_row_is_refused_later(exceptions: Office, source: Source) -> None:
    says(source, absent("s-001", "16 am"))
    exceptions.step(0, "12:00")

    says(source, [*absent("s-001", "16 am", mark="旷课"), *absent("s-002", "16 am")])
    exceptions.step(0, "12:30")

    assert (week(exceptions), week(exceptions, "s-002")) == ("A- -- -- -- --", "A- -- -- -- --")


def test_whoever_was_present_by_not_being_named_is_unknown_when_a_row_about_her_is_refused(
    exceptions: Office, source: Source
) -> None:
    says(source, absent("s-002", "16 am"))
    exceptions.step(0, "12:00")

    says(source, [*absent("s-002", "16 am"), *absent("s-001", "16 am", mark="旷课")])
    exceptions.step(0, "12:30")

    assert week(exceptions) == "?- -- -- -- --"


def test_an_id_that_lost_its_zeros_makes_nobody_present(exceptions: Office, source: Source) -> None:
    says(source, [*absent("s-002", "16 am"), *absent("S-1", "16 am")])

    told = exceptions.step(0, "12:00")

    assert ("4", "feed_problem") in told
    assert any("名册中相近的是s-001" in text for text in exceptions.phone.texts)
    assert (week(exceptions), week(exceptions, "s-003")) == ("?- -- -- -- --", "P- -- -- -- --")


def test_a_refused_row_of_a_roll_makes_its_child_unknown(opens: Opens) -> None:
    office = opens()
    rows = ["s-001,2026-03-16,am,旷课", "s-002,2026-03-16,am,present"]
    (office.folder / "marks.csv").write_text("\n".join(["student_id,date,session,mark", *rows]) + "\n", "utf-8")

    assert office.step(0, "08:20") == [("4", "feed_problem")]
    assert (week(office), week(office, "s-002")) == ("?- -- -- -- --", "P- -- -- -- --")


# ---- files of an exception feed -------------------------------------------------------------------------------------


LISTS = 'presence = "implied"'


def lists(office: Office, name: str, *rows: str) -> None:
    text = "\n".join(["student_id,date,session,mark", *rows]) + "\n"
    (office.folder / f"marks-{name}.csv").write_text(text, encoding="utf-8")


def test_a_list_of_the_afternoon_does_not_make_present_whom_the_list_of_the_morning_names(opens: Opens) -> None:
    office = opens(LISTS)
    for day, date in enumerate(("16", "17", "18")):
        for session, clock in (("am", "12:30"), ("pm", "17:30")):
            lists(office, f"{date}-{session}", *absent("s-001", f"{date} {session}"))
            office.step(day, clock)

    assert week(office) == "AA AA AA -- --"
    assert week(office, "s-002") == "PP PP PP -- --"
    assert office.case(office.number()).stage == "reported"


def test_a_list_that_is_put_right_takes_back_what_it_said(opens: Opens) -> None:
    office = opens(LISTS)
    lists(office, "16", *absent("s-001", "16 am", "16 pm"))
    office.step(0, "17:30")

    lists(office, "16", *absent("s-002", "16 am"), *absent("s-001", "16 pm"))
    office.step(0, "18:00")

    assert (week(office), week(office, "s-002")) == ("PA -- -- -- --", "AP -- -- -- --")


def test_yesterday_s_list_under_a_new_name_makes_nobody_present(opens: Opens) -> None:
    office = opens(LISTS)
    for session in ("am", "pm"):
        lists(office, f"16-{session}", *absent("s-001", f"16 {session}"))
    office.step(0, "17:30")

    lists(office, "17-am", *absent("s-001", "16 am"))
    office.step(1, "12:30")

    assert week(office) == "AA -- -- -- --"
