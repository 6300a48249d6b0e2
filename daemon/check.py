"""Checks what a configuration promises: rules, templates, feeds, units, and that every rung reaches somebody."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from daemon.config import Config, FeedConfig
from daemon.config.source import read_source
from daemon.desk.linking import examine_links, examine_signature
from daemon.desk.promises import Findings, examine_ladders, examine_scopes, examine_units
from daemon.desk.reach import Child, Roster
from daemon.desk.scopes import Kind, traits_of
from daemon.feeds.fetch import fetch
from daemon.feeds.pace import Pace
from daemon.feeds.payload import Cursor, FeedError
from daemon.feeds.read import read
from daemon.problems import ConfigError, Problem
from daemon.settings import (
    build_calendar,
    load_rules,
    template_problems,
    uncovered_years,
)
from daemon.store.faults import StoreError
from daemon.vault import keyring_of
from rules.ladder import Directory, Recipient, Unit
from rules.records import ContactRecord, Record, StudentRecord, UnitRecord
from rules.rule import Rule

ROSTER = ("units", "students", "contacts")
PATIENCE = dt.timedelta(seconds=3)
"""How long a feed behind an address may take to answer."""


@dataclass(frozen=True)
class Examined:
    """What was found: problems that must be mended, notices that need not."""

    problems: tuple[Problem, ...]
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
    records = _read_feeds(config, found, now)
    roster = _from_feeds(records) or _from_store(config, found)
    if roster is None:
        hint = "every rung can only be checked once units, students and contacts are there: add their files, or import"
        found.notice(("feed",), "no roster is known yet", hint)
    else:
        examine_units(config, found, roster)
        examine_ladders(config, found, roster, now)
        examine_scopes(rules, found, roster)
    count = len(roster.children) if roster else 0
    summary = f"{len(config.feed)} feeds, {len(rules)} rules, {len(config.ladder)} ladders, {count} children"
    return Examined(tuple(found.problems), tuple(found.notices), summary)


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
    plain = sms is None or (sms.provider == "http" and not (sms.settings["body"] or sms.settings["receipts_secret"]))
    if webhook is None and chat is None and plain and (mail is None or mail.username is None):
        return
    from daemon.channels import build_notifiers, kinds_without_text  # noqa: PLC0415 - slow to load

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


def _read_feeds(config: Config, found: Findings, now: dt.datetime) -> list[Record]:
    """Reach every feed, those behind addresses side by side; the records of the rosters among them."""
    zone = ZoneInfo(config.service.timezone)
    with ThreadPoolExecutor(max_workers=8) as workers:
        reached = [workers.submit(_reach, config, feed, zone, now) for feed in config.feed]
        records: list[Record] = []
        for index, (feed, future) in enumerate(zip(config.feed, reached, strict=True)):
            key = "url" if feed.url is not None else "path"
            try:
                listed, refused = future.result()
            except FeedError as error:
                found.problem(("feed", index, key), error.reason, "look whether it is there and may be read")
                continue
            records += listed
            if refused:
                fault = f"{refused} rows or files would be refused"
                found.notice(("feed", index, key), fault, f"see them with: baoxue import --feed {feed.id}")
    return records


def _reach(config: Config, feed: FeedConfig, zone: ZoneInfo, now: dt.datetime) -> tuple[list[Record], int]:
    """The records of a roster feed and how many rows it would lose; of other feeds only whether they are there."""
    if feed.url is None and feed.records not in ROSTER:
        _look_at_files(config, feed)
        return [], 0
    hasty = feed.model_copy(update={"timeout": min(feed.timeout, PATIENCE)})
    payloads, _ = fetch(hasty if feed.url is not None else feed, config.base, Cursor(), now, pace=_once())
    if feed.records not in ROSTER:
        return [], 0
    readings = [read(feed, payload, zone) for payload in payloads]
    return [record for one in readings for record in one.records], sum(len(one.problems) for one in readings)


def _once() -> Pace:
    """A pace at which nothing is asked twice: after the first answer all patience is spent."""
    ticks = itertools.chain((0.0, 0.0), itertools.repeat(math.inf))
    return Pace(sleep=lambda _: None, clock=lambda: next(ticks))


def _look_at_files(config: Config, feed: FeedConfig) -> None:
    """Raise FeedError unless the files of a feed, or the folder they will come to, can be read."""
    path = feed.path or ""
    place = config.base / path
    wild = any(sign in path for sign in "*?[")
    if wild:
        still = itertools.takewhile(lambda part: not any(sign in part for sign in "*?["), place.parts)
        place = type(place)(*still)
    if not place.exists():
        what = "its folder does not exist" if wild else "no such file or folder"
        raise FeedError(feed.id, f"{path}: {what}", permanent=False)
    if not os.access(place, os.R_OK):
        raise FeedError(feed.id, f"{path}: may not be read", permanent=False)


# ---- the roster -----------------------------------------------------------------------------------------------------


def _from_feeds(records: Iterable[Record]) -> Roster | None:
    """A roster from records, if they name units, children and contacts."""
    units: dict[str, Unit] = {}
    children: dict[str, Child] = {}
    kinds: dict[Kind, None] = {}
    contacts: dict[str, ContactRecord] = {}
    for one in records:
        if isinstance(one, UnitRecord):
            units[one.unit_id] = Unit(one.unit_id, one.kind, one.parent_id, one.name)
        elif isinstance(one, StudentRecord):
            children[one.student_id] = (one.student_id, one.class_id, one.residence_id)
            kinds[one.class_id, one.grade, bool(one.boarding), one.tags] = None
        elif isinstance(one, ContactRecord):
            contacts[one.contact_id] = one
    if not (units and children and contacts):
        return None
    endpoints = {one.contact_id: one.endpoint for one in contacts.values() if one.endpoint}
    recipients = [_recipient(one) for one in contacts.values()]
    traits = traits_of(list(kinds), Directory(units, ()))
    return Roster(units, list(children.values()), recipients, endpoints, traits=traits)


def _recipient(one: ContactRecord) -> Recipient:
    reach = {"sms": one.phone, "email": one.email, "webhook": one.endpoint}
    channels = frozenset(channel for channel, address in reach.items() if address)
    return Recipient(one.contact_id, one.role, one.unit_id, one.student_id, channels, one.language)


def _from_store(config: Config, found: Findings) -> Roster | None:
    """The roster as imported, if there is a store to read."""
    from daemon.jobs.people import load_people, to_recipient  # noqa: PLC0415 - slow to load, and feeds mostly bring the roster
    from daemon.store.engine import open_store  # noqa: PLC0415 - likewise
    from daemon.store.unreachable import flags  # noqa: PLC0415 - likewise

    scheme, _, file = config.database_url.partition(":///")
    if not config.privacy.keys or (scheme == "sqlite" and not os.path.isfile(file)):  # noqa: PTH113 - a URL's part
        return None
    try:
        store = open_store(config.database_url, config.service.district, keyring_of(config), state_dir=config.base)
    except StoreError as error:
        found.problem(("service", "database"), str(error), "look whether it runs and may be reached")
        return None
    try:
        if not store.at_head():
            return None
        with store.read() as tx:
            people = load_people(tx, build_calendar(config))
            flagged = frozenset((one.contact_id, one.channel) for one in flags(tx))
    finally:
        store.close()
    kept = people.roster
    if not kept.students:
        return None
    recipients = [to_recipient(one) for one in kept.contacts]
    children = [(one.student_id, one.class_id, one.residence_id) for one in kept.students.values()]
    endpoints = {one.contact_id: one.endpoint for one in kept.contacts if one.endpoint}
    kinds = {(one.class_id, one.grade, bool(one.boarding), one.tags): None for one in kept.students.values()}
    traits = traits_of(list(kinds), people.directory)
    return Roster(people.directory.units, children, recipients, endpoints, flagged, traits)
