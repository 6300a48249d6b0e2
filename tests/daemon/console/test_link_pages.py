"""Links: looking changes nothing, pressing does it once, and nobody learns anything from a page."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from daemon.desk.deeds import LONGEST_NOTE, Deed
from daemon.desk.links import Act
from daemon.jobs.office import Actor, acknowledge, approve_closing, propose_closing
from tests.daemon.desk.county_office import Office, local
from tests.daemon.desk.test_office import silence_after_monday


def path(office: Office, act: Act, number: str, contact: str, kind: str) -> str:
    """The path of the link a contact was sent."""
    return "/a/" + office.house.links.url(act, office.alert(number, contact, kind)).partition("/a/")[2]


def entries(office: Office, number: str, kind: str) -> int:
    return [one for one, _ in office.journal(number)].count(kind)


def has_button(text: str) -> bool:
    return "<button" in text


def may_acknowledge(text: str) -> bool:
    """Whether a page has the button that acknowledges, beside the form."""
    return ">签收<" in text


def deeds(office: Office, number: str) -> list[dict[str, Any]]:
    return [body for kind, body in office.journal(number) if kind == "what was done"]


def test_looking_changes_nothing(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    for _ in range(3):
        assert has_button(browser.get(link).text)
        assert browser.head(link).status_code == 200
    assert entries(office, number, "acknowledged") == 0
    assert office.case(number).state.get("acknowledged_at") is None


def test_pressing_acknowledges_once(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    answers = [browser.post(link) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert all("已签收" in answer.text and not may_acknowledge(answer.text) for answer in answers)
    assert entries(office, number, "acknowledged") == 1
    assert office.case(number).state["acknowledged_by"] == "town_government"


def test_an_acknowledged_report_offers_no_button_to_the_other_office(office: Office, browser: TestClient) -> None:
    number = office.report()
    browser.post(path(office, Act.ACKNOWLEDGE, number, "town", "report"))
    answer = browser.get(path(office, Act.ACKNOWLEDGE, number, "office", "report"))
    assert "已签收：乡镇（街道）政府" in answer.text
    assert not may_acknowledge(answer.text)


def test_who_may_not_acknowledge_is_told_who_may(office: Office, browser: TestClient) -> None:
    number = office.report()
    office.roll(3, "am", "APP", "08:10")
    for act in (Act.ACKNOWLEDGE, Act.DEED):
        link = path(office, act, number, "head", "escalation")
        for answer, status in ((browser.get(link), 200), (browser.post(link), 422)):
            assert answer.status_code == status
            assert "教育局控辍保学办公室" in answer.text
            assert "town government, education office" in answer.text
            assert not may_acknowledge(answer.text)
    assert entries(office, number, "acknowledged") == 0


def test_a_report_that_does_not_stand_any_more_needs_nothing(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    office.roll(2, "pm", "PPP", "14:10")
    answer = browser.post(link)
    assert answer.status_code == 200
    assert "无需处理" in answer.text
    assert entries(office, number, "acknowledged") == 0


def test_a_closed_case_has_friendly_words(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    propose_closing(office.house, number, "verified elsewhere", Actor("One"), local(2, "09:00"))
    approve_closing(office.house, number, Actor("Two"), local(2, "09:01"))
    for answer in (browser.get(link), browser.post(link)):
        assert answer.status_code == 200
        assert "已办结" in answer.text


@pytest.mark.parametrize(("act", "seen"), [(Act.SEEN, True), (Act.ABSENT, False)])
def test_a_question_is_answered_once_a_session(
    office: Office,
    browser: TestClient,
    act: Act,
    seen: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    number = silence_after_monday(office)
    link = path(office, act, number, "teacher", "confirm_request")
    office.now = local(2, "08:05")
    assert has_button(browser.get(link).text)
    assert [browser.post(link).status_code for _ in range(2)] == [200, 200]
    assert [body["seen"] for kind, body in office.journal(number) if kind == "confirmed"] == [seen]
    office.now = local(2, "14:05")
    assert has_button(browser.get(link).text)


def test_an_answer_may_be_taken_back(office: Office, browser: TestClient) -> None:
    number = silence_after_monday(office)
    office.now = local(2, "08:05")
    for act in (Act.SEEN, Act.ABSENT):
        assert browser.post(path(office, act, number, "teacher", "confirm_request")).status_code == 200
    assert [body["seen"] for kind, body in office.journal(number) if kind == "confirmed"] == [True, False]


def test_an_old_question_is_not_answered_any_more(office: Office, browser: TestClient) -> None:
    number = silence_after_monday(office)
    link = path(office, Act.SEEN, number, "teacher", "confirm_request")
    office.now = local(20, "08:05")
    assert not has_button(browser.get(link).text)
    assert "无需处理" in browser.post(link).text
    assert entries(office, number, "confirmed") == 0


# ---- what was done --------------------------------------------------------------------------------------------------


def was_there(office: Office) -> None:
    """The school says on Wednesday that the child was there on Monday and Tuesday."""
    rows = [f"s-001,2026-03-{day},{session},present" for day in (16, 17) for session in ("am", "pm")]
    text = "\n".join(["student_id,date,session,mark", *rows]) + "\n"
    (office.folder / "marks-corrected.csv").write_text(text, encoding="utf-8")
    office.step(2, "09:00")


def done(deed: str, note: str = "", back_on: str = "") -> dict[str, str]:
    """The fields a browser sends."""
    return {"deed": deed, "note": note, "back_on": back_on}


@pytest.mark.parametrize("deed", Deed)
def test_what_was_done_is_on_record_with_whose_link_it_was(office: Office, browser: TestClient, deed: Deed) -> None:
    number = office.report()
    office.roll(3, "am", "APP", "08:10")
    link = path(office, Act.DEED, number, "head", "escalation")
    answer = browser.post(link, data=done(deed.value, "家访", "2026-03-20"))
    assert answer.status_code == 200
    assert "已登记" in answer.text
    assert deeds(office, number) == [
        {
            "deed": deed.value,
            "note": "家访",
            "back_on": "2026-03-20",
            "by": "town_head head",
            "way": "link",
            "role": "town_head",
            "contact": "head",
        }
    ]
    assert office.case(number).state["acted_at"] is not None
    assert office.case(number).state.get("acknowledged_at") is None


def test_saying_what_was_done_acknowledges_where_that_counts(office: Office, browser: TestClient) -> None:
    number = office.report()
    browser.post(path(office, Act.ACKNOWLEDGE, number, "town", "report"), data=done("visited"))
    assert [kind for kind, _ in office.journal(number)][-2:] == ["acknowledged", "what was done"]
    assert office.case(number).state["acknowledged_contact"] == "town"


def test_an_unfilled_form_neither_acknowledges_nor_records(office: Office, browser: TestClient) -> None:
    number = office.report()
    answer = browser.post(path(office, Act.ACKNOWLEDGE, number, "town", "report"), data={"note": "", "back_on": ""})
    assert answer.status_code == 422
    assert "请选择一项" in answer.text
    assert entries(office, number, "acknowledged") == 0
    assert deeds(office, number) == []


def test_the_same_said_twice_on_a_day_is_kept_once_and_something_else_as_well(
    office: Office, browser: TestClient
) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    for _ in range(2):
        assert browser.post(link, data=done("called")).status_code == 200
    browser.post(link, data=done("called", "父亲接的"))
    assert [one.get("note") for one in deeds(office, number)] == [None, "父亲接的"]
    office.now += dt.timedelta(days=1)
    browser.post(link, data=done("called"))
    assert len(deeds(office, number)) == 3


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (done("", "写了说明"), "请选择一项"),
        (done("flown", "写了说明"), "请选择一项"),
        (done("other"), "请在说明中写明"),
        (done("found", "写了说明"), "请填写预计返校日期"),
        (done("found", "写了说明", "2026-03-17"), "返校日期应在2026-03-18至"),
        (done("found", "写了说明", "2027-03-17"), "返校日期应在2026-03-18至"),
        (done("found", "写了说明", "2026-02-30"), "返校日期请写成"),
        (done("found", "写了说明", "周五"), "返校日期请写成"),
        (done("called", "字" * (LONGEST_NOTE + 1)), f"说明最多{LONGEST_NOTE}字"),
    ],
)
def test_what_cannot_be_kept_is_said_and_what_was_typed_stays(
    office: Office, browser: TestClient, fields: dict[str, str], words: str
) -> None:
    number = office.report()
    answer = browser.post(path(office, Act.ACKNOWLEDGE, number, "town", "report"), data=fields)
    assert answer.status_code == 422
    assert words in answer.text
    assert fields["note"] in answer.text
    assert f'value="{fields["back_on"]}"' in answer.text
    assert deeds(office, number) == []
    assert entries(office, number, "acknowledged") == 0


def test_a_day_is_understood_as_people_write_it(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    for day in ("2026/3/20", "2026年3月20日", "２０２６-０３-２０"):
        assert browser.post(link, data=done("found", day, day)).status_code == 200
    assert {one["back_on"] for one in deeds(office, number)} == {"2026-03-20"}


def test_what_is_typed_is_text_and_nothing_else(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    answer = browser.post(link, data=done("other", "", '"><script>alert(1)</script>'))
    assert "<script" not in answer.text
    for body, kind, status in (
        (urlencode(done("called", "字" * 10_000)).encode(), "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a=1" for _ in range(100)), "application/x-www-form-urlencoded", 413),
        (b"\xff\xfe=%ff", "application/x-www-form-urlencoded", 422),
    ):
        assert browser.post(link, content=body, headers={"Content-Type": kind}).status_code == status
    assert deeds(office, number) == []


@pytest.mark.parametrize(("deed", "words"), [("ill", "补录请假"), ("moved", "录入异动"), ("found", "返校观察")])
def test_an_entry_that_is_no_leave_and_no_movement_says_what_has_to_be_entered(
    office: Office, browser: TestClient, deed: str, words: str
) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    assert words in browser.post(link, data=done(deed, "", "2026-03-20")).text
    case = office.case(number)
    assert (case.is_open, case.stage) == (True, "reported")


def test_the_page_says_by_when_something_must_be_recorded(office: Office, browser: TestClient) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    before = browser.get(link).text
    assert "签收后24小时内请登记" in before
    assert "签收后3天仍没有登记的，签收失效" in before
    office.now = local(2, "10:00")
    after = browser.post(link).text
    assert "请在2026年3月19日（周四）10:00前登记做了什么" in after
    assert "到2026年3月21日（周六）10:00仍没有登记的，签收失效" in after
    assert "已有处置记录，签收有效" in browser.post(link, data=done("called")).text


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (lambda office: office.roll(2, "pm", "PPP", "14:10"), "学生已返校"),
        (was_there, "此报告已撤回"),
    ],
)
def test_of_a_report_that_is_over_the_page_says_why_and_keeps_nothing(
    office: Office,
    browser: TestClient,
    happens: Callable[[Office], object],
    words: str,
) -> None:
    number = office.report()
    link = path(office, Act.ACKNOWLEDGE, number, "town", "report")
    happens(office)
    for answer in (browser.get(link), browser.post(link, data=done("called"))):
        assert answer.status_code == 200
        assert words in answer.text
        assert not has_button(answer.text)
    assert deeds(office, number) == []


def test_another_office_sees_who_acknowledged_and_may_say_what_it_did(office: Office, browser: TestClient) -> None:
    number = office.report()
    acknowledge(office.house, number, Actor("Tao"), local(2, "09:00"))
    link = path(office, Act.ACKNOWLEDGE, number, "office", "report")
    assert "已签收：办公室" in browser.get(link).text
    browser.post(link, data=done("called"))
    assert [one["contact"] for one in deeds(office, number)] == ["office"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_forged_or_foreign_link_leads_nowhere(office: Office, browser: TestClient, method: str) -> None:
    link = path(office, Act.ACKNOWLEDGE, office.report(), "town", "report")
    forged = link[:-6] + ("AAAAAA" if not link.endswith("AAAAAA") else "BBBBBB")
    foreign = "/a/" + office.house.links.url(Act.ACKNOWLEDGE, "0" * 32).partition("/a/")[2]
    for wrong in (forged, foreign, "/a/x", "/a/签", "/a/" + "A" * 5000, "/a/", "/", "/nothing"):
        answer = browser.request(method, wrong)
        assert answer.status_code == 404, wrong
        assert "此链接无效" in answer.text


def test_no_other_method_does_anything(office: Office, browser: TestClient) -> None:
    link = path(office, Act.ACKNOWLEDGE, office.report(), "town", "report")
    for method in ("PUT", "DELETE", "PATCH"):
        assert browser.request(method, link).status_code == 405


def test_a_page_names_nobody_and_loads_nothing(office: Office, browser: TestClient) -> None:
    number = office.report()
    answer = browser.get(path(office, Act.ACKNOWLEDGE, number, "town", "report"))
    for secret in ("Child", "Tao", "School", "Town", "s-001", "1380000"):
        assert secret not in answer.text
    assert number in answer.text
    assert not re.search(r"<script|<link|<img|https?:|src=|href=|style=|\bon\w+=", answer.text)
    assert answer.text.index("签收报告") < answer.text.index("Acknowledge this report")


@pytest.mark.parametrize("where", ["/a/x", "/nothing", "/healthz", "/readyz", "/metrics"])
def test_every_answer_is_for_one_reader_only(browser: TestClient, where: str) -> None:
    headers = browser.get(where).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_bug_behind_a_page_shows_nothing_of_itself(
    office: Office, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = path(office, Act.ACKNOWLEDGE, office.report(), "town", "report")
    monkeypatch.setattr("daemon.console.links.cases.cases_by_id", lambda *_: 1 / 0)
    answer = browser.get(link)
    assert answer.status_code == 500
    assert "暂时无法处理" in answer.text
    assert "division" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
