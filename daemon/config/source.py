"""The file as written: its text, its tree of plain values, and the line of every key in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import toml_rs

from daemon.problems import ConfigError, Problem

Place = tuple[str | int, ...]
"""Where something is in the tree: keys and list positions from the top."""

_LONGEST = 4 * 1024 * 1024
_DEEPEST = 100
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*(\[\[?)[^\[\]]")
_SYNTAX = 'text stands in "quotes", dates as 2026-03-02, times as 08:00:00; look also at the line before'


def dotted(place: Place) -> str:
    """`place` as an operator reads it: `ladder[1].rung[0].tell`, with quotes around keys that need them."""
    words = ""
    for step in place:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            words += ("." if words else "") + (step if _BARE.fullmatch(step) else f'"{step}"')
    return words


class Source:
    """One parsed file: plain values, and the line of every key; knows nothing of what they mean."""

    def __init__(self, text: str) -> None:
        document = toml_rs.load_with_metadata(text)
        self.tree: dict[str, Any] = document.value
        self._lines: dict[Place, int] = {(): 1}
        self._inside: set[int] = set()
        self._pieces: list[tuple[Place, Mapping[str, Any]]] = []
        self._learn((), document.meta["nodes"])
        self._learn_headers(text.split("\n"))
        for place, table in reversed(self._pieces):
            self._lines.setdefault(place, min((self._lines[*place, key] for key in table), default=1))

    def line(self, place: Place) -> int:
        """The line of the key at `place`, or of the nearest table around it."""
        while place not in self._lines:
            place = place[:-1]
        return self._lines[place]

    def _learn(self, place: Place, node: Mapping[str, Any]) -> None:
        """Take in the keys of one table; a node that is no key itself is a table written in pieces."""
        for key, child in node.items():
            here = (*place, key)
            if isinstance(child.get("key_line"), int):
                self._lines[here] = child["key_line"]
                self._learn_value(here, child)
            else:
                self._pieces.append((here, child))
                self._learn(here, child)

    def _learn_value(self, place: Place, node: Mapping[str, Any]) -> None:
        first, last = _span(node.get("value_line") or node["key_line"])
        self._lines.setdefault(place, first)
        self._inside.update(range(first + 1, last + 1))
        value = node["value"]
        if isinstance(value, dict):
            self._learn(place, value)
        elif isinstance(value, list):
            for number, child in enumerate(value):
                self._learn_value((*place, number), child)

    def _learn_headers(self, lines: list[str]) -> None:
        """Find `[table]` lines, which the parser does not report; lines inside a longer value are none."""
        counts: dict[Place, int] = {}
        for number, line in enumerate(lines, start=1):
            if number not in self._inside and (found := _HEADER.match(line)):
                place = _within(_names(line), counts, several=found[1] == "[[")
                self._lines[place] = number
                for depth in range(1, len(place)):
                    self._lines.setdefault(place[:depth], number)


def _span(lines: int | tuple[int, int]) -> tuple[int, int]:
    return (lines, lines) if isinstance(lines, int) else lines


def _names(header: str) -> list[str]:
    """The keys of one `[a.b]` or `[[a.b]]` line."""
    names: list[str] = []
    node: Any = toml_rs.loads(header)
    while node := (node[0] if isinstance(node, list) else node):
        ((name, node),) = node.items()
        names.append(name)
    return names


def _within(names: list[str], counts: dict[Place, int], *, several: bool) -> Place:
    """Where a header leads: into the latest element of every list on the way, or to a new one."""
    place: Place = ()
    for depth, name in enumerate(names, start=1):
        place = (*place, name)
        if several and depth == len(names):
            counts[place] = counts.get(place, 0) + 1
        if place in counts:
            place = (*place, counts[place] - 1)
    return place


def read_source(path: Path) -> Source:
    """The file at `path`, parsed; raises ConfigError when it cannot be read or is no TOML."""
    text = _text(path)
    if _too_deep(text):
        raise ConfigError([Problem(str(path), 1, "", "is nested too deeply", "no key lies deeper than six levels")])
    try:
        return Source(text)
    except toml_rs.TOMLDecodeError as error:
        problem = _syntax(path, error)
    raise ConfigError([problem])


def _syntax(path: Path, error: toml_rs.TOMLDecodeError) -> Problem:
    """A fault of the TOML itself. Only the parser's last line is kept: the others repeat what is written there."""
    reason = error.msg.rpartition("\n")[2]
    fault = f"is not TOML at column {error.colno}: {reason}"
    hint = "each key and each [table] stands once" if "duplicate" in reason else _SYNTAX
    return Problem(str(path), error.lineno, _word_at(error), fault, hint)


def _word_at(error: toml_rs.TOMLDecodeError) -> str:
    """The key of the line at fault, as far as one can be told."""
    line = error.doc.split("\n")[error.lineno - 1]
    found = re.match(r"\s*\[*\s*([A-Za-z0-9_.-]+)\s*(?:=|\])", line)
    return found[1] if found else ""


def _too_deep(text: str) -> bool:
    """Whether parsing might exhaust the stack; the parser does not guard it, and would take the daemon down."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth = max(depth - 1, 0)
    return deepest > _DEEPEST or any(line.count(".") > 2 * _DEEPEST for line in text.split("\n"))


def _text(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= _LONGEST else None
    except OSError as error:
        raise ConfigError([_unread(path, error)]) from None
    if content is None:
        raise ConfigError([Problem(str(path), None, "", "is too long for a configuration", "name another file")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(str(path), line, "", "is not UTF-8 text", "save the file as UTF-8")]) from None


def _unread(path: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(str(path), None, "", "does not exist", "name a file with --config, or copy config.example.toml")
    if isinstance(error, IsADirectoryError):
        return Problem(str(path), None, "", "is a folder", f"name the file in it, such as {path / 'config.toml'}")
    reason = (error.strerror or "unknown reason").lower()
    return Problem(str(path), None, "", f"cannot be read: {reason}", "let the daemon's user read it")
