"""The networks offices have: their own authority, a proxy that wants an account, hosts that are reached without it."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from notifiers.answers import Answer, Request, Sender
from notifiers.contract import DeliveryError, Fault
from notifiers.curl import CurlSender
from notifiers.http import HttpSender
from notifiers.network import Network
from notifiers.proxies import Exempt, Proxy, ProxyError, is_exempt, parse_exempt, parse_proxy
from notifiers.trust import Trust, system_store
from tests.authority import Authority
from tests.forward_proxy import ForwardProxy
from tests.notifiers.letters import SHORT, closed_port, noon
from tests.phones import SmsGateway
from tests.phones_http import Answer as Told

HOST = "edu.county.example"
"""A host that only the proxy of these tests knows."""
ACCOUNT = ("office", "p@ss:word/1")
LONG = dt.timedelta(seconds=5)
HTML = {"Content-Type": "text/html; charset=gb2312"}

Make = Callable[..., Sender]


@pytest.fixture(params=[HttpSender, CurlSender], ids=["requests", "curl"])
def make(request: pytest.FixtureRequest) -> Make:
    """One sender or the other."""

    def made(network: Network, timeout: dt.timedelta = LONG) -> Sender:
        sender: Sender = request.param(timeout=timeout, now=noon, network=network)
        return sender

    return made


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def gateway() -> Iterator[SmsGateway]:
    with SmsGateway(strict=False) as opened:
        yield opened


class Secure(SmsGateway):
    """A gateway under a certificate of an authority's."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(strict=False)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https"


def post(sender: Sender, url: str, body: bytes = b'{"phone": "1", "text": "x"}', method: str = "POST") -> Answer:
    with closing(sender):
        return sender.send(Request(url, body, {"Idempotency-Key": "m-1"}, method))


