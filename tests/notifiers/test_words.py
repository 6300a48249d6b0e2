"""The words of every message, kept as files to read: BAOXUE_GOLDEN=1 writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from daemon.desk.links import Act, Links
from notifiers.contract import Message
from notifiers.email import Email, EmailSettings
from notifiers.examples import examples
from notifiers.phrases import reason_words
from notifiers.words import KINDS, SMS_LIST, Words, WordsError, sms_segments
from tests.notifiers.letters import noon
from tests.phones import SmtpSink

GOLDEN = Path(__file__).parent / "golden"
WORDS = Words()
CASES = (
    "report",
    "escalation",
    "reminder",
    "digest",
    "retraction",
    "return",
    "reopened",
    "closed",
    "confirm_request",
    "first_absence",
)
VARIANTS = ("one", "several", "unconfirmed", "deed", "bare")
CORRECTIONS = ("retraction", "return", "reopened", "closed")


def alert(language: str = "zh", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - any fact of an alert
    return {**examples(language)["one"]["alerts"][0], **changed}


def facts(*alerts: Mapping[str, Any], language: str = "zh", **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - likewise
    return {**examples(language)["one"], "alerts": list(alerts) or [alert(language)], **changed}


def sms(kind: str, language: str = "zh", **given: Any) -> str:  # noqa: ANN401 - likewise
    return WORDS.compose(kind, "sms", language, {**facts(language=language), **given}).text


def agrees(path: Path, text: str) -> None:
    if os.environ.get("BAOXUE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("kind", "variant"), [*product(KINDS, VARIANTS), ("digest", "mixed")])
def test_words_are_those_on_file(kind: str, language: str, variant: str) -> None:
    given = examples(language)[variant]
    agrees(GOLDEN / "sms" / f"{kind}.{language}.{variant}.txt", WORDS.compose(kind, "sms", language, given).text + "\n")
    mail = WORDS.compose(kind, "email", language, given)
    agrees(GOLDEN / "email" / f"{kind}.{language}.{variant}.txt", f"Subject: {mail.subject}\n\n{mail.text}")
    if variant in {"one", "several", "deed", "mixed"}:
        assert mail.html is not None
        agrees(GOLDEN / "email" / f"{kind}.{language}.{variant}.html", mail.html)
    chat = WORDS.compose(kind, "chat", language, given)
    agrees(GOLDEN / "chat" / f"{kind}.{language}.{variant}.txt", f"# {chat.subject}\n{chat.text}")


def test_all_that_ships_is_in_order() -> None:
    assert WORDS.problems() == ()


FINDING = ("report", "escalation", "reopened", "reminder", "digest", "confirm_request")
"""The kinds with a link that say where a child is to be found."""


@pytest.mark.parametrize("variant", ["one", "unconfirmed", "deed", "bare"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_text_message_about_one_child_is_three_segments_at_most(kind: str, language: str, variant: str) -> None:
    """Two where it has no link, or says nothing of where the child is to be found."""
    told = examples(language)[variant]
    more = kind in FINDING and variant != "bare"
    assert sms_segments(WORDS.compose(kind, "sms", language, {**told, "reply_code": None}).text) <= 2 + more
    assert sms_segments(WORDS.compose(kind, "sms", language, told).text) <= 3


def test_links_of_examples_are_as_long_as_those_that_leave() -> None:
    told = alert()
    base, real = "https://baoxue.example.gov.cn", Links([b"key"], "https://baoxue.example.gov.cn")
    for name, act in (("acknowledge", Act.ACKNOWLEDGE), ("confirm_seen", Act.SEEN), ("confirm_absent", Act.ABSENT)):
        assert told[f"{name}_url"].startswith(base)
        assert len(told[f"{name}_url"]) == len(real.url(act, "0" * 32))


@pytest.mark.parametrize(("reply_code", "segments"), [("40213", 7), (None, 14)])
def test_a_list_of_eight_costs_half_as_much_where_one_code_acknowledges_all(
    reply_code: str | None, segments: int
) -> None:
    cases = [alert(case=f"2026-{number:06}") for number in range(SMS_LIST)]
    text = sms("report", alerts=cases, reply_code=reply_code)
    assert sms_segments(text) == segments
    assert text.count("https://") == (0 if reply_code else SMS_LIST)
    assert text.endswith("回复40213全部签收" if reply_code else "电话0900-5550100。")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_report_by_text_message_has_all_a_town_needs(language: str) -> None:
    told = alert(language)
    text = sms("report", language)
    where = (told["school"], told["class"], told["village"])
    for part in (
        told["student"],
        *where,
        told["case"],
        {"zh": "3月19日08:10", "en": "19 Mar 08:10"}[language],
        "0900-5550100",
    ):
        assert part in text
    assert text.endswith(f" {told['acknowledge_url']}")
    assert "tel" not in sms("report", "en", callback=None)


@pytest.mark.parametrize("kind", ["report", "escalation", "confirm_request"])
def test_what_is_unconfirmed_says_so_in_both_languages(kind: str) -> None:
    said = {"sms": "末次点名缺勤，此后不明"}
    for channel in ("sms", "email", "chat"):
        chinese = WORDS.compose(kind, channel, "zh", facts(alert(unconfirmed=True)))
        english = WORDS.compose(kind, channel, "en", facts(alert("en", unconfirmed=True), language="en"))
        for zh, en in ((chinese.text, english.text), (chinese.html, english.html)):
            if zh is not None and en is not None:
                assert said.get(channel, "最后一次点名时缺勤，此后情况不明") in zh
                assert "absent when last seen, nothing known since" in en.lower()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_names_the_case_and_the_reason(kind: str, language: str) -> None:
    reason = {"zh": "考勤记录已更正", "en": "the attendance record was corrected"}[language]
    for channel in ("sms", "email", "chat"):
        told = WORDS.compose(kind, channel, language, facts(language=language))
        assert all(part in told.text for part in ("2026-000123", reason))


@pytest.mark.parametrize("channel", ["sms", "chat", "email"])
def test_a_cause_nobody_foresaw_is_told_nowhere(channel: str) -> None:
    for language, words in (("zh", "详见台账"), ("en", "see the ledger")):
        told = WORDS.compose("closed", channel, language, facts(alert(language, reason="went to his sick aunt")))
        assert words in told.text
        assert "aunt" not in f"{told.text}{told.html}"


@pytest.mark.parametrize("reason", ["deceased", "suspended", "home schooling"])
def test_what_tells_of_illness_disability_or_death_is_told_in_mails_only(reason: str) -> None:
    word = reason_words(reason, "zh", "email")
    said = {
        one: WORDS.compose("closed", one, "zh", facts(alert(reason=reason))).text for one in ("sms", "chat", "email")
    }
    assert {one for one, text in said.items() if word in text} == {"email"}


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_does_not_call_a_child_unconfirmed(kind: str) -> None:
    for channel in ("sms", "email", "chat"):
        told = WORDS.compose(kind, channel, "zh", facts(alert(unconfirmed=True)))
        assert "未确认" not in f"{told.subject}{told.text}{told.html}"


@pytest.mark.parametrize("kind", CASES)
def test_several_alerts_are_one_list(kind: str) -> None:
    cases = [alert(case=f"2026-{number:06}", student=f"王{number}**") for number in range(SMS_LIST + 3)]
    text = sms(kind, alerts=cases)
    assert all(f"2026-{number:06}" in text for number in range(SMS_LIST))
    assert "另有3人" in text
    mail = WORDS.compose(kind, "email", "zh", facts(*cases))
    assert mail.html is not None
    assert all(each["case"] in mail.text and each["case"] in mail.html for each in cases)


def test_each_of_several_alerts_keeps_its_own_link() -> None:
    cases = [alert(acknowledge_url=f"https://x.example/a/{number}") for number in range(3)]
    text = sms("report", alerts=cases, reply_code=None)
    assert [f"/a/{number} " in text for number in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_hostile_name_stays_a_name(kind: str, language: str) -> None:
    name = "O'<i>\"&「」\r\nBcc: x@y\u202e{{ 7*7 }}😀"
    given = facts(alert(student=name, school=name, reason=name), unit=name, classes=[name], district=name, feed=name)
    mail = WORDS.compose(kind, "email", language, given)
    text = WORDS.compose(kind, "sms", language, given).text
    assert mail.subject is not None
    assert mail.html is not None
    assert not re.search(r"[\r\n\u202e]", mail.subject + text)
    assert "\nBcc" not in mail.text
    assert "<i>" not in mail.html
    assert "49" not in mail.text + text
    if kind in CASES:
        assert "&lt;i&gt;" in mail.html


class _Outside(HTMLParser):
    """Whatever a mail would fetch, and tags left open."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [tag for name, _ in attrs if name in {"src", "background", "srcset"}]
        self.fetched += [tag for name, value in attrs if name == "style" and "url(" in (value or "")]
        if tag in {"link", "script", "img", "iframe", "object", "style"}:
            self.fetched.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_mail_fetches_nothing_and_closes_its_tags(kind: str, language: str) -> None:
    page = _Outside()
    page.feed(WORDS.compose(kind, "email", language, examples(language)["several"]).html or "")
    assert (page.fetched, page.open) == ([], [])


