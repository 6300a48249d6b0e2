"""What the rest of the house may ask of a channel, and what a channel may answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol, runtime_checkable


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
    """Its facts as short texts, for the variables of such templates."""
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A channel's word that it took a message over; not that anybody read it."""

    provider_id: str | None
    detail: str | None = None


class Fault(StrEnum):
    """Where the fault lies when a message was not taken, which decides what is done about it."""

    PASSING = "passing"
    """A busy server, a broken network: another try may help."""
    ACCOUNT = "account"
    """Our account, sender, settings or proxy, or the provider's address: the operator mends it, and messages wait."""
    ADDRESS = "address"
    """The recipient's address: no other try will help, and the address is noted as failing."""
    MESSAGE = "message"
    """These words on this channel: no other try will help, and nothing is said of the address."""


class DeliveryError(Exception):
    """A message was not taken over; where the fault lies is decided where the answer is known.

    `doubtful` says the channel may have taken the message all the same (the connection broke after the last byte).
    `taken_before` says the other side had a message of this id already. The reason never carries an address, a secret
    or the words of the message.
    """

    def __init__(
        self,
        reason: str,
        fault: Fault = Fault.PASSING,
        *,
        retry_after: dt.timedelta | None = None,
        doubtful: bool = False,
        taken_before: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fault = fault
        self.retry_after = retry_after
        self.doubtful = doubtful
        self.taken_before = taken_before

    @property
    def permanent(self) -> bool:
        """Return whether no other try of this message on this channel will help."""
        return self.fault in {Fault.ADDRESS, Fault.MESSAGE}


class Notifier(Protocol):
    """One channel; its one verb may be called from several threads at once."""

    channel: str

    def send(self, message: Message) -> Receipt:
        """Hand `message` over; raise DeliveryError when it was not, or not surely, taken."""

    def close(self) -> None:
        """Let go of connections; sending afterwards is an error."""


@runtime_checkable
class Swift(Protocol):
    """A channel that keeps many messages on their way by itself, so that none of them needs a thread."""

    def begin(self, message: Message, ended: Callable[[Receipt | DeliveryError], None]) -> None:
        """Hand `message` over in the background; `ended` is called once, from a thread that must not be held up."""


@runtime_checkable
class Previewer(Protocol):
    """A channel that sends something else than the words of a message, and can show it."""

    def preview(self, message: Message) -> str:
        """What would leave, for a person to read; raises DeliveryError where nothing would."""


# ---- what a channel learns later ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """A channel's later word about a message it took: that it arrived, did not and will not, or is late.

    Names the message by its own id where the channel carried it, else by the provider's. `at` is when it came about.
    `detail` is a code of the provider's, never an address and never words of the message.
    """

    status: Literal["delivered", "failed", "delayed"]
    at: dt.datetime
    message_id: str | None = None
    provider_id: str | None = None
    detail: str | None = None
    fault: Fault = Fault.ADDRESS
    """Of what failed: where the fault lies. One of the sender's or of the message says nothing against the address."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody answered by text message; `sender` is an E.164 number, `reply_id` the provider's id for it."""

    sender: str = field(repr=False)
    text: str = field(repr=False)
    at: dt.datetime
    reply_id: str | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a channel heard at once: reports and replies; to a push, also the answer the provider wants."""

    reports: Sequence[Report] = ()
    replies: Sequence[Reply] = ()
    answer: bytes = b""
    media_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class Pushed:
    """One request of a provider's at our door, as it came; header names are lower case."""

    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class NotHeardError(Exception):
    """A push that is not believed (no signature, a wrong or stale one) or not understood; names no secret."""

    def __init__(self, reason: str, *, forged: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.forged = forged


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message a channel took and of which nothing more is known yet."""

    message_id: str
    provider_id: str | None
    address: str = field(repr=False)
    sent_at: dt.datetime


@runtime_checkable
class Gatherer(Protocol):
    """A channel that can be asked what became of its messages, and whether somebody answered."""

    def gather(self, waiting: Sequence[Waiting]) -> Heard:
        """What is known now; asks at most about `waiting`. Raises DeliveryError when nobody answers.

        Whatever it gives may come again: whoever keeps it recognises repeats. `confirm` says that it was kept.
        """

    def confirm(self, heard: Heard) -> None:
        """What `gather` gave is kept safely: it may be deleted where it was read."""


@runtime_checkable
class Overhearing(Gatherer, Protocol):
    """A gatherer that asks nobody: it reads what came by itself, once, and that names only a number.

    It is given all that waits, or it could not tell whose a report is.
    """

    overhears: bool


@runtime_checkable
class Listener(Protocol):
    """A channel whose provider pushes reports and replies to our door."""

    def hear(self, pushed: Pushed, now: dt.datetime) -> Heard:
        """Read one push; raises NotHeardError for what is forged, stale or misshapen."""
