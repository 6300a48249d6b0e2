"""How long an operator waits for `baoxue check`, the whole command."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import CONFIG, show
from daemon.store.keys import Keyring

ROOT = Path(__file__).resolve().parent.parent
RUNS = 5
FILES = ("units", "students", "contacts")
ROLES = ("town_government", "education_office", "mentor", "operator")
DAYS = 60
SATURDAY = 5


def main() -> None:
    """Print the figure of a check of a small county in files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)
        took = sorted(checked(folder) for _ in range(RUNS))
    show("check of a county in files, median of five", took[RUNS // 2], 1.0, "s")


def checked(folder: Path) -> float:
    """Seconds of one check, from the start of the process to its end."""
    begun = perf_counter()
    command = [sys.executable, "-m", "daemon", "check", "--config", str(folder / "config.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return perf_counter() - begun


def lay_out(folder: Path) -> None:
    """A county in files: a school with ten classes of forty, with a file of marks a day."""
    feeds = [f'[[feed]]\nid = "{name}"\nkind = "file"\nrecords = "{name}"\npath = "{name}.csv"\n' for name in FILES]
    config = CONFIG.replace("[[ladder]]", "".join(feeds) + "[[ladder]]", 1).replace("marks.csv", "marks*.csv")
    (folder / "config.toml").write_text(config + '[privacy]\nkey_file = "bench.key"\n', encoding="utf-8")
    (folder / "bench.key").touch(0o600)
    (folder / "bench.key").write_text(Keyring.generate(), encoding="ascii")
    classes = [f"k-{n}" for n in range(10)]
    rows = {
        "units": ["unit_id,kind,parent_id,name", "county,county,,县", "t,town,county,镇", "sch,school,t,学校"]
        + [f"{one},class,sch,{one}" for one in classes],
        "students": ["student_id,name,class_id"] + [f"s-{n},学生,{classes[n % 10]}" for n in range(400)],
        "contacts": ["role,unit_id,name,phone"]
        + [
            f"{role},county,{role},13800000000"
            for role in ("town_government", "education_office", "mentor", "operator")
        ],
    }
    first = dt.date(2026, 3, 2)
    for day in (first + dt.timedelta(days=n) for n in range(DAYS)):
        if day.weekday() < SATURDAY:
            marks = [f"s-{n},{day},{session},present" for session in ("am", "pm") for n in range(400)]
            rows[f"marks-{day}"] = ["student_id,date,session,mark", *marks]
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
