"""The demonstration as a process without a terminal: it ends by itself, tells one story a seed, and can be stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from daemon import demo
from daemon.config import load_config
from daemon.desk.faults import DeskError

ROOT = Path(__file__).parents[3]
CALL = "import sys; from daemon.demo import run; from pathlib import Path; sys.exit(run({words}))"
pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]


def command(words: str) -> list[str]:
    return [sys.executable, "-W", "error", "-c", CALL.format(words=words)]


def played(words: str) -> list[str]:
    ended = subprocess.run(  # noqa: S603 - our own Python
        command(words), cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=500
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


def without_real_time(lines: list[str]) -> list[str]:
    return [line for line in lines[: lines.index("接下来 next steps")] if "real time" not in line]


def test_three_days_end_by_themselves_and_tell_the_same_story_twice(tmp_path: Path) -> None:
    lines = played(f"days=3, keep=Path({str(tmp_path / 'kept')!r})")
    assert without_real_time(played("days=3")) == without_real_time(lines)
    assert sum(line.startswith("── ") for line in lines) == 3
    said = "\n".join(lines)
    assert re.search(r"报告 reports +[1-9]", said)
    assert re.search(r"撤回 retracted +[1-9]", said)
    assert re.search(r"更正 corrections +(\d+)/\1 ", said)
    assert "amiss" not in said


def test_what_is_kept_can_be_opened_as_any_operator_would(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    lines = played(f"days=1, keep=Path({str(kept)!r})")
    assert re.search(
        rf"the ledger +baoxue --config {re.escape(str(kept))}/config.toml cases$", "\n".join(lines), re.MULTILINE
    )
    config = load_config(kept / "config.toml", {})
    assert config.privacy.keys
    assert (kept / "baoxue.db").is_file()
    assert (kept / "baoxue.key").stat().st_mode & 0o077 == 0


def test_a_signal_ends_it_with_the_reckoning(tmp_path: Path) -> None:
    with subprocess.Popen(  # noqa: S603 - our own Python
        command("days=80"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if "点名" in line:
                process.send_signal(signal.SIGTERM)
                break
        rest = process.stdout.read()
        assert process.wait(90) == 0, process.stderr.read()
    assert "小结 summary" in rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", [0, -1, 1_000])
def test_days_outside_the_term_are_refused(days: int) -> None:
    with pytest.raises(DeskError, match="--days"):
        demo.run(days=days)


@pytest.mark.parametrize("speed", [-1.0, float("nan")])
def test_time_does_not_go_backwards(speed: float) -> None:
    with pytest.raises(DeskError, match="--speed"):
        demo.run(days=1, speed=speed)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(DeskError, match="--keep"):
        demo.run(days=1, keep=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
