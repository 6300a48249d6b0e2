"""The rules in force: read from the packs and files a configuration names, accepted, and joined to its figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from daemon.config import Config, ConfigError, Problem, RulesConfig
from daemon.settings import ladder_of
from rules.case import Law
from rules.finding import Clock
from rules.ladder import Ladder
from rules.laws import Laws, laws_of
from rules.rulebook import Rulebook, RulebookError, RuleFault, read_rules


def build_laws(config: Config, rulebook: Rulebook) -> Laws:
    """The rules in force with the figures of the configuration."""
    return laws_under(config.rules, [ladder_of(ladder) for ladder in config.ladder], rulebook)


def laws_under(rules: RulesConfig, ladders: Iterable[Ladder], rulebook: Rulebook) -> Laws:
    """The laws of `rulebook` with the figures of a `[rules]` table."""
    common = Law(
        clock=Clock(run_break=rules.run_break),
        wait_for_roll=rules.wait_for_roll,
        unconfirmed_after=rules.unconfirmed_after,
        mass_absence_hold=rules.mass_absence_hold,
        ladders={ladder.ladder_id: ladder for ladder in ladders},
    )
    return laws_of(rulebook, common)


def load_rules(config: Config) -> Rulebook:
    """The packs the configuration names and the operator's files; raises ConfigError with every fault of them."""
    sources = rule_sources(config.rules, config.base)
    return read_rulebook(sources, [ladder.id for ladder in config.ladder], str(config.path))


def rule_sources(rules: RulesConfig, base: Path) -> list[tuple[str, str]]:
    """Name and text of the packs and files of a `[rules]` table; raises ConfigError for those that cannot be read."""
    packs = resources.files("rules").joinpath("packs")
    sources = [
        (f"packs/{name}.toml", packs.joinpath(f"{name}.toml").read_text(encoding="utf-8")) for name in rules.packs
    ]
    problems = []
    for name in rules.files:
        try:
            sources.append((name, (base / name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            problems.append(Problem(name, None, "", "cannot be read as UTF-8 text", "see rules.files"))
    if problems:
        raise ConfigError(problems)
    return sources


def read_rulebook(sources: Sequence[tuple[str, str]], ladders: Iterable[str], path: str) -> Rulebook:
    """The rules of `sources`, which may name `ladders`; raises ConfigError with every fault of them.

    A fault of no rule file is one of `[rules]` in the file at `path`.
    """
    try:
        return read_rules(sources, ladders)
    except RulebookError as error:
        raise ConfigError(_problem(path, fault) for fault in error.faults) from None


def _problem(path: str, fault: RuleFault) -> Problem:
    source, key = (fault.source, fault.key) if fault.source else (path, f"rules.{fault.key}")
    return Problem(source, fault.line, key, fault.fault, fault.hint)
