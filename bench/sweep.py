"""A sweep after a poll that touches 2 000 children in 50 classes of a district of 1 000 000, the at-risk pack on."""

from __future__ import annotations

import datetime as dt
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.ground import CLASS_SIZE, CONFIG, ZONE, District, build, history, show, timed
from daemon.clockwork.memory import collect_seldom
from daemon.jobs.poll import poll_feed
from daemon.jobs.sweep import sweep_due

CHILDREN = int(os.environ.get("BAOXUE_BENCH_DISTRICT", "1000000"))
CLASSES = 50
SESSIONS = 160
WATCHED = CONFIG.replace(
    "[[ladder]]\n",
    '[rules]\npacks = ["statutory", "at-risk"]\n[[ladder]]\nid = "watch"\nacknowledged_by = ["mentor"]\n'
    '[[ladder.rung]]\nafter = "0h"\ntell = ["mentor", "class_teacher"]\nchannels = ["sms"]\n[[ladder]]\n',
    1,
)


def main() -> None:
    """Print the figures of a sweep."""
    collect_seldom()
    with tempfile.TemporaryDirectory() as folder:
        with timed() as took:
            district = build(Path(folder), CHILDREN, WATCHED)
        print(f"{CHILDREN} children, made up in {took[0]:.0f} s; {SESSIONS} sessions of history of {CLASSES} classes")
        part = District(
            district.house,
            district.folder,
            district.keyring,
            district.students[: CLASSES * CLASS_SIZE],
            district.classes[:CLASSES],
        )
        days = history(part, SESSIONS, absent=0.015)
        first = sweep(part, days[-1] + dt.timedelta(days=3), "am")
        print(f"  the very first sweep, which reads who is where: {first:.2f} s")
        took_each = [sweep(part, days[-1] + dt.timedelta(days=3 + n // 2), ("am", "pm")[n % 2]) for n in range(1, 6)]
        show("sweep after a poll of 2 000 children (median of five)", statistics.median(took_each), 0.3, "s")


def sweep(district: District, day: dt.date, name: str) -> float:
    """Poll the marks of one session, 4 % absent, others every time; seconds of the sweep that follows."""
    house = district.house
    at = dt.datetime.combine(day, dt.time(8 if name == "am" else 14, 10), ZONE).astimezone(dt.UTC)
    rows = [
        f"{one},{day},{name},{'absent' if (n + at.timestamp() // 3600) % 25 == 0 else 'present'}"
        for n, one in enumerate(district.students)
    ]
    file = district.folder / "marks.csv"
    file.write_text("student_id,date,session,mark\n" + "\n".join(rows) + "\n", encoding="utf-8")
    os.utime(file, (1e9 + at.timestamp(), 1e9 + at.timestamp()))
    poll_feed(house, house.config.feed[0], at)
    with timed() as took:
        sweep_due(house, at)
    return took[0]


if __name__ == "__main__":
    main()
