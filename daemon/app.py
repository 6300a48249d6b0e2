"""Builds the house: the one room that knows all the others.

What a house for commands reads only when it is asked (see `house_for_command`) is imported where it is read.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, TypeVar

import uuid_utils

from daemon.clock import wall_clock
from daemon.config import Config, ConfigError, Problem
from daemon.desk.links import Links
from daemon.jobs.house import House
from daemon.jobs.terms import Terms
from daemon.providers import Now, configured_channels
from daemon.settings import build_calendar, pacing_of, template_problems
from daemon.store.database_file import Opening
from daemon.store.engine import Store, open_store
from daemon.vault import keyring_of
from notifiers.contract import Notifier

if TYPE_CHECKING:
    from notifiers.words import Words
    from rules.laws import Laws
    from rules.rulebook import Rulebook

Part = TypeVar("Part")


def make_id() -> str:
    """A new id: UUIDv7 in hexadecimal, so that ids sort by age."""
    return uuid_utils.uuid7().hex


def build_terms(config: Config, *, links: Links, notifiers: Mapping[str, Notifier]) -> Terms:
    """Build what `config` puts in force, its laws and words to be read when they are asked for."""
    return Terms(
        config=config,
        links=links,
        pacing=pacing_of(config),
        notifiers=notifiers,
        read_laws=cache(lambda: _laws(config)),
        read_words=cache(lambda: _words(config)),
    )


def renew_terms(before: Terms, config: Config, now: Now) -> Terms:
    """What `config` puts in force after `before`; raises ConfigError with every fault of rules, templates, channels.

    What is the same stays the same object, so that equal terms are equal and open connections serve on.
    """
    from daemon.channels import build_notifiers, unchanged
    from daemon.rulebook import build_laws, load_rules

    problems: list[Problem] = []
    same = unchanged(before.config, config)
    kept = {name: one for name, one in before.notifiers.items() if name in same}
    rulebook = _gather(problems, lambda: load_rules(config))
    notifiers = _gather(problems, lambda: build_notifiers(config, now, kept))
    words = _words(config)
    problems += template_problems(words) if words.overrides else ()
    if problems or rulebook is None or notifiers is None:
        raise ConfigError(problems)
    laws = before.laws if _same_law(before, config, rulebook) else build_laws(config, rulebook)
    words = before.words if words.own == before.words.own else words
    return Terms(
        config=config,
        links=before.links.moved_to(config.console.public_url),
        pacing=pacing_of(config),
        notifiers=notifiers,
        read_laws=lambda: laws,
        read_words=lambda: words,
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


def _laws(config: Config) -> Laws:
    from daemon.rulebook import build_laws, load_rules

    return build_laws(config, load_rules(config))


def _words(config: Config) -> Words:
    from notifiers.words import Words

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
    """Put the rooms together, with all they need; raises ConfigError when the rules cannot be accepted."""
    house = _house(config, store, link_keys, notifiers, clock, new_id, simulated=simulated)
    house.terms.read_whole()
    return house


def refuse_faults(config: Config) -> None:
    """Raise ConfigError with every fault of keys, rules, templates and channels: what `check` and a reload refuse."""
    from daemon.channels import build_notifiers
    from daemon.rulebook import load_rules

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


def open_house(config: Config, *, clock: Now = wall_clock) -> House:
    """Open the house of a real district: its own store, its own keys, its real channels."""
    from daemon.channels import build_notifiers

    store = _open_store(config, Opening.FIRST)
    return build_house(
        config, store, link_keys=_link_keys(config), notifiers=build_notifiers(config, clock), clock=clock
    )


@contextmanager
def house_for_command(
    config: Config, *, opening: Opening = Opening.EXISTING, clock: Now = wall_clock
) -> Iterator[House]:
    """Open the house of a real district for one command, and close it afterwards.

    Rules, templates and channels are read, and refused with ConfigError, only when the command asks for them.
    """
    with ExitStack() as held:
        store = _open_store(config, opening)
        held.callback(store.close)
        channels = _ChannelsOnDemand(config, clock, held)
        yield _house(config, store, _link_keys(config), channels, clock, make_id)


class _ChannelsOnDemand(Mapping[str, Notifier]):
    """The configured channels by name, built when the first of them is used; their names are known before."""

    def __init__(self, config: Config, clock: Now, held: ExitStack) -> None:
        self._config, self._clock, self._held = config, clock, held
        self._names = tuple(configured_channels(config.channels))

    def __getitem__(self, name: str) -> Notifier:
        if name not in self._names:
            raise KeyError(name)
        return self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    @cached_property
    def _built(self) -> Mapping[str, Notifier]:
        from daemon.channels import build_notifiers

        built = build_notifiers(self._config, self._clock)
        for notifier in built.values():
            self._held.callback(notifier.close)
        return built


def _house(
    config: Config,
    store: Store,
    link_keys: Sequence[bytes],
    notifiers: Mapping[str, Notifier],
    clock: Now,
    new_id: Callable[[], str],
    *,
    simulated: bool = False,
) -> House:
    return House(
        terms=build_terms(config, links=Links(link_keys, config.console.public_url), notifiers=notifiers),
        store=store,
        calendar=build_calendar(config),
        clock=clock,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        new_id=new_id,
        simulated=simulated,
    )


def _open_store(config: Config, opening: Opening) -> Store:
    keyring = keyring_of(config)
    return open_store(config.database_url, config.service.district, keyring, state_dir=config.base, opening=opening)


def _link_keys(config: Config) -> list[bytes]:
    return [key.key.get_secret_value() for key in config.privacy.keys]
