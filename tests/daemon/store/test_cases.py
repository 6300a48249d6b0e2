"""One open case a child, changed by one hand at a time; a journal that shows what was done to it."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from daemon.store import cases, journal
from daemon.store.cases import CaseRow, Conflict
from daemon.store.journal import Broken, EntryDraft

if TYPE_CHECKING:
    from daemon.store.engine import Store

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)


def a_case(number: int, student: str = "s-1", *, is_open: bool = True) -> CaseRow:
    return CaseRow(f"case-{number}", f"2026-{number:06}", student, "reported", is_open, 1, run_from=NOON, due_at=NOON)


def insert(store: Store, *rows: CaseRow) -> None:
    store.commit(lambda tx: cases.insert_cases(tx, rows))


def append(store: Store, *bodies: object, case_id: str = "case-1") -> None:
    drafts = [EntryDraft(case_id, NOON, NOON, "note", {"text": body}) for body in bodies]
    store.commit(lambda tx: journal.append(tx, drafts))


def broken(store: Store) -> list[Broken]:
    with store.read() as tx:
        return journal.verify(tx)


def test_a_case_is_read_as_it_was_written(store: Store) -> None:
    row = replace(a_case(1), state={"梯": ["一", 2, None]}, wake_at=NOON, told_at=NOON)
    insert(store, row)

    with store.read() as tx:
        assert cases.by_number(tx, "2026-000001") == row
        assert cases.by_number(tx, "2026-000002") is None
        assert cases.open_cases(tx) == [row]
        assert cases.open_cases(tx, ["s-2"]) == []
        assert cases.cases_by_id(tx, ["case-1", "case-9"]) == {"case-1": row}


def test_a_child_has_at_most_one_open_case(store: Store) -> None:
    insert(store, a_case(1, is_open=False), a_case(2))

    with pytest.raises(Conflict):
        insert(store, a_case(3))
    insert(store, a_case(3, "s-2"))
    with store.read() as tx:
        assert [row.number for row in cases.cases_of(tx, ["s-1"])] == ["2026-000001", "2026-000002"]


def test_reopening_beside_an_open_case_is_a_conflict(store: Store) -> None:
    insert(store, a_case(1, is_open=False), a_case(2))

    with pytest.raises(Conflict):
        store.commit(lambda tx: cases.update_cases(tx, [a_case(1)]))


def test_a_change_over_an_older_version_is_refused_and_names_the_losers(store: Store) -> None:
    insert(store, a_case(1), a_case(2, "s-2"))
    [mine] = store.commit(lambda tx: cases.update_cases(tx, [replace(a_case(1), stage="returned")]))

    assert mine.version == 2
    with pytest.raises(Conflict) as caught:
        store.commit(lambda tx: cases.update_cases(tx, [a_case(1), replace(a_case(2, "s-2"), stage="closed")]))

    assert caught.value.losers == ("case-1",)
    with store.read() as tx:
        assert [row.stage for row in cases.list_cases(tx)] == ["returned", "reported"]


def test_of_two_that_change_a_case_at_once_one_wins(store: Store) -> None:
    insert(store, a_case(1))
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def change(stage: str) -> None:
        together.wait()
        try:
            store.commit(lambda tx: cases.update_cases(tx, [replace(a_case(1), stage=stage)]))
            outcomes.append("won")
        except Conflict:
            outcomes.append("lost")

    both = [threading.Thread(target=change, args=(stage,)) for stage in ("returned", "closed")]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert sorted(outcomes) == ["lost", "won"]


def test_the_ledger_can_be_narrowed(store: Store) -> None:
    insert(store, a_case(1), replace(a_case(2, "s-2"), stage="watch"), a_case(3, "s-3", is_open=False))

    with store.read() as tx:
        assert [row.number[-1] for row in cases.list_cases(tx, stage="reported")] == ["1", "3"]
        assert [row.number[-1] for row in cases.list_cases(tx, is_open=False)] == ["3"]
        assert [row.number[-1] for row in cases.list_cases(tx, student_ids=["s-2", "s-3"])] == ["2", "3"]


def test_numbers_run_through_a_calendar_year(store: Store) -> None:
    assert store.commit(lambda tx: cases.next_numbers(tx, 2026, 2)) == ["2026-000001", "2026-000002"]
    assert store.commit(lambda tx: cases.next_numbers(tx, 2027, 1)) == ["2027-000001"]
    assert store.commit(lambda tx: cases.next_numbers(tx, 2026, 1)) == ["2026-000003"]


def test_nothing_to_write_is_no_fault(store: Store) -> None:
    insert(store)
    assert store.commit(lambda tx: cases.update_cases(tx, [])) == []
    store.commit(lambda tx: journal.append(tx, []))
    assert broken(store) == []


def test_a_journal_is_read_as_it_was_written_and_holds(store: Store) -> None:
    insert(store, a_case(1), a_case(2, "s-2"))
    append(store, "一", {"nested": [1, None]})
    append(store, "third")
    append(store, "other", case_id="case-2")

    with store.read() as tx:
        entries = journal.history(tx, "case-1")

    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.body["text"] for entry in entries] == ["一", {"nested": [1, None]}, "third"]
    assert [entry.prev_hash for entry in entries] == ["", entries[0].hash, entries[1].hash]
    assert broken(store) == []


def test_a_journal_keeps_instants_in_utc_and_plain_values(store: Store) -> None:
    insert(store, a_case(1))
    draft = EntryDraft("case-1", NOON.astimezone(dt.timezone(dt.timedelta(hours=8))), NOON, "note", {"a": (1, 2)})

    store.commit(lambda tx: journal.append(tx, [draft], begun=["case-1"]))

    with store.read() as tx:
        [entry] = journal.history(tx, "case-1")
    assert (entry.at.isoformat(), entry.known_at, entry.body) == (NOON.isoformat(), NOON, {"a": [1, 2]})


@pytest.mark.parametrize(
    ("edit", "seq", "fault"),
    [
        ("UPDATE entry SET at = at + 1 WHERE seq = 2", 2, "not what was written"),
        ("UPDATE entry SET known_at = known_at + 1 WHERE seq = 2", 2, "not what was written"),
        ("UPDATE entry SET kind = 'return' WHERE seq = 3", 3, "not what was written"),
        ("DELETE FROM entry WHERE seq = 2", 2, "missing"),
        ("UPDATE entry SET prev_hash = 'x' WHERE seq = 2", 2, "does not follow"),
        ("UPDATE entry SET body = (SELECT o.body FROM entry o WHERE o.seq = 1) WHERE seq = 2", 2, "not what was"),
        ("UPDATE entry SET body = hash_of_nothing WHERE seq = 3", 3, "sealed"),
    ],
)
def test_a_journal_that_was_edited_is_found_out(sqlite_store: Store, edit: str, seq: int, fault: str) -> None:
    insert(sqlite_store, a_case(1), a_case(2, "s-2"))
    append(sqlite_store, "one", "two", "three")
    with sqlite_store.write() as tx:
        tx.connection.exec_driver_sql(edit.replace("hash_of_nothing", "x'00'"))
    append(sqlite_store, "fine", case_id="case-2")

    [found] = broken(sqlite_store)

    assert (found.case_id, found.seq) == ("case-1", seq)
    assert fault in found.fault
