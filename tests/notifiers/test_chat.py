"""Group robots, against groups that judge messages as their providers' documentation says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.chat.dingtalk import signature as dingtalk_signature
from notifiers.chat.feishu import signature as feishu_signature
from notifiers.chat.lines import fitted
from notifiers.chat.room import Chat
from notifiers.contract import DeliveryError, Fault, Message, Notifier
from notifiers.examples import examples
from notifiers.provider import SettingError, providers
from notifiers.words import KINDS, Words
from tests.notifiers.letters import NOON, closed_port
from tests.phones import Answer
from tests.phones_robots import KEY, SECRET, DingTalkPhone, FeishuPhone, RobotPhone, WeComPhone

WORDS = Words()
PHONES: Mapping[str, Callable[..., RobotPhone]] = {
    "wecom": WeComPhone,
    "dingtalk": DingTalkPhone,
    "feishu": FeishuPhone,
}
SIGNING = ("dingtalk", "feishu")


class Hands:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> dt.datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def groups(clock: Hands) -> Iterator[dict[str, RobotPhone]]:
    with ExitStack() as held:
        yield {name: held.enter_context(phone(clock, strict=False)) for name, phone in PHONES.items()}


def robot(provider: str, url: str, clock: Callable[[], dt.datetime], **changed: Any) -> Notifier:  # noqa: ANN401
    chosen = providers("chat")[provider]
    settings = {key.name: key.default for key in chosen.keys}
    settings |= {"url": url, "timeout": dt.timedelta(seconds=5)}
    settings |= {"secret": SECRET} if provider in SIGNING else {}
    return chosen.build(settings | changed, clock)


def said(subject: str = "控辍保学报告", text: str = "第一行\n> 第二行", kind: str = "report") -> Message:
    return Message("m-1", "chat", "hedong", subject, text, template=kind)


def refusal(notifier: Notifier, message: Message | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        notifier.send(message or said())
    shown = f"{caught.value} {caught.value.__context__}"
    assert not any(secret in shown for secret in (KEY, SECRET, "第一行"))
    return caught.value


@pytest.mark.parametrize("provider", PHONES)
def test_a_group_sees_title_and_lines(provider: str, groups: dict[str, RobotPhone], clock: Hands) -> None:
    robot(provider, groups[provider].url, clock).send(said())

    seen = groups[provider].expects_only(provider, "控辍保学报告")
    assert "第一行\n" in seen.text
    assert "> 第二行" in seen.text


@pytest.mark.parametrize("provider", PHONES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_of_message_is_taken(
    kind: str, language: str, provider: str, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    for facts in examples(language).values():
        words = WORDS.compose(kind, "chat", language, facts)
        assert words.subject is not None
        robot(provider, groups[provider].url, clock).send(said(words.subject, words.text, kind))
        groups[provider].expects_only(provider, words.subject)


def test_dingtalk_signs_as_its_users_library_does() -> None:
    """The figure was made with DingtalkChatbot 1.5.7, whose clock was stopped at that instant."""
    assert dingtalk_signature("SECdemo-secret", 1_599_360_473_000) == "w/wgdHDpwiLO5I/XMzzFJTfSmWkrZOMm4h0XT46ZVQY="


def test_feishu_signs_as_its_documentation_says() -> None:
    """The figure was made with openssl: HMAC-SHA256 of nothing, under the instant, a line break and the secret."""
    assert feishu_signature("feishu-demo-secret", 1_599_360_473) == "I5jz7Cfcugta/fTJjB9Y40aXqJJ1rdfJLYaLpemt2YI="


@pytest.mark.parametrize("provider", SIGNING)
def test_a_clock_that_is_off_is_the_operators_to_mend(
    provider: str, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    error = refusal(robot(provider, groups[provider].url, lambda: clock() - dt.timedelta(hours=2)))

    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=15))


@pytest.mark.parametrize("provider", SIGNING)
def test_a_wrong_secret_is_said_by_its_code(provider: str, groups: dict[str, RobotPhone], clock: Hands) -> None:
    error = refusal(robot(provider, groups[provider].url, clock, secret="another"))

    assert {"dingtalk": "310000", "feishu": "19021"}[provider] in error.reason
    assert not error.permanent


@pytest.mark.parametrize("provider", PHONES)
def test_a_robot_that_was_removed_is_no_success_though_http_says_so(
    provider: str, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    groups[provider].removed = True

    assert not refusal(robot(provider, groups[provider].url, clock)).permanent
    groups[provider].expects_nothing()


@pytest.mark.parametrize("code", [300001, 300005, 40035, 400101])
def test_a_token_dingtalk_does_not_know_is_the_operators_to_mend(
    code: int, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    groups["dingtalk"].answers(Answer(body={"errcode": code, "errmsg": "token is not exist"}, taken=False))
    assert refusal(robot("dingtalk", groups["dingtalk"].url, clock)).fault is Fault.ACCOUNT


@pytest.mark.parametrize(("provider", "wait"), [("wecom", 1), ("dingtalk", 10), ("feishu", 1)])
def test_who_speaks_too_often_waits_until_it_is_heard_again(
    provider: str, wait: int, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    group, speaks = groups[provider], robot(provider, groups[provider].url, clock)
    for _ in range(group.most):
        speaks.send(said())

    error = refusal(speaks)

    assert error.retry_after is not None
    assert (error.permanent, error.retry_after) == (False, dt.timedelta(minutes=wait))
    clock.at += error.retry_after + dt.timedelta(seconds=1)
    speaks.send(said())


@pytest.mark.parametrize("provider", PHONES)
def test_long_lists_are_cut_between_lines_and_say_so(
    provider: str, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    text = "\n".join(f"> {n}. 河东镇中心小学 张＊＊" for n in range(2_000))

    robot(provider, groups[provider].url, clock).send(said(text=text))

    seen = groups[provider].expects_only(provider, "lines not shown")
    shown = [line for line in seen.text.splitlines() if line.startswith("> ")]
    assert shown == text.splitlines()[: len(shown)]
    assert f"{2_000 - len(shown)} 行未显示" in seen.text


@pytest.mark.parametrize("provider", ["dingtalk", "feishu"])
def test_a_keyword_is_added_where_it_is_missing(provider: str, groups: dict[str, RobotPhone], clock: Hands) -> None:
    groups[provider].keyword = "保学提醒"
    assert not refusal(robot(provider, groups[provider].url, clock)).permanent

    speaks = robot(provider, groups[provider].url, clock, keyword="保学提醒")
    speaks.send(said())
    speaks.send(said("保学提醒：返校"))

    titles = [arrival.subject for arrival in groups[provider].arrivals]
    assert titles == ["保学提醒 控辍保学报告", "保学提醒：返校"]


@pytest.mark.parametrize("provider", PHONES)
def test_an_answer_that_says_nothing_leaves_it_in_doubt(
    provider: str, groups: dict[str, RobotPhone], clock: Hands
) -> None:
    for body in ({}, {"errcode": None, "code": None}, {"errcode": True, "code": False}):
        groups[provider].answers(Answer(body=body))
        error = refusal(robot(provider, groups[provider].url, clock))
        assert (error.doubtful, error.permanent) == (True, False)


@pytest.mark.parametrize("provider", PHONES)
def test_a_gateway_in_between_is_no_robot(provider: str, groups: dict[str, RobotPhone], clock: Hands) -> None:
    groups[provider].answers(Answer(503))
    assert not refusal(robot(provider, groups[provider].url, clock)).doubtful
    assert "refused" in refusal(robot(provider, f"http://127.0.0.1:{closed_port()}/{KEY}", clock)).reason


@pytest.mark.parametrize("provider", PHONES)
def test_what_is_no_web_address_is_refused_before_anything_is_sent(provider: str) -> None:
    with pytest.raises(SettingError) as caught:
        robot(provider, f"robot {KEY}", lambda: NOON)
    assert (caught.value.key, KEY in str(caught.value)) == ("url_file", False)


def test_each_message_goes_to_the_robot_of_its_endpoint(groups: dict[str, RobotPhone], clock: Hands) -> None:
    chat = Chat({"hedong": robot("wecom", groups["wecom"].url, clock)})
    chat.send(said())
    groups["wecom"].expects_only("wecom")

    with pytest.raises(DeliveryError) as caught:
        chat.send(Message("m-2", "chat", "hexi", "x", "y"))
    assert caught.value.permanent
    chat.close()


def test_nothing_in_a_name_is_markup(tmp_path: Path) -> None:
    facts = examples("zh")["one"]
    case = {**facts["alerts"][0], "school": "[点我](http://evil.example) *小学*", "student": "张**"}
    words = WORDS.compose("report", "chat", "zh", {**facts, "alerts": [case]})

    assert "张＊＊" in words.text
    assert "](http://evil" not in words.text
    assert f"({case['acknowledge_url']})" in words.text
    own = tmp_path / "email" / "report.zh.txt.j2"
    own.parent.mkdir()
    own.write_text("{% set subject %}x{% endset %}邮件自己的话", encoding="utf-8")
    assert "邮件自己的话" not in Words(tmp_path).compose("report", "chat", "zh", facts).text


@given(st.lists(st.text("张三ab ＊", max_size=30), min_size=1, max_size=60), st.integers(200, 400))
def test_whole_lines_fit_and_the_rest_is_counted(lines: list[str], most: int) -> None:
    text = "\n".join(lines)

    shown = fitted(text, most)

    assert len(shown.encode()) <= most
    if shown != text:
        *kept, last = shown.split("\n")
        assert kept == lines[: len(kept)]
        assert f"{len(lines) - len(kept)} 行未显示" in last
