"""What is wrong, in 中文 before the English of files and protocols; what no pattern knows is quoted, not left bare."""

from __future__ import annotations

from notifiers.channel_faults import CHANNEL_FAULTS, SEVERAL
from notifiers.feed_glosses import feed_fault, feed_hint
from notifiers.patterns import compiled, glossed

_FAULTS = compiled(
    # what is written in configuration, rules and templates
    (r"is missing.*", "缺少此项"),
    (r"(?:is no key known here|unknown key)", "没有这个配置项"),
    (r"is empty|empty", "内容为空"),
    # what is wrong with backups
    (r"the newest backup is of (?P<a>[\d: -]+ UTC)", "最新备份的时间是 {a}"),
    (r"there is no backup in the folder of \[backup\]", "备份文件夹中没有备份"),
    (r"the folder of \[backup\] cannot be read: (?P<a>.+)", "无法读取备份文件夹：{a}"),
    (r"'?\"?(?P<a>[^'\"]+)'?\"? is no fact(?: a variable can be filled with)?", "“{a}”不是可用的指标或变量"),
    (
        r"'?\"?(?P<a>[^'\"]+)'?\"? is no (?:unit|contact|mark|role|pack that ships|kind of message|time zone).*",
        "“{a}”不存在",
    ),
    (r"(?P<a>\S+) is not (?P<b>\S+(?: or \S+|, \S+)*)", "“{a}”不在可选值之中：{b}"),
    (r"is (?:a |an )?(?P<a>[\w ]+), not (?:a |an )?(?P<b>[\w ]+)", "类型不对：应为{b}，写成了{a}"),
    (r"(?P<a>\S+) is out of range", "数值{a}超出范围"),
    (r"is not valid TOML.*|is not TOML at column (?P<a>\d+).*", "不是有效的TOML"),
    (r"is no(?:t)? UTF-8 text", "不是UTF-8编码的文本"),
    (r"cannot be read: (?P<a>.+)", "读取不了（{a}）"),
    (r"does not exist", "文件不存在"),
    (r"(?P<a>.+) does not exist", "{a}不存在"),
    (r"replaces no template", "没有对应的自带模板"),
    (r"sets no subject", "没有设置标题"),
    (r"fails with (?P<a>\w+)", "模板运行出错（{a}）"),
    (r"(?P<a>.+) is taken by (?P<b>\S+) already", "{a}与{b}重复"),
    (r"cannot be read as a condition", "条件写法读不懂"),
    (r"is (?:always|never) true", "条件恒成立或永不成立"),
    (r"longer than (?P<a>\d+) characters|is longer than (?P<b>\d+) characters", "超过字数上限"),
    (r"(?P<a>.+) is a channel that is not configured", "渠道{a}没有配置"),
    (r"is not a (?:URL|mail address|bare mail address|duration|date).*", "格式不对"),
    (r"holds no web address", "里面没有网址"),
    # the clock, and jobs that fail
    (
        r"it shows (?P<a>[\d: -]+) UTC, (?P<span>.+) before the newest instant known; nothing is polled or judged",
        "显示 {a} UTC，比已知的最新时刻早{span}，暂停读取和判断",
    ),
    (
        r"it shows (?P<a>[\d: -]+) UTC, (?P<span>.+) after the newest instant known, and no roll since.+",
        "显示 {a} UTC，比已知的最新时刻晚{span}，其间没有点名，暂停判断",
    ),
    (
        r"it was (?P<span>.+) ahead; what was told meanwhile may have been too early, and is corrected if so",
        "曾超前{span}，其间的通知可能过早，如有误将自动更正",
    ),
    (r"it shows (?P<a>[\d: -]+) UTC, but the store has seen (?P<b>[\d: -]+)", "显示 {a} UTC，数据库已有 {b} 的记录"),
    (r"(?P<a>\w+(?:Error|Exception))", "程序出错（{a}）"),
    # the store
    (r"the disk of the database is full \((?P<a>.+)\)", "数据库所在磁盘已满（{a}）"),
    (r"the database file was removed while it was in use: (?P<a>.+)", "数据库文件被删除：{a}"),
    (r"the database file was replaced while it was in use: (?P<a>.+)", "数据库文件被替换：{a}"),
    (r"the database file is damaged \((?P<a>.+)\)", "数据库文件已损坏（{a}）"),
    (r"the database file is no SQLite database \((?P<a>.+)\)", "数据库文件不是SQLite数据库（{a}）"),
    (r"the database file cannot be (?:used|opened):? ?\(?(?P<a>.+?)\)?", "数据库文件无法打开（{a}）"),
    (r"the database may not be written \((?P<a>.+)\)", "数据库没有写入权限（{a}）"),
    (r"the disk of the database gives errors \((?P<a>.+)\)", "数据库所在磁盘读写出错（{a}）"),
    (r"the database is held by another program \((?P<a>.+)\)", "数据库被别的程序占用（{a}）"),
    (r"the database cannot be reached: (?P<a>.+)", "数据库连接不上（{a}）"),
)
_HINTS = compiled(
    (r"did you mean (?P<a>.+)\?", "是不是想写{a}？"),
    (r"leave it out.*", "请删去"),
    (r"look at: (?P<a>[^;]+); then run: (?P<b>.+)", "请先查看 {a}，再执行 {b}"),
    (r"write at most (?P<a>.+)", "至多{a}"),
    (r"write (?P<a>.+)", "请写{a}"),
    (r"known(?: are)?: (?P<a>.+)", "可选：{a}"),
    (r".*for example: (?P<a>.+)", "例如：{a}"),
    (r"such as (?P<a>.+)", "例如：{a}"),
    (r"save the file as UTF-8", "请用UTF-8编码保存"),
    (r"let the daemon read it", "请让系统用户可以读取"),
    (r"make room on that disk", "请清理该磁盘的空间"),
    (r"look whether the database runs and lets the daemon in", "请检查数据库是否在运行、是否允许本系统连接"),
    (r"put the file back, or: (?P<a>.+)", "请放回原文件，或运行 {a}"),
    (r"look at the log of the database", "请查看数据库的日志"),
    (r"the log shows it whole", "详见日志"),
    (
        r"mend it in the configuration or at the provider; to try it: (?P<a>.+)",
        "请检查配置或联系服务商；试发：{a}",
    ),
    (r"set the clock of the machine; if it is right: (?P<a>.+)", "请校正本机时钟；如时钟无误，请运行 {a}"),
    (
        r"it goes on with the first roll of a later session; if the clock is right: (?P<a>.+)",
        "有新的点名后自动恢复；如时钟无误，请运行 {a}",
    ),
)


def fault_words(text: str, *, original: bool = True) -> str:
    """A fault in 中文, with the English it was written in behind it, unless there is no room for that.

    One of a feed keeps all that its English quotes, and stands alone.
    """
    if (of_feed := feed_fault(text)) is not None:
        return of_feed
    if (several := SEVERAL.fullmatch(text)) is not None:
        found: str | None = f"接连{several['count']}个地址被拒：{fault_words(several['reason'], original=False)}"
    else:
        found = glossed(text, CHANNEL_FAULTS) or glossed(text, _FAULTS)
    if found is None:
        return f"有误，原文：{text}"
    return f"{found}（{text}）" if original else found


def hint_words(text: str) -> str:
    """A hint in 中文; of one that no pattern knows that it is English."""
    return feed_hint(text) or glossed(text, _HINTS) or f"提示原文：{text}"
