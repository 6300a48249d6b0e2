"""A command is quick to start: of the large libraries it loads those it uses, and no others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import pytest

from daemon.cli import baoxue
from tests.daemon.cli.conftest import Reported

ROOT = Path(__file__).resolve().parents[3]

LARGE = frozenset(
    {
        *("alembic", "apscheduler", "defusedxml", "jinja2", "numpy", "phonenumbers", "prometheus_client", "pycurl"),
        *("pydantic", "python_calamine", "requests", "rich", "sqlalchemy", "sqlglot", "starlette", "structlog"),
        "sqlalchemy.dialects.postgresql",
        *("typst", "uvicorn", "watchfiles"),
    }
)
CONFIGURATION = frozenset({"pydantic"})
STORE = CONFIGURATION | {"sqlalchemy", "structlog", "rich"}
LEDGER = STORE | {"numpy"}
LAWS = LEDGER | {"sqlglot"}
WORDS = LAWS | {"jinja2", "requests"}
FEEDS = LAWS | {"defusedxml", "phonenumbers", "prometheus_client", "python_calamine", "requests"}

MAY_LOAD: Mapping[str, frozenset[str]] = {
    "demo": frozenset(),
    "run": frozenset(),
    "cases": LEDGER,
    "case show": LAWS,
    "case find": LEDGER,
    "case ack": LEDGER | {"prometheus_client"},
    "case confirm": LEDGER | {"prometheus_client"},
    "case note": LEDGER | {"prometheus_client"},
    "case close": LEDGER | {"prometheus_client"},
    "case approve": LEDGER | {"prometheus_client"},
    "case proof": WORDS | {"prometheus_client"},
    "mark": LEDGER | {"prometheus_client"},
    "leave add": LEDGER | {"prometheus_client"},
    "student list": LEDGER,
    "student same": LEDGER | {"prometheus_client"},
    "student apart": LEDGER | {"prometheus_client"},
    "incident list": LEDGER,
    "incident judge": LEDGER | {"prometheus_client"},
    "ladder list": LAWS,
    "ladder show": LAWS,
    "ladder apply": LAWS,
    "silence add": LEDGER,
    "silence end": LEDGER,
    "silence list": LEDGER,
    "feeds": LEDGER,
    "contacts": LEDGER,
    "deliveries": LEDGER,
    "clock accept": LEDGER | {"defusedxml", "prometheus_client"},
    "init": STORE,
    "audit": LEDGER | {"defusedxml"},
    "check": FEEDS,
    "import": FEEDS,
    "feed accept": FEEDS,
    "simulate": FEEDS,
    "say": WORDS,
    "rules list": CONFIGURATION | {"numpy", "sqlglot", "rich"},
    "rules check": CONFIGURATION | {"numpy", "sqlglot", "rich"},
    "rules facts": CONFIGURATION | {"numpy", "sqlglot", "rich"},
    "rules test": CONFIGURATION | {"numpy", "sqlglot", "rich"},
    "rules explain": LAWS,
    "rules backtest": LAWS,
    "db key": STORE,
    "db backup": STORE,
    "db restore": STORE,
    "db rotate": STORE,
    "db verify": STORE,
    "db upgrade": STORE,
}
"""Every command, and the large libraries it may load; a store that is behind loads alembic, too."""

TYPED: Mapping[str, str] = {
    "case show": "{case}",
    "case find": "{case}",
    "case ack": "{case} --by 李",
    "case confirm": "{case} --absent --by 李",
    "case note": "{case} 家访 --by 李",
    "case close": "{case} --reason 已转学 --by 李",
    "case approve": "{case} --by 王",
    "mark": "s-001 2026-03-18 am absent --by 李",
    "leave add": "s-002 2026-03-23 2026-03-24 sick --by 李",
    "incident judge": "none --real --by 李",
    "ladder show": "statutory",
    "silence add": "--unit k-1 --for 1h --reason 考试 --by 李",
    "silence end": "none --by 李",
    "feed accept": "students --by 李",
    "check": "--live",
    "say": "nobody --dry-run",
    "clock accept": "--by 李",
    "db key": "another.key",
    "init": "new",
    **dict.fromkeys(("demo", "run", "simulate", "case proof", "student same", "student apart"), "--help"),
    **dict.fromkeys(("ladder apply", "rules check", "rules test", "rules explain", "rules backtest"), "--help"),
    **dict.fromkeys(("db backup", "db restore"), "--help"),
}
"""What follows the name of a command here."""

LOADED = """
import contextlib, io, json, sys
from daemon.cli import baoxue
large, found = set(json.loads(sys.argv[1])), {}
for line in json.loads(sys.argv[2]):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        baoxue.main(line, standalone_mode=False)
    found[" ".join(line)] = sorted(large.intersection(sys.modules))
print(json.dumps(found))
"""


def loaded_by(lines: Sequence[Sequence[str]], folder: Path) -> Mapping[str, list[str]]:
    """Run commands one after the other in a process of their own; the large libraries loaded after each."""
    ran = subprocess.run(  # noqa: S603 - our own
        [sys.executable, "-c", LOADED, json.dumps(sorted(LARGE)), json.dumps(lines)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: Mapping[str, list[str]] = json.loads(ran.stdout)
    return found


def every_command(group: click.Group = baoxue, before: str = "") -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_every_command_says_here_what_it_may_load() -> None:
    assert set(MAY_LOAD) == set(every_command())


def test_help_and_version_load_no_large_library(tmp_path: Path) -> None:
    assert loaded_by([["--help"], ["--version"]], tmp_path) == {"--help": [], "--version": []}


@pytest.mark.parametrize("may", sorted({" ".join(sorted(libraries)) for libraries in MAY_LOAD.values()}))
def test_a_command_loads_no_large_library_it_has_no_use_for(may: str, reported: Reported) -> None:
    names = [name for name, libraries in MAY_LOAD.items() if libraries == set(may.split())]
    lines = [[*name.split(), *TYPED.get(name, "").format(case=reported.number).split()] for name in names]
    found = loaded_by(lines, reported.terminal.folder)
    assert {line: sorted(set(loaded).difference(may.split())) for line, loaded in found.items()} == {
        line: [] for line in found
    }
