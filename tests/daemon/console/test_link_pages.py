"""Links: looking changes nothing, pressing does it once, and nobody learns anything from a page."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient

from daemon.desk.links import Act
from daemon.jobs.office import Actor, approve_closing, propose_closing
from tests.daemon.desk.county_office import Office, local
from tests.daemon.desk.test_office import silence_after_monday


def path(office: Office, act: Act, number: str, contact: str, kind: str) -> str:
    """The path of the link a contact was sent."""
    return "/a/" + office.house.links.url(act, office.alert(number, contact, kind)).partition("/a/")[2]


def entries(office: Office, number: str, kind: str) -> int:
    return [one for one, _ in office.journal(number)].count(kind)


def has_button(text: str) -> bool:
    return "<button" in text


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
    assert all("已签收" in answer.text and not has_button(answer.text) for answer in answers)
    assert entries(office, number, "acknowledged") == 1
    assert office.case(number).state["acknowledged_by"] == "town_government"


def test_an_acknowledged_report_offers_no_button_to_the_other_office(office: Office, browser: TestClient) -> None:
    number = office.report()
    browser.post(path(office, Act.ACKNOWLEDGE, number, "town", "report"))
    answer = browser.get(path(office, Act.ACKNOWLEDGE, number, "office", "report"))
    assert "已签收" in answer.text
    assert not has_button(answer.text)


def test_who_may_not_acknowledge_is_told_who_may(office: Office, browser: TestClient) -> None:
    number = office.report()
    office.roll(3, "am", "APP", "08:10")
    link = path(office, Act.ACKNOWLEDGE, number, "head", "escalation")
    for answer in (browser.get(link), browser.post(link)):
        assert answer.status_code == 403
        assert "教育局控辍保学办公室" in answer.text
        assert "town government, education office" in answer.text
        assert not has_button(answer.text)
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
