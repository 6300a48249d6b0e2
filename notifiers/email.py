"""Mail over SMTP: one recipient a transaction, one connection a thread, kept for many mails."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import smtplib
import threading
import weakref
from collections.abc import Callable
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr

from notifiers.bounds import bounded
from notifiers.causes import causes
from notifiers.contract import DeliveryError, Fault, Message, Receipt
from notifiers.phrases import one_line
from notifiers.return_address import ReturnAddress
from notifiers.smtp import OK, PLAIN_ADDRESS, EmailSettings, connect, still_there
from notifiers.smtp_refusals import Stage, fault_of

__all__ = ["Email", "EmailSettings"]

_WILL_FORWARD = 251
_GO_ON = 354
_CLOSING = 421
_LONGEST_SUBJECT = 200
_GOODBYE_SECONDS = 2.0
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")
_QUEUED = re.compile(r"(?:queued as |\b2\.\d\.0 )((?=\w*\d)\w{6,64})\b", re.ASCII)
_ATOM = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", re.ASCII)
_LOST = (smtplib.SMTPServerDisconnected, OSError)


class _Line:
    """An open connection and how many mails went over it; closes itself when its thread ends."""

    def __init__(self, smtp: smtplib.SMTP) -> None:
        self.smtp = smtp
        self.mails = 0
        self._finalizer = weakref.finalize(self, smtp.close)

    def hang_up(self, *, politely: bool = False) -> None:
        """Close, after a QUIT if there is still somebody to hear it."""
        if politely:
            with (
                contextlib.suppress(smtplib.SMTPException, OSError),
                bounded(_GOODBYE_SECONDS, lambda: self.smtp.sock),
            ):
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
        self._back = ReturnAddress(settings.return_to, settings.bounce_tag)
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
        notices = self._notices(message.message_id)
        sender = _mailbox("", self._back.of(_atom(message.message_id)))
        try:
            with bounded(self._settings.longest_exchange, lambda: line.smtp.sock):
                _hand_over(line.smtp, mail, sender, recipient, notices)
            reply = _answer(line.smtp, self._settings)
        except _RefusedError as refusal:
            self._after(line, lost=refusal.code == _CLOSING)
            raise refusal.fault from None
        except _BrokenError as broken:
            self._after(line, lost=True)
            raise broken.fault from None
        self._after(line, lost=False)
        return Receipt(provider_id=_queue_id(reply), detail=_said(OK, reply))

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

    @property
    def domain(self) -> str:
        """What the Message-IDs of its mails end in."""
        return self._from.domain

    @property
    def back(self) -> ReturnAddress:
        """Return where its mails are sent back to."""
        return self._back

    def _notices(self, message_id: str) -> _Notices:
        asked = ",".join(one.upper() for one in self._settings.notify) or "NEVER"
        return ["RET=HDRS", f"ENVID={_atom(message_id)}"], [f"NOTIFY={asked}"]

    def close(self) -> None:
        """Say goodbye on every thread's connection; sending afterwards raises RuntimeError."""
        with self._lock:
            self._closed = True
            for line in list(self._lines):
                line.hang_up(politely=True)

    def _line(self) -> _Line:
        line: _Line | None = getattr(self._mine, "line", None)
        if line is not None and still_there(line.smtp, self._settings):
            return line
        if line is not None:
            line.hang_up()
        line = self._mine.line = _Line(connect(self._settings))
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

    def __init__(self, stage: Stage, code: int, reply: str) -> None:
        super().__init__(stage.value)
        self.code = code
        self.fault = DeliveryError(f"{stage.value}: {_said(code, reply)}", fault_of(stage, code, reply))


class _BrokenError(Exception):
    """The server did not answer."""

    def __init__(self, what: str, *, doubtful: bool) -> None:
        super().__init__(what)
        self.fault = DeliveryError(what, doubtful=doubtful)


_Notices = tuple[list[str], list[str]]
"""What is asked about a mail's fate (RFC 3461), with MAIL and with RCPT."""


def _hand_over(smtp: smtplib.SMTP, mail: EmailMessage, sender: Address, to: Address, notices: _Notices) -> None:
    """Send one mail on an open connection, up to the dot that ends it: MAIL, RCPT, DATA."""
    utf8 = not to.username.isascii()
    if utf8 and not smtp.has_extn("smtputf8"):
        raise DeliveryError("the address needs SMTPUTF8, which the server does not offer", Fault.ADDRESS)
    from_options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
    to_options = []
    if smtp.has_extn("dsn"):
        from_options, to_options = from_options + notices[0], notices[1]
    smtp.command_encoding = "utf-8" if utf8 else "ascii"
    try:
        _expect(Stage.SENDER, smtp.mail(sender.addr_spec, from_options), OK)
        _expect(Stage.RECIPIENT, smtp.rcpt(to.addr_spec, to_options), OK, _WILL_FORWARD)
        _expect(Stage.MAIL, smtp.docmd("DATA"), _GO_ON)
        smtp.send(_on_the_wire(mail))
    except _LOST as error:
        raise _BrokenError(_lost(error, "before"), doubtful=False) from None


def _answer(smtp: smtplib.SMTP, settings: EmailSettings) -> str:
    """Return what the server says to the whole mail; it may take minutes, for filters look at it (RFC 5321, 4.5.3.2.6).

    To break off earlier is to be told nothing of a mail that was taken, and to send it again.
    """
    seconds = settings.answer_timeout.total_seconds()
    if smtp.sock is not None:
        smtp.sock.settimeout(seconds)
    try:
        with bounded(seconds, lambda: smtp.sock) as bound:
            answer = smtp.getreply()
    except _LOST as error:
        raise _BrokenError(_lost(error, "after", late=bound.expired), doubtful=True) from None
    if smtp.sock is not None:
        smtp.sock.settimeout(settings.timeout.total_seconds())
    return _expect(Stage.MAIL, answer, OK)


def _lost(error: BaseException, when: str, *, late: bool = False) -> str:
    """Say that the server hung up, or kept silent for longer than is waited for."""
    late = late or any(isinstance(one, TimeoutError) for one in causes(error))
    what = "the mail server did not answer in time" if late else "the connection to the mail server broke"
    return f"{what} {when} the mail was sent"


def _expect(stage: Stage, answer: tuple[int, bytes], *codes: int) -> str:
    code, reply = answer
    said = reply.decode("utf-8", "replace")
    if code in codes:
        return said
    raise _RefusedError(stage, code, said)


def _on_the_wire(mail: EmailMessage) -> bytes:
    return re.sub(rb"(?m)^\.", b"..", mail.as_bytes()).removesuffix(b"\r\n") + b"\r\n.\r\n"


def _recipient(address: str) -> Address:
    if one_line(address) == address and PLAIN_ADDRESS.fullmatch(address):
        with contextlib.suppress(ValueError, MessageError, IndexError):
            return _mailbox("", address)
    raise DeliveryError("the recipient has no usable mail address", Fault.ADDRESS)


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
