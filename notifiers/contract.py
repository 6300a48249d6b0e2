"""What the rest of the house may ask of a channel, and what a channel may answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent to one address on one channel; knows no student and no case, only its words.

    `message_id` is the idempotency id on the wire and stays the same over every attempt.
    `address` is an E.164 number, a mail address, or the name of a configured endpoint, as the channel needs.
    `body` is the machine-readable payload of channels that carry one (webhooks); None elsewhere.
    """

    message_id: str
    channel: str
    address: str
    subject: str | None
    text: str
    html: str | None = None
    body: Mapping[str, Any] | None = None
    template: str = ""
    """Kind of the message (`report`, `return`, …), for providers that demand registered templates."""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A channel's word that it took a message over; not that anybody read it."""

    provider_id: str | None
    detail: str | None = None


class DeliveryError(Exception):
    """A message was not taken over, and whether trying again can help.

    `permanent` is decided where the answer is known: a bad number is permanent, a busy server is not.
    `doubtful` says the channel may have taken the message all the same (the connection broke after the last byte).
    The reason never carries an address, a secret or the words of the message.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool,
        retry_after: dt.timedelta | None = None,
        doubtful: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.doubtful = doubtful


class Notifier(Protocol):
    """One channel; its one verb may be called from several threads at once."""

    channel: str

    def send(self, message: Message) -> Receipt:
        """Hand `message` over; raise DeliveryError when it was not, or not surely, taken."""

    def close(self) -> None:
        """Let go of connections; sending afterwards is an error."""
