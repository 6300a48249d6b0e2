"""Whatever is said of a feed is said in 中文: every fault and hint is looked up in the source of what says it."""

from __future__ import annotations

import ast
import importlib
import itertools
import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest

import daemon.feeds
from daemon.config.mapping import MappingConfig
from daemon.feeds.columns import LAYOUTS, Missing, lacking
from daemon.feeds.payload import Fault
from daemon.feeds.shape import shape_of
from daemon.jobs.feed_problem_words import WORDS as PROBLEM_WORDS
from daemon.jobs.feed_problem_words import FeedProblem
from daemon.jobs.parking import KEPT
from notifiers.examples import examples
from notifiers.feed_glosses import feed_fault, feed_hint
from notifiers.glosses import fault_words, hint_words
from notifiers.trust import certificate_fault
from notifiers.words import Words, sms_segments

WORDS = Words()

SAYING = (
    *(f"daemon.feeds.{one.name}" for one in pkgutil.iter_modules(daemon.feeds.__path__)),
    *(
        f"daemon.jobs.{name}"
        for name in ("rollcall", "held", "feed_findings", "missing_rolls", "parking", "recording", "poll")
    ),
)
ARGUMENTS: Mapping[str, tuple[int | None, int | None]] = {
    "Fault": (0, 1),
    "FeedError": (1, None),
    "_FileError": (0, None),
    "_unread": (1, None),
    "Refused": (3, 4),
    "Refusal": (3, 4),
    "_note_failure": (2, None),
}
"""Of each call that says what is wrong: which argument is the fault, and which the hint."""
SAMPLES: Mapping[str, tuple[str, ...]] = {
    "quote": ('"旷课"', '"a; b: c"', '"一二三…"'),
    "certificate_fault_in": tuple({certificate_fault(code) for code in range(100)}),
    "plain_url": ("https://sis.example.org/marks.csv",),
    "choose": ('did you mean "absent"?', "choose absent, late or leave"),
    "fault.fault": ("is not a mail address", 'has no column "mark"; its header is "姓名"'),
    "likeness": ("the roster has 0001, 0002",),
    "group.fault": ('"旷课" is no mark',),
    "first[0].fault": ('has no column "date"; its header is "学号", "日期"',),
    "delivery.feed.records": ("students", "contacts", "units"),
    "feed.records": ("students", "contacts", "units"),
    "error.strerror": ("Permission denied", "Text file busy"),
}
"""What stands for a call or an attribute in a text, where any other value is a number or an id."""
RAISED = {"fault.reason": "_PassingError", "refusal.reason": "_FileError"}
"""The reasons that a module raises and says elsewhere: all of them stand there."""
ANY = "7"


