"""Mail, against a sink that refuses, hangs and drops."""

from __future__ import annotations

import datetime as dt
import threading
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import pytest

from notifiers.contract import DeliveryError, Fault
from notifiers.email import Email, EmailSettings
from tests.notifiers.letters import MAILBOX, NOON, SHORT, WORDS, closed_port, message, noon
from tests.phones import SmtpSink

SENDER = "控辍保学 <baoxue@example.org>"
PASSWORD = "t0p-secret"


def mail(sink: SmtpSink | None, **changed: Any) -> Email:  # noqa: ANN401 - any setting or field
    given = {"host": "127.0.0.1", "port": sink.port if sink else 0, "sender": SENDER, "hello": "client.localhost"}
    return Email(EmailSettings(**{**given, "timeout": dt.timedelta(seconds=5), **changed}), noon)


def refusal(channel: Email, address: str = MAILBOX, **changed: Any) -> DeliveryError:  # noqa: ANN401 - any setting or field
    with pytest.raises(DeliveryError) as caught:
        channel.send(message(address, **changed))
    shown = f"{caught.value.reason} {caught.value.__context__}"
    assert not any(secret in shown for secret in (PASSWORD, address, "张", "town@"))
    return caught.value


def test_a_mail_has_text_html_and_its_id() -> None:
    with SmtpSink() as sink:
        channel = mail(sink)
        receipt = channel.send(message(MAILBOX, html="<p>张** 😀</p>", subject="控辍保学报告:张** — 2026-000123"))
        channel.close()
        arrival = sink.expects_only(MAILBOX, WORDS, "<p>张** 😀</p>")
    headers = sink.mails[0]
    assert arrival.subject == "控辍保学报告:张** — 2026-000123"
    assert arrival.message_id == "<m-1@example.org>"
    assert headers["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(headers["Date"]) == NOON
    assert headers["From"] == SENDER
    assert receipt.provider_id == "A1B2C3D4"


def test_everything_on_the_wire_is_ascii_and_dots_survive() -> None:
    text = "第一行\n.\n..two\nend"
    with SmtpSink() as sink:
        channel = mail(sink)
        channel.send(message(MAILBOX, text=text))
        channel.send(message(MAILBOX, text=".\nascii only\n.", message_id="m-2"))
        channel.close()
        assert sink.expects(MAILBOX, "第一行").text == text + "\n"
        assert sink.expects(MAILBOX, "ascii").text == ".\nascii only\n.\n"
        assert all(each.as_bytes().isascii() for each in sink.mails)


def test_a_subject_cannot_add_a_header() -> None:
    with SmtpSink() as sink:
        channel = mail(sink)
        channel.send(message(MAILBOX, subject="报告\r\nBcc: thief@example.org\x00\u2028x" + "长" * 300))
        channel.close()
        arrival = sink.expects_only(MAILBOX)
    assert arrival.subject.startswith("报告 Bcc: thief@example.org x长")
    assert len(arrival.subject) == 200
    assert sink.mails[0]["Bcc"] is None


def test_many_mails_of_a_thread_share_a_connection_until_it_has_carried_enough() -> None:
    with SmtpSink(strict=False) as sink:
        channel = mail(sink, mails_per_connection=4)
        for number in range(10):
            channel.send(message(MAILBOX, message_id=f"m-{number}"))
        channel.close()
        assert (len(sink.arrivals), sink.connections) == (10, 3)


def test_a_dropped_connection_is_made_anew_without_an_error() -> None:
    with SmtpSink(strict=False) as sink:
        channel = mail(sink)
        channel.send(message(MAILBOX))
        sink.drops("RSET")
        channel.send(message(MAILBOX, message_id="m-2"))
        channel.close()
        assert (len(sink.arrivals), sink.connections) == (2, 2)


def test_each_thread_has_its_own_connection() -> None:
    with SmtpSink(strict=False) as sink:
        channel = mail(sink)
        threads = [
            threading.Thread(target=channel.send, args=(message(MAILBOX, message_id=f"m-{number}"),))
            for number in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.close()
        assert (len(sink.arrivals), sink.connections) == (4, 4)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("550 5.1.1 <town@example.org>: no such user", "550 5.1.1"),
        ("451 4.7.1 town@example.org greylisted", "451 4.7.1"),
        ("452 full", "452"),
    ],
)
def test_a_refusal_is_told_by_its_code_only(command: str, reply: str, shown: str) -> None:
    with SmtpSink() as sink:
        sink.refuses(command, reply)
        channel = mail(sink)
        error = refusal(channel)
        assert not error.doubtful
        assert error.reason.endswith(f": {shown}")
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)
        assert sink.connections == 1


