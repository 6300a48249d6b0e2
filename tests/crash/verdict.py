"""The verdict on a daemon that died and lived again: by the receivers' logs first, then by what its store says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.jobs.sweep import CASE
from daemon.store import cases, journal, outbox, timers
from daemon.store.engine import Store
from daemon.store.outbox import Delivery
from tests.crash.county import County, Told, utc_now
from tests.crash.life import Life
from tests.crash.receivers import Got

ALL = 1_000_000
REPEATED = "possibly repeated"


def settles(county: County, life: Life) -> None:
    """Wait until everything that has to be told is told, and nothing is left to do."""
    store = county.opens()
    try:
        life.waits_for(lambda: _is_idle(county, store))
    finally:
        store.close()


def _is_idle(county: County, store: Store) -> bool:
    if not store.at_head():
        return False
    with store.read() as tx:
        raised = {row.student_id for row in cases.list_cases(tx) if row.raised_at is not None}
        if not raised.issuperset(county.ids):
            return False
        return not timers.due(tx, utc_now(), 1) and not outbox.deliveries(tx, state="queued", limit=1)


@dataclass(frozen=True)
class Books:
    """What a store says in the end."""

    numbers: Mapping[str, list[str]]
    """Case numbers by child."""
    deliveries: Mapping[str, Delivery]
    noted: Mapping[str, Counter[str]]
    """By case number, the messages its journal calls possibly repeated."""
    broken: int


def read_books(county: County) -> Books:
    """Read everything the verdict needs."""
    store = county.opens()
    try:
        with store.read() as tx:
            rows = cases.list_cases(tx)
            assert not timers.due(tx, utc_now(), 1, (CASE,))
            return Books(
                {child: [row.number for row in rows if row.student_id == child] for child in county.ids},
                {one.message.message_id: one for one in outbox.deliveries(tx, limit=ALL)},
                {row.number: _noted(journal.history(tx, row.case_id)) for row in rows},
                len(journal.verify(tx)),
            )
    finally:
        store.close()


def _noted(entries: Iterable[journal.Entry]) -> Counter[str]:
    return Counter(str(entry.body["message"]) for entry in entries if entry.kind == REPEATED)


def judge(county: County, log: list[Got]) -> set[str]:
    """Fail where a promise was not kept; the messages that reached their recipient more than once."""
    books = read_books(county)
    assert books.broken == 0
    assert [numbers for numbers in books.numbers.values() if len(numbers) != 1] == [], "one case a child"
    numbers = {child: found[0] for child, found in books.numbers.items()}
    under = _ids_by_report(log)
    assert set(under) == county.expected(numbers), "everything due, and nothing else"
    assert [told for told, ids in under.items() if len(ids) != 1] == [], "no report under two ids"
    _judge_messages(books, log)
    repeats = _judge_repeats(log)
    for message in repeats:
        _judge_mark(books, books.deliveries[message])
    assert all(count == 1 for noted in books.noted.values() for count in noted.values()), "noted once a message"
    return repeats


def _ids_by_report(log: Iterable[Got]) -> dict[Told, set[str]]:
    under: dict[Told, set[str]] = {}
    for got in log:
        for case in got.cases:
            under.setdefault((got.channel, got.arrival.address, case), set()).add(got.message)
    return under


def _judge_messages(books: Books, log: Iterable[Got]) -> None:
    """Nothing stays in the queue, nothing is called sent that never came, nothing came that nobody knows."""
    states = Counter((one.message.state, one.message.lease_by) for one in books.deliveries.values())
    assert set(states) <= {("sent", None)}, states
    assert set(books.deliveries) == {got.message for got in log}
    assert all(attempt.ended_at for one in books.deliveries.values() for attempt in one.attempts)


def _judge_repeats(log: Iterable[Got]) -> set[str]:
    """What came twice came in the same words to the same recipient."""
    by_id: dict[str, list[Got]] = {}
    for got in log:
        by_id.setdefault(got.message, []).append(got)
    for times in by_id.values():
        first = times[0]
        for got in times[1:]:
            assert (got.channel, got.arrival.address, got.arrival.text) == (
                first.channel,
                first.arrival.address,
                first.arrival.text,
            )
    return {message for message, times in by_id.items() if len(times) > 1}


def _judge_mark(books: Books, one: Delivery) -> None:
    """A message that came twice is in doubt; the journals say so. So does the attempt whose end was lost.

    It does not when whoever made it was slow and not dead: then both were sent, and the ledger has both.
    """
    assert one.message.doubtful
    sent = [attempt for attempt in one.attempts if attempt.outcome == "sent"]
    assert len(sent) > 1 or any(attempt.doubtful for attempt in one.attempts)
    for alert in one.alerts:
        assert books.noted[alert.facts["case"]][one.message.message_id] == 1
