"""A mail server for tests: aiosmtpd that refuses, hangs and drops when told to."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import ssl
import tempfile
import threading
from collections import deque
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default as default_policy
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from notifiers.trust import Trust
from tests.phone import HOST, Arrival, Certificate, Phone


@dataclass(frozen=True)
class Envelopes:
    """What one transaction said outside the mail: the parameters of MAIL and RCPT, as delivery status asks for them."""

    mail: str
    rcpt: str


_DSN = re.compile(r"\s(RET|ENVID|NOTIFY)=\S+", re.IGNORECASE)


class _Smtp(SMTP):
    """aiosmtpd, taught to refuse, hang or drop at a command, and to take (and record) the words of DSN."""

    sink: SmtpSink

    def __init__(self, *args: Any, sink: SmtpSink, **rest: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(*args, **rest)
        self.sink = sink
        self._mail_words = ""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if await self._stopped_at("MAIL"):
            return
        self._mail_words = arg or ""
        await super().smtp_MAIL(_DSN.sub("", arg or "") if self.sink.dsn else arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        if await self._stopped_at("RCPT"):
            return
        self.sink.envelopes.append(Envelopes(self._mail_words, arg or ""))
        await super().smtp_RCPT(_DSN.sub("", arg or "") if self.sink.dsn else arg)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802
        if not await self._stopped_at("DATA"):
            await super().smtp_DATA(arg)

    async def _handle_client(self) -> None:
        await asyncio.sleep(self.sink.waits_before_greeting)
        await super()._handle_client()

    async def smtp_RSET(self, arg: str | None) -> None:  # noqa: N802
        if not await self._stopped_at("RSET"):
            await super().smtp_RSET(arg)

    async def _stopped_at(self, command: str) -> bool:
        reply = await self.sink.stop(command)
        if reply == "":
            cast("asyncio.Transport", self.transport).abort()
            return True
        if reply is not None:
            await self.push(reply)
        return reply is not None


class SmtpSink(Phone):
    """A mail server that keeps what it is given; its messages are addressed by recipient, their id is the Message-ID.

    `refuses` answers a command with a reply, `hangs` keeps silent at it, `drops` breaks the connection at it; each
    once unless told `times`. Commands are MAIL, RCPT, DATA, RSET, and END: the end of the mail, when it was taken in.
    """

    def __init__(
        self,
        *,
        security: Literal["none", "starttls", "tls"] = "none",
        login: tuple[str, str] | None = None,
        takes_passwords: bool = True,
        dsn: bool = False,
        smtputf8: bool = False,
        strict: bool = True,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(strict=strict)
        self.dsn = dsn
        self.envelopes: list[Envelopes] = []
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self._login = login
        self._plan: dict[str, deque[str | None]] = {}
        self._thinks = 0.0
        self.waits_before_greeting = 0.0
        self._folder = tempfile.TemporaryDirectory()
        certificate = Certificate(Path(self._folder.name)) if security != "none" else None
        self.trust = Trust(certificate.file.read_text(encoding="utf-8") if certificate else "")
        context = tls or (certificate.server_context() if certificate else None)
        self._tls = context if security == "tls" else None
        self._smtp: dict[str, Any] = {
            "tls_context": context if security == "starttls" else None,
            "require_starttls": security == "starttls",
            "auth_required": login is not None,
            "auth_require_tls": security == "starttls",
            "authenticator": self._authenticate,
            "auth_exclude_mechanism": () if takes_passwords else ("LOGIN", "PLAIN"),
            "enable_SMTPUTF8": smtputf8,
            "hostname": "sink.localhost",
            "timeout": 60,
        }
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(self._new, HOST, port, ssl=self._tls))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    def refuses(self, command: str, reply: str, *, times: int = 1) -> None:
        """Answer the next such command with `reply`, for instance "550 5.1.1 no such user"."""
        self._plan.setdefault(command, deque()).extend([reply] * times)

    def hangs(self, command: str) -> None:
        """Say nothing to the next such command until the sink is closed."""
        self._plan.setdefault(command, deque()).append(None)

    def thinks(self, *, after_mail: float) -> None:
        """Take so many seconds over every mail, after its end, before saying that it was taken."""
        self._thinks = after_mail

    def forgets_plans(self) -> None:
        """Refuse, hang and drop nothing any more."""
        self._plan.clear()

    def drops(self, command: str) -> None:
        """Break the connection at the next such command."""
        self.refuses(command, "")

    async def stop(self, command: str) -> str | None:
        """What was planned for a command: None to go on, "" to drop, else the reply."""
        planned = self._plan.get(command)
        if not planned:
            return None
        reply = planned.popleft()
        if reply is None:
            await asyncio.sleep(3600)  # cancelled with the loop; nobody waits for it
        return reply

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's own name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Greet, offering DSN if so built."""
        del server, envelope
        session.host_name = hostname
        return [*responses[:-1], *(["250-DSN"] if self.dsn else []), responses[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - likewise
        """Take the mail, then do what was planned for END."""
        del session
        planned = await self._planned_end(envelope)
        if planned == "":
            cast("asyncio.Transport", server.transport).abort()
        return planned or "250 2.0.0 OK: queued as A1B2C3D4"

    async def _planned_end(self, envelope: Envelope) -> str | None:
        refusal = self._plan.get("END")
        if not refusal or not refusal[0]:
            self._keep(envelope)
        await asyncio.sleep(self._thinks)
        return await self.stop("END")

    def _keep(self, envelope: Envelope) -> None:
        mail = message_from_bytes(cast("bytes", envelope.content), policy=default_policy)
        self.mails.append(mail)
        html = mail.get_body(("html",))
        text = mail.get_body(("plain",))
        for address in envelope.rcpt_tos:
            self.takes(
                Arrival(
                    address=address,
                    text=_words(text),
                    message_id=str(mail["Message-ID"]),
                    at=dt.datetime.now(dt.UTC),
                    subject=str(mail["Subject"]),
                    html=_words(html),
                )
            )

    def _authenticate(
        self, _server: object, _session: object, _envelope: object, _mechanism: str, given: object
    ) -> AuthResult:
        known = isinstance(given, LoginPassword) and (given.login.decode(), given.password.decode()) == self._login
        return AuthResult(success=known, handled=False)

    def _new(self) -> SMTP:
        self.connections += 1
        return _Smtp(self, sink=self, loop=self._loop, **self._smtp)

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # one more round, in which transports close

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()
        self.left(kind)


def _words(part: MIMEPart | None) -> str:
    return str(cast("EmailMessage", part).get_content()).replace("\r\n", "\n") if part else ""
