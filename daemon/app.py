"""Builds the house: the one room that knows all the others."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import uuid_utils

from daemon.channels import Now, build_notifiers, unchanged
from daemon.clock import wall_clock
from daemon.config import Config, ConfigError, Problem
from daemon.desk.links import Links
from daemon.jobs.house import House
from daemon.jobs.terms import Terms
from daemon.metrics import Metrics
from daemon.settings import build_calendar, build_laws, load_rules, pacing_of, template_problems
from daemon.store.database_file import Opening
from daemon.store.engine import Store, open_store
from daemon.vault import keyring_of
from notifiers.contract import Notifier
from notifiers.words import Words
from rules.rulebook import Rulebook

Part = TypeVar("Part")


def make_id() -> str:
    """A new id: UUIDv7 in hexadecimal, so that ids sort by age."""
    return uuid_utils.uuid7().hex


def build_terms(config: Config, *, links: Links, notifiers: Mapping[str, Notifier]) -> Terms:
    """What `config` puts in force; raises ConfigError when the rules cannot be accepted."""
    return Terms(
        config=config,
        laws=build_laws(config, load_rules(config)),
        words=_words(config),
        links=links,
        notifiers=notifiers,
        pacing=pacing_of(config),
    )


def renew_terms(before: Terms, config: Config, now: Now) -> Terms:
    """What `config` puts in force after `before`; raises ConfigError with every fault of rules, templates, channels.

    What is the same stays the same object, so that equal terms are equal and open connections serve on.
    """
    problems: list[Problem] = []
    same = unchanged(before.config, config)
    kept = {name: one for name, one in before.notifiers.items() if name in same}
    rulebook = _gather(problems, lambda: load_rules(config))
    notifiers = _gather(problems, lambda: build_notifiers(config, now, kept))
    words = _words(config)
    problems += template_problems(words) if words.overrides else ()
    if problems or rulebook is None or notifiers is None:
        raise ConfigError(problems)
    return Terms(
        config=config,
        laws=before.laws if _same_law(before, config, rulebook) else build_laws(config, rulebook),
        words=before.words if words.own == before.words.own else words,
        links=before.links.moved_to(config.console.public_url),
        notifiers=notifiers,
        pacing=pacing_of(config),
    )


def _gather(problems: list[Problem], build: Callable[[], Part]) -> Part | None:
    try:
        return build()
    except ConfigError as error:
        problems += error.problems
        return None


def _same_law(before: Terms, config: Config, rulebook: Rulebook) -> bool:
    """Whether rules and figures say what they said: a rule by its version, for compiled ones never compare equal."""
    was, written = before.config, [(name, rule.version) for name, rule in rulebook.rules.items()]
    figures = (was.rules, was.ladder) == (config.rules, config.ladder)
    return figures and written == [(name, rule.version) for name, rule in before.rulebook.rules.items()]


def _words(config: Config) -> Words:
    overrides = config.base / "templates"
    return Words(overrides if overrides.is_dir() else None)


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
        terms=build_terms(config, links=Links(link_keys, config.console.public_url), notifiers=notifiers),
        store=store,
        calendar=build_calendar(config),
        clock=clock,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        new_id=new_id,
        metrics=Metrics(),
        simulated=simulated,
    )


def refuse_faults(config: Config) -> None:
    """Raise ConfigError with every fault of keys, rules, templates and channels: what `check` and a reload refuse."""
    problems: list[Problem] = []
    _gather(problems, lambda: keyring_of(config))
    _gather(problems, lambda: load_rules(config))
    notifiers = _gather(problems, lambda: build_notifiers(config, wall_clock)) or {}
    for notifier in notifiers.values():
        notifier.close()
    words = _words(config)
    problems += template_problems(words) if words.overrides else ()
    if problems:
        raise ConfigError(problems)


def open_house(config: Config, *, clock: Now = wall_clock, opening: Opening = Opening.FIRST) -> House:
    """Open the house of a real district: its own store, its own keys, its real channels."""
    keyring = keyring_of(config)
    store = open_store(config.database_url, config.service.district, keyring, state_dir=config.base, opening=opening)
    link_keys = [key.key.get_secret_value() for key in config.privacy.keys]
    return build_house(config, store, link_keys=link_keys, notifiers=build_notifiers(config, clock), clock=clock)
