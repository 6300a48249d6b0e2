"""Which version of each rule was in force since when, and what it said; only ever added to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from daemon.store.tables import rule_version

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from daemon.store.tx import Tx


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """One version of a rule, in force from `since` until the next of its id; `body` is its table as JSON."""

    rule_id: str
    since: dt.datetime
    version: str
    source: str
    body: str


_COLUMNS = tuple(RuleVersion.__dataclass_fields__)


def record_rules(tx: Tx, rules: Iterable[RuleVersion]) -> list[RuleVersion]:
    """Note those of `rules` that say something else than before; which they were."""
    newest = {row.rule_id: row for row in rule_versions(tx)}
    changed = [rule for rule in rules if (known := newest.get(rule.rule_id)) is None or known.version != rule.version]
    tx.add(rule_version, [{name: getattr(rule, name) for name in _COLUMNS} for rule in changed])
    return changed


def rule_versions(tx: Tx) -> list[RuleVersion]:
    """Every version noted, by rule, the oldest first."""
    asked = sa.select(*(rule_version.c[name] for name in _COLUMNS)).where(tx.ours(rule_version))
    found = tx.connection.execute(asked.order_by(rule_version.c.rule_id, rule_version.c.since))
    return [RuleVersion(*row) for row in found]
