"""What people answer by text message: acted upon once, kept without its words, and answered if they are known."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog

from daemon.jobs.announce import announce
from daemon.jobs.bycode import Answered, Outcome, acknowledge_by_reply
from daemon.jobs.house import House
from daemon.jobs.routing import Sought
from daemon.jobs.tell import queue
from daemon.providers import is_said_by_sms
from daemon.store import receipts
from daemon.store.asked import count_told
from daemon.store.columns import keyring_of
from daemon.store.receipts import ReplyRow
from daemon.store.tx import Tx
from notifiers.contract import Reply
from rules.instants import to_micros

log = structlog.get_logger()

REPLY_ANSWER = "reply_answer"
MOST_ANSWERS = 3
"""So many answers within an hour go to one contact: two machines that answer each other fall silent."""
AN_HOUR = dt.timedelta(hours=1)
MOST_WAITING = 3
"""So many codes are named in one answer."""


def answer_reply(house: House, channel: str, reply: Reply, now: dt.datetime) -> bool:
    """Act on one reply, unless it was heard before; whether it is new.

    Acted upon first and written down then: killed between, it is heard again, and acknowledging twice is once.
    """
    with house.store.read() as tx:
        fingerprint = _fingerprint(tx, channel, reply)
        if receipts.known_replies(tx, [fingerprint]):
            return False
    answered = acknowledge_by_reply(house, reply.sender, reply.text, now)
    outcome, at = answered.outcome.value, min(reply.at, now)
    row = ReplyRow(house.new_id(), fingerprint, channel, answered.contact_id, outcome, at, now)

    def work(tx: Tx) -> bool:
        new = receipts.keep_reply(tx, row)
        if new:
            _answer(tx, house, answered, row.reply_id, now)
        return new

    new = house.store.commit(work)
    house.metrics.replies.labels(outcome=outcome).inc()
    log.info("reply heard", channel=channel, outcome=outcome)
    return new


def _answer(tx: Tx, house: House, answered: Answered, reply_id: str, now: dt.datetime) -> None:
    """Tell whoever wrote what came of it.

    Silent towards numbers that were told of no case, towards words without a code where no case waits, for three
    answers an hour at most, and where a provider sends approved texts and none is for this.
    """
    known = house.people(tx).directory.recipients.get(answered.reader or "")
    idle = answered.outcome is Outcome.NO_CODE and not answered.waiting
    if known is None or idle or not is_said_by_sms(house.config.channels, REPLY_ANSWER):
        return
    if count_told(tx, REPLY_ANSWER, known.contact_id, now - AN_HOUR) < MOST_ANSWERS:
        facts = {"answer": _facts(answered)}
        sought = [Sought(known.role, (known,), channels=("sms",), by_turns=False)]
        queue(tx, house, announce(tx, house, REPLY_ANSWER, reply_id, sought, facts, now), now)


def _facts(answered: Answered) -> dict[str, Any]:
    waiting = [{"case": one.number, "code": one.code} for one in answered.waiting[:MOST_WAITING]]
    more = max(len(answered.waiting) - MOST_WAITING, 0)
    return {"what": answered.outcome.name.lower(), "cases": list(answered.numbers), "waiting": waiting, "more": more}


def _fingerprint(tx: Tx, channel: str, reply: Reply) -> str:
    """What makes a reply recognisable when it comes again; nobody without the keys finds number or words from it."""
    said = (channel, reply.reply_id or "", reply.sender, reply.text, str(to_micros(reply.at)))
    named = said[:2] if reply.reply_id else said
    return keyring_of(tx.connection.dialect).digest("\0".join(named))
