"""Which version of a rule was in force since when."""

from __future__ import annotations

import datetime as dt

from daemon.store.engine import Store
from daemon.store.rules import RuleVersion, record_rules, rule_versions

NOON = dt.datetime(2026, 3, 18, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


def version(name: str, at: dt.datetime, rule_id: str = "drift") -> RuleVersion:
    return RuleVersion(rule_id, at, name, "rules.toml", f'{{"id": "{rule_id}", "version": "{name}"}}')


def note(store: Store, *rules: RuleVersion) -> list[RuleVersion]:
    return store.commit(lambda tx: record_rules(tx, rules))


def test_a_version_is_noted_once_and_an_older_one_that_comes_back_anew(store: Store) -> None:
    note(store, version("a", NOON))

    assert note(store, version("a", NOON + HOUR)) == []
    assert note(store, version("b", NOON + 2 * HOUR)) == [version("b", NOON + 2 * HOUR)]
    note(store, version("a", NOON + 3 * HOUR))

    with store.read() as tx:
        assert [(one.version, one.since) for one in rule_versions(tx)] == [
            ("a", NOON),
            ("b", NOON + 2 * HOUR),
            ("a", NOON + 3 * HOUR),
        ]


def test_each_rule_has_versions_of_its_own(store: Store) -> None:
    note(store, version("a", NOON), version("a", NOON, "other"))
    note(store, version("b", NOON + HOUR), version("a", NOON + HOUR, "other"))

    with store.read() as tx:
        assert [(one.rule_id, one.version) for one in rule_versions(tx)] == [
            ("drift", "a"),
            ("drift", "b"),
            ("other", "a"),
        ]
