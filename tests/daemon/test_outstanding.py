"""What a poll just said is said with what the store knows of before: once, and in the words that say more."""

from __future__ import annotations

from daemon.feeds.payload import Refused
from daemon.jobs.delivery import TakenIn
from daemon.jobs.untaken import HELD, Doing, Outstanding, after_poll
from daemon.store.intake import FeedState

ROW = Refused("m.csv", 2, "mark", "is no mark")
WAITS = Refused("m.csv", 3, "student_id", "is not there yet", "it waits", "1")
READ = FeedState("marks", state="ok")


def test_a_row_refused_now_and_kept_is_counted_once() -> None:
    known = after_poll(Outstanding(READ, refused=[ROW]), TakenIn(refused=[ROW, Refused("m.csv", 4, "date", "is none")]))

    assert [one.line for one in known.refused] == [2, 4]
    assert (known.doing, known.is_well) == (Doing.INCOMPLETE, False)


def test_a_row_that_waits_is_said_in_the_words_of_the_poll() -> None:
    better = Refused("m.csv", 3, "student_id", "is not there yet", '"1" looks like "0001"', "1")

    assert after_poll(Outstanding(READ, waiting=[WAITS]), TakenIn(parked=[better])).waiting == [better]


def test_a_delivery_that_is_held_or_lacks_children_is_not_well() -> None:
    for taken in (TakenIn(held=[Refused("c.csv", 0, None, "lacks a third")]), TakenIn(missing=["s-1"])):
        assert not after_poll(Outstanding(READ), taken).is_well
    assert after_poll(Outstanding(READ), TakenIn(held=[ROW])).incidents == [HELD]


def test_a_feed_that_was_never_read_is_new_and_one_that_failed_has_failed() -> None:
    assert Outstanding(FeedState("marks")).doing is Doing.NEW
    assert Outstanding(FeedState("marks")).is_well
    assert Outstanding(FeedState("marks", state="failed"), refused=[ROW]).doing is Doing.FAILED
    assert Outstanding(READ).doing is Doing.OK
