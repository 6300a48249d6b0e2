"""Bounces of many makes: each is known as one of the mail it is about, whatever shape it has, and for its cause."""

from __future__ import annotations

import datetime as dt

import pytest

from notifiers.bounce_causes import cause_of
from notifiers.contract import Fault, Report
from notifiers.dsn import read_bounce
from notifiers.return_address import ReturnAddress
from tests.notifiers import returned_elsewhere as elsewhere
from tests.notifiers.returned import DOMAIN, OURS, WARNING, report

NOW = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
TAGGED = ReturnAddress(elsewhere.BACK, "+")


def read(mail: bytes, back: ReturnAddress | None = None) -> Report | None:
    return read_bounce(mail, DOMAIN, NOW, back)


@pytest.mark.parametrize("name", elsewhere.SHAPES)
def test_a_bounce_of_any_make_is_a_failure_of_our_mail(name: str) -> None:
    found = read(elsewhere.SHAPES[name])

    assert found is not None
    assert (found.status, found.message_id, found.fault) == ("failed", OURS, Fault.ADDRESS)


@pytest.mark.parametrize("named", ["To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Delivered-To"])
def test_a_bounce_that_names_no_mail_is_known_by_the_address_it_came_back_to(named: str) -> None:
    mail = f"{named}: {elsewhere.TAGGED}\r\n".encode() + elsewhere.NOTHING_OF_OURS

    assert read(mail) is None
    assert read(mail, ReturnAddress(elsewhere.BACK)) is None
    found = read(mail, TAGGED)
    assert found is not None
    assert (found.message_id, found.detail) == (OURS, "5.1.1")


def test_the_envelopes_address_counts_in_what_is_returned_and_in_the_trace_of_its_way() -> None:
    line = f"Received: from mx by box.example.org for <{elsewhere.TAGGED}>; Wed, 18 Mar 2026 08:10:05 +0800\r\n"
    found = read(line.encode() + elsewhere.NOTHING_OF_OURS, TAGGED)
    returned = report("failed", "5.1.1", envelope=None, headers=f"Return-Path: <{elsewhere.TAGGED}>\nSubject: x\n")
    again = read(returned, TAGGED)

    assert found is not None
    assert again is not None
    assert found.message_id == again.message_id == OURS


def test_the_address_counts_before_whatever_else_a_bounce_names() -> None:
    other = "019d0e3a-7b1c-7f00-8a55-ba9876543210"
    mail = f"Delivered-To: {elsewhere.TAGGED.replace(OURS, other)}\r\n".encode() + report("failed", "5.1.1")
    found = read(mail, TAGGED)
    assert found is not None
    assert found.message_id == other


def test_the_id_of_our_own_mail_counts_before_an_envelopes_id_that_a_relay_made_up() -> None:
    found = read(report("failed", "5.1.1", envelope="a-relays-own"))
    assert found is not None
    assert found.message_id == OURS


@pytest.mark.parametrize(
    "mail",
    [
        elsewhere.VACATION_TO_THE_ENVELOPE,
        elsewhere.COMPLAINT,
        elsewhere.READ,
        elsewhere.POSSIBLE,
        elsewhere.FORWARDED_BY_A_PERSON,
    ],
    ids=["a note of leave", "a complaint", "a reader's receipt", "a test of an address", "a person who forwards it"],
)
def test_what_says_nothing_of_a_failure_is_none(mail: bytes) -> None:
    assert read(mail) is None
    assert read(b"Delivered-To: " + elsewhere.TAGGED.encode() + b"\r\n" + mail, TAGGED) is None


def test_a_warning_at_the_address_of_its_own_is_no_failure() -> None:
    found = read(b"Delivered-To: " + elsewhere.TAGGED.encode() + b"\r\n" + WARNING, TAGGED)
    assert found is not None
    assert (found.status, found.fault) == ("delayed", Fault.ADDRESS)


@pytest.mark.parametrize(
    ("code", "said", "fault"),
    [
        ("5.1.1", "550 5.1.1 <office@town.example>: Recipient address rejected: User unknown", Fault.ADDRESS),
        ("5.7.1", "550 5.7.1 <office@town.example>: User unknown", Fault.ADDRESS),
        ("5.2.2", "552 5.2.2 mailbox full", Fault.ADDRESS),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", Fault.ADDRESS),
        ("5.4.4", "unable to look up host: NXDOMAIN", Fault.ADDRESS),
        ("5.0.0", "550 Mailbox not found", Fault.ADDRESS),
        ("5.0.0", "550 用户不存在", Fault.ADDRESS),
        ("5.0.0", "something unheard of", Fault.ADDRESS),
        (
            "5.7.1",
            "554 5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org",
            Fault.ACCOUNT,
        ),
        ("5.1.1", "550 5.7.1 IP address blacklisted by recipient", Fault.ACCOUNT),
        ("5.7.26", "550-5.7.26 Unauthenticated email is not accepted due to domain's DMARC policy", Fault.ACCOUNT),
        ("5.7.1", "554 5.7.1 <office@town.example>: Relay access denied", Fault.ACCOUNT),
        ("4.7.0", "421 4.7.0 temporarily deferred, rate limited", Fault.ACCOUNT),
        ("5.0.0", "550 Ip frequency limited", Fault.ACCOUNT),
        ("5.7.0", "550 5.7.0 Local Policy Violation", Fault.ACCOUNT),
        ("5.1.8", "553 5.1.8 sender domain not found", Fault.ACCOUNT),
        ("5.0.0", "554 发信IP在黑名单中", Fault.ACCOUNT),
        ("5.0.0", "554 DT:SPM 163 smtp", Fault.MESSAGE),
        ("5.7.1", "550 5.7.1 Message content rejected", Fault.MESSAGE),
        ("5.3.4", "552 5.3.4 limits", Fault.MESSAGE),
        ("5.6.0", "554 5.6.0 Headers", Fault.MESSAGE),
    ],
)
def test_a_refusal_is_of_the_address_the_sender_or_the_mail(code: str, said: str, fault: Fault) -> None:
    assert cause_of(code, said) is fault
    found = read(elsewhere.refused(code, said))
    assert found is not None
    assert (found.status, found.fault) == ("failed", fault)


def test_an_address_with_no_room_for_an_id_is_refused() -> None:
    assert ReturnAddress("bounces@example.org").of(OURS) == "bounces@example.org"
    assert TAGGED.of(OURS) == elsewhere.TAGGED
    with pytest.raises(ValueError, match="no room for an id"):
        ReturnAddress(f"{'b' * 28}@example.org", "+")
