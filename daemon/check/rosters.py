"""The roster that promises are checked against: from the feeds, or from the store where these do not bring it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from daemon.config import Config
from daemon.desk.promises import Findings
from daemon.desk.reach import Child, Roster
from daemon.desk.scopes import Kind, traits_of
from daemon.problems import Problem
from daemon.settings import build_calendar
from daemon.store.faults import StoreError
from daemon.store.tx import Tx
from daemon.vault import keyring_of
from notifiers.numbers import takes_texts
from rules.ladder import Directory, Recipient, Unit
from rules.records import ContactRecord, Record, StudentRecord, UnitRecord

MOST_NAMED = 5
"""So many children are named."""


def roster_of(records: Iterable[Record]) -> Roster | None:
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
    texted = one.phone if one.phone and takes_texts(one.phone) else None
    reach = {"sms": texted, "email": one.email, "webhook": one.endpoint}
    channels = frozenset(channel for channel, address in reach.items() if address)
    return Recipient(one.contact_id, one.role, one.unit_id, one.student_id, channels, one.language)


class Kept:
    """What the store of a configuration holds, if there is one; makes none, and writes nothing."""

    def __init__(self, config: Config) -> None:
        self._config = config
        scheme, _, file = config.database_url.partition(":///")
        there = scheme != "sqlite" or os.path.isfile(file)  # noqa: PTH113 - a URL's part
        self._is_there = bool(config.privacy.keys) and there

    @contextmanager
    def _read(self) -> Iterator[Tx | None]:
        """The store as it is; None where there is none of this version."""
        from daemon.store.database_file import Opening  # noqa: PLC0415 - likewise
        from daemon.store.engine import open_store  # noqa: PLC0415 - slow to load, and feeds mostly bring the roster

        if not self._is_there:
            yield None
            return
        config = self._config
        store = open_store(
            config.database_url,
            config.service.district,
            keyring_of(config),
            state_dir=config.base,
            opening=Opening.EXISTING,
        )
        try:
            if not store.at_head():
                yield None
                return
            with store.read() as tx:
                yield tx
        finally:
            store.close()

    def roster(self, found: Findings) -> Roster | None:
        """The roster as imported."""
        try:
            with self._read() as tx:
                return None if tx is None else _roster_in(tx, self._config)
        except StoreError as error:
            self._is_there = False
            found.problem(("service", "database"), str(error), "look whether it runs and may be reached")
            return None

    def examine_keys(self, found: Findings) -> None:
        """Say which keys are not those the store was written with."""
        from daemon.store.key_checks import key_faults  # noqa: PLC0415 - as above
        from daemon.store.keys import KEY_HINT  # noqa: PLC0415 - likewise

        try:
            with self._read() as tx:
                faults = [] if tx is None else key_faults(tx)
        except StoreError:
            return  # said when the roster is looked for
        for fault in faults:
            found.problem(("privacy", "key_file"), fault, KEY_HINT)

    def known(self, student_ids: Collection[str]) -> Collection[str]:
        """Those of some children who are on the roster as imported, under this number or another."""
        from daemon.store.renumbering import same_children  # noqa: PLC0415 - as above
        from daemon.store.roster import ordinals_of  # noqa: PLC0415 - likewise

        try:
            with self._read() as tx:
                return () if tx is None else {**ordinals_of(tx, student_ids), **same_children(tx)}
        except StoreError:
            return ()

    def examine(self, found: Findings, listed: Collection[str], now: dt.datetime) -> None:
        """Deliveries that are held, and children who are missing from a roster; `listed` are those in it now."""
        from daemon.jobs.clock_doubts import fault_of_clock  # noqa: PLC0415 - as above
        from daemon.jobs.untaken import HELD, outstanding  # noqa: PLC0415 - likewise

        try:
            with self._read() as tx:
                known = [] if tx is None else [outstanding(tx, feed, now) for feed in self._config.feed]
                fault = None if tx is None else fault_of_clock(tx, now)
        except StoreError as error:
            found.notice(("service", "database"), f"what it holds was not looked at: {error}")
            return
        if fault is not None:
            hint = "set it; if it is right: baoxue clock accept --by WHO"
            found.finding(("service",), f"the clock of this machine is behind: {fault}", hint)
        for index, one in enumerate(known):
            if HELD in one.incidents:
                feed_id = self._config.feed[index].id
                hint = f"send it whole, or accept it: baoxue feed accept {feed_id} --by WHO"
                found.finding(("feed", index, "id"), "a delivery is held: it lacks much of what is in force", hint)
            missing = [child for child in one.missing if child not in listed]
            if missing:
                found.findings.append(_missing(found, index, missing))


def _missing(found: Findings, index: int, missing: list[str]) -> Problem:
    more = " …" if len(missing) > MOST_NAMED else ""
    count = "1 child is" if len(missing) == 1 else f"{len(missing)} children are"
    fault = f"{count} missing from the newest roster, and judged as before: {', '.join(missing[:MOST_NAMED])}{more}"
    hint = (
        "add them again, enter where they went as a movement, or join two numbers: baoxue student same OLD NEW --by WHO"
    )
    return Problem(found.path, found.source.line(("feed", index, "id")), f"feed[{index}].id", fault, hint)


def _roster_in(tx: Tx, config: Config) -> Roster | None:
    from daemon.jobs.people import load_people, to_recipient  # noqa: PLC0415 - as above
    from daemon.store.addresses import without_texts  # noqa: PLC0415 - likewise
    from daemon.store.unreachable import flags  # noqa: PLC0415 - likewise

    people = load_people(tx, build_calendar(config))
    flagged = {(one.contact_id, one.channel) for one in flags(tx)} | {(one, "sms") for one in without_texts(tx)}
    kept = people.roster
    if not kept.students:
        return None
    recipients = [to_recipient(one) for one in kept.contacts]
    children = [(one.student_id, one.class_id, one.residence_id) for one in kept.students.values()]
    endpoints = {one.contact_id: one.endpoint for one in kept.contacts if one.endpoint}
    kinds = {(one.class_id, one.grade, bool(one.boarding), one.tags): None for one in kept.students.values()}
    traits = traits_of(list(kinds), people.directory)
    return Roster(people.directory.units, children, recipients, endpoints, frozenset(flagged), traits)
