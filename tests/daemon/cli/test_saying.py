"""`say --dry-run`: any kind, on any channel, in both languages, in the operator's own words; nothing leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from daemon.cli.saying import CHANNELS, EXAMPLES
from notifiers.words import KINDS
from tests.daemon.cli.conftest import Terminal

ROBOTS = """
[channels.chat.endpoints.hedong]
provider = "wecom"
url_file = "robot.url"
[channels.chat.endpoints.hexi]
provider = "feishu"
url_file = "robot.url"
[channels.chat.endpoints.henan]
provider = "wecom"
url_file = "robot.url"
"""


@pytest.fixture
def known(terminal: Terminal) -> Terminal:
    """A county whose contacts are known."""
    terminal.told("import")
    return terminal


def write(terminal: Terminal, name: str, text: str) -> None:
    path = terminal.folder / "templates" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def robots(folder: Path) -> None:
    (folder / "robot.url").write_text("http://127.0.0.1:9/robot?key=secret", encoding="ascii")
    (folder / "robot.url").chmod(0o600)
    config = folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8") + ROBOTS, encoding="utf-8")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_is_shown_on_every_channel(known: Terminal, language: str) -> None:
    shown = known.records("say", "--template", "all", "--language", language, "--dry-run")
    assert {(one["kind"], one["channel"]) for one in shown} == {(kind, one) for kind in KINDS for one in CHANNELS}
    for one in shown:
        assert (one["language"], one["sent"], one["address"]) == (language, False, None)
        assert (one["subject"] is None) == (one["channel"] in {"sms", "webhook"})
        assert (one.get("html") is None) == (one["channel"] != "email")
        assert (one["text"] is None) == (one["body"] is not None) == (one["channel"] == "webhook")


def test_a_text_message_shows_what_it_costs_with_our_own_links_and_names(known: Terminal) -> None:
    [one] = known.records("say", "--template", "report", "--channel", "sms", "--dry-run")
    assert (one["encoding"], one["segments"]) == ("ucs2", 2)
    assert "https://baoxue.example.org/a/" in one["text"]
    assert one["text"].startswith("【County】控辍保学报告：")
    [long] = known.records("say", "--template", "report", "--channel", "sms", "--example", "several", "--dry-run")
    assert long["segments"] > 3
    assert "segments  2" in known.told("say", "--template", "report", "--channel", "sms", "--dry-run")


def test_the_operators_own_words_are_shown_with_their_file(known: Terminal) -> None:
    write(known, "sms/report.zh.txt.j2", "自己的话{{ alerts[0].case }}")
    write(known, "sms/http/return.zh.txt.j2", "网关的话{{ alerts[0].case }}")
    shown = known.records("say", "--template", "all", "--channel", "sms", "--language", "zh", "--dry-run")
    told = {one["kind"]: (one["template"], one["text"]) for one in shown}
    assert told["report"] == ("templates/sms/report.zh.txt.j2", "自己的话2026-000123")
    assert told["return"] == ("templates/sms/http/return.zh.txt.j2", "网关的话2026-000123")
    assert told["closed"][0] == "sms/closed.zh.txt.j2 as shipped"


def test_of_group_chats_one_of_each_provider_is_shown_in_its_own_words(known: Terminal) -> None:
    robots(known.folder)
    write(known, "chat/wecom/report.zh.txt.j2", "{% set subject %}报{% endset %}微信的话")
    shown = known.records("say", "--template", "report", "--channel", "chat", "--dry-run")
    assert [(one["address"], "微信的话" in one["text"]) for one in shown] == [("hedong", True), ("hexi", False)]


def test_a_mail_reads_line_by_line(known: Terminal) -> None:
    shown = known.told("say", "--template", "digest", "--channel", "email", "--dry-run")
    assert "subject" in shown
    assert "\n1. 案件 2026-000123 · 辍学苗头\n" in shown
    assert "\n- 每日巡检\n" in shown


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_shown(known: Terminal, example: str) -> None:
    words = ("say", "--template", "report", "--channel", "sms", "--example", example, "--dry-run")
    assert "2026-000123" in known.told(*words)


def test_a_recipient_is_shown_what_it_would_get(known: Terminal) -> None:
    [one] = known.records("say", "--to", "town", "--language", "en", "--template", "report", "--dry-run")
    assert (one["contact"], one["channel"], one["language"]) == ("town", "sms", "en")
    assert "Absence report" in one["text"]


def test_the_preview_for_somebody_is_what_would_be_sent_to_them(known: Terminal) -> None:
    said = {
        who: known.records("say", "--to", who, "--template", "report", "--dry-run")[0]["text"]
        for who in ("town", "head", "operator")
    }
    assert "签收 https" in said["town"]
    assert "登记处置 https" in said["head"]
    assert {who: "三年级1班" in text for who, text in said.items()} == {"town": True, "head": True, "operator": False}
    [corrected] = known.records("say", "--to", "town", "--template", "retraction", "--dry-run")
    assert "三年级1班" not in corrected["text"]


def test_a_registered_signature_begins_every_text_message(known: Terminal) -> None:
    config = known.folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace('sign_name = "County"', 'sign_name = "青禾县教育局"')
    config.write_text(text, encoding="utf-8")
    for language in ("zh", "en"):
        [one] = known.records("say", "--template", "test", "--channel", "sms", "--language", language, "--dry-run")
        assert one["text"].startswith("【青禾县教育局】")
    assert "sign_name" not in known.ask("check").stderr


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("say",), "--to  nobody is named"),
        (("say", "--to", "town", "--template", "all"), "--template  all of them are sent to nobody"),
        (("say", "--template", "reprot", "--dry-run"), 'did you mean "report"?'),
        (("say", "--to", "town", "--channel", "email", "--dry-run"), "add a table [channels.email]"),
    ],
)
def test_what_cannot_be_said_is_refused(known: Terminal, words: tuple[str, ...], fault: str) -> None:
    assert fault in known.refused(*words)


def test_a_wrong_template_is_refused_with_its_line_before_anything_is_shown(known: Terminal) -> None:
    write(known, "sms/report.zh.txt.j2", "一\n{{ alerts[0].caze }}")
    refused = known.refused("say", "--template", "report", "--channel", "sms", "--dry-run")
    assert "templates/sms/report.zh.txt.j2:2" in refused
    assert "caze" in refused
