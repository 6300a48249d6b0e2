"""From the configuration to the channels people are reached by; opens no connection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from daemon.config import ChannelsConfig, Config, ConfigError, EmailConfig, Problem, SmsConfig, WebhookConfig
from notifiers.contract import Notifier
from notifiers.email import Email, EmailSettings
from notifiers.sms.http import HttpSms, HttpSmsSettings
from notifiers.webhook import Webhook, WebhookEndpoint, WebhookSettings

Now = Callable[[], dt.datetime]

CHANNELS = tuple(ChannelsConfig.model_fields)
"""Every channel there can be."""

_BODY = 'such as \'{"to": "{phone}", "text": "{text}", "id": "{id}"}\''


def build_notifiers(
    config: Config, now: Now, kept: Mapping[str, Notifier] = MappingProxyType({})
) -> dict[str, Notifier]:
    """One notifier a configured channel, those in `kept` as they are; raises ConfigError with every fault."""
    channels, problems = config.channels, []
    built: dict[str, Notifier] = {}
    for name in _configured(channels):
        try:
            built[name] = kept.get(name) or _built(channels, name, now)
        except ValueError as error:
            key, hint = ("sms.body", _BODY) if name == "sms" else (name, None)
            problems.append(Problem(str(config.path), None, f"channels.{key}", str(error), hint))
    if problems:
        raise ConfigError(problems)
    return built


def unchanged(before: ChannelsConfig, after: ChannelsConfig) -> frozenset[str]:
    """The channels whose settings, secrets among them, are the same in both."""
    return frozenset(name for name in CHANNELS if getattr(before, name) == getattr(after, name))


def _configured(channels: ChannelsConfig) -> Iterator[str]:
    return (name for name in CHANNELS if getattr(channels, name) is not None)


def _built(channels: ChannelsConfig, name: str, now: Now) -> Notifier:
    match getattr(channels, name):
        case EmailConfig() as mail:
            return _email(mail, now)
        case SmsConfig() as sms:
            return _sms(sms, now)
        case WebhookConfig() as webhook:
            return _webhook(webhook, now)
    raise AssertionError(f"no channel {name}")


def _email(mail: EmailConfig, now: Now) -> Email:
    settings = EmailSettings(
        host=mail.host,
        sender=mail.from_,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=mail.password.get_secret_value() if mail.password else None,
        timeout=mail.timeout,
    )
    return Email(settings, now)


def _sms(sms: SmsConfig, now: Now) -> HttpSms:
    token = sms.token.get_secret_value() if sms.token else None
    settings = HttpSmsSettings(sms.url, token, sms.method, sms.headers, timeout=sms.timeout)
    return HttpSms(replace(settings, body=sms.body) if sms.body else settings, now)


def _webhook(webhook: WebhookConfig, now: Now) -> Webhook:
    endpoints = {
        name: WebhookEndpoint(one.url, one.secret.get_secret_value() if one.secret else "")
        for name, one in webhook.endpoints.items()
    }
    return Webhook(WebhookSettings(endpoints, timeout=webhook.timeout), now)