@pytest.mark.parametrize(
    ("command", "reply", "fault"),
    [
        ("MAIL", "553 Mail from must equal authorized user", Fault.ACCOUNT),
        ("MAIL", "530 5.7.0 Authentication required", Fault.ACCOUNT),
        ("MAIL", "550 5.4.5 Daily user sending limit exceeded", Fault.ACCOUNT),
        ("MAIL", "501 Mail from address must be same as authorization user", Fault.ACCOUNT),
        ("MAIL", "450 4.7.1 later", Fault.PASSING),
        ("RCPT", "550 5.7.1 relaying denied", Fault.ACCOUNT),
        ("RCPT", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked", Fault.ACCOUNT),
        ("RCPT", "554 relay access denied", Fault.ACCOUNT),
        ("RCPT", "550 Ip frequency limited", Fault.ACCOUNT),
        ("RCPT", "550 5.1.7 bad sender", Fault.ACCOUNT),
        ("RCPT", "550 5.1.1 no such user", Fault.ADDRESS),
        ("RCPT", "550 5.7.1 User unknown", Fault.ADDRESS),
        ("RCPT", "550 5.4.1 Recipient address rejected: Access denied", Fault.ADDRESS),
        ("RCPT", "552 5.2.2 mailbox full", Fault.ADDRESS),
        ("RCPT", "550 no such user here", Fault.ADDRESS),
        ("RCPT", "550 account is suspended", Fault.ADDRESS),
        ("RCPT", "551 not here any more", Fault.ADDRESS),
        ("RCPT", "550 Daily sending quota exceeded", Fault.ACCOUNT),
        ("RCPT", "550 5.1.1 sender address rejected: unknown user", Fault.ACCOUNT),
        ("RCPT", "550 authentification required", Fault.ACCOUNT),
        ("RCPT", "550 please log in first", Fault.ACCOUNT),
        ("RCPT", "550 Invalid HELO argument", Fault.ACCOUNT),
        ("RCPT", "550 RP:RDN refused", Fault.ACCOUNT),
        ("RCPT", "550 您的连接数超过限制", Fault.ACCOUNT),
        ("RCPT", "554 Service unavailable", Fault.ACCOUNT),
        ("RCPT", "530 Must issue a STARTTLS command first", Fault.ACCOUNT),
        ("RCPT", "503 bad sequence of commands", Fault.ACCOUNT),
        ("RCPT", "450 4.2.1 busy", Fault.PASSING),
        ("DATA", "554 5.7.1 policy", Fault.ACCOUNT),
        ("END", "550 5.2.0 spam", Fault.ACCOUNT),
        ("END", "552 5.2.2 sending quota exceeded", Fault.ACCOUNT),
        ("END", "554 DT:SPM", Fault.ACCOUNT),
        ("END", "552 5.3.4 message too big", Fault.MESSAGE),
        ("END", "552 message exceeds fixed maximum message size", Fault.MESSAGE),
        ("END", "550 5.1.1 no such user", Fault.ADDRESS),
        ("END", "451 4.3.0 later", Fault.PASSING),
    ],
)
def test_what_is_refused_to_us_is_not_the_recipient_s_fault(command: str, reply: str, fault: Fault) -> None:
    with SmtpSink(strict=False) as sink:
        sink.refuses(command, reply)
        assert refusal(mail(sink)).fault is fault


def test_a_server_may_think_longer_about_a_whole_mail_than_about_a_command() -> None:
    with SmtpSink() as sink:
        sink.thinks(after_mail=1.5)
        channel = mail(sink, timeout=dt.timedelta(seconds=0.5))
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_may_let_strangers_wait_longer_than_a_connection_takes(
    security: Literal["none", "tls"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifiers.smtp._PROMPTLY", SHORT)
    with SmtpSink(security=security) as sink:
        sink.waits_before_greeting = 2 * SHORT.total_seconds()
        channel = mail(sink, security=security, trust=sink.trust)
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)


def test_a_kept_connection_that_nobody_answers_on_is_given_up_promptly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifiers.smtp._PROMPTLY", SHORT)
    with SmtpSink(strict=False) as sink:
        channel = mail(sink, timeout=dt.timedelta(minutes=5))
        channel.send(message(MAILBOX))
        sink.hangs("RSET")
        channel.send(message(MAILBOX, message_id="m-2"))
        channel.close()
        assert sink.connections == 2


def test_a_server_that_closes_is_asked_again_on_a_new_connection() -> None:
    with SmtpSink(strict=False) as sink:
        sink.refuses("RCPT", "421 4.3.2 shutting down")
        channel = mail(sink)
        assert not refusal(channel).permanent
        channel.send(message(MAILBOX))
        channel.close()
        assert sink.connections == 2


LOST = {"hangs": "the mail server did not answer in time", "drops": "the connection to the mail server broke"}


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("way", ["hangs", "drops"])
def test_a_server_lost_before_the_mail_was_sent_is_not_doubtful(command: str, way: str) -> None:
    with SmtpSink() as sink:
        getattr(sink, way)(command)
        channel = mail(sink, timeout=SHORT)
        error = refusal(channel)
        channel.close()
    assert (error.permanent, error.doubtful) == (False, False)
    assert error.reason == f"{LOST[way]} before the mail was sent"


@pytest.mark.parametrize("way", ["hangs", "drops"])
def test_a_server_lost_after_the_final_dot_is_doubtful(way: str) -> None:
    with SmtpSink() as sink:
        getattr(sink, way)("END")
        channel = mail(sink, timeout=SHORT, answer_timeout=SHORT)
        error = refusal(channel)
        assert (error.permanent, error.doubtful) == (False, True)
        assert error.reason == f"{LOST[way]} after the mail was sent"
        channel.send(message(MAILBOX))
        channel.close()
        sink.expects_only(MAILBOX)
        assert sink.repeats == ["<m-1@example.org>"]


def test_a_server_nobody_runs_is_temporary() -> None:
    error = refusal(mail(None, port=closed_port()))
    assert (error.permanent, error.doubtful) == (False, False)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_goes_encrypted_after_a_login(security: str) -> None:
    login = ("clerk", PASSWORD) if security == "starttls" else None
    with SmtpSink(security=security, login=login) as sink:  # type: ignore[arg-type]  # parametrized words
        named = {"username": "clerk", "password": PASSWORD} if login else {}
        channel = mail(sink, security=security, trust=sink.trust, **named)
        channel.send(message(MAILBOX))
        channel.send(message(MAILBOX, message_id="m-2"))
        channel.close()
        assert len(sink.arrivals) == 2
        sink.expects(MAILBOX)
        sink.expects_only(MAILBOX)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_unknown_certificate_is_refused_before_anything_is_sent(security: str) -> None:
    with SmtpSink(security=security) as sink:  # type: ignore[arg-type]  # parametrized words
        error = refusal(mail(sink, security=security))
    assert (error.permanent, error.doubtful) == (False, False)
    assert "certificate" in error.reason


def test_a_wrong_password_is_the_operators_fault_and_not_the_mails() -> None:
    with SmtpSink(security="starttls", login=("clerk", "other")) as sink:
        error = refusal(mail(sink, security="starttls", trust=sink.trust, username="clerk", password=PASSWORD))
    assert not error.permanent
    assert "login" in error.reason


def test_a_server_that_takes_no_password_is_said_to_be_one() -> None:
    with SmtpSink(security="starttls", takes_passwords=False) as sink:
        error = refusal(mail(sink, security="starttls", trust=sink.trust, username="clerk", password=PASSWORD))
    assert error.fault is Fault.ACCOUNT
    assert error.reason.endswith("offers no login by a password")


def test_nothing_is_sent_in_the_clear_where_starttls_was_asked() -> None:
    with SmtpSink() as sink:
        error = refusal(mail(sink, security="starttls"))
    assert not error.permanent
    assert "STARTTLS" in error.reason


def test_delivery_status_is_asked_for_where_the_server_offers_it() -> None:
    with SmtpSink(dsn=True, strict=False) as sink:
        channel = mail(sink)
        channel.send(message(MAILBOX))
        channel.send(message(MAILBOX, message_id="id with spaces+"))
        channel.close()
    assert sink.envelopes[0].mail.endswith(" RET=HDRS ENVID=m-1")
    assert sink.envelopes[0].rcpt.endswith(" NOTIFY=FAILURE,DELAY")
    assert " " not in sink.envelopes[1].mail.partition("ENVID=")[2]


def test_a_server_without_dsn_is_not_asked() -> None:
    with SmtpSink(strict=False) as sink:
        channel = mail(sink)
        channel.send(message(MAILBOX))
        channel.close()
    assert "ENVID" not in sink.envelopes[0].mail


def test_smtputf8_is_used_only_where_the_address_needs_it() -> None:
    with SmtpSink(smtputf8=True, strict=False) as sink:
        channel = mail(sink)
        channel.send(message("镇政府@example.org"))
        channel.send(message(MAILBOX, message_id="m-2"))
        channel.close()
        sink.expects("镇政府@example.org")
    assert "SMTPUTF8" in sink.envelopes[0].mail
    assert "SMTPUTF8" not in sink.envelopes[1].mail


def test_an_address_the_server_cannot_take_is_permanent() -> None:
    with SmtpSink() as sink:
        channel = mail(sink)
        assert refusal(channel, "镇政府@example.org").permanent
        channel.close()


def test_a_domain_in_chinese_goes_out_in_ascii() -> None:
    with SmtpSink() as sink:
        channel = mail(sink)
        channel.send(message("town@教育.example"))
        channel.close()
        sink.expects_only("town@xn--wcvs22d.example")


@pytest.mark.parametrize(
    "address", ["", "town", "a@b@c", "a@b\r\nRCPT TO:<x@y>", "town @x", "<town@x>", "a@b, c@d", "@x", "a@", "a\u2028@b"]
)
def test_what_is_no_address_is_permanent_and_sends_nothing(address: str) -> None:
    with SmtpSink() as sink:
        channel = mail(sink)
        with pytest.raises(DeliveryError) as caught:
            channel.send(message(address))
        channel.close()
        assert caught.value.permanent
        assert sink.connections == 0


def test_settings_show_no_password_and_send_none_in_the_clear() -> None:
    settings = EmailSettings("mail", SENDER, security="tls", username="clerk", password=PASSWORD)
    assert PASSWORD not in repr(settings)
    with pytest.raises(ValueError, match="starttls or tls"):
        EmailSettings("mail", SENDER, username="clerk", password=PASSWORD)
    with pytest.raises(ValueError, match="no mail address"):
        EmailSettings("mail", "控辍保学")


def test_a_closed_channel_sends_nothing() -> None:
    channel = mail(None)
    channel.close()
    with pytest.raises(RuntimeError):
        channel.send(message(MAILBOX))
