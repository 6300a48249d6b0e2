"""The rules of the house: floors, clocks, sizes and names; and locks that hold what the project asks for."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import lint_imports
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
ROOMS = ("daemon", "rules", "notifiers", "templates")

LONGEST = 300
LONG = {
    "daemon/store/migrations/versions/0001_first_tables.py": "one revision makes every table, and stays as it is",
}
"""Modules that are longer, each with its reason; one that has become short again does not belong here."""

CLOCK = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "time.ctime",
}
DATABASE_CLOCK = {f"sqlalchemy.func.{name}" for name in ("now", "current_timestamp", "current_date", "current_time")}

EMPTY_ENDINGS = {"Manager", "Handler", "Helper", "Helpers", "Util", "Utils", "Service", "Processor"}
EMPTY_NAMES = {"process", "handle", "data", "info", "item", "utils", "helpers"}
GIVEN_NAMES = {
    "daemon/demo/gateways.py do_POST": "http.server calls it so",
    "daemon/demo/mail.py handle": "socketserver calls it so",
    "daemon/feeds/xml.py data": "the XML parser calls its target so",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms, by its path from the root."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `dt` for `datetime`, `sa` for `sqlalchemy`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    return names


def full_name(node: ast.expr, names: dict[str, str]) -> str:
    """`dt.datetime.now` → `datetime.datetime.now`; empty for what is no dotted name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        left = full_name(node.value, names)
        return f"{left}.{node.attr}" if left else ""
    return ""


def mentions(tree: ast.Module, wanted: set[str]) -> bool:
    names = imported(tree)
    expressions = (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))
    return any(full_name(node, names) in wanted for node in expressions)


def is_empty_name(node: ast.AST) -> bool:
    """Whether a class or function is called by a word that says nothing."""
    if isinstance(node, ast.ClassDef):
        words = re.findall(r"[A-Z][a-z]*", node.name) or [""]
        return words[-1] in EMPTY_ENDINGS or words[0] == "Base"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name.strip("_") in EMPTY_NAMES or node.name.lstrip("_").startswith("do_")
    return False


def test_imports_go_downward_and_each_library_stays_in_its_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == 0, capsys.readouterr().out


def test_only_the_clock_asks_what_time_it_is() -> None:
    assert [path for path, tree in modules() if mentions(tree, CLOCK)] == ["daemon/clock.py"]


def test_nobody_asks_the_database_what_time_it_is() -> None:
    assert [path for path, tree in modules() if mentions(tree, DATABASE_CLOCK)] == []


@pytest.mark.parametrize(
    "code",
    [
        "import datetime as dt\nx = dt.datetime.now(dt.UTC)",
        "from datetime import datetime as when\nx = when.utcnow()",
        "import datetime\nx = datetime.date.today",
        "import time\nx = time.time()",
        "from time import time\nx = time()",
    ],
)
def test_a_look_at_the_clock_is_seen_under_any_name(code: str) -> None:
    assert mentions(ast.parse(code), CLOCK)


def test_modules_are_short_but_for_those_that_answer_for_it() -> None:
    lengths = {path: len((ROOT / path).read_text(encoding="utf-8").splitlines()) for path, _ in modules()}
    assert {path for path, lines in lengths.items() if lines > LONGEST} == set(LONG)


def test_names_say_something() -> None:
    found = [
        f"{path} {node.name}"
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and is_empty_name(node)
    ]
    assert [one for one in found if one not in GIVEN_NAMES] == []
    assert not [path for path, _ in modules() if Path(path).stem in EMPTY_NAMES]


def pins(name: str) -> dict[str, tuple[str, str]]:
    """Version and hashes of each package in a lock file."""
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.findall(r"(?m)^([a-z0-9][\w.-]*)==(\S+)(.*\\\n(?:    --hash=.*\n)+)", text)
    return {canonicalize_name(package): (version, rest) for package, version, rest in blocks}


def asked_for(*groups: str) -> list[Requirement]:
    """What pyproject.toml asks for, with the groups named."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = [*project["project"]["dependencies"]]
    named = {**project["dependency-groups"], **project["project"]["optional-dependencies"]}
    for group in groups:
        rows += [row for row in named[group] if isinstance(row, str)]
    return [Requirement(row) for row in rows]


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.lock", ("build",)),
        ("requirements-dev.lock", ("build", "dev")),
        ("requirements-pdf.lock", ("pdf",)),
    ],
)
def test_a_lock_holds_what_the_project_asks_for(name: str, groups: tuple[str, ...]) -> None:
    locked = pins(name)
    unmet = [
        str(asked)
        for asked in asked_for(*groups)
        if (found := locked.get(canonicalize_name(asked.name))) is None or not asked.specifier.contains(found[0])
    ]
    assert unmet == [], 'run "make lock"'


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-pdf.lock"])
def test_all_locks_agree(name: str) -> None:
    assert pins(name).items() <= pins("requirements-dev.lock").items()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-pdf.lock"])
def test_a_lock_pins_every_line_by_hash_and_names_no_index(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(re.findall(r"(?m)^[a-z0-9]", text)) == len(pins(name))
    assert "://" not in text
    assert not re.findall(r"(?m)^-", text)
