"""What became of messages: every word of a channel about one, kept for ever; the last instant it names is believed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from daemon.store.alerts import FAILED as GIVEN_UP
from daemon.store.alerts import MESSAGE_COLUMNS, QUEUED, SENT, UNDELIVERED, MessageRow
from daemon.store.columns import to_json, to_micros
from daemon.store.tables import attempt, message, receipt, reply
from daemon.store.tx import rows_where_in

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from daemon.store.tx import Tx

DELIVERED, FAILED, DELAYED = "delivered", "failed", "delayed"
_LONGEST = 200
"""Characters of an id or a code of a provider's that are kept."""
_ATTEMPTED = (SENT, UNDELIVERED, GIVEN_UP, QUEUED)
"""The states of messages that may have left, if they were tried at all."""
_TAKEN_OVER = "taken"
"""Outcome of an attempt whose end was lost and of which a receipt says that it reached its recipient."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a channel said about one of its messages, named by our id, by the provider's, or both; see `Report`."""

    status: str
    at: dt.datetime
    message_id: str | None = None
    provider_id: str | None = None
    detail: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A word as stored; without a `message_id` it is about no message known when it came. `way`: pushed or asked."""

    receipt_id: str
    fingerprint: str
    channel: str
    provider_id: str | None
    message_id: str | None
    status: str
    way: str
    at: dt.datetime
    known_at: dt.datetime
    detail: str | None
    fault: str | None = None
    """Where the fault lies of what failed, as `notifiers.contract.Fault` names it; None: with the address."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of words that were kept: the rows that are new, how many were known, which messages changed.

    `early` are rows of which nothing could be made yet: their message is not known, or its sending not settled.
    """

    new: tuple[ReceiptRow, ...] = ()
    repeated: int = 0
    early: tuple[ReceiptRow, ...] = ()
    failed: tuple[MessageRow, ...] = ()
    """Messages that counted as told until now and did not arrive."""
    recovered: tuple[MessageRow, ...] = ()
    """Messages said not to have arrived, which did."""
    arrived: tuple[MessageRow, ...] = ()
    """Messages that have arrived, the recovered among them."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Whether a message arrived, as far as is known, and when that came about."""

    status: str
    at: dt.datetime


_RECEIPT_COLUMNS = [receipt.c[name] for name in ReceiptRow.__dataclass_fields__]


def record(tx: Tx, channel: str, way: str, words: Sequence[Word], now: dt.datetime) -> Kept:
    """Keep what a channel said and let it take effect; what was said before, word for word, is counted and no more."""
    found = _messages_of(tx, channel, words)
    rows: dict[str, ReceiptRow] = {}
    for word in words:
        row = _row(tx, channel, way, word, found.get(_name(word)), now)
        rows.setdefault(row.fingerprint, row)
    known = _known(tx, receipt, rows)
    new = tuple(row for key, row in rows.items() if key not in known)
    tx.add(receipt, [{name: getattr(row, name) for name in ReceiptRow.__dataclass_fields__} for row in new])
    return _in_effect(tx, new, len(words) - len(new), now)


def look_again(tx: Tx, receipt_ids: Iterable[str], now: dt.datetime) -> Kept:
    """What comes of words that were early: a message they name may be known, or its sending settled, by now.

    A word about what was no message then is written down once more, with the message: nothing is rewritten.
    """
    asked = sa.select(*_RECEIPT_COLUMNS).where(tx.ours(receipt))
    rows = [ReceiptRow(*row) for row in rows_where_in(tx, asked, receipt.c.receipt_id, receipt_ids)]
    nameless = [row for row in rows if row.message_id is None]
    found: list[Kept] = [_in_effect(tx, [row for row in rows if row.message_id is not None], 0, now)]
    for channel, way in sorted({(row.channel, row.way) for row in nameless}):
        words = [_word(row) for row in nameless if (row.channel, row.way) == (channel, way)]
        known = _messages_of(tx, channel, words)
        found.append(record(tx, channel, way, [word for word in words if _name(word) in known], now))
        still = [row for row in nameless if (row.channel, row.way) == (channel, way) and _name(_word(row)) not in known]
        found.append(Kept(early=tuple(still)))
    return _together(found)


