"""What the configured providers of channels carry: to which address, in which texts, how many children in one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from daemon.config import ChannelsConfig
from notifiers.phrases import KINDS, SMS_LIST
from notifiers.sms.templates import Templates

Now = Callable[[], dt.datetime]

CHANNELS = tuple(ChannelsConfig.model_fields)
"""Every channel there can be."""


def configured_channels(channels: ChannelsConfig) -> Iterator[str]:
    """Name the channels that are configured."""
    return (name for name in CHANNELS if getattr(channels, name) is not None)


def children_in_one_text(channels: ChannelsConfig, kind: str) -> int | None:
    """How many children one text message of a kind may tell of: as many as it names; None: any number, it counts them.

    Where a provider sends approved texts only, those say it: see docs/providers.md.
    """
    templates = _templates(channels)
    return SMS_LIST if templates is None else templates.most(kind)


OF_ENDPOINTS = frozenset({"webhook", "chat"})
"""The channels each of whose addresses is a receiver of its own, known by a name in the configuration."""


def endpoints_of(channels: ChannelsConfig, channel: str) -> Sequence[str]:
    """Return the names of a channel's endpoints; none of a channel that has none."""
    return tuple(getattr(getattr(channels, channel, None), "endpoints", ()))


def provider_of(channels: ChannelsConfig, channel: str, address: str | None) -> str | None:
    """Return who carries the messages of a channel to an address; None where there is no choice of providers."""
    if channel == "chat":
        robot = channels.chat.endpoints.get(address or "") if channels.chat else None
        return None if robot is None else robot.provider
    return getattr(getattr(channels, channel, None), "provider", None)


def kinds_without_text(channels: ChannelsConfig) -> list[str]:
    """The kinds of messages that no approved text says; none where a provider sends our own words."""
    templates = _templates(channels)
    return [] if templates is None else [kind for kind in KINDS if templates.of(kind, "zh") is None]


def is_said_by_sms(channels: ChannelsConfig, kind: str) -> bool:
    """Return whether there are words for a kind by text message: ours, or an approved text that names it."""
    sms = channels.sms
    if sms is None or _templates(channels) is None:
        return sms is not None
    return any(kind in one.kinds for one in sms.settings["template"])


def _templates(channels: ChannelsConfig) -> Templates | None:
    """The approved texts of the provider that carries text messages, if it sends no others."""
    sms = channels.sms
    if sms is None or sms.chosen.limits is None:
        return None
    return Templates(sms.settings["template"], sms.chosen.limits)
