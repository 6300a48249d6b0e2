"""Facts read off: from a tally, the current runs, movements and traits to one value a child."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.facts.catalogue import Fact, find
from rules.facts.chance import binomial_tails
from rules.facts.moves import last_seen, moves_of
from rules.facts.reading import FAR, NEAR, Days, Reading
from rules.facts.shares import absent_shares
from rules.facts.tally import Tally
from rules.facts.tracks import tracks_of
from rules.facts.windows import Windows
from rules.instants import NEVER
from rules.records import Mark
from rules.register import MISSED, SKIP, Register
from rules.runs import Runs
from rules.traits import Traits

Values = dict[str, NDArray[Any]]
CHAIN_OF = {
    "spell_days": "spell",
    "unheard_days": "unheard",
    "gone_days": "gone",
    "no_show_days": "no_show",
    "overrun_days": "overrun",
    "long_leave_days": "leave_run",
    "relapse_days": "relapse",
}
SUM_OF = {
    "absence_days": "away_days",
    "absence_sessions": "away_sessions",
    "unexcused_days": "missed_days",
    "unexcused_sessions": "missed_sessions",
    "leave_days": "leave_days",
    "lateness": "late_sessions",
    "half_days": "half_days",
    "seen_days": "seen_days",
    "unseen_days": "unseen_days",
    "unnamed_days": "unnamed_days",
    "known_days": "known_days",
    "spells": "spells",
}
RATE_OF = {"absence_rate": "away_sessions", "unexcused_rate": "missed_sessions"}
_NEEDS = {
    **{stem: (name,) for stem, name in (SUM_OF | CHAIN_OF).items()},
    **{stem: (name, "known_sessions", "known_days") for stem, name in RATE_OF.items()},
    "absence_trend": ("away_sessions", "known_sessions", "known_days"),
    "weekday_share": ("edge_away_days", "away_days"),
    "weekday_p": ("edge_away_days", "away_days", "edge_known_days", "known_days"),
    "resumption_days": ("missed_days", "seen_days", "leave_days"),
}


def series_for(wanted: Collection[str]) -> frozenset[str]:
    """The series of a tally that these facts are read from."""
    return frozenset(name for one in wanted if (fact := find(one)) for name in _NEEDS.get(fact.stem, ()))


def read_facts(reading: Reading, wanted: Collection[str]) -> Values:
    """The values of the wanted facts by name, one a row of `reading`; never null, whatever is known.

    Counts are int64, shares float64, flags bool. Raises KeyError for a name that is no fact.
    """
    return {name: _read(reading, _known(name)) for name in wanted}


def _known(name: str) -> Fact:
    fact = find(name)
    if fact is None:
        raise KeyError(name)
    return fact


def _read(reading: Reading, fact: Fact) -> NDArray[Any]:
    if fact.trait:
        return read_trait(reading.traits, fact.stem)[reading.rows]
    if fact.stem in CHAIN_OF:
        return np.maximum(reading.at(CHAIN_OF[fact.stem]), 0)
    if fact.window is not None and fact.stem in SUM_OF:
        return reading.within(SUM_OF[fact.stem], fact.window)
    if fact.window is not None and fact.stem in RATE_OF:
        return _rate(reading, fact, fact.window)
    return _OTHERS[fact.stem](reading, fact)


def read_trait(traits: Traits, stem: str) -> NDArray[Any]:
    """The values of a fact that is a trait, one a row."""
    if stem == "grade":
        return traits.grade.astype(np.int64)
    return traits.boarding if stem == "boarding" else traits.tagged(stem.removeprefix("tag_"))


def _rate(reading: Reading, fact: Fact, window: str) -> NDArray[np.float64]:
    known = reading.within("known_sessions", window)
    enough = reading.within("known_days", window) >= fact.evidence
    return _percent(reading.within(RATE_OF[fact.stem], window), known, enough)


def _percent(part: NDArray[np.int64], whole: NDArray[np.int64], enough: NDArray[np.bool_]) -> NDArray[np.float64]:
    found = np.zeros(len(part), np.float64)
    np.divide(100.0 * part, whole, out=found, where=enough & (whole > 0))
    return found


def _trend(reading: Reading, fact: Fact) -> NDArray[np.float64]:
    names = ("away_sessions", "known_sessions", "known_days")
    now, then, before = ([reading.at(name, window) for name in names] for window in (None, NEAR, FAR))
    recent, earlier = ([high - low for high, low in zip(*two, strict=True)] for two in ((now, then), (then, before)))
    enough = (recent[2] >= fact.evidence) & (earlier[2] >= fact.evidence)
    difference = _percent(recent[0], recent[1], enough) - _percent(earlier[0], earlier[1], enough)
    return np.asarray(difference, np.float64)


def _weekday_share(reading: Reading, fact: Fact) -> NDArray[np.float64]:
    away = reading.within("away_days", fact.window or "")
    return _percent(reading.within("edge_away_days", fact.window or ""), away, away >= fact.evidence)


def _weekday_p(reading: Reading, fact: Fact) -> NDArray[np.float64]:
    names = ("edge_away_days", "away_days", "edge_known_days", "known_days")
    hits, away, edge, known = (reading.within(name, fact.window or "") for name in names)
    found = np.ones(len(away), np.float64)
    rows = np.flatnonzero(away >= fact.evidence)
    found[rows] = binomial_tails(hits[rows], away[rows], edge[rows], known[rows])
    return found


def _resumption(reading: Reading, _: Fact) -> NDArray[np.int64]:
    days = np.array([day.toordinal() for day in reading.tally.calendar.dates], np.int64)
    resumed = reading.moves.resumed_on[reading.rows]
    starts = Days.of(np.minimum(np.searchsorted(days, resumed), reading.heard).astype(np.int64))
    names = ("missed_days", "seen_days", "leave_days")
    missed, seen, leave = (reading.at(name) - reading.before(name, starts) for name in names)
    return np.where((resumed > 0) & (seen == 0) & (leave == 0), missed, 0)


def _transfer_pending(reading: Reading, _: Fact) -> NDArray[np.bool_]:
    at = reading.moves.transfer_at[reading.rows]
    return np.asarray((at != NEVER) & (reading.last_seen < at), np.bool_)


def _share(name: str) -> Callable[[Reading, Fact], NDArray[np.float64]]:
    def read(reading: Reading, _: Fact) -> NDArray[np.float64]:
        share: NDArray[np.float64] | None = getattr(reading, name)
        return np.zeros(len(reading.rows), np.float64) if share is None else share

    return read


_OTHERS: dict[str, Callable[[Reading, Fact], NDArray[Any]]] = {
    "absent_days": lambda reading, _: reading.absent_days,
    "absent_sessions": lambda reading, _: reading.absent_sessions,
    "absence_trend": _trend,
    "weekday_share": _weekday_share,
    "weekday_p": _weekday_p,
    "resumption_days": _resumption,
    "suspended": lambda reading, _: reading.moves.suspended[reading.rows],
    "transfer_pending": _transfer_pending,
    "class_absence_share": _share("class_share"),
    "school_absence_share": _share("school_share"),
}


# ---- from a register ------------------------------------------------------------------------------------------------


def reading_of(
    register: Register,
    meaning: NDArray[np.uint8],
    runs: Runs,
    traits: Traits,
    wanted: Collection[str],
    schools: Sequence[str | None] = (),
) -> Reading:
    """A reading of every row of `register`, whose cells mean `meaning` (rows, columns), as `states` gives it.

    `schools` by class index; without them a class is its own school. All children of the classes and schools spoken
    of must be rows for their shares to be right.
    """
    marks = np.ascontiguousarray(register.marks.T)
    cells = np.ascontiguousarray(meaning.T)
    upto = last_spoken(register.marks, meaning)
    tracks = tracks_of(register.calendar, register.variant)
    tally = Tally(tracks, marks, cells, upto, series_for(wanted))
    if tally.days and register.rows:
        tally.refresh(slice(None), 0, tally.days - 1)
    stems = {fact.stem for name in wanted if (fact := find(name))}
    share = school = None
    if stems & {"class_absence_share", "school_absence_share"}:
        share, school = absent_shares(register, meaning, upto, schools)
    return Reading(
        tally,
        Windows(tracks),
        np.arange(register.rows),
        traits,
        runs.days,
        run_sessions(meaning, runs) if "absent_sessions" in stems else runs.days,
        moves_of(register.rows, register.movements, register.calendar.zone),
        last_seen(register, meaning),
        share,
        school,
    )


def last_spoken(marks: NDArray[np.uint8], meaning: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The last column in which a roll speaks of each child while it is expected; −1 where none does. (rows,)."""
    spoken = (marks > Mark.UNTAKEN) & (meaning > SKIP)
    if not spoken.shape[1]:
        return np.full(len(spoken), -1, np.int32)
    last = spoken.shape[1] - 1 - np.argmax(spoken[:, ::-1], axis=1)
    return np.where(spoken.any(axis=1), last, -1).astype(np.int32)


def run_sessions(meaning: NDArray[np.uint8], runs: Runs) -> NDArray[np.int64]:
    """How many sessions of the current run were missed; 0 where there is none. (rows,)."""
    found = np.zeros(len(meaning), np.int64)
    rows = np.flatnonzero(runs.start != NEVER)
    if len(rows):
        within = np.arange(meaning.shape[1]) >= runs.column[rows][:, None]
        found[rows] = ((meaning[rows] == MISSED) & within).sum(axis=1)
    return found


def evaluate(
    register: Register,
    meaning: NDArray[np.uint8],
    runs: Runs,
    traits: Traits,
    wanted: Collection[str],
    schools: Sequence[str | None] = (),
) -> Values:
    """The wanted facts of every row of `register`, by name; see `reading_of` for what is given."""
    return read_facts(reading_of(register, meaning, runs, traits, wanted, schools), wanted)
