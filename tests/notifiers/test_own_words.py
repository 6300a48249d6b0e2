"""Words for one provider only: below the channel's folder, in a folder of its name."""

from __future__ import annotations

from pathlib import Path

from notifiers.examples import examples
from notifiers.words import Words

FACTS = examples("zh")["one"]


def written(folder: Path, name: str, text: str) -> Words:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Words(folder)


def test_a_provider_with_words_of_its_own_says_those_and_others_the_common_ones(tmp_path: Path) -> None:
    words = written(tmp_path, "sms/gammu/report.zh.txt.j2", "短信猫 {{ alerts[0].case }}")
    assert words.problems() == ()
    assert words.compose("report", "sms", "zh", FACTS, "gammu").text == "短信猫 2026-000123"
    common = Words().compose("report", "sms", "zh", FACTS)
    assert words.compose("report", "sms", "zh", FACTS, "http") == common
    assert words.compose("report", "sms", "zh", FACTS) == common
    assert words.compose("escalation", "sms", "zh", FACTS, "gammu") == Words().compose("escalation", "sms", "zh", FACTS)


def test_what_is_wrong_with_them_is_told_by_their_name(tmp_path: Path) -> None:
    words = written(tmp_path, "sms/gammu/report.zh.txt.j2", "{{ nobody }}")
    assert {problem.template for problem in words.problems()} == {"sms/gammu/report.zh.txt.j2"}


def test_those_for_a_kind_there_is_not_replace_nothing(tmp_path: Path) -> None:
    [problem] = written(tmp_path, "sms/gammu/reprot.zh.txt.j2", "x").problems()
    assert str(problem).startswith("sms/gammu/reprot.zh.txt.j2  replaces no template")
