"""The receivers of the demonstration take what the real notifiers send, and refuse what no honest sender would."""

from __future__ import annotations

import datetime as dt
import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from daemon.demo.arrivals import Letterbox
from daemon.demo.folder import SECRET
from daemon.demo.gateways import HOOK, SMS, Gateways
from daemon.demo.mail import HOST, MailServer
from notifiers.contract import DeliveryError, Message
from notifiers.email import Email, EmailSettings
from notifiers.sms.http import HttpSms, HttpSmsSettings
from notifiers.webhook import Webhook, WebhookEndpoint, WebhookSettings

NOW = dt.datetime(2026, 3, 4, 0, 10, tzinfo=dt.UTC)


@pytest.fixture
def letterbox() -> Letterbox:
    return Letterbox(lambda: NOW)


@pytest.fixture
def mail(letterbox: Letterbox) -> Iterator[Email]:
    with MailServer(letterbox) as server:
        notifier = Email(EmailSettings(HOST, "保学 <baoxue@example.org>", server.port), lambda: NOW)
        yield notifier
        notifier.close()


@pytest.fixture
def gateways(letterbox: Letterbox) -> Iterator[Gateways]:
    with Gateways(letterbox, SECRET, "edu") as server:
        yield server


def event(secret: str, gateways: Gateways) -> Webhook:
    return Webhook(WebhookSettings({"edu": WebhookEndpoint(gateways.url(HOOK), secret)}), lambda: NOW)


def letter(address: str, text: str = "正文\n.\n..两点\n", message_id: str = "a1") -> Message:
    return Message(message_id, "email", address, "控辍保学报告", text, "<p>正文</p>")


@pytest.mark.parametrize("address", ["t-1@example.org", "镇政府@example.org"])
@pytest.mark.parametrize("text", ["正文\n.\n..两点\n", "plain\n.\n..dots\n"])
def test_a_mail_arrives_with_its_words_whatever_lines_it_has(
    mail: Email, letterbox: Letterbox, address: str, text: str
) -> None:
    mail.send(letter(address, text))
    (found,) = letterbox.empty()
    assert (found.channel, found.address, found.message_id, found.at) == ("email", address, "a1", NOW)
    assert found.text == f"控辍保学报告\n{text}"


def test_many_mails_go_over_one_connection(mail: Email, letterbox: Letterbox) -> None:
    for n in range(5):
        mail.send(letter("t-1@example.org", message_id=f"m{n}"))
    assert [one.message_id for one in letterbox.empty()] == ["m0", "m1", "m2", "m3", "m4"]


def test_a_message_that_comes_twice_is_kept_once_and_counted(mail: Email, letterbox: Letterbox) -> None:
    mail.send(letter("t-1@example.org"))
    mail.send(letter("t-1@example.org"))
    assert (len(letterbox.empty()), letterbox.repeats) == (1, 1)


def test_a_text_message_arrives_at_its_number(gateways: Gateways, letterbox: Letterbox) -> None:
    sms = HttpSms(HttpSmsSettings(gateways.url(SMS)), lambda: NOW)
    sms.send(Message("s1", "sms", "+8613800000001", None, '未到校提醒："张**"'))
    sms.close()
    (found,) = letterbox.empty()
    assert (found.address, found.message_id, found.text) == ("+8613800000001", "s1", '未到校提醒："张**"')


def test_an_event_with_a_true_signature_is_taken_however_old_it_is(gateways: Gateways, letterbox: Letterbox) -> None:
    hook = event(SECRET, gateways)
    hook.send(Message("w1", "webhook", "edu", None, "", body={"type": "report"}))
    hook.close()
    assert [(one.address, one.text) for one in letterbox.empty()] == [("edu", '{"type":"report"}')]


def test_an_event_signed_with_another_secret_is_refused(gateways: Gateways, letterbox: Letterbox) -> None:
    hook = event("c29tZWJvZHkgZWxzZQ==", gateways)
    with pytest.raises(DeliveryError):
        hook.send(Message("w1", "webhook", "edu", None, "", body={"type": "report"}))
    hook.close()
    assert (letterbox.empty(), letterbox.refused) == ([], 1)


@pytest.mark.parametrize(("path", "status"), [(SMS, 400), (HOOK, 400), ("/elsewhere", 404)])
def test_a_request_without_an_id_or_a_known_address_is_refused(
    gateways: Gateways, letterbox: Letterbox, path: str, status: int
) -> None:
    connection = http.client.HTTPConnection(urlsplit(gateways.url(path)).netloc, timeout=5)
    connection.request("POST", path, b'{"phone": "1", "text": "x"}')
    assert connection.getresponse().status == status
    connection.close()
    assert (letterbox.empty(), letterbox.refused) == ([], 1)
