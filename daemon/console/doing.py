"""The page of a report: to acknowledge it where that counts, and to say what was done; what it promises is the law's.

Names no child and no school: whoever holds the phone may read it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

from daemon.console.pages import Button, Form, Page, Said
from daemon.desk.deeds import AHEAD, LONGEST_NOTE, WORDS, Deed, DeedRefusedError, read_done
from daemon.jobs.deeds import is_about_report, last_deed, may_acknowledge, record_deed_by_link, stands
from daemon.jobs.house import House
from daemon.jobs.office import acknowledge_by_link
from daemon.store.alerts import AlertRow
from daemon.store.journal import Entry
from daemon.store.tx import Tx
from notifiers.phrases import ROLES, instant, span
from rules.case import Case, Standing
from rules.standing import promised

_SHOWN_NOTE = 2_000
"""Characters of a note that was refused which are shown again."""
_ASK = (
    "按“签收”，表示您已收到并开始处置，此后不再因无人签收而催办。",
    "Acknowledging says that you have it in hand; it will not be escalated for want of an answer.",
)
_ACKNOWLEDGE = Button(("签收", "Acknowledge"))
_FORM: Said = ("做了什么", "What was done")
_ALSO: Said = ("或者直接登记做了什么（登记即签收）", "Or say at once what was done, which acknowledges as well")
_MORE: Said = ("再登记一条", "Record something more")
_SUBMIT: Said = ("登记", "Record")
_LEAVE_AND_MOVES: Mapping[str, Said] = {
    Deed.ILL: (
        "这里登记的不是请假：请学校尽快补录请假，补录之前仍按缺勤计算。",
        "This is no leave: the school still has to enter it, and until then the child counts as absent.",
    ),
    Deed.MOVED: (
        "这里登记的不是学籍异动：请学校或教育局录入异动及依据，录入之前仍按缺勤计算。",
        "This is no change of enrolment: it has to be entered, with evidence; until then the child is absent.",
    ),
    Deed.FOUND: (
        "学生到校点名后，案件才会转入返校观察。",
        "The case goes on until a roll says that the child is back at school.",
    ),
}
"""What an entry here is not, and what has to be entered elsewhere."""


@dataclass(frozen=True, slots=True)
class Doing:
    """What a link to a report is about: the alert it came with, the case as it is now, what its recipient said last."""

    alert: AlertRow
    case: Case
    last: Entry | None


def read_doing(tx: Tx, case: Case, alert: AlertRow) -> Doing:
    """Return what there is to know for the page of a report."""
    return Doing(alert, case, last_deed(tx, case, alert))


def page_of(house: House, doing: Doing, now: dt.datetime, typed: Form | None = None) -> Page:
    """The page as the case stands; with something to press only where pressing it does something."""
    case, alert = doing.case, doing.alert
    if not stands(case, alert):
        return _over(case, alert)
    form = typed or _form(house, now)
    may = may_acknowledge(case, alert)
    if may and case.acknowledged_at is None:
        words, asked = (_ASK, *_before(case)), form if typed else _titled(form, _ALSO)
        return Page(("签收报告", "Acknowledge this report"), words, case.number, (_ACKNOWLEDGE,), asked)
    title = ("已签收", "Acknowledged") if may else ("登记处置情况", "Say what was done")
    if doing.last is not None:
        title, form = ("已登记", "Recorded"), form if typed else _titled(form, _MORE)
    said = (*_recorded(house, doing.last), *_state(house, doing, may=may))
    return Page(title, said, case.number, form=form)


def press(house: House, doing: Doing, fields: Mapping[str, str], now: dt.datetime) -> Page | None:
    """Do what was pressed; a page where it was refused for what was typed, else None: look at the case again."""
    case, alert = doing.case, doing.alert
    if not stands(case, alert):
        return None
    if not fields and may_acknowledge(case, alert):
        acknowledge_by_link(house, alert.alert_id, now)
        return None
    try:
        done = read_done(fields, now.astimezone(house.calendar.zone).date())
    except DeedRefusedError as refusal:
        return page_of(house, doing, now, _form(house, now, fields, refusal.words)).with_status(422)
    record_deed_by_link(house, alert.alert_id, done, now)
    return None


# ---- the form ------------------------------------------------------------------------------------------------------


def _form(house: House, now: dt.datetime, fields: Mapping[str, str] | None = None, refused: Said | None = None) -> Form:
    today, typed = now.astimezone(house.calendar.zone).date(), fields or {}
    return Form(
        _FORM,
        [(deed.value, words) for deed, words in WORDS.items()],
        _SUBMIT,
        LONGEST_NOTE,
        today.isoformat(),
        (today + AHEAD).isoformat(),
        typed.get("deed", ""),
        typed.get("note", "")[:_SHOWN_NOTE],
        typed.get("back_on", "")[:40],
        refused,
    )


def _titled(form: Form, title: Said) -> Form:
    return replace(form, title=title)


# ---- the words -----------------------------------------------------------------------------------------------------


def _before(case: Case) -> list[Said]:
    """Return what follows an acknowledgement, before it is given."""
    remind, lapse = case.ladder.remind_after, case.ladder.lapses_after
    said: list[Said] = []
    if remind is not None:
        zh = f"签收后{span(remind, 'zh')}内请登记做了什么；没有登记的，系统提醒您。"
        said.append((zh, f"Say within {span(remind, 'en')} what was done; without that you are reminded."))
    if lapse is not None:
        zh = f"签收后{span(lapse, 'zh')}仍没有登记的，签收失效，继续逐级通知。"
        said.append((zh, f"Without it the acknowledgement lapses after {span(lapse, 'en')}, and others are told."))
    return said


def _state(house: House, doing: Doing, *, may: bool) -> list[Said]:
    """Return who acknowledged and when, and what is still owed for it; for others what their entry is good for."""
    case, at = doing.case, doing.case.acknowledged_at
    said: list[Said] = [] if may else [("请登记您做了什么。", "Please say what you did.")]
    if not is_about_report(case, doing.alert):
        return said
    if at is None:
        roles = [ROLES.get(role, (role, role)) for role in case.ladder.acknowledged_by]
        zh, en = "、".join(one[0] for one in roles), ", ".join(one[1] for one in roles)
        return [*said, (f"此报告由以下单位签收：{zh}。", f"This report is acknowledged by: {en}.")]
    role = ROLES.get(case.acknowledged_by or "", ("办公室", "the office"))
    zh, en = (instant(at.astimezone(house.calendar.zone), language) for language in ("zh", "en"))
    return [*said, (f"已签收：{role[0]}，{zh}。", f"Acknowledged by {role[1]}, {en}."), *_owed(house, case)]


def _owed(house: House, case: Case) -> list[Said]:
    """By when something has to be recorded for an acknowledgement to last, as the ladder will have it."""
    reminds, lapses = promised(case)
    zone = house.calendar.zone
    said: list[Said] = []
    if reminds is not None:
        zh, en = (instant(reminds.astimezone(zone), language) for language in ("zh", "en"))
        said.append(
            (f"请在{zh}前登记做了什么，到时没有登记的，系统提醒。", f"Say what was done by {en}, or be reminded.")
        )
    if lapses is not None:
        zh, en = (instant(lapses.astimezone(zone), language) for language in ("zh", "en"))
        en = f"Without a record by {en} the acknowledgement lapses, and others are told."
        said.append((f"到{zh}仍没有登记的，签收失效，继续逐级通知。", en))
    if not said and case.acted_at is not None:
        said.append(("已有处置记录，签收有效。", "Something is on record: the acknowledgement lasts."))
    return said


def _recorded(house: House, last: Entry | None) -> list[Said]:
    """Return what the recipient said last, and what that leaves to be entered elsewhere."""
    if last is None:
        return []
    deed = Deed(str(last.body["deed"]))
    zh, en = (instant(last.at.astimezone(house.calendar.zone), language) for language in ("zh", "en"))
    back = last.body.get("back_on")
    named = (WORDS[deed][0] + (f"（{back}）" if back else ""), WORDS[deed][1] + (f" ({back})" if back else ""))
    told = [(f"已登记：{named[0]}，{zh}。", f"On record: {named[1]}, {en}.")]
    return [*told, *([_LEAVE_AND_MOVES[deed]] if deed in _LEAVE_AND_MOVES else [])]


def _over(case: Case, alert: AlertRow) -> Page:
    """Why there is nothing to do any more."""
    if not case.is_open:
        closed = ("此案件已办结，您无需再做什么。", "This case is closed; there is nothing more for you to do.")
        return Page(("已办结", "Closed"), (closed,), case.number)
    if alert.episode == case.episode and case.standing is Standing.RETURNED:
        words = ("学生已返校，此报告到此为止，您无需再做什么。", "The child is back at school: this ends the report.")
    elif alert.episode == case.episode:
        words = ("此报告已撤回，您无需再做什么。", "This report was taken back; there is nothing for you to do.")
    else:
        words = (
            "此报告已由新的报告取代，请看最近的消息。",
            "A later report has taken its place: see the newest message.",
        )
    return Page(("无需处理", "Nothing to do"), (words,), case.number)
