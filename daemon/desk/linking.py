"""What messages owe to those who get them: links that lead somewhere, and a signature that gateways know."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from daemon.config import Config
from daemon.desk.promises import Findings

_PLACE = ("console", "public_url")
_PEOPLE = frozenset({"sms", "email", "chat"})
"""The channels whose messages people read."""


def examine_links(config: Config, found: Findings) -> None:
    """Live messages with links begin with an address others can reach; one written as this machine's is a notice."""
    if not carries_links(config) or not is_this_machine(config.console.public_url):
        return
    hint = (
        f'write the address under which recipients reach {config.console.listen}, such as "https://baoxue.example.org"'
    )
    if is_unset(config):
        fault = "is not set: the links of messages would lead to this machine, which nobody else can reach"
        found.problem(_PLACE, fault, f'{hint}; or mode = "shadow" while trying')
    else:
        found.notice(_PLACE, "is an address of this machine: nobody else can follow the links of messages", hint)


def examine_signature(config: Config, found: Findings) -> None:
    """Chinese text messages through a gateway of one's own begin with what the gateway has registered."""
    sms = config.channels.sms
    if (
        sms is None
        or config.service.language != "zh"
        or "sign_name" not in sms.settings
        or sms.chosen.limits is not None
    ):
        return
    if sms.settings["sign_name"] is None:
        fault = "is not set: text messages begin with the name of the county in 【】"
        found.notice(("channels", "sms", "sign_name"), fault, "write the signature the gateway has registered for you")


def examine_answers(config: Config, found: Findings) -> None:
    """A gateway of one's own says in its answer whether it took a message, and not by HTTP's 200 alone."""
    sms = config.channels.sms
    if sms is not None and "ok_field" in sms.settings and sms.settings["ok_field"] is None:
        fault = "is not set: any HTTP 200 that names no fault counts as a message taken"
        hint = 'name the field of its answer that says so, such as ok_field = "code" with ok_value = "0"'
        found.notice(("channels", "sms", "ok_field"), fault, hint)


def leads_nowhere(config: Config) -> bool:
    """Return whether live messages carry links that nobody set an address for."""
    return carries_links(config) and is_unset(config)


def carries_links(config: Config) -> bool:
    """Return whether messages with links go to people: live, by a channel people read, on some rung."""
    known = {name for name in _PEOPLE if getattr(config.channels, name) is not None}
    spoken = {channel for ladder in config.ladder for rung in ladder.rung for channel in rung.channels}
    return config.service.mode == "live" and bool(known & spoken)


def is_unset(config: Config) -> bool:
    """Return whether nobody wrote what links begin with."""
    return "public_url" not in config.console.model_fields_set


def is_this_machine(url: str) -> bool:
    """Return whether an address means the machine it is used on."""
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified
