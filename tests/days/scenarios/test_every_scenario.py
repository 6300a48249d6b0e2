"""The fifteen scenarios every alerting system should pass: each has a module, and what that names elsewhere exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NUMBER = re.compile(r"test_scenario_(\d\d)_\w+\.py")
ELSEWHERE = re.compile(r"^    (tests/\S+\.py)(?:::(\w+))?$", re.MULTILINE)


def tried_in(path: Path) -> set[str]:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def told_of(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")), clean=False) or ""


def elsewhere(path: Path) -> list[tuple[Path, str]]:
    return [(ROOT / file, name) for file, name in ELSEWHERE.findall(told_of(path))]


MODULES = {int(found[1]): path for path in sorted(HERE.iterdir()) if (found := NUMBER.fullmatch(path.name))}


def test_each_of_the_fifteen_is_told() -> None:
    assert sorted(MODULES) == list(range(1, 16))
    for number, path in MODULES.items():
        assert told_of(path).startswith(f"Scenario {number}, ")
        assert tried_in(path) or elsewhere(path)


def test_what_is_told_elsewhere_is_there() -> None:
    named = [one for path in MODULES.values() for one in elsewhere(path)]
    missing = [f"{file}::{name}" for file, name in named if not file.exists() or (name and name not in tried_in(file))]
    assert len(named) > len(MODULES)
    assert missing == []
