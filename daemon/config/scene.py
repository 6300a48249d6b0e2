"""One table of the tree as written, seen with all that it may refer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.config.credentials import Vault
from daemon.config.source import Place
from daemon.config.wording import Finding

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """One table under a check, with all that it may refer to."""

    place: Place
    table: Tree
    tree: Tree
    vault: Vault

    def found(self, step: str | Place, fault: str, hint: str) -> Finding:
        """A fault at one key of this table."""
        steps = (step,) if isinstance(step, str) else step
        return Finding((*self.place, *steps), fault, hint)

    def text(self, key: str) -> str | None:
        """The text under `key`, if there is any."""
        value = self.table.get(key)
        return value if isinstance(value, str) else None


def rows(value: object) -> Iterator[tuple[int, Tree]]:
    """The tables of a list, with their positions."""
    rows = value if isinstance(value, list) else []
    return ((number, row) for number, row in enumerate(rows) if isinstance(row, dict))


def below(tree: object, *keys: str) -> object:
    """What lies under `keys`, one below the other; None where there is nothing, or no table on the way."""
    value = tree
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
