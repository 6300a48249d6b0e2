"""The values a configuration is made of, each with the words for refusing it.

Refusals never repeat what was written where it might hold a secret: URLs, names of variables, paths of secrets.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from email.utils import parseaddr
from typing import Annotated
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, Strict
from pydantic_core import PydanticCustomError

from daemon.config.ids import id_form
from daemon.problems import choose
from rules.packs import SHIPPED
from rules.records import ROLES

_DURATION = re.compile(r"(?=\d)(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
_PORTS = range(1, 65536)
_SHOWN = 40

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
"""Headers that are nothing but a secret, which the file must not hold."""


def refusal(fault: str, hint: str) -> PydanticCustomError:
    """The refusal of one value, in our words instead of pydantic's."""
    return PydanticCustomError("refused", "{fault}", {"fault": fault, "hint": hint})


def quoted(word: str) -> str:
    """`word` in quotes, cut to what fits a line."""
    return f'"{word}"' if len(word) <= _SHOWN else f'"{word[:_SHOWN]}…"'


def kind_of(value: object) -> str:
    """What a TOML value is, in words that do not show it."""
    kinds: tuple[tuple[type, str], ...] = (
        (bool, "true or false"),
        (int, "an integer"),
        (float, "a number"),
        (str, "text"),
        (dt.datetime, "a date with a time"),
        (dt.date, "a date"),
        (dt.time, "a time"),
        (dict, "a table"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "a list")


def _duration(value: object) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        return value
    if value == "0" or (type(value) is int and value == 0):
        return dt.timedelta(0)
    if not isinstance(value, str):
        raise refusal(f"is {kind_of(value)}, not a duration", 'write it in quotes with its unit, such as "90s" or "2h"')
    found = _DURATION.fullmatch(value)
    if found is None:
        raise refusal(f"{quoted(value)} is not a duration", 'write "90s", "5m", "2h", "10d" or "1h30m"')
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def span_of(value: object) -> dt.timedelta | None:
    """The span a value stands for; None where it stands for none."""
    try:
        return _duration(value)
    except PydanticCustomError:
        return None


def _lasting(span: dt.timedelta) -> dt.timedelta:
    if span <= dt.timedelta(0):
        raise refusal("is no time at all", 'write a duration longer than zero, such as "30s"')
    return span


def _plain(text: str) -> str:
    if not text.strip():
        raise refusal("is empty", "write a word there")
    if text != text.strip() or not text.isprintable():
        raise refusal("has blanks around it or characters that cannot be seen", "write it on one line, without them")
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        known = sorted(available_timezones())
        near = choose(name, known)
        hint = near if near.startswith("did") else 'write an IANA name such as "Asia/Shanghai"'
        raise refusal(f"{quoted(name)} is no time zone", hint) from None
    return name


def _country(code: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - slow to load, and few write the key

    if code not in SUPPORTED_REGIONS:
        raise refusal(f"{quoted(code)} is no country with telephone numbers", 'write its two letters, such as "CN"')
    return code


def _role(name: str) -> str:
    if name not in ROLES:
        raise refusal(f"{quoted(name)} is no role", choose(name, ROLES))
    return name


def _pack(name: str) -> str:
    if name not in SHIPPED:
        raise refusal(f"{quoted(name)} is no pack that ships", choose(name, SHIPPED))
    return name


def _is_host(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return _HOST.fullmatch(name) is not None
    return True


def _host(name: str) -> str:
    if not _is_host(name):
        raise refusal("is not the name or address of a machine", 'write only that, such as "mail.example.org"')
    return name


def listening(text: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[::1]:port`, port 0 meaning any free one; else ValueError."""
    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or (":" in bare) != (bare != host) or not _is_host(bare) or not re.fullmatch(r"[0-9]{1,5}", port):
        raise ValueError("not host:port")
    if int(port) != 0 and int(port) not in _PORTS:
        raise ValueError("no such port")
    return bare, int(port)


def _listen(text: str) -> str:
    try:
        listening(text)
    except ValueError:
        hint = 'write "127.0.0.1:8080", or "0.0.0.0:8080" for every interface; ports end at 65535'
        raise refusal(f"{quoted(text)} is not an address and a port", hint) from None
    return text


def _split(url: str, hint: str) -> SplitResult:
    """`url` in parts; refuses one that has no sense, or a password, which the file must not hold."""
    try:
        parts = urlsplit(url)
        password, _ = parts.password, parts.port
    except ValueError:
        raise refusal("is not a URL", hint) from None
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise refusal("is a URL with blanks in it", hint)
    if password is not None and parts.scheme in {"http", "https"}:
        raise refusal("holds a password", "secrets come from *_env or *_file keys, never from this file")
    return parts


def _url(url: str) -> str:
    hint = 'write it whole, such as "https://example.org/path"'
    parts = _split(url, hint)
    if parts.scheme not in {"http", "https"}:
        raise refusal("is a URL that begins with neither http:// nor https://", hint)
    if not parts.hostname or not _is_host(parts.hostname) or parts.fragment:
        raise refusal("is a URL without a host, or with a #fragment", hint)
    return url


def _public_url(url: str) -> str:
    if urlsplit(_url(url)).query:
        raise refusal("is a URL with a query", "links are made by adding a path to it; leave out what follows the ?")
    return url


def _database(url: str) -> str:
    hint = 'write "sqlite:///baoxue.db" or "postgresql://user@host/name"'
    scheme = _split(url, hint).scheme
    if scheme not in _DATABASES or not url.startswith(f"{scheme}://"):
        raise refusal("is not the URL of a database known here", hint)
    if scheme == "sqlite" and not re.match(r"sqlite:///[^?]", url):
        raise refusal("names no file for SQLite", 'write three slashes and the file: "sqlite:///baoxue.db"')
    if scheme == "sqlite" and url.startswith("sqlite:///:memory:"):
        raise refusal("would forget everything at the first restart", hint)
    return url


def _sender(address: str) -> str:
    _, bare = parseaddr(address)
    if not _ADDRESS.fullmatch(bare):
        raise refusal("is not a mail address", 'write "控辍保学 <baoxue@example.org>" or "baoxue@example.org"')
    return address


def _address(address: str) -> str:
    if not _ADDRESS.fullmatch(address) or parseaddr(address)[1] != address:
        raise refusal("is not a bare mail address", 'write only that, such as "bounces@example.org"')
    return address


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise refusal(
            "is not the name of an environment variable", 'write its name, such as "BAOXUE_TOKEN", not its value'
        )
    return name


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or not (value.isprintable() and value.isascii()):
            raise refusal("holds a name or value that no HTTP header can have", "use plain ASCII on one line")
        if name.lower() in SECRET_HEADERS:
            raise refusal(f"holds a secret in {name}", "use token_env or token_file; secrets never stand in this file")
    return headers


def once(what: str) -> Callable[[tuple[object, ...]], tuple[object, ...]]:
    """The check that a list names nothing twice."""

    def check(several: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(several)) < len(several):
            raise refusal(f"names one {what} twice", f"name each {what} once")
        return several

    return check


Text = Annotated[str, AfterValidator(_plain)]
Cell = Annotated[str, AfterValidator(lambda text: _plain(text) if text else text)]
"""Text, or nothing."""
Id = Annotated[Text, AfterValidator(id_form)]
"""The id of a unit or contact, in the form in which feeds give it."""
Duration = Annotated[dt.timedelta, BeforeValidator(_duration)]
"""A span written as `90s`, `5m`, `2h`, `10d` or `1h30m`, or 0."""
Lasting = Annotated[Duration, AfterValidator(_lasting)]
"""A duration longer than nothing."""
Day = Annotated[dt.date, Strict()]
Clock = Annotated[dt.time, Strict()]
Count = Annotated[int, Strict()]
HoldShare = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)]
Share = Annotated[float, Strict(), Field(gt=0, le=1, allow_inf_nan=False)]
Weekday = Annotated[int, Strict(), Field(ge=1, le=7)]
"""1 is Monday, 7 Sunday."""
Weekdays = Annotated[tuple[Weekday, ...], Field(min_length=1), AfterValidator(once("weekday"))]
Port = Annotated[int, Strict(), Field(ge=1, le=65535)]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
"""Two letters of ISO 3166, such as CN."""
Role = Annotated[str, AfterValidator(_role)]
Roles = Annotated[tuple[Role, ...], Field(min_length=1), AfterValidator(once("role"))]
Pack = Annotated[str, AfterValidator(_pack)]
Packs = Annotated[tuple[Pack, ...], AfterValidator(once("pack"))]
Host = Annotated[Text, AfterValidator(_host)]
Listen = Annotated[str, AfterValidator(_listen)]
Url = Annotated[str, AfterValidator(_url)]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
Sender = Annotated[Text, AfterValidator(_sender)]
Address = Annotated[Text, AfterValidator(_address)]
Variable = Annotated[str, AfterValidator(_variable)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
