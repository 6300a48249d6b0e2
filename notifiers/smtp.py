"""The way to a mail server: where it is, as whom, and a connection over which mails may go."""

from __future__ import annotations

import datetime as dt
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Literal

from notifiers.contract import DeliveryError

OK = 250
PLAIN_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")

Notice = Literal["failure", "delay", "success"]


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Where mail is handed over, and as whom.

    `sender` is the From header (`名称 <address>`). A certificate is always verified, against `ca_file` where the
    system's authorities do not know it. `hello` is the name this host greets with (default: its own). Mails that
    cannot be delivered come back to `bounce_to` (default: the sender's address); `notify` is of what servers are asked
    to tell there.
    """

    host: str
    sender: str
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: dt.timedelta = dt.timedelta(seconds=20)
    ca_file: str | None = None
    hello: str | None = None
    mails_per_connection: int = 100
    bounce_to: str | None = None
    notify: tuple[Notice, ...] = ("failure", "delay")

    def __post_init__(self) -> None:
        if "@" not in parseaddr(self.sender)[1]:
            raise ValueError("the sender has no mail address")
        if self.username is not None and self.security == "none":
            raise ValueError("a password is sent only over starttls or tls")
        if self.bounce_to is not None and not PLAIN_ADDRESS.fullmatch(self.bounce_to):
            raise ValueError("bounce_to is no plain mail address")


def connect(settings: EmailSettings) -> smtplib.SMTP:
    """An open connection, greeted, secured and logged in; raises DeliveryError, always a temporary one."""
    place = f"mail server {settings.host}:{settings.port}"
    fault: DeliveryError
    try:
        return _greet(settings, place)
    except DeliveryError:
        raise
    except ssl.SSLError:
        fault = DeliveryError(f"{place}: the secure connection failed – is its certificate valid?", permanent=False)
    except smtplib.SMTPAuthenticationError as error:
        fault = DeliveryError(f"{place}: refused the login: {error.smtp_code}", permanent=False)
    except smtplib.SMTPResponseException as error:
        fault = DeliveryError(f"{place}: refused to talk: {error.smtp_code}", permanent=False)
    except (smtplib.SMTPException, OSError, ValueError):
        fault = DeliveryError(f"{place}: not reached, or the connection was lost", permanent=False)
    raise fault


def _greet(settings: EmailSettings, place: str) -> smtplib.SMTP:
    seconds = settings.timeout.total_seconds()
    context = ssl.create_default_context(cafile=settings.ca_file)
    smtp: smtplib.SMTP
    if settings.security == "tls":
        smtp = smtplib.SMTP_SSL(settings.host, settings.port, settings.hello, timeout=seconds, context=context)
    else:
        smtp = smtplib.SMTP(settings.host, settings.port, settings.hello, timeout=seconds)
    try:
        _introduce(smtp, settings, place, context)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _introduce(smtp: smtplib.SMTP, settings: EmailSettings, place: str, context: ssl.SSLContext) -> None:
    smtp.ehlo_or_helo_if_needed()
    if settings.security == "starttls":
        if not smtp.has_extn("starttls"):
            raise DeliveryError(f"{place}: offers no STARTTLS, and nothing is sent in the clear", permanent=False)
        smtp.starttls(context=context)
        smtp.ehlo()
    if settings.username is not None:
        smtp.login(settings.username, settings.password or "")


def still_there(smtp: smtplib.SMTP) -> bool:
    """Whether a kept connection still answers; RSET also forgets a transaction that was refused halfway."""
    try:
        return smtp.rset()[0] == OK
    except (smtplib.SMTPException, OSError):
        return False
