"""Mail servers under an office's own authority: handing over, and reading what comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from notifiers.contract import DeliveryError, Fault
from notifiers.email import Email, EmailSettings
from notifiers.mailboxes import Imap
from notifiers.trust import Trust
from tests.authority import Authority
from tests.imap import ImapServer
from tests.notifiers.letters import MAILBOX, message, noon
from tests.phones import SmtpSink

WRONG = [
    ("no authority known here", "network.ca_file", lambda at: at.server(), False),
    ("has expired", "", lambda at: at.server(begins=-9, ends=-2), True),
    ("for another host", "", lambda at: at.server("elsewhere.example"), True),
]
Served = Callable[[Authority], object]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def mail(sink: SmtpSink, security: str, trust: Trust) -> Email:
    return Email(
        EmailSettings("127.0.0.1", "baoxue@example.org", sink.port, security, hello="a.localhost", trust=trust),  # type: ignore[arg-type]
        noon,
    )


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_to_a_server_under_the_office_s_own_authority(authority: Authority, security: str) -> None:
    with SmtpSink(security=security, tls=authority.server()) as sink:  # type: ignore[arg-type]
        channel = mail(sink, security, Trust(authority.certificates))
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_goes_to_a_server_under_an_authority_of_the_system_s(
    authority: Authority, security: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with SmtpSink(security=security, tls=authority.server()) as sink:  # type: ignore[arg-type]
        channel = mail(sink, security, Trust())
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)


@pytest.mark.parametrize(("says", "names", "served", "known"), WRONG)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_is_refused_to_a_server_whose_certificate_is_wrong(
    authority: Authority, security: str, says: str, names: str, served: Served, *, known: bool
) -> None:
    trust = Trust(authority.certificates if known else "")
    with SmtpSink(security=security, tls=served(authority)) as sink:  # type: ignore[arg-type]
        with pytest.raises(DeliveryError) as caught:
            mail(sink, security, trust).send(message(MAILBOX))
        assert sink.mails == []
    assert says in caught.value.reason
    assert names in caught.value.reason
    assert caught.value.fault is Fault.ACCOUNT


def box(server: ImapServer, trust: Trust) -> Imap:
    return Imap("127.0.0.1", server.user, password=server.password, port=server.port, trust=trust)


def test_what_came_back_is_read_from_a_server_under_the_office_s_own_authority(authority: Authority) -> None:
    with ImapServer(tls=authority.server()) as server:
        server.folders["INBOX"].add(b"Subject: x\r\n\r\n")
        assert len(box(server, Trust(authority.certificates)).unread(10, 100)) == 1


@pytest.mark.parametrize(("says", "names", "served", "known"), WRONG)
def test_nothing_is_read_from_a_server_whose_certificate_is_wrong(
    authority: Authority, says: str, names: str, served: Served, *, known: bool
) -> None:
    trust = Trust(authority.certificates if known else "")
    with ImapServer(tls=served(authority)) as server:  # type: ignore[arg-type]
        with pytest.raises(DeliveryError) as caught:
            box(server, trust).unread(10, 100)
        assert server.folders["INBOX"].told == []
    assert says in caught.value.reason
    assert names in caught.value.reason
