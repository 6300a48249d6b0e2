"""From the configuration to the channels people are reached by; opens no connection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from daemon.config import (
    BouncesConfig,
    ChatConfig,
    Config,
    ConfigError,
    EmailConfig,
    Problem,
    WebhookConfig,
)
from daemon.config.offers import Offered
from daemon.providers import CHANNELS, Now, configured_channels
from notifiers.bounces import ReturnedEmail
from notifiers.chat.room import Chat
from notifiers.contract import Notifier
from notifiers.email import Email, EmailSettings
from notifiers.mailboxes import Imap, Mailbox, Maildir
from notifiers.provider import SettingError
from notifiers.webhook import SwiftWebhook, Webhook, WebhookEndpoint, WebhookSettings


def build_notifiers(
    config: Config, now: Now, kept: Mapping[str, Notifier] = MappingProxyType({})
) -> dict[str, Notifier]:
    """One notifier a configured channel, those in `kept` as they are; raises ConfigError with every fault."""
    channels, problems = config.channels, []
    built: dict[str, Notifier] = {}
    for name in configured_channels(channels):
        try:
            built[name] = kept.get(name) or _built(config, name, now)
        except SettingError as error:
            key = f"channels.{name}.{error.key}"
            problems.append(Problem(str(config.path), None, key, error.fault, error.hint))
        except ValueError as error:
            problems.append(Problem(str(config.path), None, f"channels.{name}", str(error), None))
    if problems:
        raise ConfigError(problems)
    return built


def unchanged(before: Config, after: Config) -> frozenset[str]:
    """The channels whose settings, secrets and certificates among them, and whose way out are the same in both."""
    if before.network != after.network:
        return frozenset()
    return frozenset(name for name in CHANNELS if getattr(before.channels, name) == getattr(after.channels, name))


def _built(config: Config, name: str, now: Now) -> Notifier:
    match getattr(config.channels, name):
        case EmailConfig() as mail:
            return _email(config, mail, now)
        case Offered() as offered:
            return offered.chosen.build(_settings(config, offered), now)
        case ChatConfig() as chat:
            return _chat(config, chat, now)
        case WebhookConfig() as webhook:
            return _webhook(config, webhook, now)
    raise AssertionError(f"no channel {name}")


def _email(config: Config, mail: EmailConfig, now: Now) -> Email:
    settings = EmailSettings(
        host=mail.host,
        sender=mail.from_,
        port=mail.port,
        security=mail.security,
        username=mail.username,
        password=mail.password.get_secret_value() if mail.password else None,
        timeout=mail.timeout,
        answer_timeout=mail.answer_timeout,
        bounce_to=mail.bounce_to,
        bounce_tag=mail.bounce_tag,
        notify=mail.notify,
        trust=config.network.trust(mail),
    )
    return Email(settings, now) if mail.bounces is None else ReturnedEmail(settings, now, _box(config, mail.bounces))


def _box(config: Config, bounces: BouncesConfig) -> Mailbox:
    """The box that mails come back to; what its kind needs was looked at where the file is."""
    if bounces.kind == "maildir":
        return Maildir(config.base / (bounces.path or ""))
    return Imap(
        host=bounces.host or "",
        username=bounces.username or "",
        password=bounces.password.get_secret_value() if bounces.password else "",
        port=bounces.port,
        security=bounces.security,
        folder=bounces.folder,
        timeout=bounces.timeout,
        trust=config.network.trust(bounces),
    )


def _settings(config: Config, offered: Offered) -> dict[str, Any]:
    """What a provider is built of: its folders begin where the configuration lies, its way out is the office's."""
    settings = offered.settings
    for key in offered.chosen.keys:
        if key.kind == "folder" and settings[key.name] is not None:
            settings[key.name] = config.base / settings[key.name]
        elif key.kind == "network":
            settings[key.name] = config.network.reach(offered)
    return settings


def _chat(config: Config, chat: ChatConfig, now: Now) -> Chat:
    robots: dict[str, Notifier] = {}
    for name, one in chat.endpoints.items():
        try:
            robots[name] = one.chosen.build(_settings(config, one), now)
        except SettingError as error:
            raise SettingError(f"endpoints.{name}.{error.key}", error.fault, error.hint) from None
    return Chat(robots)


def _webhook(config: Config, webhook: WebhookConfig, now: Now) -> Webhook:
    endpoints = {
        name: WebhookEndpoint(one.url, one.secret.get_secret_value() if one.secret else "")
        for name, one in webhook.endpoints.items()
    }
    chosen = SwiftWebhook if webhook.transport == "curl" else Webhook
    return chosen(WebhookSettings(endpoints, webhook.timeout, config.network.reach(webhook)), now)