def receipts_of(tx: Tx, message_ids: Iterable[str]) -> dict[str, tuple[ReceiptRow, ...]]:
    """Every word about these messages, in the order of the instants they name."""
    asked = sa.select(*_RECEIPT_COLUMNS).where(tx.ours(receipt))
    found: dict[str, list[ReceiptRow]] = {}
    for row in rows_where_in(tx, asked, receipt.c.message_id, message_ids):
        found.setdefault(row.message_id, []).append(ReceiptRow(*row))
    return {key: tuple(sorted(rows, key=lambda row: (row.at, row.receipt_id))) for key, rows in found.items()}


def waiting(tx: Tx, channel: str, since: dt.datetime, limit: int) -> list[MessageRow]:
    """Messages of a channel sent since an instant of which nothing is known, the newest first, at most `limit`."""
    asked = (
        sa.select(*MESSAGE_COLUMNS)
        .where(tx.ours(message), message.c.created_at >= since, message.c.channel == channel)
        .where(message.c.state == SENT, message.c.delivered_at.is_(None))
        .order_by(message.c.created_at.desc(), message.c.message_id.desc())
        .limit(limit)
    )
    return [MessageRow(*row) for row in tx.connection.execute(asked)]


# ---- replies --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """That somebody answered by text message, and what came of it; never the words, never the number."""

    reply_id: str
    fingerprint: str
    channel: str
    contact_id: str | None
    outcome: str
    at: dt.datetime
    known_at: dt.datetime


def known_replies(tx: Tx, fingerprints: Iterable[str]) -> set[str]:
    """Which of these were kept before."""
    return _known(tx, reply, fingerprints)


def keep_reply(tx: Tx, row: ReplyRow) -> bool:
    """Write one down; whether it is new."""
    if known_replies(tx, [row.fingerprint]):
        return False
    tx.add(reply, [{name: getattr(row, name) for name in ReplyRow.__dataclass_fields__}])
    return True


def replies(tx: Tx, since: dt.datetime) -> list[ReplyRow]:
    """Replies kept since an instant, the oldest first."""
    asked = sa.select(*(reply.c[name] for name in ReplyRow.__dataclass_fields__)).where(tx.ours(reply))
    ordered = asked.where(reply.c.known_at >= since).order_by(reply.c.known_at, reply.c.reply_id)
    return [ReplyRow(*row) for row in tx.connection.execute(ordered)]


# ---- which message, and what it means -------------------------------------------------------------------------------


def _name(word: Word) -> tuple[str | None, str | None]:
    return word.message_id, _cut(word.provider_id)


def _word(row: ReceiptRow) -> Word:
    return Word(row.status, row.at, row.message_id, row.provider_id, row.detail, row.fault)


def _messages_of(tx: Tx, channel: str, words: Sequence[Word]) -> Mapping[tuple[str | None, str | None], str]:
    """The message each word is about: by our id, else the newest with the provider's; unknown ones are left out."""
    ours = {word.message_id for word in words if word.message_id}
    theirs = {_cut(word.provider_id) for word in words if word.provider_id}
    asked = sa.select(message.c.message_id, message.c.provider_id).where(tx.ours(message), message.c.channel == channel)
    known = {row[0] for row in rows_where_in(tx, asked, message.c.message_id, filter(None, ours))}
    newest = asked.order_by(message.c.created_at, message.c.message_id)
    by_provider = {row[1]: row[0] for row in rows_where_in(tx, newest, message.c.provider_id, filter(None, theirs))}
    found: dict[tuple[str | None, str | None], str] = {}
    for word in words:
        one = word.message_id if word.message_id in known else by_provider.get(_cut(word.provider_id))
        if one is not None:
            found[_name(word)] = one
    return found


def _row(tx: Tx, channel: str, way: str, word: Word, message_id: str | None, now: dt.datetime) -> ReceiptRow:
    # By whichever way it comes, and by whichever id it is named, one word about one message is one word.
    named = [message_id] if message_id else [None, word.message_id, word.provider_id]
    said = [channel, *named, word.status, to_micros(word.at)]
    return ReceiptRow(
        receipt_id=tx.new_id(),
        fingerprint=hashlib.sha256(to_json(said).encode()).hexdigest(),
        channel=channel,
        provider_id=_cut(word.provider_id),
        message_id=message_id,
        status=word.status,
        way=way,
        at=word.at,
        known_at=now,
        detail=_cut(word.detail),
        fault=word.fault,
    )


