"""Text messages through a GSM modem: the folders of gammu-smsd, and the daemon itself where it is installed."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from notifiers.contract import DeliveryError, Fault, Heard, Receipt, Report, Waiting
from notifiers.provider import SettingError
from notifiers.sms.gammu import FOLDERS, Gammu, GammuSettings, build
from notifiers.sms.segments import sms_segments
from tests.gammu import MISSING, installed, phone_hears, smsd
from tests.notifiers.letters import NOON, PHONE, WORDS, message, noon

NAME = f"OUTA20260318_040000_00_{PHONE}_m-1.txtd"


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    for name in FOLDERS:
        (tmp_path / name).mkdir()
    return tmp_path


def modem(spool: Path, *, delivery_reports: bool = True) -> Gammu:
    return Gammu(GammuSettings(spool, delivery_reports), noon)


def lay(spool: Path, name: str, text: str = "", at: dt.datetime = NOON) -> None:
    """What smsd leaves in a folder."""
    path = spool / name
    path.write_bytes(b"\xfe\xff" + text.encode("utf-16-be") if text else b"x")
    os.utime(path, (at.timestamp(), at.timestamp()))


def waiting(message_id: str = "m-1", sent_at: dt.datetime = NOON) -> Waiting:
    return Waiting(message_id, None, PHONE, sent_at)


def test_a_message_stands_in_the_outbox_in_unicode_under_its_id(spool: Path) -> None:
    assert modem(spool).send(message(PHONE)) == Receipt(None, "outbox")
    assert [path.name for path in (spool / "outbox").iterdir()] == [NAME]
    assert (spool / "outbox" / NAME).read_bytes().decode("utf-16") == WORDS


def test_without_delivery_reports_none_is_asked_for(spool: Path) -> None:
    modem(spool, delivery_reports=False).send(message(PHONE))
    assert [path.suffix for path in (spool / "outbox").iterdir()] == [".txt"]


@pytest.mark.parametrize("folder", ["outbox", "sent"])
def test_a_second_attempt_finds_the_first(spool: Path, folder: str) -> None:
    lay(spool, f"{folder}/OUTA20260318_035500_00_{PHONE}_m-1.txtd", "words")
    modem(spool).send(message(PHONE))
    assert sum(1 for name in FOLDERS for _ in (spool / name).iterdir()) == 1


def test_a_message_that_failed_may_be_sent_again(spool: Path) -> None:
    lay(spool, f"error/{NAME}", "words")
    modem(spool).send(message(PHONE))
    assert (spool / "outbox" / NAME).exists()


def test_what_is_no_number_is_refused_for_good(spool: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        modem(spool).send(message("../../etc/x"))
    assert caught.value.permanent


def test_an_outbox_that_is_gone_is_tried_again(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError) as caught:
        modem(tmp_path).send(message(PHONE))
    assert not caught.value.permanent
    assert PHONE not in caught.value.reason
    with pytest.raises(DeliveryError):
        modem(tmp_path).gather([])


def test_folders_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    with pytest.raises(SettingError, match="lacks the folders sent, error, inbox"):
        build({"spool": tmp_path, "delivery_reports": True}, noon)


def test_what_left_the_modem_is_no_delivery(spool: Path) -> None:
    lay(spool, f"sent/{NAME}", "words")
    assert modem(spool).gather([waiting()]) == Heard()


def test_what_the_modem_could_not_send_has_failed(spool: Path) -> None:
    lay(spool, f"error/{NAME}", "words")
    assert modem(spool).gather([waiting()]).reports == (
        Report("failed", NOON, "m-1", None, "modem", Fault.ACCOUNT),  # its card or network, and nobody's number
    )


def test_what_does_not_leave_is_late(spool: Path) -> None:
    long_ago = NOON - dt.timedelta(minutes=11)
    lay(spool, f"outbox/{NAME}", "words", long_ago)
    lay(spool, f"outbox/OUTA20260318_035900_00_{PHONE}_m-2.txtd", "words", NOON - dt.timedelta(minutes=1))
    assert modem(spool).gather([waiting()]).reports == (Report("delayed", long_ago, "m-1", None, "outbox"),)


@pytest.mark.parametrize(("said", "status"), [("Delivered", "delivered"), ("Failed", "failed"), ("Pending", "delayed")])
def test_a_delivery_report_is_about_the_oldest_message_to_its_number(spool: Path, said: str, status: str) -> None:
    lay(spool, f"inbox/IN20260318_040100_00_{PHONE}_00.txt", said)
    later = waiting("m-2", NOON + dt.timedelta(seconds=9))
    (report,) = modem(spool).gather([later, waiting("m-1")]).reports
    assert (report.status, report.message_id) == (status, "m-1")


def test_an_answer_in_parts_is_one_answer(spool: Path) -> None:
    lay(spool, f"inbox/IN20260318_040100_00_{PHONE}_00.txt", "收到，")
    lay(spool, f"inbox/IN20260318_040100_00_{PHONE}_01.txt", "马上去 4821")
    (reply,) = modem(spool).gather([waiting()]).replies
    assert (reply.sender, reply.text, reply.at) == (PHONE, "收到，马上去 4821", NOON)
    assert reply.reply_id == f"IN20260318_040100_00_{PHONE}_00"


def test_a_word_like_a_report_from_somebody_nothing_was_sent_to_is_an_answer(spool: Path) -> None:
    lay(spool, "inbox/IN20260318_040100_00_+8613900000000_00.txt", "Delivered")
    heard = modem(spool).gather([waiting()])
    assert (heard.reports, [one.text for one in heard.replies]) == ((), ["Delivered"])


def test_numbers_without_a_country_are_chinas_and_advertisers_are_passed_over(spool: Path) -> None:
    lay(spool, "inbox/IN20260318_040100_00_13800001234_00.txt", "4821")
    lay(spool, "inbox/IN20260318_040100_00_Bank_00.txt", "offer")
    (spool / "inbox" / f"IN20260318_040200_00_{PHONE}_00.txt").touch()
    assert [one.sender for one in modem(spool).gather([]).replies] == [PHONE]


def test_only_what_was_kept_is_deleted(spool: Path) -> None:
    lay(spool, f"error/{NAME}", "words")
    lay(spool, f"inbox/IN20260318_040100_00_{PHONE}_00.txt", "4821")
    lay(spool, f"sent/OUTA20260317_030000_00_{PHONE}_m-0.txtd", "words", NOON - dt.timedelta(days=1, hours=1))
    lay(spool, f"sent/OUTA20260318_030000_00_{PHONE}_m-9.txtd", "words")
    lay(spool, "sent/OUT+4912345.txt", "of somebody else", NOON - dt.timedelta(days=9))
    channel = modem(spool)
    heard = channel.gather([waiting()])
    assert channel.gather([waiting()]) == heard
    lay(spool, f"inbox/IN20260318_040200_00_{PHONE}_00.txt", "came meanwhile")
    channel.confirm(heard)
    left = sorted(f"{path.parent.name}/{path.name}" for path in spool.glob("*/*"))
    assert left == [
        f"inbox/IN20260318_040200_00_{PHONE}_00.txt",
        "sent/OUT+4912345.txt",
        f"sent/OUTA20260318_030000_00_{PHONE}_m-9.txtd",
    ]


@pytest.mark.skipif(not installed(), reason=MISSING)
def test_gammu_smsd_sends_a_long_chinese_text_through_its_dummy_phone(spool: Path) -> None:
    words = WORDS * 5
    with smsd(spool) as running:
        modem(spool).send(message(PHONE, text=words))
        running.moves(f"sent/{NAME}")
    log = running.log()
    assert "Transmitted" in log
    assert f"(total: {sms_segments(words)})" in log
    assert words[:60] in log
    assert list((spool / "outbox").iterdir()) == []


@pytest.mark.skipif(not installed(), reason=MISSING)
def test_gammu_smsd_hands_on_what_the_phone_receives(spool: Path) -> None:
    phone_hears(spool, PHONE, "收到 4821")
    with smsd(spool) as running:
        running.receives()
    (reply,) = modem(spool).gather([]).replies
    assert (reply.sender, reply.text) == (PHONE, "收到 4821")
