"""Slow receivers that write down whatever reaches them: their logs are what a daemon's promises are judged by."""

from __future__ import annotations

import asyncio
import random
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.phone import Arrival
from tests.phones import SECRET, Answer, HttpRequest, SmsGateway, SmtpSink, WebhookEar

_CASE = re.compile(r"\b20\d\d-\d{6}\b")
_BUSY = Answer(503)


@dataclass(frozen=True)
class Got:
    """One message as it reached a receiver, as often as it did: the id of the daemon's message, and its cases."""

    channel: str
    arrival: Arrival
    message: str
    cases: frozenset[str]


@dataclass
class Pace:
    """How slow receivers are, in seconds, and how often they say that they are busy; how many are at it now."""

    slow: tuple[float, float] = (0.0, 0.0)
    busy: float = 0.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret
    log: list[Got] = field(default_factory=list)
    _flying: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def flying(self) -> int:
        """Messages that have come to a receiver and are not answered."""
        return self._flying

    @contextmanager
    def flight(self) -> Iterator[None]:
        """One message is here."""
        with self._lock:
            self._flying += 1
        try:
            yield
        finally:
            with self._lock:
                self._flying -= 1

    def seconds(self) -> tuple[float, float]:
        """How long the next message waits before it is taken, and before it is answered: all here, or all there."""
        with self._lock:
            wait = self.chance.uniform(*self.slow)
            return (0.0, wait) if self.chance.random() < 0.5 else (wait, 0.0)

    def is_busy(self) -> bool:
        """Whether the next message is refused for now."""
        with self._lock:
            return self.chance.random() < self.busy

    def wrote(self, channel: str, arrival: Arrival) -> None:
        """Keep a message, also one that was here before."""
        message = arrival.message_id.strip("<>").partition("@")[0]
        cases = frozenset(_CASE.findall(arrival.text))
        with self._lock:
            self.log.append(Got(channel, arrival, message, cases))


class SlowGateway(SmsGateway):
    """The SMS gateway."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(strict=False)
        self.pace = pace

    def takes(self, arrival: Arrival) -> None:
        self.pace.wrote("sms", arrival)

    def hears(self, request: HttpRequest) -> Answer:
        return _BUSY if self.pace.is_busy() else _slowly(self, request)

    def heard(self, request: HttpRequest) -> Answer:
        """Take it as any gateway does."""
        return super().hears(request)


class SlowEar(WebhookEar):
    """The webhook endpoint `edu`."""

    def __init__(self, pace: Pace) -> None:
        super().__init__("edu", SECRET, strict=False)
        self.pace = pace

    def takes(self, arrival: Arrival) -> None:
        self.pace.wrote("webhook", arrival)

    def hears(self, request: HttpRequest) -> Answer:
        return _BUSY if self.pace.is_busy() else _slowly(self, request)

    def heard(self, request: HttpRequest) -> Answer:
        """Take it as any endpoint does."""
        return super().hears(request)


def _slowly(phone: SlowGateway | SlowEar, request: HttpRequest) -> Answer:
    before, after = phone.pace.seconds()
    with phone.pace.flight():
        phone.stopping.wait(before)
        answer = phone.heard(request)
        phone.stopping.wait(after)
    return answer


class SlowMail(SmtpSink):
    """The mail server."""

    def __init__(self, pace: Pace, port: int = 0) -> None:
        super().__init__(strict=False, port=port)
        self.pace = pace

    def takes(self, arrival: Arrival) -> None:
        self.pace.wrote("email", arrival)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.pace.is_busy():
            return "451 4.3.2 busy"
        before, after = self.pace.seconds()
        with self.pace.flight():
            await asyncio.sleep(before)
            answer = await super().handle_DATA(server, session, envelope)
            await asyncio.sleep(after)
        return answer


@dataclass(frozen=True)
class Receivers:
    """A receiver for each channel, all at one pace."""

    pace: Pace
    sms: SlowGateway
    ear: SlowEar
    mail: SlowMail


@contextmanager
def receivers(pace: Pace | None = None) -> Iterator[Receivers]:
    """Receivers that listen until the context is left."""
    pace = pace or Pace()
    with ExitStack() as held:
        yield Receivers(
            pace,
            held.enter_context(SlowGateway(pace)),
            held.enter_context(SlowEar(pace)),
            held.enter_context(SlowMail(pace)),
        )
