"""Words for one provider only: below the channel's folder, in a folder of its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from notifiers.examples import examples
from notifiers.words import KINDS, LANGUAGES, Words, WordsError

FACTS = examples("zh")["one"]
SHIPPED = Words()
ESCAPES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ alerts.__class__ }}",
    "{{ say.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.environ }}",
    "{{ (case | default(''))['__class__'] }}",
    "{{ ''['__cla' ~ 'ss__'] }}",
    "{{ alerts | map(attribute='__class__') | first }}",
    "{{ alerts[0] | attr('__class__') }}",
    "{{ '{0.__class__}'.format(district) }}",
    "{{ '%s' | format(nobody) }}",
    "{{ alerts[0].update({'student': 'x'}) }}",
    "{{ range(10 ** 9) | list }}",
    "{% include '../../config.toml' %}",
    "{% import '/etc/passwd' as p %}{{ p }}",
)


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


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("sms/gamu/report.zh.txt.j2", "is for a provider there is not – did you mean gammu?"),
        ("chat/pigeon/report.zh.txt.j2", "is for a provider there is not – known: dingtalk, feishu, wecom"),
        ("sms/aliyun/report.zh.txt.j2", "is never said: aliyun takes approved texts only"),
        ("email/smtp/report.zh.txt.j2", "is for a provider there is not"),
    ],
)
def test_words_that_no_provider_would_say_are_refused(tmp_path: Path, name: str, fault: str) -> None:
    problems = written(tmp_path, name, "{% set subject %}x{% endset %}x").problems()
    assert next(str(one) for one in problems if fault in str(one)).startswith(f"{name}  ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("channel", ["sms", "chat", "email"])
def test_every_kind_can_be_said_otherwise_on_every_channel(
    tmp_path: Path, channel: str, kind: str, language: str
) -> None:
    name = f"{channel}/{kind}.{language}.txt.j2"
    words = written(tmp_path, name, "{% set subject %}自己的题{% endset %}自己的话")
    given = examples(language)["one"]
    assert words.template(kind, channel, language) in words.own
    assert "自己的话" in words.compose(kind, channel, language, given).text
    other = "en" if language == "zh" else "zh"
    assert words.compose(kind, channel, other, given) == SHIPPED.compose(kind, channel, other, given)


def test_a_mail_whose_letter_is_the_operators_own_is_so_for_every_kind(tmp_path: Path) -> None:
    words = written(tmp_path, "email/letter.html.j2", "<p>{{ words.subject }}</p>")
    assert words.problems() == ()
    assert words.compose("report", "email", "zh", FACTS).html == (
        "<p>控辍保学报告：2026-000123 城关镇中心小学 张**</p>\n"
    )


def test_a_change_of_the_mails_leaves_the_group_chats_as_they_are(tmp_path: Path) -> None:
    words = written(tmp_path, "email/report.zh.txt.j2", "{% set subject %}x{% endset %}x")
    assert words.compose("report", "chat", "zh", FACTS) == SHIPPED.compose("report", "chat", "zh", FACTS)


@pytest.mark.parametrize("template", ESCAPES)
@pytest.mark.parametrize("name", ["sms/report.zh.txt.j2", "chat/report.zh.txt.j2", "email/report.zh.html.j2"])
def test_no_template_gets_out_of_its_box(tmp_path: Path, name: str, template: str) -> None:
    words = written(tmp_path, name, "{% set subject %}x{% endset %}\n" + template)
    with pytest.raises(WordsError) as refused:
        words.compose("report", name.partition("/")[0], "zh", FACTS)
    assert (refused.value.problem.template, refused.value.problem.line) == (name, 2)
    assert "张" not in str(refused.value)


def volume(folder: Path, version: str, name: str, text: str) -> None:
    """Lay a template into a folder as a mounted ConfigMap does: a hidden version, and a link to it that is swapped."""
    (folder / version / name).parent.mkdir(parents=True)
    (folder / version / name).write_text(text, encoding="utf-8")
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    top = folder / name.partition("/")[0]
    if not top.is_symlink():
        top.symlink_to(f"..data/{top.name}")


def test_the_hidden_versions_of_a_mounted_volume_are_no_templates(tmp_path: Path) -> None:
    volume(tmp_path, "..2026_1", "sms/gammu/report.zh.txt.j2", "一 {{ alerts[0].case }}")
    words = Words(tmp_path)
    assert words.problems() == ()
    assert words.compose("report", "sms", "zh", FACTS, "gammu").text == "一 2026-000123"
    volume(tmp_path, "..2026_2", "sms/gammu/report.zh.txt.j2", "二 {{ alerts[0].case }}")
    assert Words(tmp_path).compose("report", "sms", "zh", FACTS, "gammu").text == "二 2026-000123"


def test_a_misspelt_template_behind_a_link_is_named_all_the_same(tmp_path: Path) -> None:
    volume(tmp_path, "..2026_1", "sms/reprot.zh.txt.j2", "x")
    assert [problem.template for problem in Words(tmp_path).problems()] == ["sms/reprot.zh.txt.j2"]


def test_what_an_editor_leaves_hidden_beside_a_template_is_none(tmp_path: Path) -> None:
    words = written(tmp_path, "email/report.zh.txt.j2", "{% set subject %}题{% endset %}文")
    (tmp_path / "email" / ".#report.zh.txt.j2").symlink_to("me@host.4711:1")
    (tmp_path / "email" / ".report.zh.txt.j2").write_text("{{", encoding="utf-8")
    assert words.problems() == ()
    assert Words(tmp_path).problems() == ()


def test_a_link_that_leads_back_into_the_templates_is_followed_once(tmp_path: Path) -> None:
    words = written(tmp_path, "sms/report.zh.txt.j2", "文")
    (tmp_path / "sms" / "again").symlink_to("..")
    assert words.problems() == ()
