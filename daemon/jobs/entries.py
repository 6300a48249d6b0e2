"""The lines of a journal in words: what happened, and what is said of it; a line not named here stands as it is."""

from __future__ import annotations

from collections.abc import Mapping

Said = tuple[str, str]

_CHINESE = {
    "opened": "立案",
    "due": "报告到期",
    "overtaken": "到期前已有新情况",
    "raised": "发出报告",
    "not raised": "未作报告",
    "excused": "缺勤已有说明",
    "start corrected": "缺勤起始已更正",
    "stage": "阶段变更",
    "confirmation asked": "请求核实",
    "rung climbed": "逐级通知",
    "rung repeated": "重复催办",
    "rung passed over": "本级免通知",
    "rung reached nobody": "本级未通知到任何人",
    "owed rung told": "补通知",
    "report was never sent": "报告从未发出，重新计时",
    "ladder applied": "更换告知阶梯",
    "acknowledged": "签收",
    "acknowledgement recalled": "催办签收",
    "acknowledgement lapsed": "签收失效",
    "confirmed": "核实",
    "what was done": "登记处置",
    "marked by hand": "补记考勤",
    "leave entered": "补录请假",
    "undelivered": "未送达",
    "delivered after all": "后经证实送达",
    "channel failed": "渠道发送失败",
    "falls back": "改用其他渠道",
    "not reached": "未能通知",
    "nobody to tell": "无人可通知",
    "duty passed on": "值班顺延",
    "silenced": "静默中，暂缓通知",
    "possibly repeated": "可能重复送达",
    "retracted": "撤回",
    "returned": "返校",
    "reopened": "重开",
    "closing proposed": "建议销号",
    "closing requested": "申请销号",
    "closed": "销号",
    "note": "备注",
    "sign raised": "苗头出现",
    "sign over": "苗头消失",
    "proof of delivery made": "制作送达证明",
}
ENTRIES: Mapping[str, Said] = {kind: (chinese, kind) for kind, chinese in _CHINESE.items()}
"""What happened, by the kind of its line: 中文, English."""

FACTS: Mapping[str, Said] = {
    "absent_days": ("缺勤天数", "days absent"),
    "because": ("因为", "because"),
    "by": ("由谁", "by"),
    "case": ("个案", "case"),
    "channel": ("渠道", "channel"),
    "code": ("回执代码", "code"),
    "contact": ("对象", "contact"),
    "corrected": ("已更正", "corrected"),
    "date": ("日期", "date"),
    "deed": ("处置", "deed"),
    "due_at": ("应报告", "due"),
    "ends": ("止", "to"),
    "episode": ("第几次报告", "report no."),
    "kind": ("内容", "kind"),
    "ladder": ("阶梯", "ladder"),
    "leave": ("请假", "leave"),
    "mark": ("考勤", "mark"),
    "message": ("消息", "message"),
    "note": ("备注", "note"),
    "proposed_by": ("申请人", "proposed by"),
    "reason": ("原因", "reason"),
    "role": ("角色", "role"),
    "roles": ("角色", "roles"),
    "rule": ("规则", "rule"),
    "run_from": ("缺勤起", "absent since"),
    "rung": ("级", "rung"),
    "seen": ("见到学生", "child seen"),
    "session": ("节次", "session"),
    "silence": ("静默", "silence"),
    "stage": ("阶段", "stage"),
    "starts": ("起", "from"),
    "tell": ("告知", "tells"),
    "text": ("内容", "text"),
    "times": ("第几次", "time no."),
    "to": ("改由", "to"),
    "unconfirmed": ("未核实", "unconfirmed"),
    "unit": ("单位", "unit"),
    "until": ("截止", "until"),
    "values": ("数值", "values"),
    "version": ("版本", "version"),
    "was": ("原为", "was"),
    "way": ("方式", "way"),
}
"""What a line says of what happened, by its key: 中文, English."""

WAYS: Mapping[str, Said] = {
    "command line": ("命令行", "command line"),
    "link": ("链接", "link"),
    "reply": ("短信回复", "reply"),
}
"""By which way somebody said something: 中文, English."""

PASSED_OVER: Mapping[str, Said] = {
    "acknowledged": ("已签收", "acknowledged"),
    "acted": ("已有处置记录", "acted"),
    "seen": ("已见到学生", "seen"),
}
"""Why a rung was passed over: 中文, English."""