def test_a_mail_arrives_with_its_words() -> None:
    told = WORDS.compose("report", "email", "zh", facts())
    with SmtpSink() as sink:
        channel = Email(EmailSettings("127.0.0.1", "控辍保学 <baoxue@example.org>", sink.port), noon)
        channel.send(Message("m-1", "email", "town@example.org", told.subject, told.text, told.html))
        channel.close()
        arrival = sink.expects_only("town@example.org", "张**", "签收")
    assert (arrival.subject, arrival.text, arrival.html) == (told.subject, told.text, told.html)


@pytest.mark.parametrize("variant", ["one", "several", "deed", "mixed"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", ["email", "chat"])
def test_who_reads_chinese_is_told_in_chinese_only(kind: str, channel: str, variant: str) -> None:
    """But for addresses, names of files, commands, and the English of a fault behind its 中文."""
    told = WORDS.compose(kind, channel, "zh", examples("zh")[variant])
    for text in (told.subject or "", told.text):
        lines = [
            re.sub(r"https?:\S+|（[^（）]*[A-Za-z][^（）]*）|baoxue \S+( \S+)*", "", line) for line in text.splitlines()
        ]
        assert [line for line in lines if re.search(r"(?:[A-Za-z]+ ){3}", line)] == []


@pytest.mark.parametrize("kind", ["report", "escalation", "reminder"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_somebody_who_may_not_acknowledge_is_not_asked_to(kind: str, language: str) -> None:
    given = examples(language)["deed"]
    for channel in ("sms", "email", "chat"):
        told = WORDS.compose(kind, channel, language, given)
        said = f"{told.text}{told.html}"
        assert given["alerts"][0]["record_url"] in said
        assert not re.search(r"签收并|签收 http|Acknowledge, and|Acknowledge: ", said)


def test_a_fault_is_said_in_chinese_first_and_none_stands_in_english_alone() -> None:
    faults = [{"file": "config.toml", "line": 3, "key": "feed", "fault": fault, "hint": hint} for fault, hint in FAULTS]
    mail = WORDS.compose("rules_refused", "email", "zh", {**facts(), "faults": faults, "count": len(faults)})
    said = [line.strip() for line in mail.text.splitlines() if line.startswith("   ")]
    assert len(said) == len(faults)
    assert all(re.match(r"[“\w]*[\u4e00-\u9fff]", line) for line in said)
    assert said[0] == '没有填 – 例如：path = "units.csv"'
    assert said[1] == "没有这个配置项（is no key known here） – 是不是想写path？"
    assert said[-1] == "有误，原文：the moon is full – 提示原文：wait for a cloud"


FAULTS = (
    ("is missing", 'where it is read from, for example: path = "units.csv"'),
    ("is no key known here", "did you mean path?"),
    ("is not valid TOML", "leave it out"),
    ("is text, not a number", "write a number"),
    ("cannot be read: Permission denied", "let the daemon read it"),
    ("the moon is full", "wait for a cloud"),
)


def test_an_unknown_language_is_told_in_chinese() -> None:
    assert sms("report", "bo") == sms("report", "zh")


def test_a_template_changed_on_disk_is_seen_by_new_words_only(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    mine = tmp_path / "sms" / "report.zh.txt.j2"
    mine.write_text("自己的{{ alerts[0].case }}\n", encoding="utf-8")
    before = Words(tmp_path)
    mine.write_text("另一个{{ alerts[0].case }}\n", encoding="utf-8")
    assert before.compose("report", "sms", "zh", facts()).text == "自己的2026-000123"
    assert Words(tmp_path).compose("report", "sms", "zh", facts()).text == "另一个2026-000123"


def test_a_template_that_is_no_text_is_named_and_the_shipped_one_speaks(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "report.zh.txt.j2").write_bytes(b"\xff\xfe\x00")
    words = Words(tmp_path)
    assert [(one.template, one.fault) for one in words.problems()] == [("sms/report.zh.txt.j2", "is not UTF-8 text")]
    assert words.compose("report", "sms", "zh", facts()).text == sms("report")


def test_an_operators_template_comes_first(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "report.zh.txt.j2").write_text("自己的{{ alerts[0].case }}\n", encoding="utf-8")
    words = Words(tmp_path)
    assert words.problems() == ()
    assert words.compose("report", "sms", "zh", facts()).text == "自己的2026-000123"
    assert words.compose("return", "sms", "zh", facts()).text == sms("return")


@pytest.mark.parametrize(
    ("template", "line", "fault"),
    [
        ("一\n{{ alerts[0].caze }}", 2, "has no attribute 'caze'"),
        ("一\n二\n{% if %}", 3, "Expected an expression"),
        ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
        ("{{ alerts.append(1) }}", 1, "no attribute"),
        ("{{ district | nosuch }}", 1, "No filter named 'nosuch'"),
        ("{{ 1 / 0 }}", 1, "fails with ZeroDivisionError"),
        ("{% for a in range(10000000) %}{% endfor %}", 1, "fails with OverflowError"),
        ("{% include 'sms/nosuch.j2' %}", 1, "sms/nosuch.j2 does not exist"),
    ],
)
def test_a_bad_template_is_named_with_line_and_fault(
    tmp_path: Path, template: str, line: int | None, fault: str
) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "report.zh.txt.j2").write_text(template, encoding="utf-8")
    problems = Words(tmp_path).problems()
    assert {(problem.template, problem.line) for problem in problems} == {("sms/report.zh.txt.j2", line)}
    assert all(fault in problem.fault for problem in problems)


def test_a_misspelt_override_is_told(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "reprot.zh.txt.j2").write_text("x", encoding="utf-8")
    (problem,) = Words(tmp_path).problems()
    assert str(problem) == "sms/reprot.zh.txt.j2  replaces no template – did you mean sms/report.zh.txt.j2?"


def test_a_mail_without_a_subject_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "test.zh.txt.j2").write_text("text only", encoding="utf-8")
    assert "sets no subject" in {problem.fault for problem in Words(tmp_path).problems()}


def test_an_error_quotes_no_fact(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "report.zh.txt.j2").write_text("{{ alerts[0].student | int(base='x') + {} }}", encoding="utf-8")
    with pytest.raises(WordsError) as caught:
        Words(tmp_path).compose("report", "sms", "zh", facts())
    assert "张" not in str(caught.value)
