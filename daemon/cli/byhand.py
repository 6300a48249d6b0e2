"""`mark`, `leave` and `incident`: what an office knows before its feeds do."""

from __future__ import annotations

import click

from daemon.cli.casework import BY
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import configured, printing, the_house
from daemon.clock import wall_clock
from daemon.desk.spans import read_date, span_end, span_start
from daemon.jobs import byhand, held
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.store import incidents
from daemon.store.incidents import IncidentRow

MARK = {"student": "学生 student", "date": "日期 date", "session": "节次 session", "mark": "考勤 mark", "by": "由谁 by"}
LEAVE = {
    "leave": "编号 leave",
    "student": "学生 student",
    "from": "起 from",
    "to": "止 to",
    "kind": "类别 kind",
    "by": "由谁 by",
}
INCIDENT = {
    "incident": "编号 incident",
    "kind": "类别 kind",
    "subject": "对象 about",
    "opened_at": "发现 opened",
    "closed_at": "结束 closed",
    "verdict": "判定 verdict",
    "judged_at": "判定时间 judged",
    "absent": "缺勤 absent",
    "expected": "应到 expected",
}


@click.command()
@click.argument("student", metavar="STUDENT")
@click.argument("date", metavar="DATE")
@click.argument("session", metavar="SESSION")
@click.argument("code", metavar="CODE")
@BY
@printing
def mark(student: str, date: str, session: str, code: str, by: str) -> None:
    """补记考勤 say what a child's mark in one session is: present, late, left_early, absent, leave or unknown."""
    day = read_date(date, f"mark {student} date")
    with the_house(writes=True) as house:
        said = byhand.mark(house, student, day, session, code, by, wall_clock())
    facts = {"student": said.student_id, "date": said.date.isoformat(), "session": said.session}
    print_record({**facts, "mark": said.mark.name.lower(), "by": by}, MARK)


@click.group()
@configured
def leave() -> None:
    """请假 leave."""


@leave.command()
@click.argument("student", metavar="STUDENT")
@click.argument("first", metavar="FROM")
@click.argument("last", metavar="TO")
@click.argument("kind", metavar="KIND")
@BY
@printing
def add(student: str, first: str, last: str, kind: str, by: str) -> None:
    """补录请假 enter a leave; whole dates mean both days inclusive."""
    with the_house(writes=True) as house:
        zone = house.calendar.zone
        starts = span_start(first, zone, f"leave {student} from")
        ends = span_end(last, zone, f"leave {student} to")
        record = byhand.add_leave(house, student, starts, ends, kind, by, wall_clock())
        span = {"from": local(house, record.starts), "to": local(house, record.ends)}
    facts = {"leave": record.leave_id, "student": student, **span, "kind": record.kind, "by": record.approved_by}
    print_record(facts, LEAVE)


@click.group()
@configured
def incident() -> None:
    """事件 mass absences and silent feeds."""


@incident.command()
@click.argument("incident_id", metavar="ID")
@click.option(
    "--real/--not-real", "real", default=None, required=True, help="属实/不属实 whether the children are absent."
)
@BY
@printing
def judge(incident_id: str, real: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """判定 say whether a mass absence is real; the reports it held go, or vanish."""
    with the_house(writes=True) as house:
        row = byhand.judge_incident(house, incident_id, real=real, by=by, now=wall_clock())
        print_record(_record(house, row), INCIDENT)


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="含已结束 those that are over, too.")
@printing
def list_(everything: bool) -> None:  # noqa: FBT001 - click's own way
    """Problems of feeds, silent feeds, mass absences and refused configurations, the oldest first."""
    with the_house() as house, house.store.read() as tx:
        rows = incidents.list_incidents(tx) if everything else incidents.open_incidents(tx)
        records = [_record(house, row) for row in rows if row.kind != held.KIND]  # told as delivery_held
    print_records(records, INCIDENT)


def _record(house: House, row: IncidentRow) -> dict[str, object]:
    return {
        "incident": row.incident_id,
        "kind": row.kind,
        "subject": row.subject,
        "opened_at": local(house, row.opened_at),
        "closed_at": local(house, row.closed_at),
        "verdict": row.verdict,
        "judged_at": local(house, row.judged_at),
        "absent": row.state.get("absent"),
        "expected": row.state.get("expected"),
        "classes": row.state.get("classes"),
    }
