"""What is wrong with what a feed delivers, in 中文: the faults and hints of its readers, the quoted value kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from notifiers.feed_faults import FAULTS
from notifiers.patterns import Patterns, compiled, glossed

HINTS: Patterns = compiled(
    (r"it was never read", "从未读取成功"),
    (r"last read (?P<a>.+)", "上次读取成功：{a}"),
    (r"save it as CSV UTF-8", "请另存为“CSV UTF-8”格式"),
    (r"save it as CSV UTF-8, or set encoding", "请另存为“CSV UTF-8”格式，或设置 encoding"),
    (r"save it as \.xlsx or CSV UTF-8", "请另存为.xlsx或“CSV UTF-8”格式"),
    (r"save it as \.xlsx(?: again)?", "请另存为.xlsx"),
    (r"unpack it", "请先解压"),
    (r"give it as CSV, \.xlsx or one JSON object a line \(\.jsonl\)", "请改用CSV、.xlsx或每行一个JSON对象（.jsonl）"),
    (r"give them as a table \(csv, xlsx, jsonl\)", "请改用表格（csv、xlsx、jsonl）"),
    (r"rename it, or write it so in path", "请改文件名，或在 path 中照样写"),
    (r"give it a path of its own, or move it away", "请为它另配 path，或把文件移走"),
    (r"move old files away", "请移走旧文件"),
    (r"split the file", "请拆成几个文件"),
    (r"the first line must name the columns", "第一行必须是列名"),
    (r"one JSON object a line", "每行一个JSON对象"),
    (r"one object a line, nothing (?:else|around them)", "每行一个JSON对象，不要写别的"),
    (r"put text with a delimiter in quotes", "含分隔符的文字请加引号"),
    (r"double a quote inside a quoted cell", "引号内的引号请写两次"),
    (r"delete the empty rows and columns", "请删去空行和空列"),
    (r"the rest is missing: send it again, with an end to its last line", "请重新完整发送，最后一行要换行"),
    (r"a roster without anybody is none: send it whole", "名册不能是空的，请完整发送"),
    (
        r"send it whole, or accept it: (?P<a>baoxue feed accept .+?); what stays so for a day is accepted",
        "请完整发送；如属实，请运行 {a}；一天不变则自动采用",
    ),
    (r"send it whole, or accept it: (?P<a>baoxue feed accept .+)", "请完整发送；如属实，请运行 {a}"),
    (r"line (?P<a>\d+) has the columns: delete the lines above it", "列名在第{a}行，请删去它上面的行"),
    (r"rename one", "请改其中一列的名称"),
    (r"rename one, or name the right one in mapping\.columns", "请改其中一列的名称，或在 mapping.columns 中指定"),
    (r"name it in mapping\.columns", "请在 mapping.columns 中指定是哪一列"),
    (r"name (?P<ids>.+) in mapping\.columns", "请在 mapping.columns 中指定 {ids} 是哪一列"),
    (r"name the right ones in the mapping", "请在 mapping 中指定正确的列"),
    (r"mapping\.columns = (?P<a>\{ [^;]*?)\??", "是不是：mapping.columns = {a}？"),
    (r"\"(?P<a>.*)\": did you mean \"(?P<b>.*)\"\?", "“{a}”是不是“{b}”？"),
    (r"did you mean \"(?P<a>.*)\"\? or add it to mapping\.codes", "是不是“{a}”？否则请在 mapping.codes 中添加"),
    (r"choose (?P<words>.+) or add it to mapping\.codes", "请在 mapping.codes 中添加，或改为{words}"),
    (r"did you mean \"(?P<a>.*)\"\?", "是不是“{a}”？"),
    (r"choose (?P<words>.+)", "可选：{words}"),
    (r"if it means empty: (?P<a>.+)", "如表示空值，请写 {a}"),
    (r"add it to mapping\.origin", "请在 mapping.origin 中添加"),
    (r"set mapping\.dates to \"dmy\" or \"mdy\"", "请把 mapping.dates 设为“dmy”（日在前）或“mdy”（月在前）"),
    (r"mapping\.dates is ymd", "mapping.dates 现为“ymd”（年在前）"),
    (r"write the offset too", "请写明时区差，如+08:00"),
    (r"write (?P<a>\d[\d: -]+)", "请写成 {a}"),
    (r"write it, as in \+86…, or set service\.country", "请加上，如+86…，或设置 service.country"),
    (r"write when the mark was made, with its zone", "请写登记考勤的时间，并注明时区"),
    (
        r"one number of (?P<a>\w+), or one with its country code, like (?P<b>\S+)",
        "请只写一个号码：{a}的号码，或带国家代码的号码，如{b}",
    ),
    (r"one number, like (?P<words>.+)", "请只写一个号码，如{words}"),
    (r"give a direct number", "请改用直拨号码"),
    (r"like name@example\.org, one only", "请只写一个邮箱，如name@example.org"),
    (
        r"name one of channels\.webhook\.endpoints; addresses belong there",
        "请写 channels.webhook.endpoints 中的名称，网址写在那里",
    ),
    (r"true or false", "请写true或false"),
    (r"keep one row for each (?P<a>\w+)", "同一个 {a} 只留一行"),
    (r"give each leave an id of its own", "每次请假的编号不能重复"),
    (r"give each a contact_id", "请为每人填写 contact_id"),
    (r"format the column as text before filling it", "请先把这一列设为“文本”格式再填写"),
    (r"mend its formula, or paste values instead of formulas", "请改正公式，或只粘贴数值"),
    (r"paste its value instead", "请只粘贴数值"),
    (
        r"the times of the feed may be in another zone: see mapping\.dates and service\.timezone",
        "可能是时区不对，请检查 mapping.dates 和 service.timezone",
    ),
    (r"show the sheet, or delete it", "请取消隐藏，或删除该工作表"),
    (r"write the day on which the leave ends", "请写实际结束日期"),
    (r"set the gate's clock, or look at service.timezone", "请校准门禁时钟，或检查 service.timezone"),
    (r"leave may be entered ahead, as leave", "请假可以提前登记，请记为请假"),
    (r"check the calendar: holidays, make-up days and session names", "请核对校历：节假日、补课日和节次名称"),
    (r"the row is kept and taken when the roster names the child", "该行已保留，名册有该生后自动采用"),
    (r"one child under two numbers: (?P<a>baoxue student same .+)", "如一人两号，请运行 {a}"),
    (r"the roster has (?P<ids>.+): write the id alike in both", "名册中相近的是{ids}，两处编号请写得一致"),
    (
        r"look whether the school still sends it: a gate, or a child on leave, is all that is heard of them",
        "请核实学校是否仍在报送考勤：目前只收到门禁记录，或只有请假",
    ),
    (
        r"they stay judged; enter where each went as a movement, or mend the roster",
        "仍继续跟踪这些学生；请登记去向，或改正名册",
    ),
    (
        r"add them to the units: whoever is told of a child is found through its class",
        "请把班级加入单位表，否则不知道该通知谁",
    ),
    (r"export StudentSchoolAttendanceEvent", "请导出 StudentSchoolAttendanceEvent"),
    (
        r"add StudentSchoolAssociation to the file, or give the roster as a table",
        "请在文件中加入 StudentSchoolAssociation，或改用表格名册",
    ),
    (r"export it as Ed-Fi 5\.x", "请按Ed-Fi 5.x导出"),
    (r"export it again, whole", "请重新完整导出"),
    (r"export it as UTF-8", "请用UTF-8编码导出"),
)
"""The hints of feeds."""


def feed_fault(text: str) -> str | None:
    """A fault of a feed in 中文, with how many rows and which file it speaks of; None for any other text."""
    if (rows := re.fullmatch(r"(\d+) rows: (.+)", text, re.DOTALL)) is not None:
        return _behind(f"{rows[1]}行：", feed_fault(rows[2]))
    if (sheet := re.fullmatch(r"is not read: it (.+)", text, re.DOTALL)) is not None:
        return _behind("没有读取：", feed_fault(sheet[1]))
    if text.endswith(_LEFT_OUT):
        kept = feed_fault(text.removesuffix(_LEFT_OUT))
        return kept and f"{kept}；这一项没有采用，该行其余已采用"
    return glossed(text, FAULTS) or _of_place(text) or _joined(text, feed_fault)


def feed_hint(text: str) -> str | None:
    """A hint of a feed in 中文; None for any other text."""
    return glossed(text, HINTS) or _joined(text, feed_hint)


_LEFT_OUT = "; left out, the row is kept"


def _of_place(text: str) -> str | None:
    """A fault behind the name of a file, which may hold blanks and colons."""
    for before, after in _split(text, ": "):
        if (words := glossed(after, FAULTS)) is not None and glossed(before, FAULTS) is None:
            return f"{before}：{words}"
    return None


def _joined(text: str, words_of: Callable[[str], str | None]) -> str | None:
    """Several at once, if all of them are known."""
    for before, after in _split(text, "; "):
        first = words_of(before)
        rest = words_of(after) if first is not None else None
        if first is not None and rest is not None:
            return f"{first}{'' if first.endswith('？') else '；'}{rest}"
    return None


def _split(text: str, mark: str) -> Iterator[tuple[str, str]]:
    return ((text[: at.start()], text[at.end() :]) for at in re.finditer(re.escape(mark), text))


def _behind(before: str, words: str | None) -> str | None:
    return words and before + words
