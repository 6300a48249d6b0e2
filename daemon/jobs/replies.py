"""What people answer by text message: acted upon once, and kept without its words."""

from __future__ import annotations

import datetime as dt

import structlog

from daemon.jobs.bycode import acknowledge_by_reply
from daemon.jobs.house import House
from daemon.store import receipts
from daemon.store.columns import keyring_of
from daemon.store.receipts import ReplyRow
from daemon.store.tx import Tx
from notifiers.contract import Reply
from rules.instants import to_micros

log = structlog.get_logger()


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
    new = house.store.commit(lambda tx: receipts.keep_reply(tx, row))
    house.metrics.replies.labels(outcome=outcome).inc()
    log.info("reply heard", channel=channel, outcome=outcome)
    return new


def _fingerprint(tx: Tx, channel: str, reply: Reply) -> str:
    """What makes a reply recognisable when it comes again; nobody without the keys finds number or words from it."""
    said = (channel, reply.reply_id or "", reply.sender, reply.text, str(to_micros(reply.at)))
    named = said[:2] if reply.reply_id else said
    return keyring_of(tx.connection.dialect).digest("\0".join(named))
