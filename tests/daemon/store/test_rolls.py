"""Rolls go in as delivered and come out as arrays; so do leaves, movements and what people said."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.store import absences, overlays, rolls
from daemon.store.columns import to_micros
from daemon.store.overlays import Overlay
from daemon.store.rolls import Roll, RollBlock
from rules.records import LeaveRecord, Mark, MovementRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.store.engine import Store

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
TODAY = dt.date(2026, 3, 18)
DAY = dt.timedelta(days=1)


def a_roll(
    class_id: str = "c-1", day: dt.date = TODAY, known_at: dt.datetime = NOON, marks: Sequence[tuple[int, int]] = ()
) -> Roll:
    ordinals = [ordinal for ordinal, _code in marks]
    codes = [code for _ordinal, code in marks]
    return Roll(class_id, day, "am", "marks", 1, known_at, known_at - HOUR, 7, False, ordinals, codes)  # noqa: FBT003


def load(
    store: Store,
    class_ids: Sequence[str] | None = None,
    first: dt.date = TODAY,
    last: dt.date = TODAY,
    known_by: dt.datetime | None = None,
) -> RollBlock:
    with store.read() as tx:
        return rolls.load_rolls(tx, class_ids, first, last, known_by)


def record(store: Store, *given: Roll) -> None:
    assert store.commit(lambda tx: rolls.record_rolls(tx, given)) == len(given)


def test_a_roll_is_read_as_it_was_delivered(store: Store) -> None:
    record(store, a_roll(marks=[(70_000, Mark.ABSENT), (1, Mark.PRESENT), (1, Mark.LATE)]))

    block = load(store)

    assert block.ordinal.tolist() == [70_000, 1, 1]
    assert block.code.tolist() == [Mark.ABSENT, Mark.PRESENT, Mark.LATE]
    assert block.roll_index.tolist() == [0, 0, 0]
    assert [block.classes[index] for index in block.class_index] == ["c-1"]
    assert [block.sessions[index] for index in block.session_index] == ["am"]
    assert block.date.tolist() == [TODAY]
    assert block.recorded_at.tolist() == [to_micros(NOON - HOUR)]
    assert (block.rank.tolist(), block.implied.tolist()) == ([1], [False])


def test_arrays_have_the_promised_kinds_also_when_there_is_nothing(store: Store) -> None:
    record(store, a_roll(marks=[(1, 2)]))

    for block in (load(store), load(store, [])):
        arrays = (block.ordinal, block.code, block.roll_index, block.class_index, block.date, block.recorded_at)
        kinds = [str(array.dtype) for array in (*arrays, block.implied)]
        assert kinds == ["uint32", "uint8", "int32", "int32", "datetime64[D]", "int64", "bool"]
    assert len(load(store, [])) == 0


def test_only_the_classes_days_and_knowledge_asked_for_are_read(store: Store) -> None:
    record(store, a_roll("c-1"), a_roll("c-2", marks=[(2, 2)]), a_roll("c-1", TODAY + DAY, NOON + HOUR))

    assert len(load(store)) == 2
    assert len(load(store, last=TODAY + DAY)) == 3
    assert len(load(store, last=TODAY + DAY, known_by=NOON)) == 2
    assert load(store, ["c-2", "c-2", "c-9"]).ordinal.tolist() == [2]


def test_what_one_feed_said_is_read_alone(store: Store) -> None:
    record(store, a_roll("c-1"), replace(a_roll("c-2"), feed_id="gate"))

    with store.read() as tx:
        assert rolls.load_rolls(tx, None, TODAY, TODAY, feed_id="gate").classes == ("c-2",)
        assert len(rolls.load_rolls(tx, None, TODAY, TODAY, feed_id="nobody")) == 0


def test_a_roll_that_names_nobody_is_still_a_roll(store: Store) -> None:
    record(store, a_roll(), a_roll(marks=[(1, 4)]), a_roll())

    block = load(store)

    assert len(block) == 3
    assert len(block.ordinal) == 1


def test_many_pages_keep_marks_and_rolls_together(store: Store) -> None:
    record(store, *(a_roll(f"c-{n % 7}", marks=[(n, n % 7)] * (n % 3)) for n in range(1500)))

    block = load(store)

    of_mark = block.class_index[block.roll_index]
    assert [f"c-{code}" for code in block.code] == [block.classes[index] for index in of_mark]
    assert sorted(set(block.ordinal.tolist())) == [n for n in range(1500) if n % 3]


def a_leave(**other: object) -> LeaveRecord:
    record = LeaveRecord("l-1", "s-1", NOON, NOON + DAY, "sick", None, "班主任", withdrawn=False, line=1)
    return replace(record, **other)  # type: ignore[arg-type]


def test_the_newest_version_of_a_leave_counts_and_the_same_again_is_not_news(store: Store) -> None:
    take = [a_leave(), a_leave(), a_leave(ends=NOON + 2 * DAY)]
    assert store.commit(lambda tx: absences.record_leaves(tx, take, NOON)) == ["s-1"]
    assert store.commit(lambda tx: absences.record_leaves(tx, take[2:], NOON + HOUR)) == []

    with store.read() as tx:
        [leave] = absences.load_leaves(tx, ["s-1"])
        assert absences.load_leaves(tx, ["s-2"]) == []
        assert [one.version for one in absences.leave_versions(tx, "s-1")] == [1, 2]

    assert (leave.version, leave.ends, leave.approved_by) == (2, NOON + 2 * DAY, "班主任")


def test_a_leave_withdrawn_is_gone_from_the_instant_that_was_known(store: Store) -> None:
    store.commit(lambda tx: absences.record_leaves(tx, [a_leave()], NOON))
    store.commit(lambda tx: absences.record_leaves(tx, [a_leave(withdrawn=True)], NOON + HOUR))

    with store.read() as tx:
        assert absences.load_leaves(tx) == []
        assert len(absences.load_leaves(tx, known_by=NOON)) == 1
        assert absences.load_leaves(tx, known_by=NOON - HOUR) == []


def test_a_movement_delivered_twice_is_one_movement(store: Store) -> None:
    out = MovementRecord("s-1", "transfer_out", NOON, None, "sch-9", None, 1)
    proven = replace(out, evidence="doc-1", line=2)
    assert store.commit(lambda tx: absences.record_movements(tx, [out, out], NOON)) == ["s-1"]
    assert store.commit(lambda tx: absences.record_movements(tx, [out, proven], NOON + HOUR)) == ["s-1"]

    with store.read() as tx:
        assert [one.evidence for one in absences.load_movements(tx, ["s-1"])] == [None, "doc-1"]
        assert [one.evidence for one in absences.load_movements(tx, known_by=NOON)] == [None]


def test_what_people_said_is_kept_in_the_order_they_said_it(store: Store) -> None:
    hand = Overlay(TODAY, "am", Mark.PRESENT, NOON + HOUR, "王老师", student_id="s-1")
    judged = Overlay(TODAY, "pm", Mark.UNKNOWN, NOON, "局", unit_id="sch-1", incident_id="i-1")
    assert store.commit(lambda tx: overlays.record_overlays(tx, [hand, judged])) == 2

    with store.read() as tx:
        assert overlays.load_overlays(tx, TODAY, TODAY) == [judged, hand]
        assert overlays.load_overlays(tx, TODAY, TODAY, known_by=NOON) == [judged]
        assert overlays.load_overlays(tx, TODAY + DAY, TODAY + DAY) == []


@pytest.mark.parametrize("about", [{}, {"unit_id": "c", "student_id": "s"}])
def test_a_word_about_nobody_or_about_two_is_refused(store: Store, about: dict[str, str]) -> None:
    wrong = Overlay(TODAY, "am", Mark.ABSENT, NOON, "局", **about)

    with store.write() as tx, pytest.raises(ValueError, match="one unit or one student"):
        overlays.record_overlays(tx, [wrong])
