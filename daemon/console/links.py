"""What a link of a message does: shown on GET, done on POST, the same however often."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import structlog

from daemon.console.pages import Page, Said
from daemon.desk.faults import DeskError
from daemon.desk.links import Act
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.office import LINK, acknowledge_by_link, confirm_by_link
from daemon.store import cases, journal, outbox
from daemon.store.alerts import AlertRow
from daemon.store.tx import Tx
from notifiers.phrases import ROLES
from rules.case import Case, Standing
from rules.instants import to_micros

log = structlog.get_logger()

QUESTION_LIVES = dt.timedelta(days=7)
"""An answer counts as a mark of the session it is given in: a question this old is not about now any more."""

_ASKS: dict[Act, tuple[Said, Said, Said]] = {
    Act.ACKNOWLEDGE: (
        ("签收报告", "Acknowledge this report"),
        (
            "按下按钮，表示您已收到并开始处置，系统将不再为此逐级催办。",
            "Pressing the button says that you have it in hand; it will not be escalated for want of an answer.",
        ),
        ("签收", "Acknowledge"),
    ),
    Act.SEEN: (
        ("核实：学生在校", "Confirm: the child is at school"),
        (
            "按下按钮，表示您已亲自核实该生现在在校。",
            "Pressing the button says that you have seen for yourself that the child is at school now.",
        ),
        ("确认在校", "The child is here"),
    ),
    Act.ABSENT: (
        ("核实：学生未到校", "Confirm: the child is absent"),
        (
            "按下按钮，表示您已亲自核实该生现在仍未到校。",
            "Pressing the button says that you have checked for yourself that the child is still absent.",
        ),
        ("确认未到校", "The child is absent"),
    ),
}
_DONE: dict[Act, Said] = {
    Act.ACKNOWLEDGE: ("已签收，谢谢。", "Acknowledged. Thank you."),
    Act.SEEN: ("已记录：学生在校。谢谢。", "Noted: the child is at school. Thank you."),
    Act.ABSENT: ("已记录：学生未到校。谢谢。", "Noted: the child is absent. Thank you."),
}
_NOTHING_MORE = ("您无需再做什么。", "There is nothing more for you to do.")


@dataclass(frozen=True, slots=True)
class _Matter:
    """What a link is about: the act, the alert it came with, the case as it is now."""

    act: Act
    alert: AlertRow
    case: Case
    done: bool
    """Whether it has been done already, by this link or otherwise."""


def show(house: House, token: str, now: dt.datetime) -> Page:
    """What the link would do, with the button that does it, or why there is none; changes nothing."""
    matter = _matter(house, token, now)
    return Page.nothing_here() if matter is None else _page(matter, now)


def follow(house: House, token: str, now: dt.datetime) -> Page:
    """Do what the link is for, if it can still be done, and say what became of it."""
    matter = _matter(house, token, now)
    if matter is None:
        return Page.nothing_here()
    page = _page(matter, now)
    if page.button is None:
        return page
    try:
        _act(house, matter, now)
    except DeskError as refusal:
        log.info("link refused", case=matter.case.number, act=matter.act.name.lower(), fault=refusal.fault)
        after = _matter(house, token, now)
        late = Page.nothing_here() if after is None else _page(after, now)
        return late if late.button is None else _over(matter).with_status(409)
    log.info("link followed", case=matter.case.number, act=matter.act.name.lower(), role=matter.alert.role)
    return _thanks(matter)


def _act(house: House, matter: _Matter, now: dt.datetime) -> None:
    if matter.act is Act.ACKNOWLEDGE:
        acknowledge_by_link(house, matter.alert.alert_id, now)
    else:
        confirm_by_link(house, matter.alert.alert_id, seen=matter.act is Act.SEEN, now=now)


def _matter(house: House, token: str, now: dt.datetime) -> _Matter | None:
    with house.store.read() as tx:
        link = house.links.read(token, lambda beginning: outbox.alert_ids_from(tx, beginning))
        if link is None:
            return None
        alert = outbox.alert_by_id(tx, link.alert_id)
        row = cases.cases_by_id(tx, [alert.case_id]).get(alert.case_id) if alert and alert.case_id else None
        if alert is None or row is None:
            return None
        case = from_row(row)
        if link.act is Act.ACKNOWLEDGE:
            return _Matter(link.act, alert, case, done=case.acknowledged_at is not None)
        return _Matter(link.act, alert, case, done=_answered(tx, house, case, alert, link.act is Act.SEEN, now))


def _answered(tx: Tx, house: House, case: Case, alert: AlertRow, seen: bool, now: dt.datetime) -> bool:  # noqa: FBT001
    """Whether this recipient's last word about the session that is now the current one was the same."""
    said = [entry for entry in journal.history(tx, case.case_id) if entry.kind == "confirmed"]
    if not said:
        return False
    last, line = said[-1], house.calendar.lines[case.finding.variant]
    same = (last.body.get("way"), last.body.get("by")) == (LINK, f"{alert.role} {alert.contact_id}")
    return same and last.body.get("seen") is seen and line.begun(to_micros(last.at)) == line.begun(to_micros(now))


# ---- the words ------------------------------------------------------------------------------------------------------


def _page(matter: _Matter, now: dt.datetime) -> Page:
    """The page for a matter as it stands; with a button only where pressing it does something."""
    case, alert = matter.case, matter.alert
    if not case.is_open:
        closed = ("此案件已办结。", "This case is closed.")
        return _told(matter, ("已办结", "Closed"), closed, _NOTHING_MORE)
    if matter.act is not Act.ACKNOWLEDGE:
        if matter.done:
            return _thanks(matter)
        return _over(matter) if now - alert.raised_at > QUESTION_LIVES else _ask(matter)
    if case.standing is not Standing.RAISED or alert.episode != case.episode:
        return _over(matter)
    if alert.role not in case.ladder.acknowledged_by:
        return _not_yours(matter)
    return _thanks(matter) if matter.done else _ask(matter)


def _ask(matter: _Matter) -> Page:
    title, words, button = _ASKS[matter.act]
    return Page(title, (words,), matter.case.number, button)


def _thanks(matter: _Matter) -> Page:
    return _told(matter, ("已记录", "Noted"), _DONE[matter.act], _NOTHING_MORE)


def _over(matter: _Matter) -> Page:
    words = ("此消息所述情况已经改变。", "What this message was about is not so any more.")
    return _told(matter, ("无需处理", "Nothing to do"), words, _NOTHING_MORE)


def _not_yours(matter: _Matter) -> Page:
    roles = [ROLES.get(role, (role, role)) for role in matter.case.ladder.acknowledged_by]
    zh, en = "、".join(one[0] for one in roles), ", ".join(one[1] for one in roles)
    words = (f"此报告由以下单位签收：{zh}。", f"This report is acknowledged by: {en}.")
    return _told(matter, ("由他人签收", "Not yours to acknowledge"), words).with_status(403)


def _told(matter: _Matter, title: Said, *words: Said) -> Page:
    return Page(title, words, matter.case.number)
