"""Messages, clocks and short timeouts the channel tests share."""

from __future__ import annotations

import datetime as dt
import socket
from typing import Any

from notifiers.contract import Message

NOON = dt.datetime(2026, 3, 18, 4, 0, tzinfo=dt.UTC)
SHORT = dt.timedelta(seconds=0.3)
PHONE = "+8613800001234"
MAILBOX = "town@example.org"
WORDS = "控辍保学报告:2026-000123 城关小学 张**"


def noon() -> dt.datetime:
    """A clock that stands still."""
    return NOON


def message(address: str, **changed: Any) -> Message:  # noqa: ANN401 - any field of a message
    """A message with an id of its own for each `message_id` given."""
    given = {"message_id": "m-1", "channel": "sms", "subject": "报告", "text": WORDS, **changed}
    return Message(address=address, **given)


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
