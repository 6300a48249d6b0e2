"""One rule file to its rules: every fault at once, each with its line; reads no file itself."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from rules.faults import RuleFault
from rules.places import Page, page
from rules.reading import Reading
from rules.rule import Rule

LONGEST_FILE = 1_000_000
"""Characters."""
MOST_RULES = 500
"""In one file."""
_PLACE = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


def read_file(name: str, text: str, ladders: Sequence[str], faults: list[RuleFault]) -> dict[str, Rule]:
    """The rules of one file by id, those without a fault; adds what is wrong with the others to `faults`."""
    document = _parse(name, text, faults)
    if document is None:
        return {}
    tables = document.get("rule", [])
    unknown = sorted(set(document) - {"rule"})
    faults += [RuleFault(name, None, key, "unknown key", "a rule file holds [[rule]] tables") for key in unknown]
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        faults.append(RuleFault(name, None, "rule", "is not a list of tables", "write each rule under a line [[rule]]"))
        return {}
    if len(tables) > MOST_RULES:
        faults.append(
            RuleFault(name, None, "rule", f"more than {MOST_RULES} rules", "rules differ by scope, not by child")
        )
        return {}
    return _read_tables(name, page(text), tables, ladders, faults)


def _read_tables(
    name: str, written: Page, tables: Sequence[Mapping[str, Any]], ladders: Sequence[str], faults: list[RuleFault]
) -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    lines: dict[str, int | None] = {}
    for number, table in enumerate(tables):
        reading = Reading(name, written, number, table, tuple(ladders))
        rule = reading.rule()
        rule_id = table.get("id")
        if isinstance(rule_id, str) and rule_id in lines:
            beside = f", first in line {lines[rule_id]}" if lines[rule_id] else ""
            reading.fault("id", f"'{rule_id}' is there twice{beside}", "rules of one file need different ids")
        elif isinstance(rule_id, str):
            lines[rule_id] = written.line(number, "")
        faults += reading.faults
        if rule is not None:
            rules[rule.rule_id] = rule
    return rules


def _parse(name: str, text: str, faults: list[RuleFault]) -> dict[str, Any] | None:
    if len(text) > LONGEST_FILE:
        faults.append(RuleFault(name, None, "", f"is longer than {LONGEST_FILE} characters", "split it into files"))
        return None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else None
        faults.append(RuleFault(name, line, "", "is not valid TOML", _PLACE.sub("", str(error)).strip()))
    except RecursionError:
        faults.append(RuleFault(name, None, "", "is nested too deeply", "a rule file holds [[rule]] tables"))
    except ValueError as error:  # a number no machine can hold
        faults.append(RuleFault(name, None, "", "is not valid TOML", str(error)))
    return None
