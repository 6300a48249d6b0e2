"""Mail through a real server, which checks what a sink in the same language might let pass."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest

from notifiers.contract import DeliveryError
from notifiers.email import Email, EmailSettings
from notifiers.examples import examples
from notifiers.words import Words
from tests.notifiers.letters import message, noon
from tests.opensmtpd import DOMAIN, MISSING, installed, opensmtpd
from tests.phones import SmtpSink

pytestmark = pytest.mark.skipif(not installed(), reason=MISSING)


def new_id() -> str:
    """A server killed with mail in its queue sends it again when it next runs: no two tests share an id."""
    return f"m-{uuid.uuid4().hex}"


def test_a_real_server_relays_what_it_takes_and_refuses_the_rest() -> None:
    told = Words().compose("report", "email", "zh", examples("zh")["several"])
    ids = [new_id(), new_id(), new_id()]
    with SmtpSink(strict=False) as sink, opensmtpd(relay_to=sink.port) as port:
        settings = EmailSettings("127.0.0.1", "控辍保学 <baoxue@example.org>", port, timeout=dt.timedelta(seconds=10))
        channel = Email(settings, noon)
        letter = {"subject": told.subject, "text": told.text, "html": told.html}
        receipt = channel.send(message(f"{ids[0]}@{DOMAIN}", message_id=ids[0], **letter))
        with pytest.raises(DeliveryError) as caught:
            channel.send(message("office@elsewhere.example", message_id=ids[1], **letter))
        channel.send(message(f"{ids[2]}@{DOMAIN}", message_id=ids[2], **letter))
        channel.close()
        first = sink.expects(f"{ids[0]}@{DOMAIN}", "张**", within=30)
        sink.expects(f"{ids[2]}@{DOMAIN}", within=30)
    assert (first.subject, first.text, first.html) == (told.subject, told.text, told.html)
    assert first.message_id == f"<{ids[0]}@example.org>"
    assert receipt.provider_id
    assert (caught.value.permanent, caught.value.doubtful) == (True, False)
    assert caught.value.reason == "the recipient was refused: 550"


def test_a_real_server_takes_the_request_for_delivery_status() -> None:
    own = new_id()
    with SmtpSink(dsn=True, strict=False) as sink, opensmtpd(relay_to=sink.port) as port:
        channel = Email(EmailSettings("127.0.0.1", "baoxue@example.org", port), noon)
        channel.send(message(f"{own}@{DOMAIN}", message_id=own))
        channel.close()
        sink.expects(f"{own}@{DOMAIN}", within=30)
    (relayed,) = {envelope for envelope in sink.envelopes if own in envelope.rcpt}
    assert f"RET=HDRS ENVID={own}" in relayed.mail
    assert {"FAILURE", "DELAY"} == set(relayed.rcpt.rpartition("NOTIFY=")[2].split(","))
