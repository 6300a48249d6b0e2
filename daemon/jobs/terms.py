"""What a running district may be given anew while it runs: figures, law, words and ways to speak, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from daemon.config import Config
from daemon.desk.links import Links
from notifiers.contract import Notifier
from notifiers.words import Words
from rules.case import Law
from rules.laws import Laws
from rules.pacing import Pacing
from rules.predicate import Predicate
from rules.rulebook import Rulebook


@dataclass(frozen=True)
class Terms:
    """Everything in force together; never changed in place, so that whoever holds one never sees two mixed."""

    config: Config
    laws: Laws
    words: Words
    links: Links
    notifiers: Mapping[str, Notifier]
    pacing: Pacing

    @property
    def rulebook(self) -> Rulebook:
        """Every rule in force."""
        return self.laws.book

    @property
    def law(self) -> Law:
        """The law of children for whom no narrower one is meant."""
        return self.laws.default

    @property
    def when(self) -> Predicate:
        """The condition of that law's rule."""
        return self.laws.book.rules[self.law.rule].when
