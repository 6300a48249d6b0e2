"""The faults that readers of feeds find in sources, files and rows, as patterns with their words in 中文."""

from __future__ import annotations

import errno
import os
import re

from notifiers import trust
from notifiers.patterns import Patterns, compiled

_OF_THE_SYSTEM = "|".join(sorted({re.escape(os.strerror(number)) for number in errno.errorcode}))
_SOURCES = compiled(
    # a source that is not reached, or gives nothing that can be taken; a receiver may answer the same
    (r"(?P<a>https?://\S+): answered (?P<b>40[13])", "{a}：拒绝访问（{b}），请检查令牌和权限"),
    (r"(?P<a>https?://\S+): answered (?P<b>404|410)", "{a}：网址不存在（{b}），请检查网址"),
    (r"(?P<a>https?://\S+): answered 304 to a request without conditions", "{a}：未问变更，却答“无变更”（304）"),
    (r"(?P<a>https?://\S+): answered 429 \((?P<b>\d+) attempts?\)", "{a}：要求放慢（429），已试{b}次"),
    (r"(?P<a>https?://\S+): answered (?P<b>\d+) \((?P<c>\d+) attempts?\)", "{a}：服务器暂时出错（{b}），已试{c}次"),
    (r"(?P<a>https?://\S+): answered 407", "{a}：代理服务器要求登录（407）"),
    (r"(?P<a>https?://\S+): answered 429", "{a}：要求放慢（429）"),
    (r"(?P<a>https?://\S+): answered (?P<b>5\d\d)", "{a}：服务器暂时出错（{b}）"),
    (r"(?P<a>https?://\S+): answered (?P<b>\d+)", "{a}：服务器答复{b}，请求没有成功"),
    (
        r"(?P<a>https?://\S+): not finished after (?P<b>\S+) s(?: \((?P<c>\d+) attempts?\))?",
        "{a}：{b}秒内没有读完，已试{c}次",
    ),
    (r"(?P<a>https?://\S+): connection failed \((?P<b>\d+) attempts?\)", "{a}：连接不上，已试{b}次"),
    (
        r"(?P<a>https?://\S+): the answer stopped half-way \((?P<b>\d+) attempts?\)",
        "{a}：数据只收到一半，已试{b}次",
    ),
    (
        r"(?P<a>https?://\S+): its last line has no end \((?P<b>\d+) attempts?\)",
        "{a}：最后一行没有换行，数据可能不全，已试{b}次",
    ),
    (
        r"(?P<a>https?://\S+): the proxy (?P<b>\S+) refused: (?P<c>\d+) \((?P<d>\d+) attempts?\)",
        "{a}：代理服务器{b}拒绝转发（{c}），已试{d}次",
    ),
    (
        r"(?P<a>https?://\S+): the proxy (?P<b>\S+) was not reached \((?P<c>\d+) attempts?\)",
        "{a}：代理服务器{b}连接不上，已试{c}次",
    ),
    (
        r"(?P<a>https?://\S+): connection failed through the proxy (?P<b>\S+) \((?P<c>\d+) attempts?\)",
        "{a}：经代理服务器{b}连接不上，已试{c}次",
    ),
    (
        rf"(?P<a>https?://\S+): {re.escape(trust.UNTRUSTED)}",
        "{a}：证书的签发机构不受信任，请把该机构的PEM文件填入 network.ca_file",
    ),
    (rf"(?P<a>https?://\S+): {re.escape(trust.EXPIRED)}", "{a}：证书已过期"),
    (rf"(?P<a>https?://\S+): {re.escape(trust.NOT_YET_VALID)}", "{a}：证书尚未生效，请检查本机时钟"),
    (rf"(?P<a>https?://\S+): {re.escape(trust.OF_ANOTHER_HOST)}", "{a}：证书不是这台主机的，请检查网址中的主机名"),
    (rf"(?P<a>https?://\S+): {re.escape(trust.REVOKED)}", "{a}：证书已被吊销"),
    (rf"(?P<a>https?://\S+): {re.escape(trust.OTHERWISE_REFUSED)}", "{a}：证书不被接受"),
    (r"(?P<a>.+): not an address", "{a}：不是有效的网址"),
    (r"(?P<a>https?://\S+): redirects without end", "{a}：网址反复跳转"),
    (r"(?P<a>https?://\S+): redirects to another host, which is not followed", "{a}：网址跳转到别的主机，未予跟随"),
    (r"(?P<a>https?://\S+): answers packed as (?P<b>.+), which was not asked for", "{a}：数据的压缩方式不认识（{b}）"),
    (r"(?P<a>https?://\S+): longer than max_bytes \((?P<b>\d+)\)", "{a}：数据超过上限（max_bytes，{b}字节）"),
    (r"has neither path nor url", "没有配置 path 或 url"),
    (r"(?P<a>\d+) deliveries could not be taken, see the log", "有{a}份数据处理出错，请看日志"),
    (r"unexpected failure, see the log", "读取时程序出错，请看日志"),
    (r"its folder does not exist", "所在文件夹不存在"),
    (r"no such file or folder|No such file or directory", "没有这个文件或文件夹"),
    (r"is no pattern of files", "不是有效的文件名写法"),
    (r"no file is there", "没有文件"),
    (r"cannot be opened", "打不开"),
    (r"cannot be read", "读取不了"),
    (r"Permission denied", "没有读取权限"),
    (r"Is a directory|Not a directory", "路径不对，文件和文件夹弄混了"),
    (r"Input/output error|Stale file handle|Host is down|Transport endpoint is not connected", "磁盘或网络盘读取出错"),
    (r"is not a plain file", "不是普通文件"),
    (r"is larger than max_bytes \((?P<a>\d+)\)", "文件超过上限（max_bytes，{a}字节）"),
    # files and sheets beside
    (r"is no table that is read", "这种文件不会被读取"),
    (r"differs from path = \"(?P<a>.*)\" in capitals", "与 path = “{a}”的大小写不同，没有读取"),
    (r"is not among path = \"(?P<a>.*)\"", "不在 path = “{a}”之内，没有读取"),
    (
        r"(?P<a>\d+) files are not read: there are more than (?P<b>\d+), and the newest are",
        "文件多于{b}个，只读最新的，有{a}个没有读取",
    ),
    # what stands of a roster
    (
        r"lacks (?P<a>\d+) of (?P<b>\d+) (?P<records>\w+) that are in force",
        "现有{records}{b}个，这份少了{a}个",
    ),
    (
        r"lacks (?P<a>\d+) of (?P<b>\d+) (?P<records>\w+) that are in force \((?P<ids>.*)\)",
        "现有{records}{b}个，这份少了{a}个（{ids}）",
    ),
    (r"has no rows", "没有数据行"),
    (r"is hidden, and has the columns", "工作表已隐藏，但列名相符"),
    (r"is more than a year after from", "结束日期比开始日期晚一年以上"),
    (r"lies after the delivery: nobody has passed yet", "通行时间晚于送达时间"),
    (r"(?P<ids>.+) are on the newest roster no more", "最新名册中没有了：{ids}"),
    (r"(?P<ids>.+) have no roll, (?P<day>\S+) (?P<session>.+) or later", "{day} {session}起没有点名：{ids}"),
    (r"(?P<ids>.+) are classes that no units feed names", "单位表中没有这些班级：{ids}"),
)
_FILES = compiled(
    # the file as a whole
    (r"is empty", "是空的"),
    (r"stops within its last row", "最后一行不完整，后面的数据可能缺失"),
    (r"has a line of more than (?P<a>\d+) characters", "有一行超过{a}字"),
    (r"has more than (?P<a>\d+) rows or (?P<b>\d+) cells in its sheets", "各工作表合计超过{a}行或{b}个单元格"),
    (r"has more than (?P<a>\d+) rows", "超过{a}行"),
    (r"has more than (?P<a>\d+) columns", "超过{a}列"),
    (r"has more than (?P<a>\d+) parts", "工作簿太复杂（部件超过{a}个）"),
    (r"its header's quotes do not close", "表头的引号没有成对"),
    (r"its quotes do not close", "引号没有成对"),
    (r"has (?P<a>\d+) cells under (?P<b>\d+) columns", "这一行有{a}格，表头只有{b}列"),
    (r"has two columns for \"(?P<a>.*)\"", "有两列都是“{a}”"),
    (r"has two columns \"(?P<a>.*)\"", "有两列都叫“{a}”"),
    (r"has no columns? (?P<names>.+?); its header is empty", "缺少列{names}；表头是空的"),
    (r"has no columns? (?P<names>.+?); its header is (?P<header>.+)", "缺少列{names}；现有的列：{header}"),
    (r"is not JSON", "不是JSON"),
    (r"is not a JSON object", "不是JSON对象"),
    (r"is a list or object where a plain value belongs", "应为单个值，写成了列表或对象"),
    (r"names a key twice", "同一个键写了两次"),
    (r"(?P<a>\S+) is not a value", "“{a}”不是有效的值"),
    (r"is UTF-16 text", "是UTF-16编码的文本"),
    (r"is binary, not text", "不是文本文件"),
    (r"is not whole UTF-8", "不是完整的UTF-8文本"),
    (r"is neither UTF-8 nor GB18030 text", "既不是UTF-8也不是GB18030编码"),
    (r"is an old \.xls workbook or has a password", "是旧版.xls工作簿，或设有密码"),
    (r"is not a (?:whole workbook|workbook that can be read)", "工作簿已损坏或不完整"),
    (r"is packed as no spreadsheet is", "不是正常的工作簿"),
    (r"has no sheet with cells", "工作簿里没有数据"),
    (r"has a part that is not UTF-8|has a cell with an impossible place", "工作簿已损坏"),
    (r"unpacks to more than (?P<a>\d+) MiB", "工作簿解压后超过{a} MiB"),
    (r"has a sheet that spans (?P<a>\d+) rows and (?P<b>\d+) columns", "有工作表占了{a}行{b}列"),
    # Ed-Fi
    (r"Ed-Fi files are not read for (?P<records>\w+)", "Ed-Fi文件不能用于{records}"),
    (r"holds no (?P<a>\w+), only (?P<b>.+)", "里面没有{a}，只有{b}"),
    (r"(?P<a>\d+) events of single sections are not read", "有{a}条单节课记录没有读取"),
    (r"names a contact that is not in this file", "所指的联系人不在这个文件里"),
    (
        r"is no child's contact: no StudentContactAssociation names it",
        "联系人没有对应的学生（StudentContactAssociation）",
    ),
    (r"names no school for its (?P<a>\d+) students", "没有写明{a}名学生的学校"),
    (r"is no Ed-Fi interchange: its root is \"(?P<a>.*)\"", "不是Ed-Fi文件（根元素是“{a}”）"),
    (r"is Ed-Fi of another version: \"(?P<a>.*)\"", "Ed-Fi版本不对（“{a}”）"),
    (r"is nested too deeply|has an element of too many parts", "XML结构过于复杂"),
    (r"has a text of more than (?P<a>\d+) characters", "有文字超过{a}字"),
    (r"declares a document type or entities, which no interchange needs", "XML含有不允许的声明（DOCTYPE或实体）"),
    (r"is not well-formed XML", "不是完整有效的XML"),
    (r"is in an encoding that cannot be read", "编码读不懂"),
)
_ROWS = compiled(
    # one row
    (r"\"(?P<a>.*)\" is no mark", "“{a}”不是考勤代码"),
    (r"\"(?P<a>.*)\" is not known here", "“{a}”不在可选值之中"),
    (r"is not the name of a session", "不是节次名称"),
    (r"its session has not begun: a roll cannot be called in advance", "这一节课还没有开始，不能提前点名"),
    (
        r"lies after the delivery, which is taken as the instant of recording",
        "登记时间晚于收到数据的时间，按收到时间计",
    ),
    (r"no session of the child's class is expected then", "校历中该班这时没有课"),
    (r"the child is not on the roster(?: yet)?", "该生不在名册"),
    (
        r"(?P<a>\d+) rows, (?P<b>\d+) children who are not on the roster; the roster has (?P<ids>.+)",
        "{a}行，{b}名学生不在名册；名册中相近的是{ids}",
    ),
    (r"(?P<a>\d+) rows, (?P<b>\d+) children who are not on the roster", "{a}行，{b}名学生不在名册"),
    (r"is missing, and so is student_id", "没有填，student_id 也没有填"),
    (r"is missing, and a guardian is always a child's", "没有填，监护人必须写明学生"),
    (r"is missing, and so are email and endpoint", "没有填，email 和 endpoint 也没有填"),
    (r"is missing", "没有填"),
    (r"names the unit itself", "上级单位写成了自己"),
    (r"is not after from", "结束时间应晚于开始时间（from）"),
    (r"may be whole days or instants: both are midnight in UTC", "看不出是整天还是时刻（都是UTC零点）"),
    (r"is longer than (?P<a>\d+) characters", "超过{a}字"),
    (r"is neither yes nor no", "不是“是”或“否”"),
    (r"has no country code", "没有国家代码"),
    (r"has an extension, which no message can reach", "带分机号，消息无法送达"),
    (r"is not a (?:possible )?telephone number", "不是电话号码"),
    (r"is a mobile number of (?P<a>\d+) digits, and a Chinese one has (?P<b>\d+)", "手机号应为{b}位，此处有{a}位"),
    (r"holds more than one number", "一格里有不止一个号码"),
    (r"has a letter among its digits", "号码里夹有字母"),
    (r"is not a mail address", "不是邮箱地址"),
    (r"is not the name of an endpoint", "不是接口名称"),
    (r"(?P<at>line \d+|\S.*:\d+) says otherwise", "与{at}的内容矛盾"),
    (r"is another child's on (?P<at>.+)", "{at}已用于另一名学生"),
    # numbers that spreadsheets spoil
    (r"was saved as a number and lost digits", "被存成数字，丢了位数"),
    (r"holds invisible characters", "含有看不见的字符"),
    (r"is an error of the spreadsheet", "是表格的错误值"),
    (r"\"(?P<a>.*)\" is no id, but what stands for nothing", "“{a}”不是编号，像是空值"),
    (r"was turned into a date by a spreadsheet", "被表格软件改成了日期"),
    (r"was turned into a time of day by a spreadsheet", "被表格软件改成了时间"),
    (r"is a formula", "是公式"),
    (r"holds neither a letter nor a digit", "没有字母也没有数字"),
    # dates
    (r"\"(?P<a>.*)\" is not a date", "“{a}”不是日期"),
    (r"\"(?P<a>.*)\" is not an instant", "“{a}”不是日期加时刻"),
    (r"\"(?P<a>.*)\" is an instant and no whole day", "“{a}”是时刻，不是整天"),
    (r"\"(?P<a>.*)\" is out of range", "“{a}”超出范围"),
    (r"\"(?P<a>.*)\" has no day 0", "“{a}”没有设定起算日"),
    (r"\"(?P<a>.*)\" has no time of day", "“{a}”没有写时刻"),
    (r"\"(?P<a>.*)\" does not begin with its year", "“{a}”不是年份在前"),
    (r"\"(?P<a>.*)\": some dates here are day/month, others month/day", "“{a}”：有的日在前，有的月在前"),
    (r"\"(?P<a>.*)\" can be day/month or month/day", "“{a}”分不清是日/月还是月/日"),
    (r"\"(?P<a>.*)\" never was: clocks were put forward over it", "“{a}”不存在（夏令时拨快时跳过）"),
    # several at once
    (r"and (?P<a>\d+) more problems like these", "还有{a}处类似问题"),
)
FAULTS: Patterns = (*_SOURCES, *_FILES, *_ROWS, *compiled((f"(?P<a>{_OF_THE_SYSTEM})", "系统读取出错（{a}）")))
"""The faults of feeds."""
