"""The laws of a rulebook: one for each rule that reports, and which child is under which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rules.case import Law
from rules.finding import Finding
from rules.rule import Rule
from rules.rulebook import Rulebook
from rules.sweep import Scene, interesting
from rules.views import heard_on


@dataclass(frozen=True)
class Laws:
    """Every law in force, by the id of its rule; knows no child."""

    book: Rulebook
    by_rule: Mapping[str, Law]

    @property
    def default(self) -> Law:
        """The law of children of whom nothing else is known."""
        return self.by_rule[self.book.reports[0].rule_id]

    @property
    def beside(self) -> tuple[Rule, ...]:
        """The rules beside the reports': of stages, and of signs."""
        return (*self.book.stages, *self.book.signs)

    def of(self, finding: Finding) -> Law:
        """The law by which a child was judged."""
        return self.by_rule.get(finding.rule or "", self.default)

    def parts(self, scene: Scene) -> list[tuple[Scene, Law]]:
        """The scene law by law, with those of its rows to decide about; as it is where there is one law."""
        if len(self.by_rule) == 1:
            return [(scene, self.default)]
        rows = np.array(interesting(scene), np.intp)
        chosen = self._chosen(scene, rows)
        return [
            (self._part(scene, rows[chosen == index].tolist(), rule_id), law)
            for index, (rule_id, law) in enumerate(self.by_rule.items())
            if (chosen == index).any()
        ]

    def _chosen(self, scene: Scene, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        judgement = scene.judgement
        heard = heard_on(judgement.register, judgement.meaning)[rows]
        return self.book.reported_for(judgement.traits.part(rows), heard)

    def _part(self, scene: Scene, rows: Sequence[int], rule_id: str) -> Scene:
        number = {row: n for n, row in enumerate(rows)}
        clock, when = self.by_rule[rule_id].clock, self.book.rules[rule_id].when
        return replace(
            scene,
            judgement=scene.judgement.under(rows, rule_id, clock, when),
            students=[scene.students[row] for row in rows],
            cases={number[row]: case for row, case in scene.cases.items() if row in number},
            rested={number[row]: signs for row, signs in scene.rested.items() if row in number},
            others=(),
        )


def laws_of(book: Rulebook, common: Law) -> Laws:
    """The laws of `book`; `common` holds the figures they share, and the ladders they may name."""
    shared = replace(common, stages=book.stages, signs={rule.rule_id: rule for rule in book.signs})
    return Laws(
        book,
        {
            rule.rule_id: replace(
                shared,
                rule=rule.rule_id,
                version=rule.version,
                clock=replace(common.clock, after=rule.after, school_time=rule.school_time),
                ladder=common.ladders[rule.ladder or ""],
            )
            for rule in book.reports
        },
    )
