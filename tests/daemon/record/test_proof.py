"""A case's proof of delivery: everything that was told and what is known of it, masked, and journaled itself."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from daemon.console.papers import FONTS, PaperError, as_page, as_pdf
from daemon.desk.faults import DeskError
from daemon.jobs.office import Actor, acknowledge
from daemon.jobs.proof import make_proof, mask_mail, mask_number
from daemon.store import journal, sending, tables
from notifiers.contract import DeliveryError
from tests.daemon.record.record_office import RecordOffice

MINUTE = dt.timedelta(minutes=1)
SOON = dt.timedelta(seconds=20)


def made(office: RecordOffice, number: str, by: str = "王主任") -> dict[str, Any]:
    return make_proof(office.house, number, by, "1.2.3", office.now)


@pytest.fixture
def told(office: RecordOffice) -> tuple[RecordOffice, str]:
    """A report of which one text message failed and one arrived, acknowledged, then the child came back."""
    number = office.report()
    office.tells(office.sent_to("01"), "failed", SOON, "UNDELIV")
    office.tells(office.sent_to("03"), "delivered", SOON, "DELIVRD")
    office.works(office.now + MINUTE)
    acknowledge(office.house, number, Actor("education_office office", "link", "education_office"), office.now)
    office.roll(2, "pm", "PPP", "14:10")
    office.works(office.now + MINUTE)
    return office, number


def test_every_notice_says_to_whom_when_how_and_what_became_of_it(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    proof = made(office, number)

    reports = [one for one in proof["notices"] if one["kind"] == "report"]
    lost, arrived, instead = reports
    assert (lost["contact"], lost["outcome"], lost["outcome_zh"]) == ("town", "undelivered", "未送达")
    assert (lost["role_zh"], lost["unit"], lost["name"], lost["address"]) == (
        "乡镇（街道）政府",
        "Town",
        "T** O**",
        "+86138****0001",
    )
    assert lost["due_at"] == "2026-03-18T08:00:00+08:00"
    assert lost["raised_at"] == lost["left_at"] == "2026-03-18T08:10:00+08:00"
    assert [(one["status"], one["at"], one["code"], one["way"]) for one in lost["receipts"]] == [
        ("failed", "2026-03-18T08:10:20+08:00", "UNDELIV", "asked")
    ]
    assert (arrived["contact"], arrived["outcome"]) == ("office", "arrived")
    assert arrived["arrived_at"] == "2026-03-18T08:10:20+08:00"
    assert (instead["channel"], instead["instead_of"], instead["address"]) == ("email", lost["n"], "t***@example.org")
    assert [one["contact"] for one in proof["notices"] if one["correction"]] == ["office", "town"]


def test_it_shows_what_was_said_as_it_left_though_the_words_are_others_by_now(
    told: tuple[RecordOffice, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, number = told
    monkeypatch.setattr("notifiers.words.Words.compose", None)  # nothing is put into words anew
    proof = made(office, number)

    [report, *_] = [one for one in proof["notices"] if one["kind"] == "report" and one["channel"] == "sms"]
    left = next(one.text for one in office.sms.taken if (one.template, one.address[-1]) == ("report", "1"))
    [said] = report["texts"]
    assert said["n"] == 1
    assert said["text"].partition("https://")[0] == left.partition("https://")[0]
    assert number in as_page(proof)


def test_a_message_leaves_though_what_it_says_could_not_be_written_down(
    office: RecordOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("daemon.store.sent_texts.keep", full)
    number = office.report()
    assert [one for one in office.sms.taken if one.template == "report"]
    proof = made(office, number)
    assert {len(one["texts"]) for one in proof["notices"]} == {0}
    assert "没有发出内容的记录" in as_page(proof)


def test_nobody_can_act_by_what_the_paper_shows(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    proof = made(office, number)
    texts = "\n".join(said["text"] for one in proof["notices"] for said in one["texts"])
    links = set(re.findall(r"https?://\S+/a/\S+", "\n".join(one.text for one in office.sms.taken)))
    assert links
    assert "/a/…" in texts
    assert not [link for link in links if link in texts or link in as_page(proof)]


def test_a_paper_that_cannot_be_written_is_not_journaled(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    before = office.journal(number)

    def full(_: object) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        make_proof(office.house, number, "W", "1.2.3", office.now, full)
    assert office.journal(number) == before


def test_it_says_who_acknowledged_and_when(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    [answer] = made(office, number)["answers"]
    assert (answer["kind"], answer["role_zh"], answer["by"], answer["way"]) == (
        "acknowledged",
        "教育局控辍保学办公室",
        "office",
        "link",
    )


def test_having_it_made_is_in_the_journal_and_the_last_hash_covers_that(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    before = made(office, number)
    proof = made(office, number, by="赵科长")

    kind, body = office.journal(number)[-1]
    assert (kind, body["by"]) == ("proof of delivery made", "赵科长")
    assert proof["chain"]["whole"]
    assert proof["chain"]["entries"] == before["chain"]["entries"] + 1
    with office.store.read() as tx:
        assert proof["chain"]["last_hash"] == journal.history(tx, office.case(number).case_id)[-1].hash
        assert journal.verify(tx) == []


def test_nobody_in_particular_cannot_have_it_made(office: RecordOffice) -> None:
    number = office.report()
    with pytest.raises(DeskError):
        made(office, number, by=" ")
    with pytest.raises(DeskError):
        made(office, "2026-999999")


def test_a_journal_that_was_changed_proves_nothing_and_the_paper_says_so(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    with office.store.write() as tx:
        forged = tables.entry.update().where(tables.entry.c.seq == 2).values(kind="nothing happened")
        tx.connection.execute(forged)

    proof = made(office, number)

    assert not proof["chain"]["whole"]
    assert "本证明不可采信" in as_page(proof)


def test_what_may_have_been_told_twice_says_so(office: RecordOffice) -> None:
    office.two_days()
    office.sms.refuses_to_send = DeliveryError("busy", doubtful=True)
    office.roll(2, "am", "APP", "08:10")
    office.sms.refuses_to_send = None
    office.works(office.now + 6 * MINUTE)  # a second copy is not sent in a hurry

    proof = made(office, office.number())

    assert {tuple(one["doubts"]) for one in proof["notices"] if one["kind"] == "report"} == {("repeated",)}
    assert "可能重复送达" in as_page(proof)


def test_an_attempt_whose_end_nobody_knows_says_so(office: RecordOffice) -> None:
    office.two_days()
    office.sms.refuses_to_send = DeliveryError("busy")
    office.roll(2, "am", "APP", "08:10")
    with office.store.write() as tx:
        won = sending.claim(tx, office.now + MINUTE, MINUTE, "a dead daemon", 10, ["sms"])
        sending.start_attempts(tx, won, "a dead daemon", office.now + MINUTE)
    assert {one for notice in made(office, office.number())["notices"] for one in notice["doubts"]} == {"lost"}


def test_an_address_that_is_another_by_now_is_not_shown_as_the_one_that_was_told(
    told: tuple[RecordOffice, str],
) -> None:
    office, number = told
    contacts = office.folder / "contacts.csv"
    contacts.write_text(contacts.read_text(encoding="utf-8").replace("13800000003", "13900000009"), encoding="utf-8")
    office.step(2, "14:20")

    [notice] = [one for one in made(office, number)["notices"] if (one["contact"], one["kind"]) == ("office", "report")]

    assert (notice["address"], notice["doubts"]) == (None, ["moved"])


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+8613812341234", "+86138****1234"), ("12345", "****45"), (None, None)],
)
def test_a_number_is_masked(number: str | None, shown: str | None) -> None:
    assert mask_number(number) == shown


def test_a_mail_address_is_masked() -> None:
    assert mask_mail("office@example.org") == "o***@example.org"
    assert mask_mail(None) is None


# ---- the paper ------------------------------------------------------------------------------------------------------


def test_the_page_has_everything_masks_everybody_and_loads_nothing(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    proof = made(office, number)
    page = as_page(proof)

    for part in (number, "控辍保学通知送达证明", "Proof of delivery", "王主任", "1.2.3", proof["chain"]["last_hash"]):
        assert part in page
    assert all(one["hash"] in page for one in proof["journal"])
    for personal in ("13800000001", "town1@example.org", "Tao One", "Child Number001", "Eve"):
        assert personal not in page
    assert not re.search(r"""(src|href)=|url\(|@import|<script""", page)


def test_a_name_with_marks_in_it_is_no_markup(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    page = as_page(made(office, number, by="<script>alert(1)</script>"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_pdf_says_what_the_page_says(told: tuple[RecordOffice, str], tmp_path: Path) -> None:
    typst = pytest.importorskip("typst")
    if not set(FONTS) & set(typst.Fonts().families()):
        pytest.skip("no font here has Chinese in it")
    office, number = told
    proof = made(office, number, by="赵*科长_#[x]")
    paper = as_pdf(proof)
    assert paper.startswith(b"%PDF")
    if shutil.which("pdftotext") is None:
        pytest.skip("needs pdftotext to read it")
    (tmp_path / "p.pdf").write_bytes(paper)
    reading = ["pdftotext", "-layout", str(tmp_path / "p.pdf"), "-"]
    said = subprocess.run(reading, capture_output=True, check=True)  # noqa: S603 - a paper made above
    text = said.stdout.decode()
    for part in (number, "控辍保学通知送达证明", "未送达", proof["chain"]["last_hash"], "赵*科长_#[x]", "page 1 of 4"):
        assert part in text
    assert "13800000001" not in text


def test_a_machine_without_a_chinese_font_is_told_what_to_do(
    told: tuple[RecordOffice, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, number = told
    monkeypatch.setattr("daemon.console.papers.FONTS", ("No Such Font",))
    with pytest.raises(PaperError) as caught:
        as_pdf(made(office, number))
    assert "fonts-noto-cjk" in caught.value.hint


def test_a_machine_without_the_typesetter_is_told_what_to_do(
    told: tuple[RecordOffice, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, number = told
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(PaperError) as caught:
        as_pdf(made(office, number))
    assert "--require-hashes -r requirements-pdf.lock" in caught.value.hint


def test_no_receipt_or_reply_is_ever_rewritten(told: tuple[RecordOffice, str]) -> None:
    office, number = told
    with office.store.read() as tx:
        before = tx.connection.execute(sa.select(tables.receipt)).all()
    office.tells(office.sent_to("01"), "delivered", 3 * MINUTE)
    office.works(office.now + 5 * MINUTE)
    made(office, number)
    with office.store.read() as tx:
        after = tx.connection.execute(sa.select(tables.receipt)).all()
    assert set(before) < set(after)
