"""`[network]`: how feeds and channels come to be reached, from keys and from the environment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from daemon.check import examine
from daemon.config import Config, ConfigError, FeedConfig, in_force, load_config
from daemon.problems import Problem
from notifiers.network import Network
from tests.authority import Authority
from tests.daemon.feeds.sources import NOW

TEXT = """
[service]
district = "610999"
[calendar]
terms = [{ from = 2026-03-02, to = 2026-07-10 }]
sessions = [{ name = "am", start = 08:00:00, end = 11:40:00 }]
[[feed]]
id = "marks"
kind = "http"
records = "marks"
url = "https://sis.example.org/marks.csv"
"""
SERVER = "https://sis.example.org/marks.csv"
PROXY = 'proxy = "http://proxy.example.org:3128"\n'
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loading(network: str = "", feed: str = "", environ: Mapping[str, str] | None = None) -> Config:
        path = tmp_path / "config.toml"
        path.write_text(f"{TEXT}{feed}\n[network]\n{network}", encoding="utf-8")
        return load_config(path, environ or {})

    return loading


@pytest.fixture
def refused(load: Load) -> Callable[..., Problem]:
    """Load what must be refused for one reason, which has its line, key and hint."""

    def refusing(network: str = "", feed: str = "", environ: Mapping[str, str] | None = None) -> Problem:
        with pytest.raises(ConfigError) as caught:
            load(network, feed, environ)
        [problem] = caught.value.problems
        assert problem.line is not None
        assert problem.hint
        return problem

    return refusing


def way(config: Config) -> Network:
    return config.feed[0].network


def proxy_of(config: Config, url: str = SERVER) -> str | None:
    proxy = way(config).proxy_for(url)
    return None if proxy is None else proxy.url


def test_without_a_word_everything_is_reached_directly(load: Load) -> None:
    assert proxy_of(load(environ={"HTTPS_PROXY": "http://10.0.0.1:3128"})) is None


def test_the_proxy_and_its_account_are_used(load: Load) -> None:
    account = f'{PROXY}proxy_username = "office"\nproxy_password_env = "WORD"'
    config = load(account, environ={"WORD": "p@ss"})
    assert proxy_of(config) == "http://office:p%40ss@proxy.example.org:3128"
    assert "p@ss" not in f"{config!r} {config.feed[0].network!r}"


def test_a_feed_may_go_another_way_and_then_takes_no_account_along(load: Load) -> None:
    account = f'{PROXY}proxy_username = "office"\nproxy_password_env = "WORD"'
    environ = {"WORD": "word"}
    assert proxy_of(load(account, 'proxy = "none"', environ)) is None
    assert proxy_of(load(account, 'proxy = "http://other:8080"', environ)) == "http://other:8080"
    same = 'proxy = "http://proxy.example.org:3128"'
    assert proxy_of(load(account, same, environ)) == "http://office:word@proxy.example.org:3128"


@pytest.mark.parametrize("entry", ["sis.example.org", ".example.org", "*"])
def test_no_proxy_makes_a_way_direct(load: Load, entry: str) -> None:
    assert proxy_of(load(f'{PROXY}no_proxy = ["{entry}"]')) is None


def test_the_environment_is_followed_where_that_is_asked_for(load: Load) -> None:
    environ = {
        "https_proxy": "http://office:word@10.0.0.1:3128",
        "HTTP_PROXY": "10.0.0.2:8080",
        "NO_PROXY": "localhost, .county.example,192.168.0.0/16,",
    }
    config = load("proxy_from_environment = true", environ=environ)
    assert proxy_of(config) == "http://office:word@10.0.0.1:3128"
    assert proxy_of(config, "http://sis.example.org/") == "http://10.0.0.2:8080"
    assert proxy_of(config, "https://sis.county.example/") is None
    assert proxy_of(config, "http://192.168.3.4/") is None
    everything = load("proxy_from_environment = true", environ={"ALL_PROXY": "http://10.0.0.3"})
    assert {proxy_of(everything, url) for url in (SERVER, "http://a.example/")} == {"http://10.0.0.3:80"}


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "http_proxy", "all_proxy", "NO_PROXY"])
def test_a_variable_that_cannot_be_followed_is_named_without_its_value(
    refused: Callable[..., Problem], name: str
) -> None:
    problem = refused("proxy_from_environment = true", environ={name: "socks5://geheim:word@10.*"})
    assert problem.key == "network.proxy_from_environment"
    assert name in problem.fault
    assert "geheim" not in str(problem)


@pytest.mark.parametrize(
    ("network", "key", "fault"),
    [
        ('proxy = "proxy.example.org:3128"', "network.proxy", "is not the address of a proxy"),
        ('proxy = "https://proxy.example.org"', "network.proxy", "is a proxy that is itself spoken to in TLS"),
        ('proxy = "socks5://proxy.example.org"', "network.proxy", "is a SOCKS proxy"),
        ('proxy = "http://office:geheim@proxy.example.org"', "network.proxy", "holds an account"),
        ('no_proxy = ["192.168.*"]', "network.no_proxy[0]", "is neither a host, a domain"),
        (f"{PROXY}proxy_from_environment = true", "network.proxy_from_environment", "stands beside proxy"),
        (f'{PROXY}proxy_username = "a"', "network.proxy_username", "is an account without a password"),
    ],
)
def test_what_makes_no_sense_is_refused(refused: Callable[..., Problem], network: str, key: str, fault: str) -> None:
    problem = refused(network)
    assert (problem.key, "geheim" in str(problem)) == (key, False)
    assert problem.fault.startswith(fault)


def test_an_empty_proxy_of_a_feed_is_refused_with_the_word_that_is_meant(refused: Callable[..., Problem]) -> None:
    problem = refused(feed='proxy = ""')
    assert (problem.key, problem.hint) == ("feed[0].proxy", 'write "none" to use no proxy')


@pytest.mark.parametrize(
    ("content", "fault", "hint"),
    [
        (None, "names a file that cannot be read: no such file", "a relative path begins in"),
        (b"", "names a file without a certificate", "-----BEGIN CERTIFICATE-----"),
        (b"-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", "names a file without a certificate", "BEGIN"),
        (b"\x30\x82\x01\x02binary", "names a certificate that is not PEM", "openssl x509 -inform der"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "names a file with a certificate that is damaged",
            "BEGIN",
        ),
    ],
)
@pytest.mark.parametrize("where", ["network", "feed"])
def test_a_file_without_authorities_is_refused(
    refused: Callable[..., Problem], tmp_path: Path, where: str, content: bytes | None, fault: str, hint: str
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    problem = refused(**{where: 'ca_file = "ca.pem"'})
    assert problem.key == {"network": "network.ca_file", "feed": "feed[0].ca_file"}[where]
    assert problem.fault.startswith(fault)
    assert hint in (problem.hint or "")


def test_authorities_of_a_feed_are_believed_beside_the_office_s(load: Load, tmp_path: Path) -> None:
    first, second = Authority(tmp_path, "first"), Authority(tmp_path, "second")
    config = load('ca_file = "first.pem"', 'ca_file = "second.pem"')
    own = way(config).trust.own
    assert all(one.certificates.strip() in own for one in (first, second))


def test_words_around_a_certificate_are_passed_over(load: Load, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "county")
    authority.file.write_text(f"县教育局 CA\n{authority.certificates}# 完\n", encoding="gb18030")
    assert way(load('ca_file = "county.pem"')).trust.context().get_ca_certs()


def test_another_way_takes_effect_without_a_restart(load: Load, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "county")
    running = load(environ={})
    effective, waiting = in_force(running, load(f'{PROXY}ca_file = "county.pem"', 'ca_file = "county.pem"'))
    assert waiting == ()
    assert proxy_of(effective) == "http://proxy.example.org:3128"
    assert authority.certificates.strip() in way(effective).trust.own
    renewed = Authority(tmp_path, "county")
    again, waiting = in_force(effective, load(f'{PROXY}ca_file = "county.pem"', 'ca_file = "county.pem"'))
    assert waiting == ()
    assert renewed.certificates.strip() in way(again).trust.own
    assert again != effective


def test_a_feed_that_waits_for_a_restart_is_reached_anew_all_the_same(load: Load) -> None:
    running = load()
    effective, waiting = in_force(running, load(PROXY, 'poll = "9m"'))
    assert waiting == ("feed[0].poll",)
    assert effective.feed[0].poll == FeedConfig.model_fields["poll"].default
    assert proxy_of(effective) == "http://proxy.example.org:3128"


# ---- what check says ------------------------------------------------------------------------------------------------


def said(config: Config) -> list[str]:
    return [f"{one.key}  {one.fault}" for one in examine(config, NOW).notices]


def test_check_says_what_goes_through_the_proxy(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.check.look_at_feeds", lambda *_: [])
    config = load(PROXY)
    assert "network.proxy  through the proxy proxy.example.org:3128: feed marks" in said(config)
    environ = {"HTTPS_PROXY": "http://office:word@10.0.0.1:3128"}
    followed = said(load("proxy_from_environment = true", environ=environ))
    assert "network.proxy_from_environment  through the proxy 10.0.0.1:3128: feed marks" in followed


def test_check_says_that_a_proxy_of_the_environment_is_not_followed(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.check.look_at_feeds", lambda *_: [])
    notices = said(load(environ={"HTTPS_PROXY": "http://office:word@10.0.0.1:3128"}))
    assert "network  HTTPS_PROXY is set in the environment and not followed" in notices
    assert "word" not in "".join(notices)


def test_check_says_that_a_variable_names_no_authorities(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.check.look_at_feeds", lambda *_: [])
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    assert any("SSL_CERT_FILE is set in the environment" in one for one in said(load()))


def test_check_refuses_authorities_that_have_all_expired(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.check.look_at_feeds", lambda *_: [])
    Authority(tmp_path, "county", ends=-3)
    faults = {one.key: one.fault for one in examine(load('ca_file = "county.pem"'), dt.datetime.now(dt.UTC)).problems}
    assert faults["network.ca_file"].startswith("names only certificates that have expired, the last on ")
