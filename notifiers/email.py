"""Mail over SMTP: one recipient a transaction, one connection a thread, kept for many mails."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import smtplib
import ssl
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr
from typing import Literal

from notifiers.contract import DeliveryError, Message, Receipt
from notifiers.phrases import one_line

_OK = 250
_WILL_FORWARD = 251
_GO_ON = 354
_CLOSING = 421
_PERMANENT = 500
_LONGEST_SUBJECT = 200
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_QUEUED = re.compile(r"(?:queued as |\b2\.\d\.0 )((?=\w*\d)\w{6,64})\b", re.ASCII)
_ATOM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_PLAIN_ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")
_LOST = (smtplib.SMTPServerDisconnected, OSError)


@dataclass(frozen=True, slots=True)
class EmailSettings:
    """Where mail is handed over, and as whom.

    `sender` is the From header (`名称 <address>`). A certificate is always verified, against `ca_file` where the
    system's authorities do not know it. `hello` is the name this host greets with (default: its own).
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

    def __post_init__(self) -> None:
        if "@" not in parseaddr(self.sender)[1]:
            raise ValueError("the sender has no mail address")
        if self.username is not None and self.security == "none":
            raise ValueError("a password is sent only over starttls or tls")


class _Line:
    """An open connection and how many mails went over it; closes itself when its thread ends."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self.smtp = smtp
        self.mails = 0
        self._finalizer = weakref.finalize(self, smtp.close)

    def hang_up(self, *, politely: bool = False) -> None:
        """Close, after a QUIT if there is still somebody to hear it."""
        if politely:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.smtp.quit()
        self._finalizer()


class Email:
    """The mail channel; does not retry, and does not know whether anybody reads.

    The Message-ID is made from the message's id, so that a mail sent twice is one mail to whoever compares. `now`
    dates the mail. What the server says against its caller (greeting, STARTTLS, login) is temporary: it is not
    about this mail.
    """

    channel = "email"

    def __init__(self, settings: EmailSettings, now: Callable[[], dt.datetime]) -> None:
        self._settings = settings
        self._now = now
        self._from = _mailbox(*parseaddr(one_line(settings.sender)))
        self._mine = threading.local()
        self._lines: weakref.WeakSet[_Line] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def send(self, message: Message) -> Receipt:
        """Hand one mail over; raise DeliveryError when it was not, or not surely, taken."""
        if self._closed:
            raise RuntimeError("the channel is closed")
        recipient = _recipient(message.address)
        mail = self.mail(message, recipient)
        line = self._line()
        try:
            reply = _transact(line.smtp, mail, self._from, recipient, message.message_id)
        except _RefusedError as refusal:
            self._after(line, lost=refusal.code == _CLOSING)
            raise refusal.fault from None
        except _BrokenError as broken:
            self._after(line, lost=True)
            raise broken.fault from None
        self._after(line, lost=False)
        return Receipt(provider_id=_queue_id(reply), detail=_said(_OK, reply))

    def mail(self, message: Message, recipient: Address) -> EmailMessage:
        """The mail as it will be sent, text first and HTML as its alternative."""
        utf8 = not recipient.username.isascii()
        mail = EmailMessage(policy=(SMTPUTF8 if utf8 else SMTP).clone(cte_type="7bit"))
        mail["From"] = self._from
        mail["To"] = recipient
        mail["Subject"] = one_line(message.subject or "")[:_LONGEST_SUBJECT]
        mail["Date"] = self._now()
        mail["Message-ID"] = f"<{_atom(message.message_id)}@{self._from.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.html is not None:
            mail.add_alternative(message.html, subtype="html")
        return mail

    def close(self) -> None:
        """Say goodbye on every thread's connection; sending afterwards raises RuntimeError."""
        with self._lock:
            self._closed = True
            for line in list(self._lines):
                line.hang_up(politely=True)

    def _line(self) -> _Line:
        line: _Line | None = getattr(self._mine, "line", None)
        if line is not None and _still_there(line.smtp):
            return line
        if line is not None:
            line.hang_up()
        line = self._mine.line = _Line(_connect(self._settings))
        with self._lock:
            self._lines.add(line)
        return line

    def _after(self, line: _Line, *, lost: bool) -> None:
        line.mails += 1
        if lost or line.mails >= self._settings.mails_per_connection:
            self._mine.line = None
            line.hang_up(politely=not lost)