def refusal(sender: Sender, url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        post(sender, url)
    shown = f"{caught.value} {caught.value.__context__}"
    assert not any(secret in shown for secret in (*ACCOUNT, "curl", "sms?"))
    return caught.value


def through(proxy: ForwardProxy | str, trust: Trust | None = None, **rest: object) -> Network:
    url = proxy if isinstance(proxy, str) else proxy.url
    used = parse_proxy(url)
    return Network(trust or Trust(), http_proxy=used, https_proxy=used, **rest)  # type: ignore[arg-type]


def with_account(proxy: ForwardProxy, password: str = ACCOUNT[1]) -> Proxy:
    return Proxy("127.0.0.1", proxy.port, ACCOUNT[0], password)


# ---- authorities ----------------------------------------------------------------------------------------------------


def test_an_office_s_own_authority_is_believed_beside_the_system_s(make: Make, authority: Authority) -> None:
    with Secure(authority.server()) as gateway:
        assert post(make(Network(Trust(authority.certificates))), gateway.url).status == 200
        error = refusal(make(Network()), gateway.url)
    assert (error.fault, error.doubtful) == (Fault.ACCOUNT, False)
    assert "no authority known here" in error.reason
    assert "network.ca_file" in error.reason


def test_the_system_s_authorities_stay_believed_beside_an_office_s_own(
    make: Make, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Authority(tmp_path, "Public CA")
    monkeypatch.setenv("SSL_CERT_FILE", str(public.file))
    for one in (public, authority):
        with Secure(one.server()) as gateway:
            assert post(make(Network(Trust(authority.certificates))), gateway.url).status == 200


def test_a_folder_of_authorities_is_believed_and_followed(
    make: Make, tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{folder}")
    with Secure(authority.server()) as gateway:
        assert "no authority known here" in refusal(make(Network()), gateway.url).reason
        before = system_store().stamp
        (folder / authority.hashed).write_text(authority.certificates, encoding="utf-8")
        assert system_store().stamp != before
        assert post(make(Network()), gateway.url).status == 200


def test_what_the_system_s_authorities_are_is_read_once_until_they_change(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "system.pem"
    file.write_text(authority.certificates, encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    before = Trust().http_context()
    assert Trust().http_context() is before
    assert Trust().context() is not before
    file.write_text(authority.certificates + Authority(tmp_path, "other").certificates, encoding="utf-8")
    assert Trust().http_context() is not before


def test_where_the_system_has_no_authorities_a_list_that_ships_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifiers.trust._USUAL", ())
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/nowhere")
    assert (system_store().file or "").endswith("cacert.pem")
    assert len(Trust().context().get_ca_certs()) > 50


def test_what_is_wrong_with_a_certificate_is_told_apart(make: Make, authority: Authority) -> None:
    told = {}
    for name, context in (
        ("expired", authority.server(begins=-9, ends=-2)),
        ("early", authority.server(begins=2, ends=9)),
        ("other", authority.server("elsewhere.example")),
    ):
        with Secure(context) as gateway:
            told[name] = refusal(make(Network(Trust(authority.certificates))), gateway.url)
            assert gateway.requests == []
    assert "has expired" in told["expired"].reason
    assert "not valid yet" in told["early"].reason
    assert "for another host" in told["other"].reason
    assert {(error.fault, error.doubtful) for error in told.values()} == {(Fault.ACCOUNT, False)}


# ---- proxies --------------------------------------------------------------------------------------------------------


def test_a_plain_request_goes_through_the_proxy(make: Make, gateway: SmsGateway) -> None:
    with ForwardProxy() as proxy:
        assert post(make(through(proxy)), f"http://{HOST}:{gateway.port}/sms").status == 200
    assert proxy.asked == [f"POST http://{HOST}:{gateway.port}/sms HTTP/1.1"]
    assert len(gateway.requests) == 1


def test_a_secure_request_goes_through_a_tunnel_and_the_server_is_verified(make: Make, authority: Authority) -> None:
    with ForwardProxy() as proxy, Secure(authority.server(HOST)) as gateway:
        url = f"https://{HOST}:{gateway.port}/sms"
        assert post(make(through(proxy, Trust(authority.certificates))), url).status == 200
        error = refusal(make(through(proxy)), url)
    assert [asked.rpartition(" ")[0] for asked in proxy.asked] == [f"CONNECT {HOST}:{gateway.port}"] * 2
    assert "no authority known here" in error.reason


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_account_is_given_to_the_proxy_and_to_nobody_else(make: Make, authority: Authority, scheme: str) -> None:
    opened = Secure(authority.server(HOST)) if scheme == "https" else SmsGateway(strict=False)
    with ForwardProxy(account=ACCOUNT) as proxy, opened as gateway:
        used = with_account(proxy)
        network = Network(Trust(authority.certificates), http_proxy=used, https_proxy=used)
        assert post(make(network), f"{scheme}://{HOST}:{gateway.port}/sms").status == 200
    assert proxy.accounts == [":".join(ACCOUNT)]
    assert not any("authorization" in name for name in gateway.requests[0].headers)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_wrong_account_is_an_error_about_the_proxy(make: Make, gateway: SmsGateway, scheme: str) -> None:
    with ForwardProxy(account=ACCOUNT) as proxy:
        used = with_account(proxy, "wrong")
        network = Network(http_proxy=used, https_proxy=used)
        error = refusal(make(network), f"{scheme}://{HOST}:{gateway.port}/sms")
    assert f"the proxy {proxy.place} refused: 407" in error.reason
    assert "network.proxy_username" in error.reason
    assert (error.fault, error.doubtful) == (Fault.ACCOUNT, False)
    assert gateway.requests == []


PAGE = b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n%s\r\n<html>no</html>"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (PAGE % (b"403 Forbidden", b""), 403),
        (PAGE % (b"407 Proxy Authentication Required", b""), 407),
        (PAGE % (b"404 Not Found", b"X-Squid-Error: ERR_DNS_FAIL 0\r\n"), 404),
        (PAGE % (b"302 Found", b"Location: http://login.gateway.example/\r\n"), 302),
    ],
)
def test_a_page_of_the_proxy_is_no_answer_of_the_receiver(make: Make, scheme: str, answer: bytes, status: int) -> None:
    with ForwardProxy(refuses=answer) as proxy:
        error = refusal(make(through(proxy)), f"{scheme}://{HOST}/sms")
    assert f"the proxy {proxy.place} refused: {status}" in error.reason
    assert (error.fault, error.doubtful) == (Fault.ACCOUNT, False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_of_the_receiver_s_stays_its_own_behind_a_proxy(make: Make, gateway: SmsGateway, status: int) -> None:
    gateway.answers(Told(status))
    with ForwardProxy() as proxy:
        error = refusal(make(through(proxy)), f"http://{HOST}:{gateway.port}/sms")
    assert error.reason.endswith(f"answered {status}")


def test_a_proxy_that_cannot_reach_a_host_may_do_so_later(make: Make) -> None:
    with ForwardProxy(refuses=PAGE % (b"503 Service Unavailable", b"")) as proxy:
        error = refusal(make(through(proxy)), f"https://{HOST}/sms")
    assert f"the proxy {proxy.place} refused: 503" in error.reason
    assert (error.fault, error.doubtful) == (Fault.PASSING, False)


@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_named(make: Make, scheme: str, body: bytes) -> None:
    port = closed_port()
    sender = make(through(f"http://127.0.0.1:{port}"))
    with pytest.raises(DeliveryError) as caught:
        post(sender, f"{scheme}://{HOST}/sms", body)
    assert f"the proxy 127.0.0.1:{port} was not reached" in caught.value.reason
    assert (caught.value.fault, caught.value.doubtful) == (Fault.PASSING, False)


def test_a_proxy_whose_name_nobody_knows_is_named(make: Make) -> None:
    error = refusal(make(through("http://proxy.invalid:3128")), f"https://{HOST}/sms")
    assert "the proxy proxy.invalid:3128 was not reached: the host name is not known" in error.reason


def test_a_proxy_that_hangs_up_or_says_nothing_has_been_given_nothing(make: Make) -> None:
    for trap in ({"hangs_up": True}, {"silent": True}):
        with ForwardProxy(**trap) as proxy:  # type: ignore[arg-type]
            error = refusal(make(through(proxy), SHORT), f"https://{HOST}/sms")
        assert f"the proxy {proxy.place} was not reached" in error.reason
        assert (error.fault, error.doubtful) == (Fault.PASSING, False)


def test_a_tunnel_that_was_opened_and_broke_is_no_answer(make: Make) -> None:
    with ForwardProxy(refuses=b"HTTP/1.1 200 Connection established\r\nContent-Type: text/plain\r\n\r\n") as proxy:
        error = refusal(make(through(proxy)), f"https://{HOST}/sms")
    assert (error.fault, error.doubtful) == (Fault.PASSING, False)


def test_a_proxy_that_hangs_up_on_a_plain_request_leaves_it_in_doubt(make: Make) -> None:
    with ForwardProxy(hangs_up=True) as proxy:
        assert refusal(make(through(proxy)), f"http://{HOST}/sms").doubtful


@pytest.mark.parametrize("entry", [HOST, ".county.example", "*.county.example", "county.example", "*"])
def test_what_no_proxy_names_is_reached_directly(make: Make, entry: str) -> None:
    with ForwardProxy() as proxy:
        error = refusal(make(through(proxy, exempt=(parse_exempt(entry),))), f"http://{HOST}:1/sms")
    assert proxy.asked == []
    assert "the host name is not known" in error.reason


def test_this_machine_is_always_reached_directly(make: Make, gateway: SmsGateway) -> None:
    with ForwardProxy() as proxy:
        for host in ("127.0.0.1", "localhost"):
            assert post(make(through(proxy)), f"http://{host}:{gateway.port}/sms").status == 200
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("entry", "url", "direct"),
    [
        ("sis.example.org", "https://sis.example.org/x", True),
        ("sis.example.org", "https://SIS.example.org./x", True),
        ("sis.example.org", "https://mysis.example.org/x", False),
        ("example.org", "https://sis.example.org/x", True),
        (".example.org", "https://example.org/x", True),
        (".example.org", "https://badexample.org/x", False),
        ("10.0.0.0/8", "http://10.20.30.40:8080/x", True),
        ("10.0.0.0/8", "http://11.20.30.40/x", False),
        ("10.20.30.40", "http://10.20.30.40/x", True),
        ("10.20.30.40/16", "http://10.20.99.1/x", True),
        ("10.0.0.0/8", "http://sis.example.org/x", False),
        ("fd00::/8", "http://[fd12::1]/x", True),
        ("[fd12::1]:8443", "https://[fd12::1]:8443/x", True),
        ("[fd12::1]:8443", "https://[fd12::1]/x", False),
        ("sis.example.org:8443", "https://sis.example.org:8443/x", True),
        ("sis.example.org:8443", "https://sis.example.org/x", False),
        ("sis.example.org:443", "https://sis.example.org/x", True),
        ("10.1.1.1:80", "http://10.1.1.1/x", True),
        ("other.example", "http://[::1]/x", True),
        ("other.example", "http://[::ffff:127.0.0.1]/x", True),
        ("other.example", "http://127.8.9.10/x", True),
        ("other.example", "http://sis.localhost/x", True),
    ],
)
def test_hosts_domains_and_networks_are_told_apart(entry: str, url: str, *, direct: bool) -> None:
    assert is_exempt(url, [parse_exempt(entry)]) is direct


@pytest.mark.parametrize(
    "entry", ["192.168.*", "10.0.0.0/33", "http://sis.example.org", "", "a b", "sis:99999", "sis:"]
)
def test_an_entry_of_no_proxy_that_names_nothing_is_refused(entry: str) -> None:
    with pytest.raises(ProxyError) as caught:
        parse_exempt(entry)
    assert "network" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "proxy.example:3128",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://",
        "http://p:99999",
        "http://proxy.example/path",
        "http://[proxy",
        "http://p x:1",
        "",
    ],
)
def test_what_is_no_proxy_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(ProxyError) as caught:
        parse_proxy(url)
    assert "http://proxy.example.org:3128" in caught.value.hint
    assert not url or url not in str(caught.value)


def test_a_proxy_shows_no_account() -> None:
    proxy = parse_proxy("http://office:p%40ss@proxy.example:3128/")
    assert (proxy.username, proxy.password, proxy.place) == ("office", "p@ss", "proxy.example:3128")
    assert "office" not in f"{proxy!r} {Network(http_proxy=proxy)!r}"
    assert parse_proxy("http://[fd00::1]").place == "[fd00::1]:80"
    assert Exempt() == parse_exempt(" * ")
