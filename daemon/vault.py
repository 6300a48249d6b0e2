"""The keys of a configuration, with which names and numbers are sealed."""

from __future__ import annotations

from daemon.config import Config, ConfigError, Problem
from daemon.store.keys import Keyring


def keyring_of(config: Config) -> Keyring:
    """The keys of the configuration; raises ConfigError where there are none."""
    if not config.privacy.keys:
        raise ConfigError(
            [
                Problem(
                    str(config.path),
                    None,
                    "privacy.key_file",
                    "missing: names and numbers are kept encrypted, and there is no key",
                    'make one with "baoxue db key baoxue.key" and set [privacy] key_file = "baoxue.key"',
                )
            ]
        )
    return Keyring({key.id: key.key.get_secret_value() for key in config.privacy.keys})