class Speech(ast.NodeVisitor):
    """Every text that one module says of a fault or as a hint, with samples for what it fills in."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        assert module.__file__ is not None
        with open(module.__file__, encoding="utf-8") as file:  # noqa: PTH123 - a module knows its file as a text
            self.tree = ast.parse(file.read())
        self.scopes: list[ast.FunctionDef] = []
        self.open: list[str] = []
        self.faults: set[str] = set()
        self.hints: set[str] = set()
        self.visit(self.tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.scopes.append(node)
        self.generic_visit(node)
        self.scopes.pop()

    def visit_Call(self, node: ast.Call) -> None:
        name = ast.unparse(node.func)
        fault, hint = ARGUMENTS.get(name, (None, None))
        for at, found in ((fault, self.faults), (hint, self.hints)):
            if at is not None and at < len(node.args):
                found.update(self._texts(node.args[at]))
        if name == "Refused" and isinstance(node.args[-1], ast.Starred):
            pairs = self._pairs(node.args[-1].value)
            self.faults |= {fault for fault, _ in pairs}
            self.hints |= {hint for _, hint in pairs}
        for keyword in node.keywords:
            self._note(keyword.arg or "", keyword.value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if ast.unparse(target) == "_UNREAD":  # what helps with a file, by its suffix
                suffixes = [one for one in ast.walk(node.value) if isinstance(one, ast.Constant | ast.Name)]
                self.hints |= set().union(*map(self._texts, suffixes))
            self._note(ast.unparse(target).rpartition(".")[2], node.value)
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        """A function may return a fault and what helps together."""
        match node.value:
            case ast.Tuple(elts=[fault, hint]) | ast.IfExp(orelse=ast.Tuple(elts=[fault, hint])):
                self.faults |= self._texts(fault)
                self.hints |= self._texts(hint)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                self._note(str(key.value), value)
        self.generic_visit(node)

    def _note(self, name: str, value: ast.expr) -> None:
        if name in {"fault", "reason"}:
            self.faults |= self._texts(value)
        elif name == "hint":
            self.hints |= self._texts(value)

    def _texts(self, node: ast.expr) -> set[str]:
        """The texts an expression may be; without those of which nothing but a sample is known."""
        return {text for text in self._values(node) if " " in text}

    def _values(self, node: ast.expr) -> set[str]:
        """All that an expression may be."""
        match node:
            case ast.Constant(value=value):
                found = {value} if isinstance(value, str) else {ANY} if value is not None else set()
            case ast.JoinedStr(values=parts):
                found = self._composed(parts)
            case ast.FormattedValue(value=value) | ast.Subscript(value=value, slice=ast.Slice()):
                found = self._values(value) or {ANY}
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                found = self._composed([left, right])
            case ast.IfExp(body=one, orelse=other):
                found = self._any([one, other])
            case ast.BoolOp(values=values):
                found = self._any(values)
            case _:
                found = self._looked_up(node)
        return found

    def _composed(self, parts: Sequence[ast.expr]) -> set[str]:
        return {"".join(one) for one in itertools.product(*map(self._values, parts))}

    def _any(self, nodes: Iterable[ast.expr]) -> set[str]:
        return set().union(*map(self._values, nodes))

    def _looked_up(self, node: ast.expr) -> set[str]:
        """What a name, an attribute or a call may be; a sample where that is not written down."""
        shown = ast.unparse(node.func if isinstance(node, ast.Call) else node)
        if shown in SAMPLES:
            return set(SAMPLES[shown])
        if shown in RAISED:
            calls = [one for one in ast.walk(self.tree) if isinstance(one, ast.Call)]
            return self._any(one.args[0] for one in calls if ast.unparse(one.func) == RAISED[shown])
        if isinstance(node, ast.Call):
            return self._returned(shown)
        return self._named(node.id) if isinstance(node, ast.Name) else {ANY}

    def _named(self, name: str) -> set[str]:
        """What a name may be: a constant, what its function sets it to, or what callers write as that argument."""
        known = getattr(self.module, name, None)
        if isinstance(known, str | int):
            return {str(known)}
        if not self.scopes or name in self.open:
            return {ANY}
        function = self.scopes[-1]
        sets = [node for node in ast.walk(function) if isinstance(node, ast.Assign)]
        given = [one.value for one in sets if any(ast.unparse(target) == name for target in one.targets)]
        places = [at for at, one in enumerate(function.args.args) if one.arg == name]
        for call in ast.walk(self.tree) if places else ():
            if isinstance(call, ast.Call) and ast.unparse(call.func) == function.name:
                written = call.args[places[0] : places[0] + 1]
                given += [one for one in written if isinstance(one, ast.Constant | ast.JoinedStr)]
        self.open.append(name)
        found = self._any(given) if given else set()
        self.open.pop()
        return found or {ANY}

    def _returned(self, name: str) -> set[str]:
        """What a function of this module may return."""
        function = next(
            (one for one in ast.walk(self.tree) if isinstance(one, ast.FunctionDef) and one.name == name), None
        )
        if function is None or name in self.open:
            return {ANY}
        returns = [one.value for one in ast.walk(function) if isinstance(one, ast.Return) and one.value is not None]
        self.scopes.append(function)
        self.open.append(name)
        found = self._any(returns) if returns else set()
        self.open.pop()
        self.scopes.pop()
        return found or {ANY}

    def _pairs(self, node: ast.expr) -> set[tuple[str, str]]:
        """A fault and its hint, where a call is given both at once."""
        known = getattr(self.module, ast.unparse(node), None)
        return {known} if isinstance(known, tuple) else set()


def said() -> tuple[list[str], list[str]]:
    """All faults and all hints there are; of reasons that a module only raises, what it says of them elsewhere."""
    speeches = [Speech(importlib.import_module(name)) for name in SAYING]
    faults = set().union(*(one.faults for one in speeches)) - {"7: 7"}
    return sorted(faults), sorted(set().union(*(one.hints for one in speeches)))


def test_every_fault_of_a_feed_is_said_in_chinese() -> None:
    faults, _ = said()

    assert len(faults) > MANY
    assert [text for text in faults if feed_fault(text) is None] == []
    assert [text for text in faults if "有误" in fault_words(text)] == []


def test_every_hint_of_a_feed_is_said_in_chinese() -> None:
    _, hints = said()

    assert len(hints) > MANY // 2
    assert [text for text in hints if feed_hint(text) is None] == []
    assert [text for text in hints if "提示原文" in hint_words(text)] == []


MANY = 100
"""There are more faults than this: fewer would mean that they were not found."""


@pytest.mark.parametrize(
    "text",
    [
        "marks.csv",
        "gateway: answered 422",
        "'absent_day' is no fact",
        "x is missing",
        "cannot be read: Permission denied",
    ],
)
def test_what_no_feed_says_is_left_to_others(text: str) -> None:
    assert feed_fault(text) is None


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ('40 rows: "旷课" is no mark', "40行：“旷课”不是考勤代码"),
        ('12 rows: "a; b" is no mark', "12行：“a; b”不是考勤代码"),
        ("https://a.example/x: answered 401", "https://a.example/x：拒绝访问（401），请检查令牌和权限"),
        ("https://a.example/x: not finished after 30 s (4 attempts)", "https://a.example/x：30秒内没有读完，已试4次"),
        ("in/考勤 表: 1.csv: is empty", "in/考勤 表: 1.csv：是空的"),
        ("in/marks.csv: Permission denied", "in/marks.csv：没有读取权限"),
        ("marks.csv: its folder does not exist", "marks.csv：所在文件夹不存在"),
        ("lacks 8 of 9 contacts that are in force", "现有联系人9个，这份少了8个"),
        ("s-010, s-011, … are on the newest roster no more", "最新名册中没有了：s-010、s-011等"),
        ("k-9 are classes that no units feed names", "单位表中没有这些班级：k-9"),
        (
            "6 rows, 1 children who are not on the roster; the roster has 0001",
            "6行，1名学生不在名册；名册中相近的是0001",
        ),
        ("2 rows: line 3 says otherwise", "2行：与第3行的内容矛盾"),
        ("3 rows: has no country code; left out, the row is kept", "3行：没有国家代码；这一项没有采用，该行其余已采用"),
        (
            'is not read: it has no columns "date", "unit_id" or "student_id"; its header is "学号", "日期", …',
            "没有读取：缺少列“date”、“unit_id”或“student_id”；现有的列：“学号”、“日期”等",
        ),
        ("is empty; has no rows", "是空的；没有数据行"),
    ],
)
def test_a_fault_keeps_what_its_english_quotes(english: str, chinese: str) -> None:
    assert fault_words(english) == chinese
    assert fault_words(english, original=False) == chinese


@pytest.mark.parametrize(
    ("header", "chinese"),
    [
        (["学号", "日期", "x", "y"], '是不是：mapping.columns = { "学号" = "student_id", "日期" = "date" }？请在'),
        (["student_id", "date", "session", "zz"], "请在 mapping.columns 中指定是哪一列"),
    ],
)
def test_columns_that_were_not_found_are_asked_for_in_chinese(header: list[str], chinese: str) -> None:
    with pytest.raises(Fault) as refused:
        shape_of(header, LAYOUTS["marks"], MappingConfig())

    assert refused.value.hint is not None
    assert hint_words(refused.value.hint).startswith(chinese)
    assert feed_fault(refused.value.fault) is not None


def test_a_column_of_the_mapping_is_asked_for_in_chinese() -> None:
    fault = lacking(["dates", "x"], [Missing(("datee",), "date", is_theirs=True), Missing(("mark",), "mark")])

    assert hint_words(fault.hint or "") == "请在 mapping.columns 中指定 mark 是哪一列；“datee”是不是“dates”？"


LINES: Mapping[FeedProblem, tuple[str, int | None, str, str]] = {
    FeedProblem.FAILED: (
        "marks",
        None,
        "https://sis.example.org/export/2026/marks.csv: not finished after 30 s (4 attempts)",
        "last read 2026-03-16 08:00",
    ),
    FeedProblem.HELD: (
        "inbox/contacts-of-the-county.csv",
        None,
        "lacks 8 of 9 contacts that are in force",
        "send it whole, or accept it: baoxue feed accept contacts --by WHO; what stays so for a day is accepted",
    ),
    FeedProblem.ROWS_REFUSED: (
        "inbox/marks-2026-03-16.csv",
        10_212,
        '40 rows: "旷课" is no mark',
        "choose absent, late or leave or add it to mapping.codes",
    ),
    FeedProblem.ROWS_WAITING: (
        "inbox/marks-2026-03-16.csv",
        10_212,
        "6 rows, 1 children who are not on the roster; the roster has 0001",
        f"the roster has 0001: write the id alike in both; {KEPT}",
    ),
    FeedProblem.CHILDREN_MISSING: (
        "marks",
        None,
        f"{', '.join(['G610981201203040011'] * 10)}, … are on the newest roster no more",
        "they stay judged; enter where each went as a movement, or mend the roster",
    ),
    FeedProblem.CLASSES_UNKNOWN: (
        "marks",
        None,
        "k-9 are classes that no units feed names",
        "add them to the units: whoever is told of a child is found through its class",
    ),
    FeedProblem.ROLLS_MISSING: (
        "marks",
        None,
        "c-1, c-2 have no roll, 2026-03-18 am or later",
        "look whether the school still sends it: a gate, or a child on leave, is all that is heard of them",
    ),
    FeedProblem.PASSED_OVER: ("inbox/三月考勤.xls", None, "is no table that is read", "save it as .xlsx or CSV UTF-8"),
}


def facts_of(problem: FeedProblem, language: str) -> dict[str, Any]:
    file, line, fault, hint = LINES[problem]
    zh, en = PROBLEM_WORDS[problem]
    first = {"file": file, "line": line, "key": "student_id" if line else None, "fault": fault, "hint": hint}
    told = {"what": problem.value, "zh": zh, "en": en}
    return {**examples(language)["one"], "problem": told, "count": 45, "faults": [first, first]}


@pytest.mark.parametrize("problem", FeedProblem)
def test_a_text_message_says_feed_place_reason_and_what_to_do_in_three_segments(problem: FeedProblem) -> None:
    given = facts_of(problem, "zh")
    text = WORDS.compose("feed_problem", "sms", "zh", given).text

    assert sms_segments(text) <= 3
    first = given["faults"][0]
    what = fault_words(first["fault"], original=False)
    parts = [
        "数据源marks",
        given["problem"]["zh"],
        what[:40],
        hint_words(first["hint"])[:20],
        "另有1类",
        "baoxue feeds",
    ]
    assert [part for part in parts if part not in text] == []
    assert first["file"] == "marks" or first["file"].rpartition("/")[2][-24:] in text
    assert "marks，" not in text


@pytest.mark.parametrize("problem", FeedProblem)
def test_an_english_text_message_about_a_feed_is_three_segments(problem: FeedProblem) -> None:
    text = WORDS.compose("feed_problem", "sms", "en", facts_of(problem, "en")).text

    assert sms_segments(text) <= 3
    assert re.search(r"[.?]\S", text.replace("...", "").split("See: ")[0][-3:]) is None
    assert "See: baoxue feeds" in text


@pytest.mark.parametrize("problem", FeedProblem)
def test_a_mail_counts_what_is_wrong_once(problem: FeedProblem) -> None:
    mail = WORDS.compose("feed_problem", "email", "zh", facts_of(problem, "zh"))

    assert mail.html is not None
    assert mail.text.count("45") == 1
    assert mail.html.count("45") == 1


@pytest.mark.parametrize("channel", ["sms", "email", "chat"])
def test_a_chinese_message_about_a_feed_has_no_english_sentence(channel: str) -> None:
    faults, hints = said()
    lines = [
        {"file": "marks.csv", "line": 2, "key": "mark", "fault": fault, "hint": hint}
        for fault, hint in zip(faults, itertools.cycle(hints), strict=False)
    ]
    for line in lines:
        told = WORDS.compose("feed_problem", channel, "zh", {**examples("zh")["one"], "faults": [line]})
        assert "原文" not in told.text
        assert f"{line['hint']}" not in told.text
