"""Where in a rule file a key stands: lines found without parsing, for faults to name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_RULE = re.compile(r"\s*\[\[\s*[\"']?rule[\"']?\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*[\"']?rule[\"']?\s*\.\s*[\"']?([\w-]+)")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*(?:\.[^=]*)?=")
_FENCES = ('"""', "'''")


@dataclass(frozen=True)
class Page:
    """The text of one rule file; its line ends are those of the parser."""

    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines, the first of them line 1."""
        return self.text.split("\n")

    @cached_property
    def rules(self) -> list[dict[str, int]]:
        """For each `[[rule]]` the line of each of its keys, and of the table itself under an empty key."""
        found: list[dict[str, int]] = []
        fence, inside = "", False
        for number, line in enumerate(self.lines, 1):
            if fence:
                fence = "" if fence in line else fence
                continue
            if _RULE.match(line):
                found.append({"": number})
                inside = True
            elif table := _TABLE.match(line):
                inside = False
                if found:
                    found[-1].setdefault(table[1], number)
            elif line.lstrip().startswith("["):
                inside = inside and not re.match(r"\s*\[[\w\"'\[]", line)
            elif inside and found and (key := _KEY.match(line)):
                found[-1].setdefault(key[1], number)
            fence = next((mark for mark in _FENCES if line.count(mark) % 2), "")
        return found

    def line(self, rule: int, key: str) -> int | None:
        """The line of a key of the n-th rule, of the rule where the key is not written; None where neither is found."""
        if rule >= len(self.rules):
            return None
        places = self.rules[rule]
        return places.get(key, places[""])

    def line_within(self, rule: int, key: str, value: str, line: int) -> int | None:
        """The line of the file on which the n-th line of a key's value stands, where the value is written as it is."""
        begins = self.line(rule, key)
        if begins is None or (line == 1 and "\n" not in value):
            return begins
        offset = sum(len(one) + 1 for one in self.lines[: begins - 1])
        found = self.text.find(value, offset)
        return begins if found < 0 else self.text.count("\n", 0, found) + line


def page(text: str) -> Page:
    """The page of a text, with the line ends the parser makes of it."""
    return Page(text.replace("\r\n", "\n"))
