"""Builds the house: the one room that knows all the others."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import uuid_utils

from daemon.clock import wall_clock
from daemon.config import Config, ConfigError, Problem
from daemon.desk.links import Links
from daemon.jobs.house import House
from daemon.jobs.terms import Terms
from daemon.metrics import Metrics
from daemon.settings import build_calendar, build_law, load_rules
from daemon.store.engine import Store, open_store
from daemon.vault import keyring_of
from notifiers.contract import Notifier
from notifiers.email import Email, EmailSettings
from notifiers.sms.http import HttpSms, HttpSmsSettings
from notifiers.webhook import Webhook, WebhookEndpoint, WebhookSettings
from notifiers.words import Words

Now = Callable[[], dt.datetime]


def make_id() -> str:
    """A new id: UUIDv7 in hexadecimal, so that ids sort by age."""
    return uuid_utils.uuid7().hex


def build_notifiers(config: Config, now: Now) -> dict[str, Notifier]:
    """One notifier a configured channel."""
    channels = config.channels
    built: dict[str, Notifier] = {}
    if channels.email is not None:
        mail = channels.email
        password = mail.password.get_secret_value() if mail.password else None
        built["email"] = Email(
            EmailSettings(
                host=mail.host,
                sender=mail.from_,
                port=mail.port,
                security=mail.security,
                username=mail.username,
                password=password,
                timeout=mail.timeout,
            ),
            now,
        )
    if channels.sms is not None:
        sms = channels.sms
        token = sms.token.get_secret_value() if sms.token else None
        settings = HttpSmsSettings(sms.url, token, sms.method, sms.headers, timeout=sms.timeout)
        try:
            built["sms"] = HttpSms(replace(settings, body=sms.body) if sms.body else settings, now)
        except ValueError as error:
            hint = 'such as \'{"to": "{phone}", "text": "{text}", "id": "{id}"}\''
            raise ConfigError([Problem(str(config.path), None, "channels.sms.body", str(error), hint)]) from None
    if channels.webhook is not None:
        endpoints = {
            name: WebhookEndpoint(one.url, one.secret.get_secret_value() if one.secret else "")
            for name, one in channels.webhook.endpoints.items()
        }
        built["webhook"] = Webhook(WebhookSettings(endpoints, timeout=channels.webhook.timeout), now)
    return built


def build_terms(config: Config, *, link_keys: Sequence[bytes], notifiers: Mapping[str, Notifier]) -> Terms:
    """What `config` puts in force; raises ConfigError when the rules cannot be accepted."""
    rulebook = load_rules(config)
    rule = rulebook.reports[0]
    overrides = config.base / "templates"
    return Terms(
        config=config,
        law=build_law(config, rule),
        when=rule.when,
        rulebook=rulebook,
        words=Words(overrides if overrides.is_dir() else None),
        links=Links(link_keys, config.console.public_url),
        notifiers=notifiers,
    )


def build_house(
    config: Config,
    store: Store,
    *,
    link_keys: Sequence[bytes],
    notifiers: Mapping[str, Notifier],
    clock: Now = wall_clock,
    new_id: Callable[[], str] = make_id,
    simulated: bool = False,
) -> House:
    """Put the rooms together; raises ConfigError when the rules cannot be accepted."""
    return House(
        terms=build_terms(config, link_keys=link_keys, notifiers=notifiers),
        store=store,
        calendar=build_calendar(config),
        clock=clock,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        new_id=new_id,
        metrics=Metrics(),
        simulated=simulated,
    )


def open_house(config: Config, *, clock: Now = wall_clock) -> House:
    """The house of a real district: its own store, its own keys, its real channels."""
    keyring = keyring_of(config)
    store = open_store(config.database_url, config.service.district, keyring, state_dir=config.base)
    link_keys = [key.key.get_secret_value() for key in config.privacy.keys]
    return build_house(config, store, link_keys=link_keys, notifiers=build_notifiers(config, clock), clock=clock)
