"""`mark`, `leave` and `incident`: what an office knows before its feeds do."""

from __future__ import annotations

import click

from daemon.cli.casework import BY
from daemon.cli.naming import children, name_shown, named, the_student
from daemon.cli.output import print_record, print_records
from daemon.cli.shared import as_json, configured, either_or, printing, the_house
from daemon.cli.vocabulary import MARKS, VERDICTS
from daemon.clock import wall_clock
from daemon.desk.spans import read_date, span_end, span_start
from daemon.jobs import byhand, held
from daemon.jobs.dossier import local
from daemon.jobs.house import House
from daemon.store import incidents
from daemon.store.incidents import IncidentRow

MARK = {
    "name": ("姓名", "name"),
    "student": ("学籍号", "student"),
    "date": ("日期", "date"),
    "session": ("节次", "session"),
    "mark": ("考勤", "mark"),
    "by": ("由谁", "by"),
}
LEAVE = {
    "name": ("姓名", "name"),
    "student": ("学籍号", "student"),
    "from": ("起", "from"),
    "to": ("止", "to"),
    "kind": ("类别", "kind"),
    "by": ("由谁", "by"),
    "leave": ("编号", "leave"),
}
INCIDENT = {
    "kind": ("类别", "kind"),
    "subject": ("对象", "about"),
    "opened_at": ("发现", "opened"),
    "incident": ("编号", "incident"),
    "closed_at": ("结束", "closed"),
    "verdict": ("判定", "verdict"),
    "judged_at": ("判定时间", "judged"),
    "absent": ("缺勤", "absent"),
    "expected": ("应到", "expected"),
}


def _kinds() -> dict[str, tuple[str, str]]:
    """Return what each kind of incident is called."""
    from daemon.jobs.feed_problem_words import WORDS  # noqa: PLC0415 - for whoever lists incidents
    from daemon.jobs.service_problems import SERVICE_WORDS  # noqa: PLC0415 - likewise

    return {
        **{str(kind): words for kind, words in (*WORDS.items(), *SERVICE_WORDS.items())},
        "mass_absence": ("大面积缺勤", "mass absence"),
        "configuration_refused": ("配置未生效", "configuration refused"),
        "overdue": ("自检告警", "overdue work"),
    }


@click.command()
@click.argument("student", metavar="STUDENT")
@click.argument("date", metavar="DATE")
@click.argument("session", metavar="SESSION")
@click.argument("code", metavar="CODE")
@BY
@printing
def mark(student: str, date: str, session: str, code: str, by: str) -> None:
    """Say what a child's mark in one session is: present, late, left_early, absent, leave or unknown.

    STUDENT is an id or a whole name.
    """
    day = read_date(date, f"mark {student} date")
    with the_house(writes=True) as house:
        said = byhand.mark(house, the_student(house, student), day, session, code, by, wall_clock())
        facts = _child(house, said.student_id)
    facts |= {"date": said.date.isoformat(), "session": said.session}
    print_record({**facts, "mark": said.mark.name.lower(), "by": by}, MARK, {"mark": MARKS})


def _child(house: House, student_id: str) -> dict[str, object]:
    """Return a child's id and name."""
    with house.store.read() as tx:
        [found] = children(tx, house, [student_id])
    return {"student": found["student"], "name": found["name"] if as_json() else name_shown(found["name"])}


@click.group()
@configured
def leave() -> None:
    """Enter leaves."""


@leave.command()
@click.argument("student", metavar="STUDENT")
@click.argument("first", metavar="FROM")
@click.argument("last", metavar="TO")
@click.argument("kind", metavar="KIND")
@BY
@printing
def add(student: str, first: str, last: str, kind: str, by: str) -> None:
    """Enter a leave; whole dates mean both days inclusive. STUDENT is an id or a whole name."""
    with the_house(writes=True) as house:
        student = the_student(house, student)
        zone = house.calendar.zone
        starts = span_start(first, zone, f"leave {student} from")
        ends = span_end(last, zone, f"leave {student} to")
        record = byhand.add_leave(house, student, starts, ends, kind, by, wall_clock())
        span = {"from": local(house, record.starts), "to": local(house, record.ends)}
        child = _child(house, student)
    facts = {"leave": record.leave_id, **child, **span, "kind": record.kind, "by": record.approved_by}
    print_record(facts, LEAVE)


@click.group()
@configured
def incident() -> None:
    """See mass absences, silent feeds and other problems; judge mass absences."""


@incident.command()
@click.argument("incident_id", metavar="ID")
@either_or("--real/--not-real", "real", help="The children are absent, or are not; one of the two must be said.")
@BY
@printing
def judge(incident_id: str, real: bool, by: str) -> None:  # noqa: FBT001 - click's own way
    """Say whether a mass absence is real; the reports it held go, or vanish."""
    with the_house(writes=True) as house:
        row = byhand.judge_incident(house, incident_id, real=real, by=by, now=wall_clock())
        record = _record(house, row)
    print_record(record if as_json() else _seen(record), INCIDENT, {"kind": _kinds(), "verdict": VERDICTS})


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@printing
def list_(everything: bool) -> None:  # noqa: FBT001 - click's own way
    """List problems of feeds, silent feeds, mass absences and refused configurations, the oldest first."""
    with the_house() as house, house.store.read() as tx:
        rows = incidents.list_incidents(tx) if everything else incidents.open_incidents(tx)
        records = [_record(house, row) for row in rows if row.kind != held.KIND]  # told as delivery_held
    seen = records if as_json() else [_seen(one) for one in records]
    print_records(seen, INCIDENT, {"kind": _kinds(), "verdict": VERDICTS})


def _seen(record: dict[str, object]) -> dict[str, object]:
    """Return an incident as a table shows it: its unit by name and id."""
    name = record["subject_name"]
    return {**record, "subject": named(str(record["subject"]), None if name is None else str(name))}


def _record(house: House, row: IncidentRow) -> dict[str, object]:
    return {
        "incident": row.incident_id,
        "kind": row.kind,
        "subject": row.subject,
        "subject_name": _name_of(house, row),
        "opened_at": local(house, row.opened_at),
        "closed_at": local(house, row.closed_at),
        "verdict": row.verdict,
        "judged_at": local(house, row.judged_at),
        "absent": row.state.get("absent"),
        "expected": row.state.get("expected"),
        "classes": row.state.get("classes"),
    }


def _name_of(house: House, row: IncidentRow) -> str | None:
    """Return the name of the unit a mass absence is about; other incidents are about feeds and files."""
    if row.kind != "mass_absence":
        return None
    with house.store.read() as tx:
        unit = house.people(tx).directory.units.get(row.subject)
    return unit.name if unit else None
