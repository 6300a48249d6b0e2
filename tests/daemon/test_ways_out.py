"""Every channel over HTTP goes out as `[network]` says, and another way where its own table says so."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from daemon.channels import build_notifiers
from daemon.config import load_config
from notifiers.contract import DeliveryError, Fault, Message, Notifier
from tests.authority import Authority
from tests.forward_proxy import ForwardProxy
from tests.notifiers.letters import NOON, PHONE, noon
from tests.phones import WebhookEar

TEXT = """
[service]
district = "610999"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]
"""
HOOK = base64.b64encode(b"k" * 24).decode()
APPROVED = """endpoint = "https://sms.county.example"
sign_name = "x"
[[channels.sms.template]]
id = "T"
parameters = [{ fact = "case", longest = 20 }]
"""
ROBOT = '[channels.chat.endpoints.edu]\nprovider = "{0}"\nurl_env = "ROBOT"\n'
SMS = '[channels.sms]\nprovider = "{0}"\n'
WEBHOOK = '[channels.webhook]\ntransport = "{0}"\n{1}\n[channels.webhook.endpoints.edu]\nsecret_env = "HOOK"\nurl = '
CHANNELS = {
    "http": SMS.format("http") + 'url = "https://sms.county.example/send"\n',
    "aliyun": SMS.format("aliyun") + 'access_key_id = "A"\naccess_key_secret_env = "WORD"\n' + APPROVED,
    "tencent": SMS.format("tencent") + 'secret_id = "A"\nsecret_key_env = "WORD"\napp_id = "1"\n' + APPROVED,
    "wecom": ROBOT.format("wecom"),
    "dingtalk": ROBOT.format("dingtalk"),
    "feishu": ROBOT.format("feishu"),
    "requests": WEBHOOK.format("requests", "") + '"https://edu.county.example/hook"',
    "curl": WEBHOOK.format("curl", "") + '"https://edu.county.example/hook"',
}
ENVIRON = {"WORD": "word", "ROBOT": "https://robot.county.example/send?key=geheim", "HOOK": HOOK, "PROXY_WORD": "p@ss"}
Build = Callable[[str], Notifier]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """The one channel that a configuration has."""

    def building(text: str) -> Notifier:
        path = tmp_path / "config.toml"
        path.write_text(TEXT + text, encoding="utf-8")
        [notifier] = build_notifiers(load_config(path, ENVIRON), noon).values()
        return notifier

    return building


def say(notifier: Notifier) -> None:
    address = PHONE if notifier.channel == "sms" else "edu"
    parameters = {"case": "2026-000123"}
    body = {"type": "report", "id": "m-1", "timestamp": NOON.isoformat(), "data": {}}
    try:
        notifier.send(Message("m-1", notifier.channel, address, "x", "x", None, body, "report", parameters))
    finally:
        notifier.close()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_goes_through_the_proxy_and_what_it_refuses_is_the_operator_s(build: Build, channel: str) -> None:
    with ForwardProxy(refuses=b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        account = 'proxy_username = "office"\nproxy_password_env = "PROXY_WORD"\n'
        with pytest.raises(DeliveryError) as caught:
            say(build(f'[network]\nproxy = "{proxy.url}"\n{account}{CHANNELS[channel]}'))
    assert caught.value.fault is Fault.ACCOUNT
    assert f"the proxy {proxy.place} refused: 407" in caught.value.reason
    assert [asked.split(" ")[0] for asked in proxy.asked] == ["CONNECT"]
    assert proxy.accounts == ["office:p@ss"]
    assert not any(secret in caught.value.reason for secret in ("p@ss", "geheim"))


@pytest.mark.parametrize("channel", [one for one in CHANNELS if one not in {"requests", "curl"}])
def test_a_channel_may_go_directly(build: Build, channel: str) -> None:
    table, _, rest = CHANNELS[channel].partition("\n")
    with ForwardProxy() as proxy, pytest.raises(DeliveryError) as caught:
        say(build(f'[network]\nproxy = "{proxy.url}"\n{table}\nproxy = "none"\ntimeout = "1s"\n{rest}'))
    assert "proxy" not in caught.value.reason
    assert proxy.asked == []


@pytest.mark.parametrize("transport", ["requests", "curl"])
@pytest.mark.parametrize("where", ["network", "channel"])
def test_a_webhook_reaches_a_server_under_the_county_s_authority(
    build: Build, tmp_path: Path, transport: str, where: str
) -> None:
    authority = Authority(tmp_path, "county")
    own = f'ca_file = "{authority.file.name}"\n'
    with WebhookEar("edu", HOOK, strict=False, tls=authority) as ear:
        url = ear.url.replace("127.0.0.1", "localhost")
        network, table = (own, "") if where == "network" else ("", own)
        say(build(f'[network]\n{network}\n{WEBHOOK.format(transport, table)}"{url}"'))
        with pytest.raises(DeliveryError, match=r"network\.ca_file"):
            say(build(f'{WEBHOOK.format(transport, "")}"{url}"'))
    assert len(ear.arrivals) == 1
