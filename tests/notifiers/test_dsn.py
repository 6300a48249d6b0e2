"""What comes back is read for what it is: a failure only when that is beyond mistake, an answer of somebody's never."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.contract import Report
from notifiers.dsn import LONGEST, read_bounce
from tests.notifiers import returned
from tests.notifiers.returned import DOMAIN, HEADERS, OURS, report

NOW = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
SENT_BACK = dt.datetime(2026, 3, 18, 0, 10, 5, tzinfo=dt.UTC)


def read(mail: bytes) -> Report | None:
    return read_bounce(mail, DOMAIN, NOW)


@pytest.mark.parametrize(
    ("action", "status", "word"),
    [
        ("failed", "5.1.1", "failed"),
        ("Failed", "4.4.7", "failed"),
        ("delayed", "4.4.1", "delayed"),
        ("delivered", "2.0.0", "delivered"),
        ("relayed", "2.0.0", None),
        ("expanded", "2.0.0", None),
    ],
)
def test_a_standard_notification_is_read_by_its_fields(action: str, status: str, word: str | None) -> None:
    found = read(report(action, status))

    assert (found and found.status) == word
    if found:
        assert (found.message_id, found.detail, found.at) == (OURS, status, SENT_BACK)


def test_without_an_envelopes_id_it_is_about_the_mail_whose_headers_it_returns() -> None:
    found = read(report("failed", "5.1.1", envelope=None))
    assert found is not None
    assert found.message_id == OURS


def test_the_last_attempt_says_when_it_came_about_and_nothing_comes_about_later_than_now() -> None:
    then = read(report("failed", "5.1.1", extra="Last-Attempt-Date: Wed, 18 Mar 2026 08:05:00 +0800\n"))
    ahead = read(report("failed", "5.1.1", extra="Last-Attempt-Date: Thu, 19 Mar 2099 08:05:00 +0800\n"))

    assert then is not None
    assert then.at == dt.datetime(2026, 3, 18, 0, 5, tzinfo=dt.UTC)
    assert ahead is not None
    assert ahead.at == NOW


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        (returned.OPENSMTPD, "5.0.0"),
        (returned.EXCHANGE, "5.1.10"),
        (returned.EXIM, None),
        (returned.QMAIL, "553"),
        (returned.QQ, "550"),
    ],
    ids=["OpenSMTPD", "Exchange", "Exim", "qmail", "QQ"],
)
def test_what_servers_really_send_back_is_a_failure_of_our_mail(mail: bytes, code: str | None) -> None:
    found = read(mail)

    assert found is not None
    assert (found.status, found.message_id, found.detail) == ("failed", OURS, code)


def test_a_warning_that_it_takes_long_is_no_failure() -> None:
    found = read(returned.WARNING)
    assert found is not None
    assert (found.status, found.message_id, found.detail) == ("delayed", OURS, "4.7.1")


@pytest.mark.parametrize(
    "mail",
    [returned.OUT_OF_OFFICE, returned.VACATION, returned.A_PERSON],
    ids=["an automatic reply", "a postmaster on leave", "somebody who answers"],
)
def test_what_people_and_their_machines_answer_is_no_bounce(mail: bytes) -> None:
    assert read(mail) is None


@pytest.mark.parametrize(
    "mail",
    [
        report(
            "failed", "5.1.1", envelope=None, headers=HEADERS.replace(f"@{DOMAIN}>\nAuto", "@elsewhere.example>\nAuto")
        ),
        report("failed", "5.1.1", envelope="not an id of ours!", headers="Subject: nothing\n"),
        returned.QMAIL.replace(OURS.encode(), b"somebody else's mail"),
        returned.QMAIL.replace(b"text\r\n", b"Message-ID: <0191-another@example.org>\r\n"),
        b"",
        b"\xff\xfe\x00 no mail at all",
        b"Content-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n\r\n",
    ],
    ids=[
        "of another house",
        "with no id",
        "of no mail of ours",
        "of one of two mails",
        "empty",
        "no text",
        "a bare part",
        "a part cut off",
    ],
)
def test_what_cannot_be_told_to_be_of_one_mail_of_ours_says_nothing(mail: bytes) -> None:
    assert read(mail) is None


def test_the_rest_of_a_huge_mail_is_never_looked_at() -> None:
    huge = report("failed", "5.1.1").replace(b"--4f2.1773/mx.example.org--", b"x" * LONGEST)
    assert read(huge) is not None
    assert read(b"X: " + b"y" * LONGEST + b"\r\n" + report("failed", "5.1.1")) is None


@given(st.binary(max_size=2_000))
def test_no_mail_makes_it_fail(noise: bytes) -> None:
    assert read(noise) is None
    for mail in (report("failed", "5.1.1"), returned.QQ, returned.EXCHANGE):
        read(mail[: len(mail) // 2] + noise + mail[len(mail) // 2 :])


def test_a_report_shows_no_address() -> None:
    for mail in (report("failed", "5.1.1"), returned.QQ, returned.EXIM):
        assert "town.example" not in str(read(mail))
        assert "10000" not in str(read(mail))
