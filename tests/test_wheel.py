"""The wheel in an environment of its own, away from the sources: it installs from the lock, and its commands work."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import re
import subprocess
import sys
import venv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from daemon.cli.starting import _checked_out
from rules.records import Mark
from tests.county import HALF_DAYS, Child, MarkRow, World, write_feeds

ROOT = Path(__file__).parents[1]
ROOMS = {"daemon", "rules", "notifiers", "templates"}
# One worker, or each would install its own; and a first download may take minutes.
pytestmark = [pytest.mark.xdist_group("wheel"), pytest.mark.timeout(900)]

OFFLINE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError|"
    r"[Ff]ailed to (?:establish|resolve)|Network is unreachable|Connection (?:refused|to .* timed out)"
)
MONDAY = dt.date(2026, 3, 16)
Run = Callable[..., subprocess.CompletedProcess[str]]


def environment() -> dict[str, str]:
    """Ours, without what would show Python the sources."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}


def call(command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own Python and the commands it installed
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = call([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT], folder)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the locked libraries and the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", symlinks=True)
    python = folder / "venv" / "bin" / "python"
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "--disable-pip-version-check",
        "--retries",
        "1",
        "install",
    ]
    libraries: list[str | Path] = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--requirement",
        ROOT / "requirements.lock",
    ]
    got = call([*pip, *libraries], folder)
    if got.returncode and OFFLINE.search(got.stdout + got.stderr):
        pytest.skip("no package index can be reached, so the wheel cannot be tried in an environment of its own")
    assert got.returncode == 0, got.stdout + got.stderr
    put = call([*pip, "--no-deps", "--no-index", wheel], folder)
    assert put.returncode == 0, put.stdout + put.stderr
    return python


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one school whose one child stays away from Monday morning on."""
    folder = tmp_path_factory.mktemp("county")
    days = [MONDAY + dt.timedelta(days=n) for n in range(5)]
    world = World(
        zone="Asia/Shanghai",
        slots=HALF_DAYS,
        schools=(("school", "town"),),
        school_days=(("school", frozenset(days)),),
        classes=(("class", "school"),),
        children=(Child("child", ((MONDAY, "class"),)),),
        start=dt.datetime(2026, 3, 15, 16, tzinfo=dt.UTC),
        end=dt.datetime(2026, 3, 19, 16, tzinfo=dt.UTC),
        marks=tuple(
            MarkRow("child", day, slot.name, Mark.ABSENT, None, line)
            for line, (day, slot) in enumerate((day, slot) for day in days[:4] for slot in HALF_DAYS)
        ),
    )
    config = write_feeds(world, folder)
    key = folder / "baoxue.key"
    key.write_text("first:" + base64.b64encode(bytes(32)).decode() + "\n", encoding="ascii")
    key.chmod(0o600)
    with config.open("a", encoding="utf-8") as file:
        file.write('\n[privacy]\nkey_file = "baoxue.key"\n[console]\npublic_url = "https://baoxue.example.org"\n')
    return folder


@pytest.fixture
def baoxue(python: Path, county: Path) -> Run:
    """The installed command, run in the county's folder."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return call([python.with_name("baoxue"), *words], county)

    return run


def test_the_wheel_asks_for_nothing_the_lock_does_not_hold(python: Path, tmp_path: Path) -> None:
    checked = call([sys.executable, "-m", "pip", "--python", python, "check"], tmp_path)
    assert checked.returncode == 0, checked.stdout


def test_our_names_are_ours_alone(python: Path, tmp_path: Path) -> None:
    code = "import importlib.metadata as m, json; print(json.dumps(m.packages_distributions()))"
    owners = json.loads(call([python, "-c", code], tmp_path).stdout)
    assert {name for name, owner in owners.items() if "baoxue" in owner} == ROOMS
    assert all(owners[room] == ["baoxue"] for room in ROOMS)


def test_the_command_explains_itself(baoxue: Run) -> None:
    shown = baoxue("--help")
    assert shown.returncode == 0, shown.stderr
    assert "simulate" in shown.stdout


def test_the_command_explains_itself_in_chinese(baoxue: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    assert "模拟" in baoxue("--help").stdout


def test_a_sound_county_passes_the_check(baoxue: Run) -> None:
    checked = baoxue("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_child_away_since_monday_is_reported_on_wednesday(baoxue: Run) -> None:
    told = baoxue("simulate", "--from", "2026-03-16T00:00:00+08:00", "--to", "2026-03-20T00:00:00+08:00")
    assert told.returncode == 0, told.stderr
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    reports = {(line["student"], line["due_at"]) for line in lines if line["kind"] == "report"}
    assert reports == {("child", "2026-03-18T08:00:00+08:00")}


def test_what_an_office_needs_is_written_out_without_a_checkout(python: Path, tmp_path: Path) -> None:
    begun = call([python.with_name("baoxue"), "init", "county"], tmp_path)
    assert begun.returncode == 0, begun.stderr
    assert (tmp_path / "county" / "config.toml").is_file()
    manual = tmp_path / "county" / "manual"
    written = {path.relative_to(manual).as_posix() for path in manual.rglob("*") if path.is_file()}
    assert written == set(_checked_out())


def test_a_folder_made_so_is_checked_by_the_command_it_shows(python: Path, tmp_path: Path) -> None:
    shown = call([python.with_name("baoxue"), "init", "county"], tmp_path).stdout
    check = next(line.split()[1:] for line in shown.splitlines() if line.strip().startswith("check "))
    checked = call(check, tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert "no roster is known yet" in checked.stderr
