"""Phones that expect: real receivers on the loopback for mail, text messages and webhooks.

Each is a context manager. What arrives and is taken must be named by `expects`; a message nobody expected fails the
test when the receiver is left (unless `strict=False`). A refused request is no message, a repeated id no second one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.phone import HOST, Arrival, Certificate, Phone
from tests.phones_http import Answer, HttpPhone, HttpRequest, SmsGateway, WebhookEar
from tests.phones_smtp import SmtpSink

__all__ = [
    "HOST",
    "SECRET",
    "Answer",
    "Arrival",
    "Certificate",
    "HttpPhone",
    "HttpRequest",
    "Phone",
    "SmsGateway",
    "SmtpSink",
    "WebhookEar",
    "phones",
]


SECRET = "whsec_c2VjcmV0IG9mIHRoZSBlYXI="


@contextlib.contextmanager
def phones(secret: str = SECRET) -> Iterator[tuple[SmtpSink, SmsGateway, WebhookEar]]:
    """A mail server, an SMS gateway and the endpoint `edu`, all listening."""
    with SmtpSink() as mail, SmsGateway() as gateway, WebhookEar("edu", secret) as ear:
        yield mail, gateway, ear
