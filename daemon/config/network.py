"""`[network]`: whose certificates are believed and which proxy is used, and where a table has it otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, PrivateAttr, Strict

from daemon.config.credentials import Vault
from daemon.config.table import Keeper
from daemon.config.values import Text, Variable, refusal
from notifiers.network import Network
from notifiers.proxies import Exempt, Proxy, ProxyError, parse_exempt, parse_proxy
from notifiers.trust import Trust, system_store

NO_PROXY = "none"
"""What a table says that is reached without the office's proxy."""
_OF_SCHEMES = {"http": ("http_proxy", "HTTP_PROXY"), "https": ("https_proxy", "HTTPS_PROXY")}
_OF_ALL = ("all_proxy", "ALL_PROXY")
_EXEMPT = ("no_proxy", "NO_PROXY")


def _proxy(url: str) -> str:
    try:
        proxy = parse_proxy(url)
    except ProxyError as error:
        raise refusal(error.fault, error.hint) from None
    if proxy.username is not None:
        hint = "write the address alone; the account belongs into network.proxy_username and network.proxy_password_*"
        raise refusal("holds an account", hint)
    return url


def _proxy_or_none(url: str) -> str:
    if not url:
        raise refusal("is empty", f'write "{NO_PROXY}" to use no proxy')
    return url if url == NO_PROXY else _proxy(url)


def _exempt(text: str) -> str:
    try:
        parse_exempt(text)
    except ProxyError as error:
        raise refusal(error.fault, error.hint) from None
    return text


class Trusting(Keeper):
    """A table of something that is reached in TLS; with authorities of its own beside all others, as PEM in a file."""

    ca_file: Text | None = Field(
        default=None, description="a PEM file of more authorities to believe", examples=['"county-ca.pem"']
    )
    _certificates: str = PrivateAttr(default="")

    def model_post_init(self, context: object, /) -> None:
        """Take the certificates out of the vault that comes with a file."""
        super().model_post_init(context)
        if isinstance(context, Vault) and self.ca_file:
            self._certificates = context.certificates(self.ca_file)

    @property
    def certificates(self) -> str:
        """The authorities in `ca_file`, as PEM."""
        return self._certificates


class Reaching(Trusting):
    """A table of something that is reached over HTTP, and may be so by another way than the rest."""

    proxy: Annotated[str, AfterValidator(_proxy_or_none)] | None = Field(
        default=None, description='another proxy than the office\'s, or "none"', examples=[f'"{NO_PROXY}"']
    )


@dataclass(frozen=True, slots=True)
class _Environment:
    """The proxies and exemptions that the environment names; `unread` are the variables that name none."""

    http: Proxy | None = None
    https: Proxy | None = None
    exempt: tuple[Exempt, ...] = ()
    unread: tuple[str, ...] = ()


class NetworkConfig(Trusting):
    """`[network]`: the way out of the office."""

    stems: ClassVar[tuple[str, ...]] = ("proxy_password",)

    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        default=None,
        description="the proxy through which feeds and channels are reached over HTTP",
        examples=['"http://proxy.example.org:3128"'],
    )
    proxy_username: Text | None = Field(
        default=None, repr=False, description="the account at the proxy", examples=['"baoxue"']
    )
    proxy_password_env: Variable | None = Field(
        default=None, repr=False, description="the variable with its password", examples=['"BAOXUE_PROXY_PASSWORD"']
    )
    proxy_password_file: Text | None = Field(
        default=None, repr=False, description="the file with its password", examples=['"proxy.password"']
    )
    no_proxy: tuple[Annotated[str, AfterValidator(_exempt)], ...] = Field(
        default=(),
        description="hosts, domains, addresses and networks reached without it",
        examples=['["sis.example.org", ".county.example.org", "10.0.0.0/8"]'],
    )
    proxy_from_environment: Annotated[bool, Strict()] = Field(
        default=False, description="whether HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY are followed"
    )
    _environment: _Environment = PrivateAttr(default=_Environment())
    _unused: tuple[str, ...] = PrivateAttr(default=())
    _system: str = PrivateAttr(default="")

    def model_post_init(self, context: object, /) -> None:
        """Take what the environment says, and how the system's authorities are now."""
        super().model_post_init(context)
        if not isinstance(context, Vault):
            return
        self._system = system_store().stamp
        if self.proxy_from_environment:
            self._environment = environment(context.environ)
        else:
            self._unused = tuple(_named(context.environ))

    @property
    def unused(self) -> tuple[str, ...]:
        """The variables of the environment that name a proxy and are not followed."""
        return self._unused

    def trust(self, table: Trusting | None = None) -> Trust:
        """Return whom to believe where a table, or none, has more authorities."""
        trust = Trust(stamp=self._system).with_own(self.certificates)
        return trust if table is None else trust.with_own(table.certificates)

    def reach(self, table: Reaching) -> Network:
        """Return the way to what a table speaks of."""
        exempt = (*map(parse_exempt, self.no_proxy), *self._environment.exempt)
        http, https = self._proxies(table.proxy)
        return Network(self.trust(table), http, https, exempt)

    def _proxies(self, chosen: str | None) -> tuple[Proxy | None, Proxy | None]:
        """The proxies for http:// and https://; an account goes to the office's proxy only."""
        own = self._own_proxy()
        if chosen == NO_PROXY:
            return None, None
        if chosen is not None:
            other = parse_proxy(chosen)
            other = own if own is not None and own.place == other.place else other
            return other, other
        return own or self._environment.http, own or self._environment.https

    def _own_proxy(self) -> Proxy | None:
        if self.proxy is None:
            return None
        proxy, password = parse_proxy(self.proxy), self.kept("proxy_password")
        return Proxy(proxy.host, proxy.port, self.proxy_username, password.get_secret_value() if password else None)


def environment(environ: Mapping[str, str]) -> _Environment:
    """Return what the usual variables say of proxies; a name in small letters counts before one in capitals."""
    found: dict[str, Any] = {"exempt": ()}
    unread: list[str] = []
    for scheme, names in _OF_SCHEMES.items():
        name = next((one for one in (*names, *_OF_ALL) if environ.get(one)), None)
        if name is not None:
            url = environ[name] if "://" in environ[name] else f"http://{environ[name]}"
            try:
                found[scheme] = parse_proxy(url)
            except ProxyError:
                unread.append(name)
    name = next((one for one in _EXEMPT if environ.get(one)), None)
    try:
        entries = environ[name].split(",") if name else []
        found["exempt"] = tuple(parse_exempt(one) for one in entries if one.strip())
    except ProxyError:
        unread.append(str(name))
    return _Environment(**found, unread=tuple(dict.fromkeys(unread)))


def _named(environ: Mapping[str, str]) -> Iterator[str]:
    return (name for names in (*_OF_SCHEMES.values(), _OF_ALL) for name in names if environ.get(name))
