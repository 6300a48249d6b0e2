"""Judges a register: what the absence clock says of each child at an instant, and when that changes by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rules.ahead import changes_at, ended_before, in_force_until, out_at
from rules.calendar import Line
from rules.finding import Clock, Finding, Question
from rules.instants import NEVER, earliest, from_micros, span, to_micros
from rules.predicate import Predicate
from rules.records import Mark
from rules.register import EXCUSED, MISSED, SEEN, SKIP, Movement, Register, states, unsighted
from rules.rule import Rule
from rules.runs import Runs, scan_runs
from rules.traits import Traits, unknown
from rules.views import Views, look, run_facts


class Judgement:
    """One register judged at one instant; gives findings row by row and keeps the arrays for whoever counts.

    `when` is the report's condition, `rules` those beside it; without `traits` nothing is known of the children but
    their marks. `schools` by class index.
    """

    def __init__(
        self,
        register: Register,
        clock: Clock,
        when: Predicate,
        now: dt.datetime,
        stale_after: Mapping[int, dt.timedelta] | None = None,
        *,
        traits: Traits | None = None,
        rules: Sequence[Rule] = (),
        schools: Sequence[str | None] = (),
    ) -> None:
        self.register = register
        self.now = to_micros(now)
        self.meaning = states(register, self.now)
        self.traits = unknown(register.rows) if traits is None else traits
        self._clock = clock
        self._when = when
        self.rule: str | None = None
        """The law by which it is judged, where there are several."""
        self._stale_after = stale_after or {}
        self._starts = register.starts()
        self.runs = self._scan(register, self.meaning, self._starts, self._ended_from())
        self.views: Views | None = None
        if rules:
            self.views = look(rules, register, self.meaning, self.runs, self.traits, self.now, schools)

    def under(self, rows: Sequence[int], rule: str, clock: Clock, when: Predicate) -> Judgement:
        """Only `rows`, renumbered, judged by another law; what the other rules say of them stays as it is."""
        part = Judgement(
            self.register.part(rows),
            clock,
            when,
            from_micros(self.now),
            self._stale_after,
            traits=self.traits.part(rows),
        )
        part.views = None if self.views is None else self.views.part(rows)
        part.rule = rule
        return part

    def _scan(
        self,
        register: Register,
        meaning: NDArray[np.uint8],
        starts: NDArray[np.int64],
        ended_from: NDArray[np.int64] | None,
    ) -> Runs:
        return scan_runs(meaning, starts, register.calendar.day_of, span(self._clock.run_break), ended_from)

    def _ended_from(self) -> NDArray[np.int64] | None:
        return _ended(self.register, np.full(self.register.rows, self.now + 1, np.int64))

    def _holds(self, meaning: NDArray[np.uint8], runs: Runs, traits: Traits) -> NDArray[np.bool_]:
        """Where the rule's `when` holds on the facts of `runs`; bool (rows,)."""
        facts = run_facts(self._when.facts, meaning, runs, traits)
        return np.asarray(self._when(facts) & (runs.start != NEVER), np.bool_)

    def findings(
        self, rows: Sequence[int], questions: Mapping[int, Question], kept: Mapping[int, Collection[str]] | None = None
    ) -> dict[int, Finding]:
        """The findings of `rows`, answering the `questions` asked of some of them.

        `kept` names by row the rules of which a case has signs that are not over.
        """
        if not len(rows):
            return {}
        wanted = set(rows)
        holds = self._holds(self.meaning, self.runs, self.traits)
        self._prepare(np.asarray(rows))
        owed = self._owed({row: asked for row, asked in questions.items() if row in wanted})
        signs = kept or {}
        return {
            row: self._finding(row, bool(holds[row]), questions.get(row), owed.get(row), signs.get(row, ()))
            for row in rows
        }

    def _prepare(self, rows: NDArray[np.intp]) -> None:
        """Find for all of `rows` at once what `_finding` needs of their cells; columns, -1 where there is none.

        They are those of the last signal (a mark but `unknown`, or a leave), of the last mark, and of the first mark
        made ahead of its session.
        """
        meaning, marked = self.meaning[rows], self.register.marks[rows] > Mark.UNTAKEN
        ahead = marked & (self._starts[rows] > self.now)
        first = np.argmax(ahead, axis=1) if ahead.shape[1] else np.zeros(len(rows), np.intp)
        early = np.where(ahead.any(axis=1), first, -1)
        columns = np.stack([_last(meaning >= MISSED), _last(marked & (meaning > SKIP)), early], axis=1)
        self._columns = dict(zip(rows.tolist(), columns.tolist(), strict=True))

    def _finding(
        self,
        row: int,
        holds: bool,  # noqa: FBT001 - one of five plain values, passed by position in one place
        question: Question | None,
        owed: tuple[bool, str | None] | None,
        kept: Collection[str],
    ) -> Finding:
        variant = self.register.variant_of(row, self._column_now())
        line = self.register.calendar.lines[variant]
        start = int(self.runs.start[row])
        run = start if start != NEVER else None
        ripe = self._clock.ripe_at(line, run) if run is not None else None
        leave_until = in_force_until(self.register, row, self.now)
        armed = self._armed(row, line, ripe, leave_until) if holds and ripe is not None else None
        signal, last_marked, early = self._columns[row]
        session, marked = self._at_deadline(row, line, question)
        fair, reason = owed or (True, None)
        return Finding(
            run_from=_instant(run),
            run_days=int(self.runs.days[row]),
            satisfied=holds,
            ripe_at=_instant(ripe),
            armed_at=_instant(armed),
            leave_until=_instant(leave_until),
            silent_from=_instant(self._silent_from(row, line, signal)),
            out=out_at(self.register, row, self.now),
            stopped_by=self.stopped_by(row),
            changes_at=earliest(
                changes_at(self.register, row, self.now, variant, running=run is not None), self._start(row, early)
            ),
            variant=variant,
            class_index=int(self.register.classes[row, -1]),
            last_marked=self._start(row, last_marked),
            declared=any(m.kind == "drop_out" and to_micros(m.at) <= self.now for m in self._movements(row)),
            asked=question.due_at if question else None,
            deadline_session=session,
            deadline_marked=marked,
            owed=fair,
            owed_reason=reason,
            seen_since=self._seen_since(row, question),
            moved_since=self._moved_since(row, question),
            rule=self.rule,
            views=() if self.views is None else self.views.of(row, kept),
        )

    def stopped_by(self, row: int) -> str | None:
        """What ended the last run of a row."""
        return _STOPPED.get(int(self.runs.stopped_by[row]))

    def _start(self, row: int, column: int) -> dt.datetime | None:
        return from_micros(self._starts[row, column]) if column >= 0 else None

    def _movements(self, row: int) -> Sequence[Movement]:
        return self.register.movements.get(row, ())

    def _column_now(self) -> int:
        """The last column of today, which tells apart the calendars of rows that changed school."""
        if self.register.variant.shape[1] == 1:
            return 0
        calendar = self.register.calendar
        today = from_micros(self.now).astimezone(calendar.zone).date().toordinal()
        return max(int(np.searchsorted(calendar.day_of, today, "right")) - 1, 0)

    # ---- leave, movement, silence -----------------------------------------------------------------------------

    def _armed(self, row: int, line: Line, ripe: int, leave_until: int | None) -> int | None:
        """When the run's report is due if nothing more becomes known: ripe, and past every known leave in force.

        None where a known leave covers a session, or a known movement comes, before that.
        """
        instant = max(ripe, self.now) if leave_until is None else max(ripe, leave_until)
        while (until := in_force_until(self.register, row, instant)) is not None:
            instant = until
        gone = instant >= NEVER or instant <= self.now or ended_before(self.register, row, line, self.now, instant)
        return None if gone else instant

    def _silent_from(self, row: int, line: Line, signal: int) -> int | None:
        """When the first expected session after the last signal is, or was, `stale_after` of session time ago."""
        stale_after = self._stale_after.get(int(self.register.classes[row, -1]), self._clock.stale_after)
        after, width = np.searchsorted(line.columns, signal, "right"), self.register.marks.shape[1]
        while after < len(line.columns):
            column = int(line.columns[after])
            if column >= width or self.register.expects(row, column):
                return int(line.stale_at(stale_after)[after])
            after += 1
        return None

    # ---- the deadline asked about ------------------------------------------------------------------------------

    def _at_deadline(self, row: int, line: Line, question: Question | None) -> tuple[bool, bool]:
        """Whether a session of the child begins or is in progress at the deadline, and whether its mark is known."""
        index = line.at(to_micros(question.due_at)) if question else None
        if index is None or line.columns[index] >= self.register.marks.shape[1]:
            return False, False
        column = line.columns[index]
        if not self.register.expects(row, int(column)):
            return False, False
        begun = bool(line.starts[index] <= self.now)
        return True, begun and bool(self.register.marks[row, column] > Mark.UNTAKEN)

    def _owed(self, questions: Mapping[int, Question]) -> dict[int, tuple[bool, str | None]]:
        """Whether each report asked about was owed at its deadline, and if not, why not."""
        if not questions:
            return {}
        rows = sorted(questions)
        part = unsighted(self.register.part(rows), [questions[row].raised_at for row in rows])
        due = np.array([to_micros(questions[row].due_at) for row in rows], np.int64)
        meaning = states(part, self.now, due)
        starts = part.starts()
        runs = self._scan(part, meaning, starts, _ended(part, due))
        holds = self._holds(meaning, runs, self.traits.part(rows))
        return {
            row: self._owed_one(part, n, questions[row], runs, bool(holds[n]) or questions[row].unconfirmed)
            for n, row in enumerate(rows)
        }

    def _owed_one(
        self,
        part: Register,
        n: int,
        asked: Question,
        runs: Runs,
        enough: bool,  # noqa: FBT001 - the last of five plain values, passed by position in one place
    ) -> tuple[bool, str | None]:
        due = to_micros(asked.due_at)
        on_leave = any(to_micros(leave.starts) < due < to_micros(leave.ends) for leave in part.leaves.get(n, ()))
        start = int(runs.start[n])
        line = part.calendar.lines[part.variant_of(n, self._column_now())]
        if asked.raised_for is None:
            lasted = enough and start != NEVER and self._clock.ripe_at(line, start) <= due
        else:
            lasted = start <= to_micros(asked.raised_for)
        if not on_leave and lasted:
            return True, None
        moved = next((out.kind for out in part.outs.get(n, ()) if to_micros(out.at) < due), None)
        if on_leave or runs.stopped_by[n] == EXCUSED:
            return False, "excused"
        return False, moved if moved and start == NEVER else "corrected"

    def _seen_since(self, row: int, question: Question | None) -> dt.datetime | None:
        if question is None:
            return None
        seen = self.meaning[row] == SEEN
        late = self._starts[row] >= to_micros(question.due_at)
        said, raised = self.register.sightings.get(row, ()), question.raised_at
        late[[one.column for one in said if raised is not None and one.last_at > raised]] = True
        columns = np.flatnonzero(seen & late)
        return from_micros(self._starts[row, columns[0]]) if len(columns) else None

    def _moved_since(self, row: int, question: Question | None) -> str | None:
        if question is None:
            return None
        outs = self.register.outs.get(row, ())
        return next((out.kind for out in outs if question.due_at <= out.at and to_micros(out.at) <= self.now), None)


def _last(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The last true column of each row; -1 where there is none."""
    if not flags.shape[1]:
        return np.full(len(flags), -1, np.int64)
    last = flags.shape[1] - 1 - np.argmax(flags[:, ::-1], axis=1)
    return np.where(flags[np.arange(len(flags)), last], last, -1)


_STOPPED = {EXCUSED: "excused", SEEN: "seen"}


def _instant(micros: int | None) -> dt.datetime | None:
    return None if micros is None or micros >= NEVER else from_micros(micros)


def _ended(register: Register, before: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """For each row the last confirmed movement out before `before`: runs begin at or after it. None if nobody moved."""
    if not register.outs:
        return None
    ended = np.zeros(register.rows, np.int64)
    for row, outs in register.outs.items():
        ended[row] = max((to_micros(out.at) for out in outs if to_micros(out.at) < before[row]), default=0)
    return ended
