"""The figures of a backtest: what each is called, what it means, and why it may be lacking; in both languages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rules.backtest.score import Score, Share

Number = int | float | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a rule: names, unit, meaning, and why there is none where it is None; knows no score.

    `unit` is "" for a count, "%" for a Share, "days", "×", or "‰" for what is counted per 1 000 child-weeks.
    """

    key: str
    zh: str
    en: str
    unit: str
    meaning: str
    meaning_zh: str
    lacking: str
    lacking_zh: str
    of: Callable[[Score], Share | Number]

    def number(self, score: Score) -> Number:
        """The figure of a score as a number; of a Share its value."""
        found = self.of(score)
        return found.value if isinstance(found, Share) else found


_NO_RISK = ("no child was at risk in the span", "时段内没有在观察中的学生")
_NO_OUTCOME = ("no child has an outcome in the span", "时段内没有学生出现结局")
_NO_LEAD = ("no child with an outcome was flagged before it", "没有学生在结局之前被标记")
_NO_EPISODE = ("no episode's horizon has passed within what is known", "没有观察期已满的标记")

FIGURES: tuple[Figure, ...] = (
    Figure(
        "children",
        "标记学生",
        "children flagged",
        "",
        "children the rule was raised of at least once",
        "至少被标记一次的学生数",
        "",
        "",
        lambda score: score.children,
    ),
    Figure(
        "episodes",
        "标记次数",
        "episodes",
        "",
        "times the rule was raised, of all children together",
        "全部学生被标记的总次数",
        "",
        "",
        lambda score: score.episodes,
    ),
    Figure(
        "alerts",
        "每千人周",
        "per 1 000 child-weeks",
        "‰",
        "episodes for every 1 000 weeks that children were at risk: how much work the rule makes",
        "学生在观察中每1000人周的标记次数，即工作量",
        *_NO_RISK,
        lambda score: score.alerts,
    ),
    Figure(
        "precision",
        "命中率",
        "precision",
        "%",
        "of the episodes whose horizon has passed, those followed by the child's outcome within the horizon",
        "观察期已满的标记中，观察期内出现结局的比例",
        *_NO_EPISODE,
        lambda score: score.precision,
    ),
    Figure(
        "base_rate",
        "基础率",
        "base rate",
        "%",
        "of all weekly looks at children at risk, those followed by an outcome within the horizon: what chance hits",
        "对在观察中学生逐周查看，其后观察期内出现结局的比例，即随机抽查的命中率",
        "no weekly look's horizon has passed within what is known",
        "没有观察期已满的逐周查看",
        lambda score: score.baseline.looks,
    ),
    Figure(
        "lift",
        "提升倍数",
        "lift",
        "×",
        "precision divided by the base rate: how much likelier an outcome is after a flag than after any look",
        "命中率除以基础率:被标记后出现结局的可能是随机抽查的几倍",
        "there is no precision, or no outcome to be hit by chance",
        "没有命中率，或基础率为零",
        lambda score: score.lift,
    ),
    Figure(
        "recall",
        "查全率",
        "recall",
        "%",
        "of the children with an outcome in the span, those flagged at any time before it",
        "时段内出现结局的学生中，此前曾被标记的比例",
        *_NO_OUTCOME,
        lambda score: score.recall,
    ),
    Figure(
        "recall_within",
        "期内查全率",
        "recall within the horizon",
        "%",
        "of the children with an outcome in the span, those flagged at most a horizon before it",
        "时段内出现结局的学生中，结局前一个观察期内被标记的比例",
        *_NO_OUTCOME,
        lambda score: score.recall_within,
    ),
    Figure(
        "lead",
        "提前天数",
        "lead time, median",
        "days",
        "days from a child's first flag to its outcome; half of the children flagged before it had more",
        "首次标记到结局的天数(中位数)",
        *_NO_LEAD,
        lambda score: score.lead.median,
    ),
    Figure(
        "lead_lower",
        "提前天数下四分位",
        "lead time, lower quartile",
        "days",
        "a quarter of those children had less",
        "四分之一的学生少于此天数",
        "fewer than four children with an outcome were flagged before it",
        "结局前被标记的学生不足四人",
        lambda score: score.lead.quartiles[0] if score.lead.quartiles else None,
    ),
    Figure(
        "lead_upper",
        "提前天数上四分位",
        "lead time, upper quartile",
        "days",
        "a quarter of those children had more",
        "四分之一的学生多于此天数",
        "fewer than four children with an outcome were flagged before it",
        "结局前被标记的学生不足四人",
        lambda score: score.lead.quartiles[1] if score.lead.quartiles else None,
    ),
    Figure(
        "back",
        "次节到校",
        "back at the next session",
        "%",
        "of the episodes after which a roll of the child's was called, those in which the first of them saw it",
        "标记后仍有点名的，其中下一次点名时到校的比例",
        "no roll of a flagged child was called afterwards",
        "被标记学生此后均无点名",
        lambda score: score.back,
    ),
    Figure(
        "unconfirmed",
        "未确认",
        "unconfirmed",
        "",
        "episodes raised on one known day, the rest being silence",
        "仅一日有记录、其后无消息而提出的标记次数",
        "",
        "",
        lambda score: score.unconfirmed,
    ),
    Figure(
        "cut_off",
        "观察期未满",
        "horizon cut off",
        "",
        "episodes whose horizon reaches beyond what is known; left out of precision",
        "观察期超出已知数据的标记次数，不计入命中率",
        "",
        "",
        lambda score: score.cut_off,
    ),
    Figure(
        "late",
        "晚于结局",
        "after the outcome",
        "",
        "episodes raised at or after the child's outcome; left out of precision",
        "在结局当时或之后提出的标记次数，不计入命中率",
        "",
        "",
        lambda score: score.late,
    ),
    Figure(
        "unheard",
        "此后无点名",
        "no roll after",
        "",
        'episodes after which no roll of the child was called; left out of "back at the next session"',
        "标记后再无点名的次数，不计入次节到校",
        "",
        "",
        lambda score: score.unheard,
    ),
)
"""In the order in which they are told."""

BY_KEY = {figure.key: figure for figure in FIGURES}
