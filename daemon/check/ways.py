"""By which way feeds and channels are reached, and what of the way is out of order."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from daemon.config import Config, Reaching, Trusting
from daemon.config.offers import Offered
from daemon.config.source import Place
from daemon.desk.promises import Findings
from notifiers.trust import unread_variables

_ANY = "https://provider.invalid/"
"""Stands for the address of a provider that has one of its own."""


class _Way(NamedTuple):
    """Something that is reached over HTTP: what an operator calls it, its address, which may be secret, its table."""

    name: str
    url: str
    table: Reaching


def examine_ways(config: Config, found: Findings, now: dt.datetime) -> None:
    """Say what goes through which proxy, and what of authorities and environment will not do."""
    for place, table in _trusting(config):
        if table.certificates and (ended := _all_ended(table.certificates, now)) is not None:
            fault = f"names only certificates that have expired, the last on {ended:%Y-%m-%d}"
            found.problem((*place, "ca_file"), fault, "ask the authority for its new certificate")
    for name in unread_variables():
        fault = f"{name} is set in the environment and names no authorities that can be read"
        found.notice(("network",), fault, f"mend or unset {name} where the daemon starts")
    ways = list(_ways(config))
    if ways:
        _examine_proxies(config, found, ways)


def _examine_proxies(config: Config, found: Findings, ways: list[_Way]) -> None:
    through: defaultdict[str, list[str]] = defaultdict(list)
    for way in ways:
        proxy = config.network.reach(way.table).proxy_for(way.url)
        through[f"through the proxy {proxy.place}" if proxy else "directly"].append(way.name)
    if through.keys() > {"directly"} or (through and "directly" not in through):
        key = "proxy_from_environment" if config.network.proxy_from_environment else "proxy"
        fault = "; ".join(f"{how}: {', '.join(names)}" for how, names in sorted(through.items(), reverse=True))
        hint = 'no_proxy and proxy = "none" make a way direct; mail is always handed over directly'
        found.notice(("network", key), fault, hint)
    elif config.network.unused:
        fault = f"{', '.join(config.network.unused)} is set in the environment and not followed"
        found.notice(("network",), fault, "write proxy, or proxy_from_environment = true, if the office needs one")


def _ways(config: Config) -> Iterator[_Way]:
    channels = config.channels
    yield from (_Way(f"feed {feed.id}", feed.url, feed) for feed in config.feed if feed.url is not None)
    if channels.sms is not None:
        yield from _offered("channels.sms", channels.sms)
    if channels.chat is not None:
        for name, robot in channels.chat.endpoints.items():
            yield from _offered(f"channels.chat.endpoints.{name}", robot)
    if channels.webhook is not None:
        for name, endpoint in channels.webhook.endpoints.items():
            yield _Way(f"channels.webhook.endpoints.{name}", endpoint.url, channels.webhook)
    if config.heartbeat is not None and config.heartbeat.url is not None:
        yield _Way("heartbeat", config.heartbeat.url.get_secret_value(), config.heartbeat)


def _offered(name: str, table: Offered) -> Iterator[_Way]:
    settings = table.settings
    if "network" in settings:
        yield _Way(name, settings.get("url") or settings.get("endpoint") or _ANY, table)


def _trusting(config: Config) -> Iterator[tuple[Place, Trusting]]:
    """Every table that may have authorities of its own."""
    channels = config.channels
    yield ("network",), config.network
    yield from ((("feed", number), feed) for number, feed in enumerate(config.feed))
    tables: dict[str, Trusting | None] = {"email": channels.email, "sms": channels.sms, "webhook": channels.webhook}
    yield from ((("channels", name), table) for name, table in tables.items() if table is not None)
    if channels.email is not None and channels.email.bounces is not None:
        yield ("channels", "email", "bounces"), channels.email.bounces
    if channels.chat is not None:
        yield from ((("channels", "chat", "endpoints", name), one) for name, one in channels.chat.endpoints.items())
    if config.heartbeat is not None:
        yield ("heartbeat",), config.heartbeat


def _all_ended(certificates: str, now: dt.datetime) -> dt.datetime | None:
    """When the last of some certificates expired; None while one has not."""
    from cryptography import x509  # noqa: PLC0415 - slow to load, and few have authorities of their own

    last = max(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(certificates.encode()))
    return last if last < now else None
