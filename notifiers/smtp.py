"""The way to a mail server: where it is, as whom, and a connection over which mails may go."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import socket
import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Literal

from notifiers.bounds import bounded
from notifiers.contract import DeliveryError, Fault
from notifiers.return_address import ReturnAddress
from notifiers.trust import Trust, certificate_fault_in

OK = 250
NOT_SECURE = "the secure connection failed – is TLS spoken at this port?"
_READY = 220
_NO = 500
_LOGINS = frozenset({"CRAM-MD5", "PLAIN", "LOGIN"})
PLAIN_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")

_PROMPTLY = dt.timedelta(seconds=20)
"""So long at most to be connected, or answered on a connection that was kept: whoever is there is quick at both."""
_STEPS = 4
"""So many time-outs bound what may take several: to connect and log in, and to hand over one mail."""

Notice = Literal["failure", "delay", "success"]


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Where mail is handed over, and as whom.

    `sender` is the From header (`名称 <address>`). A certificate is always verified, by `trust`; a proxy
    for HTTP carries no mail. `timeout` bounds each answer (some servers let strangers wait for minutes; RFC 5321,
    4.5.3.2), `answer_timeout` the one to a whole mail. `hello` is the
    name this host greets with (default: its own). Mails that cannot be delivered come back to `bounce_to` (default: the
    sender's address), with a `bounce_tag` each to an address of its own (`ReturnAddress`); `notify` is of what servers
    are asked to tell there.
    """

    host: str
    sender: str
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: dt.timedelta = dt.timedelta(minutes=5)
    answer_timeout: dt.timedelta = dt.timedelta(minutes=10)
    trust: Trust = field(default_factory=Trust)
    hello: str | None = None
    mails_per_connection: int = 100
    bounce_to: str | None = None
    notify: tuple[Notice, ...] = ("failure", "delay")
    bounce_tag: str | None = None

    @property
    def promptly(self) -> float:
        """Return the seconds within which whoever is there takes a connection, or answers on one that was kept."""
        return min(self.timeout, _PROMPTLY).total_seconds()

    @property
    def longest_exchange(self) -> float:
        """Return the seconds within which a mail must be handed over, up to its end, however slow the answers."""
        return _STEPS * self.timeout.total_seconds()

    def __post_init__(self) -> None:
        if "@" not in parseaddr(self.sender)[1]:
            raise ValueError("the sender has no mail address")
        if self.username is not None and self.security == "none":
            raise ValueError("a password is sent only over starttls or tls")
        if self.bounce_to is not None and not PLAIN_ADDRESS.fullmatch(self.bounce_to):
            raise ValueError("bounce_to is no plain mail address")
        if self.bounce_tag is not None and self.bounce_to is None:
            raise ValueError("bounce_tag needs bounce_to, the address that it divides from an id")
        ReturnAddress(self.return_to, self.bounce_tag)

    @property
    def return_to(self) -> str:
        """Return the address mails come back to."""
        return self.bounce_to or parseaddr(self.sender)[1]


def connect(settings: EmailSettings) -> smtplib.SMTP:
    """Return an open connection, greeted, secured and logged in; raise DeliveryError, which is never about a mail."""
    place = f"mail server {settings.host}:{settings.port}"
    fault: DeliveryError
    try:
        return _greet(settings, place)
    except DeliveryError:
        raise
    except ssl.SSLError as error:
        fault = DeliveryError(f"{place}: {certificate_fault_in(error) or NOT_SECURE}", Fault.ACCOUNT)
    except smtplib.SMTPAuthenticationError as error:
        fault = DeliveryError(f"{place}: refused the login: {error.smtp_code}", _refused(error.smtp_code))
    except smtplib.SMTPResponseException as error:
        fault = DeliveryError(f"{place}: refused to talk: {error.smtp_code}", _refused(error.smtp_code))
    except (smtplib.SMTPException, OSError, ValueError):
        fault = DeliveryError(f"{place}: not reached, or the connection was lost")
    raise fault


def _refused(code: int) -> Fault:
    return Fault.ACCOUNT if code >= _NO else Fault.PASSING


def _greet(settings: EmailSettings, place: str) -> smtplib.SMTP:
    seconds = settings.timeout.total_seconds()
    context = settings.trust.context()
    if settings.security == "tls":
        smtp: smtplib.SMTP = _Tls(local_hostname=settings.hello, timeout=seconds, context=context)
    else:
        smtp = _Plain(local_hostname=settings.hello, timeout=seconds)
    # Connected by a call of its own, for only then is there a socket to cut off; the name is what certificates are for.
    smtp._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    try:
        with bounded(settings.longest_exchange, lambda: smtp.sock):
            _expect_greeting(smtp.connect(settings.host, settings.port))
            _introduce(smtp, settings, place, context)
    except BaseException:
        smtp.close()
        raise
    return smtp


class _Plain(smtplib.SMTP):
    """An SMTP connection that must come about promptly, whatever time its answers have."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), min(timeout, _PROMPTLY.total_seconds()))
        connected.settimeout(timeout)
        return connected


class _Tls(smtplib.SMTP_SSL, _Plain):
    """The same under TLS from its beginning."""


def _expect_greeting(greeting: tuple[int, bytes]) -> None:
    if greeting[0] != _READY:
        raise smtplib.SMTPConnectError(*greeting)


def _introduce(smtp: smtplib.SMTP, settings: EmailSettings, place: str, context: ssl.SSLContext) -> None:
    smtp.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        if not smtp.has_extn("starttls"):
            raise DeliveryError(f"{place}: offers no STARTTLS, and nothing is sent in the clear", Fault.ACCOUNT)
        smtp.starttls(context=context)
        smtp.ehlo()
    if settings.username is not None:
        if _LOGINS.isdisjoint(smtp.esmtp_features.get("auth", "").upper().split()):
            raise DeliveryError(f"{place}: offers no login by a password", Fault.ACCOUNT)
        smtp.login(settings.username, settings.password or "")


def still_there(smtp: smtplib.SMTP, settings: EmailSettings) -> bool:
    """Return whether a kept connection still answers; RSET also forgets a transaction that was refused halfway."""
    try:
        with bounded(settings.promptly, lambda: smtp.sock):
            return smtp.rset()[0] == OK
    except (smtplib.SMTPException, OSError):
        return False
