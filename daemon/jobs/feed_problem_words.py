"""What can be wrong with what a feed delivers, and what it is called; knows no reader of feeds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class FeedProblem(StrEnum):
    """What can be wrong with what a feed delivers."""

    FAILED = "feed_failed"
    HELD = "delivery_held"
    ROWS_REFUSED = "rows_refused"
    ROWS_WAITING = "rows_waiting"
    CHILDREN_MISSING = "children_missing"
    CLASSES_UNKNOWN = "classes_unknown"
    PASSED_OVER = "passed_over"
    ROLLS_MISSING = "rolls_missing"


WORDS: Mapping[str, tuple[str, str]] = {
    "feed_silent": ("考勤数据中断", "no attendance records"),
    FeedProblem.FAILED: ("读取失败", "the feed cannot be read"),
    FeedProblem.HELD: ("数据大幅减少，暂不采用", "a delivery lacks much of what is in force and is held"),
    FeedProblem.ROWS_REFUSED: ("有数据行被拒收", "rows are refused"),
    FeedProblem.ROWS_WAITING: ("有数据行的学生不在名册", "rows wait for children who are not on the roster"),
    FeedProblem.CHILDREN_MISSING: ("名册缺少原有学生", "children are missing from the roster"),
    FeedProblem.CLASSES_UNKNOWN: ("名册中的班级不在单位表", "classes of the roster are in no list of units"),
    FeedProblem.ROLLS_MISSING: ("应报考勤的班级没有点名", "classes whose rolls the feed owes have none"),
    FeedProblem.PASSED_OVER: ("有文件、工作表或记录未被采用", "files, sheets or entries are passed over"),
}
"""Each problem: 中文, English."""
