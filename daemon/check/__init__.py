"""Checks what a configuration promises: rules, templates, feeds, units, and that every rung reaches somebody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from daemon.check.numbers import examine_numbers
from daemon.check.reading import ROSTER, Looked, look_at_feeds
from daemon.check.records import examine_records
from daemon.check.rosters import Kept, roster_of
from daemon.check.ways import examine_ways
from daemon.config import Config
from daemon.config.source import read_source
from daemon.desk.linking import examine_answers, examine_links, examine_signature
from daemon.desk.promises import Findings, examine_ladders, examine_scopes, examine_units
from daemon.feeds.files import passed_over
from daemon.feeds.grouping import RefusedGroup, group_refused
from daemon.problems import ConfigError, Problem
from daemon.providers import kinds_without_text
from daemon.rulebook import load_rules
from daemon.settings import build_calendar, template_problems, uncovered_years
from daemon.vault import keyring_of
from rules.rule import Rule

MOST_REASONS = 50
"""So many reasons for refusing rows are said of a feed; the rest is counted."""


@dataclass(frozen=True)
class Examined:
    """What was found.

    `problems` are wrong in the configuration; `findings` lose a child, a row or a recipient though it is right; notices
    do neither.
    """

    problems: tuple[Problem, ...]
    findings: tuple[Problem, ...]
    notices: tuple[Problem, ...]
    summary: str


def examine(config: Config, now: dt.datetime) -> Examined:
    """Everything wrong with what `config` promises; sends nothing, writes nothing, and makes no store."""
    found = Findings(str(config.path), read_source(config.path))
    rules = _examine_parts(config, found)
    _examine_channels(config, found, now)
    _examine_years(config, found)
    examine_links(config, found)
    examine_signature(config, found)
    examine_ways(config, found, now)
    examine_answers(config, found)
    looked = look_at_feeds(config, now)
    _examine_feeds(config, looked, found)
    if config.channels.sms is not None:
        examine_numbers(looked, found)
    kept = Kept(config)
    kept.examine_keys(found)
    roster = roster_of(record for one in looked if one.feed.records in ROSTER for record in one.records)
    roster = roster or kept.roster(found)
    if roster is None:
        hint = "every rung can only be checked once units, students and contacts are there: add their files, or import"
        found.notice(("feed",), "no roster is known yet", hint)
    else:
        examine_units(config, found, roster)
        examine_ladders(config, found, roster, now)
        examine_scopes(rules, found, roster)
        calendar = build_calendar(config)
        for one in looked:
            examine_records(one, found, roster, calendar, now, kept.known)
    kept.examine(found, {student for student, _, _ in roster.children} if roster else (), now)
    count = len(roster.children) if roster else 0
    summary = f"{len(config.feed)} feeds, {len(rules)} rules, {len(config.ladder)} ladders, {count} children"
    return Examined(tuple(found.problems), tuple(found.findings), tuple(found.notices), summary)


# ---- rules, templates, keys, holidays -----------------------------------------------------------------------------


def _examine_parts(config: Config, found: Findings) -> Sequence[Rule]:
    """The rules, none where they are refused; also the keys and the templates."""
    rules: Sequence[Rule] = ()
    try:
        rules = tuple(load_rules(config).rules.values())
    except ConfigError as error:
        found.problems += error.problems
    try:
        keyring_of(config)
    except ConfigError as error:
        found.problems += error.problems
    overrides = config.base / "templates"
    if overrides.is_dir():  # those that ship are tried before they ship; trying them takes a quarter of a second
        from notifiers.words import Words  # noqa: PLC0415 - slow to load, and few have templates of their own

        found.problems += template_problems(Words(overrides))
    return rules


def _examine_channels(config: Config, found: Findings, now: dt.datetime) -> None:
    """What only a channel can judge: a body, a secret, an account, a robot; without these none refuses anything."""
    mail, sms, chat, webhook = (getattr(config.channels, name) for name in ("email", "sms", "chat", "webhook"))
    judged = ("body", "receipts_secret", "push_fields", "push_statuses")
    plain = sms is None or (sms.provider == "http" and not any(sms.settings[one] for one in judged))
    if webhook is None and chat is None and plain and (mail is None or mail.username is None):
        return
    from daemon.channels import build_notifiers  # noqa: PLC0415 - slow to load

    try:
        build_notifiers(config, lambda: now)
    except ConfigError as error:
        for one in error.problems:
            found.problem(tuple(one.key.split(".")), one.fault, one.hint)
    if lacking := kinds_without_text(config.channels):
        hint = "they go by the recipient's next channel; leave kinds out of one template to let it say all the rest"
        found.notice(("channels", "sms", "template"), f"no approved text says {', '.join(lacking)}", hint)


def _examine_years(config: Config, found: Findings) -> None:
    years = uncovered_years(config)
    if years:
        fault = f"the holidays of {', '.join(map(str, years))} are not known to this version"
        hint = "until an upgrade knows the State Council's notice, enter its days as closed and open"
        found.notice(("calendar", "holidays"), fault, hint)


# ---- feeds --------------------------------------------------------------------------------------------------------


def _examine_feeds(config: Config, looked: Sequence[Looked], found: Findings) -> None:
    """Every feed can be reached, and everything in it is taken."""
    for index, one in enumerate(looked):
        key = "url" if one.feed.url is not None else "path"
        if one.error is not None:
            found.problem(("feed", index, key), one.error.reason, "look whether it is there and may be read")
        elif one.is_empty_roster:
            found.finding(("feed", index, key), "names nobody", "look whether the export was cut off after its header")
        found.findings += _refusals(one)
        found.notices += _notices_of(config, one)
        if one.unread:
            fault = f"only the newest {len(one.readings)} of {len(one.readings) + one.unread} files were looked at"
            found.notice(("feed", index, key), fault, f"all of them are read by: baoxue import --feed {one.feed.id}")


def _refusals(looked: Looked) -> list[Problem]:
    """What would be refused of a feed, a line for each reason."""
    groups = group_refused(looked.refused)
    said = [_problem_of(one) for one in groups[:MOST_REASONS]]
    if len(groups) > MOST_REASONS:
        rest = sum(one.count for one in groups[MOST_REASONS:])
        fault = f"{rest} more rows for {len(groups) - MOST_REASONS} more reasons"
        said.append(Problem(groups[0].source, None, "", fault, f"see them with: baoxue import --feed {looked.feed.id}"))
    return said


def _problem_of(group: RefusedGroup) -> Problem:
    rows = "" if group.count == 1 else f"{group.count} rows: "
    return Problem(group.source, group.line or None, group.column or "", f"{rows}{group.fault}", group.hint)


def _notices_of(config: Config, looked: Looked) -> list[Problem]:
    """What was passed over in a feed without being refused; a person should look at it."""
    passed = [one for _, reading in looked.readings for one in reading.notices]
    passed += passed_over(looked.feed, config.base, [one for one in config.feed if one.id != looked.feed.id])
    return [_problem_of(group) for group in group_refused(passed)]
