"""What was really said: written down before a message leaves, and shown to the office without its keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from daemon.desk.links import without_tokens
from daemon.jobs.house import House
from daemon.store import sent_texts
from daemon.store.sending import Started
from daemon.store.sent_texts import SentText
from daemon.store.tx import Tx
from notifiers.contract import DeliveryError, Message, Previewer

log = structlog.get_logger()


def keep_texts(house: House, worded: Sequence[tuple[Started, Message | DeliveryError]]) -> None:
    """Write down, sealed, what is about to leave; where the store cannot, it leaves all the same, as the log says."""
    said = [_said(house, started, words) for started, words in worded if isinstance(words, Message)]
    if not said:
        return
    try:
        house.store.commit(lambda tx: sent_texts.keep(tx, said))
    except Exception:
        log.critical("texts not written down", count=len(said), exc_info=True)
        house.metrics.failures.labels(job="keep texts").inc()


def _said(house: House, started: Started, message: Message) -> SentText:
    text = message.text
    if message.body is not None:
        text = json.dumps(message.body, ensure_ascii=False, sort_keys=True)
    channel: object = house.notifiers.get(message.channel)
    if isinstance(channel, Previewer):
        with suppress(DeliveryError):  # then nothing leaves, and the attempt says why
            text = channel.preview(message)
    return SentText(message.message_id, started.n, text, message.subject)


def sent_values(tx: Tx, message_ids: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return by message what it said, from which attempt on; whoever reads it cannot act by its links."""
    return {
        message_id: [
            {"n": one.n, "subject": one.subject, "text": without_tokens(one.text).strip("\n")} for one in texts
        ]
        for message_id, texts in sent_texts.texts_of(tx, message_ids).items()
    }
