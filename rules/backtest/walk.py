"""Walks a group through everything as it became known: which signs were raised, and who may have been reported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.backtest.doubt import Doubt
from rules.backtest.events import Events
from rules.backtest.ground import Ground, Rows
from rules.backtest.passage import Passage
from rules.backtest.running import current_runs, run_sessions
from rules.backtest.shares import Shares
from rules.backtest.states import Raised, States
from rules.case import Law
from rules.facts.anchors import term_starts
from rules.facts.evaluate import read_facts
from rules.facts.reading import Reading
from rules.instants import NEVER
from rules.rule import Rule
from rules.runs import Runs
from rules.traits import Traits


class Walk(Passage):
    """One group on its way; `raised` collects signs by rule, `doubt` who must be replayed for a report.

    `wanted` are the names of all facts that rules ask for; `shares` are needed where some speak of class or school.
    """

    def __init__(
        self,
        ground: Ground,
        events: Events,
        signs: Sequence[Rule],
        doubt: Doubt,
        traits: Traits,
        law: Law,
        wanted: frozenset[str],
        shares: Shares | None = None,
    ) -> None:
        super().__init__(ground, events)
        self.doubt, self.shares = doubt, shares
        self.signs, self.traits, self.clock = signs, traits, law.clock
        self.wanted = wanted
        self.covers = [rule.scope.covers(traits) for rule in signs]
        self.states = [
            States.none(rule, rule.priority.covers(traits) if rule.priority else np.zeros(ground.rows, np.bool_))
            for rule in signs
        ]
        self.raised: list[list[Raised]] = [[] for _ in signs]
        self.everybody: Rows = np.arange(ground.rows)
        self._asks_sessions = "absent_sessions" in wanted
        self._dates = np.array(ground.calendar.dates, "datetime64[D]")

    def end(self, until: int) -> None:
        """Whatever is armed for an instant up to the end comes due."""
        self._pass_deadlines(self.everybody, np.full(self.ground.rows, until + 1, np.int64))
        self.doubt.end(until)

    def _pass_deadlines(self, rows: Rows, now: NDArray[np.int64]) -> None:
        latest = int(now.max(initial=-1))
        for states, raised in zip(self.states, self.raised, strict=True):
            if states.soonest < latest and (late := states.passed(rows, now)) is not None:
                raised.append(late)

    def read(self, slot: int, now: int, wanted: Collection[str]) -> dict[str, NDArray[Any]]:
        """The values of `wanted` facts of everybody, as known at the end of a slot."""
        instants = np.full(self.ground.rows, now, np.int64)
        runs = current_runs(self.ground, self.everybody, instants, self.begun(slot), self.clock)
        return read_facts(self._reading(self.everybody, instants, runs), wanted)

    def look(self, rows: Rows, now: NDArray[np.int64], slot: int) -> None:
        """Deadlines that passed, then what is known now."""
        self._pass_deadlines(rows, now)
        runs = current_runs(self.ground, rows, now, self.begun(slot), self.clock)
        reading = self._reading(rows, now, runs)
        facts = self._facts(reading, runs)
        self.doubt.look(self.ground, rows, now, runs, facts)
        if self.signs:
            self._judge_signs(rows, now, runs, reading, facts)

    def _facts(self, reading: Reading, runs: Runs) -> dict[str, NDArray[Any]]:
        """The values of all facts asked for; of nearly everybody they are read of everybody, which is quicker."""
        rows, size = reading.rows, self.ground.rows
        if self.shares is not None or 2 * len(rows) < size:
            return read_facts(reading, self.wanted)
        days, sessions, seen = (np.zeros(size, np.int64) for _ in range(3))
        days[rows], sessions[rows], seen[rows] = runs.days, reading.absent_sessions, reading.last_seen
        whole = replace(reading, rows=self.everybody, absent_days=days, absent_sessions=sessions, last_seen=seen)
        return {name: values[rows] for name, values in read_facts(whole, self.wanted).items()}

    def _judge_signs(
        self, rows: Rows, now: NDArray[np.int64], runs: Runs, reading: Reading, facts: dict[str, NDArray[Any]]
    ) -> None:
        heard = None
        away, gone = self._away(rows, now, runs), self._gone(rows, now)
        lines, variant = self.ground.calendar.lines, self.ground.variant_at(rows, now)
        for n, rule in enumerate(self.signs):
            true = rule.when(facts)
            holds = true & self.covers[n][rows]
            if rule.first is not None or rule.last is not None:
                heard = self._heard(reading) if heard is None else heard
                holds &= rule.in_force(heard)
            anchor = self._anchor(rule, rows, now, runs, reading, holds)
            if anchor is not None:
                holds = holds & (anchor != NEVER)
            if rule.since == "absence":
                holds = holds & ~away
            over = ~true if rule.until is None else rule.until(facts)
            if gone is not None and rule.since != "movement":
                holds, over = holds & ~gone, over | gone
            raised = self.states[n].advance(rows, holds, over, anchor, now, lines, variant)
            if raised is not None:
                self.raised[n].append(raised)

    def _anchor(
        self, rule: Rule, rows: Rows, now: NDArray[np.int64], runs: Runs, reading: Reading, holds: NDArray[np.bool_]
    ) -> NDArray[np.int64] | None:
        if rule.since == "condition":
            return None
        if rule.since == "absence":
            return runs.start
        if rule.since == "movement":
            return reading.moves.away_at[rows]
        if rule.since == "term_start":
            return term_starts(reading)
        found = np.full(len(rows), NEVER, np.int64)
        for n in np.flatnonzero(holds).tolist():
            found[n] = self.ground.last_leave_end(int(rows[n]), int(now[n]))
        return found

    def _heard(self, reading: Reading) -> NDArray[np.datetime64]:
        dates = np.concatenate([np.array(["NaT"], "datetime64[D]"), self._dates])
        return dates[reading.heard]

    def _away(self, rows: Rows, now: NDArray[np.int64], runs: Runs) -> NDArray[np.bool_]:
        """Of whom a leave is in force, among those with a run."""
        away = np.zeros(len(rows), np.bool_)
        for n in np.flatnonzero((self.ground.leave_end[rows] > now) & (runs.start != NEVER)).tolist():
            away[n] = self.ground.on_leave(int(rows[n]), int(now[n]))
        return away

    def _gone(self, rows: Rows, now: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Whom a confirmed movement keeps off the roll; None where nobody ever moved."""
        if not self.ground.outs:
            return None
        gone = np.zeros(len(rows), np.bool_)
        for n in np.flatnonzero(np.isin(rows, list(self.ground.outs))).tolist():
            gone[n] = self.ground.is_out(int(rows[n]), int(now[n]))
        return gone

    def _reading(self, rows: Rows, now: NDArray[np.int64], runs: Runs) -> Reading:
        ground = self.ground
        in_class, in_school = (None, None) if self.shares is None else self.shares.of(rows, ground.upto[rows], now)
        return Reading(
            ground.tally,
            ground.windows,
            rows,
            self.traits,
            runs.days,
            run_sessions(ground, rows, runs) if self._asks_sessions else runs.days,
            ground.moves,
            ground.last_seen(rows),
            in_class,
            in_school,
        )