def _cut(text: str | None) -> str | None:
    return text[:_LONGEST] if text else None


def _known(tx: Tx, table: sa.Table, fingerprints: Iterable[str]) -> set[str]:
    asked = sa.select(table.c.fingerprint).where(tx.ours(table))
    return {row[0] for row in rows_where_in(tx, asked, table.c.fingerprint, fingerprints)}


def _in_effect(tx: Tx, new: Sequence[ReceiptRow], repeated: int, now: dt.datetime) -> Kept:
    """What the messages of these rows are by everything said about them."""
    verdicts = _verdicts(receipts_of(tx, [row.message_id for row in new if row.message_id]))
    held = _held(tx, verdicts)
    failed, recovered, arrived = [], [], []
    unsettled: set[str] = set()
    for row in held:
        verdict = verdicts[row.message_id]
        if row.state == QUEUED and (verdict.status == FAILED or not _is_free(row, now)):
            unsettled.add(row.message_id)
        elif verdict.status == FAILED and row.state == SENT:
            failed.append(_write(tx, row, state=UNDELIVERED, delivered_at=None))
        elif verdict.status == DELIVERED and row.state in _ATTEMPTED:
            after = _arrive(tx, row, verdict.at)
            arrived += [after] if row.delivered_at is None else []
            recovered += [after] if row.state == UNDELIVERED else []
    early = tuple(row for row in new if row.message_id is None or row.message_id in unsettled)
    return Kept(tuple(new), repeated, early, tuple(failed), tuple(recovered), tuple(arrived))


def _is_free(row: MessageRow, now: dt.datetime) -> bool:
    """Whether a queued message was tried, and nobody is trying it now."""
    return row.attempts > 0 and (row.lease_until is None or row.lease_until < now)


def _verdicts(said: Mapping[str, Sequence[ReceiptRow]]) -> dict[str, _Verdict]:
    """By message what the latest instant says; of one instant, that it failed: told twice is better than not at all."""
    found: dict[str, _Verdict] = {}
    for message_id, rows in said.items():
        final = [row for row in rows if row.status in (DELIVERED, FAILED)]
        if final:
            last = max(final, key=lambda row: (row.at, row.status == FAILED))
            found[message_id] = _Verdict(last.status, last.at)
    return found


def _held(tx: Tx, message_ids: Iterable[str]) -> list[MessageRow]:
    """These messages, as they stay until the end of the transaction but for what it does."""
    asked = sa.select(*MESSAGE_COLUMNS).where(tx.ours(message)).order_by(message.c.message_id).with_for_update()
    return [MessageRow(*row) for row in rows_where_in(tx, asked, message.c.message_id, message_ids)]


def _arrive(tx: Tx, row: MessageRow, at: dt.datetime) -> MessageRow:
    """A message has arrived; one whose sender died over it need not leave again."""
    if row.state != QUEUED:
        return _write(tx, row, state=SENT, delivered_at=at)
    ending = attempt.update().where(
        tx.ours(attempt), attempt.c.message_id == row.message_id, attempt.c.ended_at.is_(None)
    )
    tx.connection.execute(ending.values(ended_at=at, outcome=_TAKEN_OVER, doubtful=False))
    return _write(tx, row, state=SENT, delivered_at=at, told_at=row.told_at or at, lease_until=None, lease_by=None)


def _write(tx: Tx, row: MessageRow, **values: Any) -> MessageRow:  # noqa: ANN401 - columns of the message
    changing = message.update().where(tx.ours(message), message.c.message_id == row.message_id).values(values)
    return MessageRow(*tx.connection.execute(changing.returning(*MESSAGE_COLUMNS)).one())


def _together(found: Sequence[Kept]) -> Kept:
    def all_of(name: str) -> tuple[Any, ...]:
        return tuple(one for kept in found for one in getattr(kept, name))

    names = ("new", "early", "failed", "recovered", "arrived")
    return Kept(repeated=sum(one.repeated for one in found), **{name: all_of(name) for name in names})
