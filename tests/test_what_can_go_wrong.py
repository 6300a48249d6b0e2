"""The page of what can go wrong: whatever it names as shown by a test is, and every kind of fault is on it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.faults.catalogue import FAULTS

_TESTS = Path(__file__).parent
_PAGE = _TESTS.parent / "docs" / "what-can-go-wrong.md"
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)`")
_FAULT = re.compile(r"\bfault: \*([^*]+)\*")
_COLUMNS = 6


def _rows() -> list[list[str]]:
    """The cells of each row of the page's tables of what holds, without the headings."""
    lines = [line for line in _PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in rows if len(row) == _COLUMNS and row[0] != "what goes wrong" and set(row[0]) != {"-"}]


_ROWS = _rows()


def test_every_table_has_its_columns_and_many_rows() -> None:
    assert len(_ROWS) > 50
    assert all(all(row) for row in _ROWS)


@pytest.mark.parametrize("row", _ROWS, ids=[row[0] for row in _ROWS])
def test_what_a_row_says_is_shown_by_tests_that_are_there(row: list[str]) -> None:
    shown = row[-1]
    missing = [f"{path}::{name}" for path, name in _TEST.findall(shown) if name not in _functions(_TESTS / path)]
    missing += [name for name in _faults_in(shown) if name not in {fault.name for fault in FAULTS}]

    assert missing == []
    assert _TEST.search(shown) or _faults_in(shown)


def test_every_kind_of_fault_is_on_the_page() -> None:
    page = _PAGE.read_text(encoding="utf-8")

    assert {fault.name for fault in FAULTS} == set(_faults_in(page)), "name each in a row, as fault: *its name*"


def _faults_in(text: str) -> list[str]:
    return _FAULT.findall(text)


def _functions(path: Path) -> set[str]:
    """The names of a module's tests, read without importing it."""
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