class _RefusedError(Exception):
    """The server answered no."""

    def __init__(self, what: str, code: int, reply: str) -> None:
        super().__init__(what)
        self.code = code
        self.fault = DeliveryError(f"{what}: {_said(code, reply)}", permanent=code >= _PERMANENT)


class _BrokenError(Exception):
    """The server did not answer."""

    def __init__(self, what: str, *, doubtful: bool) -> None:
        super().__init__(what)
        self.fault = DeliveryError(what, permanent=False, doubtful=doubtful)


def _connect(settings: EmailSettings) -> smtplib.SMTP:
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


def _still_there(smtp: smtplib.SMTP) -> bool:
    """Whether a kept connection still answers; RSET also forgets a transaction that was refused halfway."""
    try:
        return smtp.rset()[0] == _OK
    except (smtplib.SMTPException, OSError):
        return False


def _transact(smtp: smtplib.SMTP, mail: EmailMessage, sender: Address, to: Address, message_id: str) -> str:
    """One mail on an open connection: MAIL, RCPT, DATA; returns the server's last reply."""
    utf8 = not to.username.isascii()
    if utf8 and not smtp.has_extn("smtputf8"):
        raise DeliveryError("the address needs SMTPUTF8, which the server does not offer", permanent=True)
    from_options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
    to_options = []
    if smtp.has_extn("dsn"):
        from_options += ["RET=HDRS", f"ENVID={_atom(message_id)}"]
        to_options = ["NOTIFY=FAILURE,DELAY"]
    smtp.command_encoding = "utf-8" if utf8 else "ascii"
    try:
        _expect("the sender was refused", smtp.mail(sender.addr_spec, from_options), _OK)
        _expect("the recipient was refused", smtp.rcpt(to.addr_spec, to_options), _OK, _WILL_FORWARD)
        _expect("the mail was refused", smtp.docmd("DATA"), _GO_ON)
        smtp.send(_on_the_wire(mail))
    except _LOST:
        raise _BrokenError("the connection to the mail server broke before the mail was sent", doubtful=False) from None
    try:
        answer = smtp.getreply()
    except _LOST:
        raise _BrokenError("the connection to the mail server broke after the mail was sent", doubtful=True) from None
    return _expect("the mail was refused", answer, _OK)


def _expect(what: str, answer: tuple[int, bytes], *codes: int) -> str:
    code, reply = answer
    said = reply.decode("utf-8", "replace")
    if code in codes:
        return said
    raise _RefusedError(what, code, said)


def _on_the_wire(mail: EmailMessage) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", mail.as_bytes()).removesuffix(b"\r\n") + b"\r\n.\r\n"


def _recipient(address: str) -> Address:
    if one_line(address) == address and _PLAIN_ADDRESS.fullmatch(address):
        with contextlib.suppress(ValueError, MessageError, IndexError):
            return _mailbox("", address)
    raise DeliveryError("the recipient has no usable mail address", permanent=True)


def _mailbox(name: str, address: str) -> Address:
    """An address with its domain in ASCII; raises ValueError or MessageError where it is none."""
    local, _, domain = address.rpartition("@")
    ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
    if local.isascii():
        return Address(display_name=name, addr_spec=f"{local}@{ascii_domain}")
    return Address(name, local, ascii_domain)


def _atom(message_id: str) -> str:
    return message_id if _ATOM.fullmatch(message_id) else hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _said(code: int, reply: str) -> str:
    """The codes of a reply; its words may repeat the recipient's address."""
    status = _STATUS.match(reply)
    return f"{code} {status[0]}" if status else str(code)


def _queue_id(reply: str) -> str | None:
    found = _QUEUED.search(reply)
    return found[1] if found else None
