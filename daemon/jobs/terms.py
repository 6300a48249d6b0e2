"""What a running district may be given anew while it runs: figures, law, words and ways to speak, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from daemon.config import Config
from daemon.desk.links import Links
from rules.pacing import Pacing

if TYPE_CHECKING:  # what reads rules and templates loads libraries that most commands do not need
    from notifiers.contract import Notifier
    from notifiers.words import Words
    from rules.case import Law
    from rules.laws import Laws
    from rules.predicate import Predicate
    from rules.rulebook import Rulebook


@dataclass(frozen=True)
class Terms:
    """Everything in force together; never changed in place, so that whoever holds one never sees two mixed.

    The laws and the words are read when they are first asked for, once; a daemon asks before it starts (`read_whole`).
    """

    config: Config
    links: Links
    pacing: Pacing
    notifiers: Mapping[str, Notifier]
    read_laws: Callable[[], Laws]
    read_words: Callable[[], Words]

    def read_whole(self) -> Terms:
        """Read what is not read yet; raises ConfigError when the rules cannot be accepted."""
        self.laws, self.words  # noqa: B018 - asked for, so that they are read
        return self

    @cached_property
    def laws(self) -> Laws:
        """Every law in force; raises ConfigError when the rules cannot be accepted."""
        return self.read_laws()

    @cached_property
    def words(self) -> Words:
        """The templates in force."""
        return self.read_words()

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
