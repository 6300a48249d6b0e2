"""What the roster must hold for a configuration to keep its promises: units, people in every role, who takes turns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from daemon.config import Config
from daemon.config.source import Place, Source, dotted
from daemon.desk.reach import Reach, Roster, few
from daemon.desk.scopes import scope_problems
from daemon.desk.turns import TurnFault, turn_faults
from daemon.problems import Problem, nearest
from daemon.settings import chat_names, rotas_of, webhook_names, workdays_of
from rules.rota import OnDuty
from rules.rule import Rule


@dataclass
class Findings:
    """Problems being gathered, each with the line of its key.

    `problems` are wrong in the configuration; `findings` are right in it and lose a child, a row or a recipient.
    """

    path: str
    source: Source
    problems: list[Problem] = field(default_factory=list)
    findings: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)

    def problem(self, place: Place, fault: str, hint: str | None = None) -> None:
        """Something wrong in the configuration."""
        self.problems.append(Problem(self.path, self.source.line(place), dotted(place), fault, hint))

    def finding(self, place: Place, fault: str, hint: str | None = None) -> None:
        """Something by which a child, a row or a recipient is lost."""
        self.findings.append(Problem(self.path, self.source.line(place), dotted(place), fault, hint))

    def notice(self, place: Place, fault: str, hint: str | None = None) -> None:
        """Something that need not."""
        self.notices.append(Problem(self.path, self.source.line(place), dotted(place), fault, hint))


def examine_units(config: Config, found: Findings, roster: Roster) -> None:
    """The units that feeds, calendar and classes name are there, and every endpoint a contact names is configured."""
    known = set(roster.units) | {class_id for _, class_id, _ in roster.children}
    named: list[tuple[Place, str]] = [
        *((("feed", n, "units", m), unit) for n, feed in enumerate(config.feed) for m, unit in enumerate(feed.units)),
        *((("calendar", "unit", n, "unit"), one.unit) for n, one in enumerate(config.calendar.unit)),
    ]
    for place, unit in named:
        if unit not in known:
            meant = nearest(unit, known)
            hint = f'did you mean "{meant}"?' if meant else "add it to the units feed"
            found.problem(place, f'"{unit}" is no unit', hint)
    homeless = sorted({class_id for _, class_id, _ in roster.children if class_id not in roster.units})
    if homeless:
        fault = f"children are in {len(homeless)} classes that no units feed names: {few(homeless)}"
        found.finding(("feed",), fault, "add them to the units feed, with the school above them")
    unknown = sorted({*roster.endpoints.values()} - webhook_names(config) - chat_names(config))
    for name in unknown:
        found.problem(
            ("channels",),
            f'contacts name the endpoint "{name}", which is not configured',
            f"add a table [channels.webhook.endpoints.{name}]",
        )


def examine_ladders(config: Config, found: Findings, roster: Roster, now: dt.datetime) -> None:
    """Every rung reaches somebody for every child; a role that is not reached everywhere is worth a notice."""
    rotas, is_workday = rotas_of(config), workdays_of(config.calendar)
    reach = Reach(
        roster,
        webhook_names(config),
        chat_names(config),
        duty=lambda directory: OnDuty(directory, rotas, now, is_workday),
    )
    _examine_turns(found, turn_faults(rotas, reach.recipients, reach.hears, now, is_workday))
    for number, ladder in enumerate(config.ladder):
        for index, rung in enumerate(ladder.rung):
            place = ("ladder", number, "rung", index, "tell")
            lost = reach.unreached(rung.tell, rung.channels)
            if lost:
                fault = f"reaches nobody for children of {len(lost)} schools or towns: {few(lost)}"
                hint = "add contacts in these roles with an address on one of the rung's channels"
                found.finding(place, fault, hint)
            for role in rung.tell:
                gaps = reach.unreached([role], rung.channels)
                if gaps and not lost:
                    fault = f"nobody is reached as {role} for {len(gaps)} schools or towns: {few(gaps)}"
                    found.notice(place, fault, "add such contacts, or leave the role out")
    if not reach.has("operator"):
        found.finding(("ladder",), "nobody is the operator", "add a contact with the role operator: faults go there")


_TURNS = {
    "unknown": ('"{contact}" is no contact', "write a contact_id of the contacts feed, or add the contact there"),
    "unreachable": ('"{contact}" has no address on any channel', "add one to the contacts feed, or leave it out"),
    "nobody": ("nobody is on duty now: everybody in the role is told", "let the rota begin earlier"),
}


def _examine_turns(found: Findings, faults: Iterable[TurnFault]) -> None:
    for one in faults:
        fault, hint = _TURNS[one.fault]
        found.notice(("duty", one.rota), fault.format(contact=one.contact_id), hint)


def examine_scopes(rules: Sequence[Rule], found: Findings, roster: Roster) -> None:
    """Rules for some children name units that are there, and cover somebody."""
    known = set(roster.units) | {class_id for _, class_id, _ in roster.children}
    for grave, problem in scope_problems(rules, known, roster.traits):
        (found.problems if grave else found.notices).append(problem)
