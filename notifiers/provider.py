"""What a provider of a channel says of itself: the keys it is configured by, and how it is built.

A provider is one module of `notifiers.sms` or `notifiers.chat` with a `PROVIDER`; nothing else names it.
"""

from __future__ import annotations

import datetime as dt
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from notifiers.contract import Notifier
from notifiers.network import DIRECT, Network

Now = Callable[[], dt.datetime]
Settings = Mapping[str, Any]
"""What the operator wrote for one provider: every key it declares, by name, with its default where nothing is written.

A secret is its text or None, a span a timedelta, templates are `notifiers.sms.templates.Template`s.
"""

Kind = Literal[
    "text",
    "words",
    "url",
    "span",
    "count",
    "flag",
    "headers",
    "names",
    "texts",
    "folder",
    "secret",
    "templates",
    "network",
]
"""What a key holds; `text` stands on one line, `words` on several, `names` are a table from one text to another.

A `secret` named `token` is written as `token_env` or `token_file`; a `folder` is made absolute; a `network` is written
as `ca_file` and `proxy`, and comes as the `Network` that these and the office's own `[network]` make.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a provider's table: its kind, one sentence, and an example as TOML writes it.

    `quiet` ones may hold a secret or an address, and are not shown where a configuration is printed. Providers that
    share a key declare it alike, but for whether they need it: a key means one thing in all of a channel.
    """

    name: str
    kind: Kind
    description: str
    example: str | None = None
    default: Any = None
    needed: bool = False
    choices: tuple[str, ...] = ()
    quiet: bool = False

    @property
    def written(self) -> tuple[str, ...]:
        """The keys it stands for in a file; a secret is named by one of two."""
        if self.kind == "network":
            return ("ca_file", "proxy")
        return (f"{self.name}_env", f"{self.name}_file") if self.kind == "secret" else (self.name,)


TIMEOUT = Key("timeout", "span", "how long one answer may take", default=dt.timedelta(seconds=20))
"""The same for whoever speaks over a network."""
NETWORK = Key("network", "network", "how the provider is reached", default=DIRECT)
"""The same for whoever speaks over HTTP."""
REPLIES = Key(
    "replies", "flag", "whether answers come back, so that messages carry a code to acknowledge by", default=False
)
"""The same for whoever hears answers."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a provider allows in the variables of a registered template, in characters; None is no limit of its own.

    With `asked` the room of a variable differs from account to account, so that each has to be given.
    """

    variable: int | None = None
    total: int | None = None
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its name in the configuration, its keys, and how a channel is made of them.

    `build` raises SettingError for what it cannot work with. `limits` are those of its templates, for a provider that
    sends no words of ours; None for one that does.
    """

    name: str
    keys: tuple[Key, ...]
    build: Callable[[Settings, Now], Notifier]
    limits: Limits | None = None

    @property
    def written(self) -> frozenset[str]:
        """Its keys as they stand in a file."""
        return frozenset(name for key in self.keys for name in key.written)


class SettingError(ValueError):
    """A setting a provider cannot work with: which key, why, and what might help; never its value."""

    def __init__(self, key: str, fault: str, hint: str) -> None:
        super().__init__(fault)
        self.key = key
        self.fault = fault
        self.hint = hint


def network_of(settings: Settings) -> Network:
    """Return the network a provider with the key NETWORK is reached by."""
    network: Network = settings["network"]
    return network


@cache
def providers(channel: Literal["sms", "chat"]) -> Mapping[str, Provider]:
    """Every provider of a channel by its name, found by looking into the channel's package."""
    package = importlib.import_module(f"notifiers.{channel}")
    return found_in(package.__name__, package.__path__)


def found_in(package: str, path: Iterable[str]) -> Mapping[str, Provider]:
    """The providers of the modules in a package; raises ValueError where two of them contradict each other."""
    modules = (importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(path))
    found = [one for module in modules if (one := getattr(module, "PROVIDER", None)) is not None]
    keys_of(found)
    named = {provider.name: provider for provider in found}
    if len(named) < len(found):
        raise ValueError(f"two providers of {package} have one name")
    return MappingProxyType(dict(sorted(named.items())))


def keys_of(several: list[Provider]) -> Mapping[str, Key]:
    """The keys of several providers, each once; raises ValueError where two declare one key differently."""
    known: dict[str, Key] = {}
    for provider in several:
        for key in provider.keys:
            if replace(known.setdefault(key.name, key), needed=key.needed) != key:
                raise ValueError(f"provider {provider.name} declares the key {key.name} unlike another does")
    return known
