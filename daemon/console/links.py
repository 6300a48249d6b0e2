"""What a link of a message does: shown on GET, done on POST, the same however often."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import structlog

from daemon.console.doing import Doing, page_of, press, read_doing
from daemon.console.judging import Judging, judge, judging_page, read_judging
from daemon.console.pages import Button, Page, Said
from daemon.desk.faults import DeskError
from daemon.desk.links import Act
from daemon.jobs.casefile import from_row
from daemon.jobs.house import House
from daemon.jobs.office import LINK, confirm_by_link
from daemon.store import cases, journal, outbox
from daemon.store.alerts import AlertRow
from daemon.store.tx import Tx
from rules.case import Case
from rules.instants import to_micros

log = structlog.get_logger()

QUESTION_LIVES = dt.timedelta(days=7)
"""An answer counts as a mark of the session it is given in: a question this old is not about now any more."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

_ASKS: dict[Act, tuple[Said, Said, Said]] = {
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
    Act.SEEN: ("已记录：学生在校。谢谢。", "Noted: the child is at school. Thank you."),
    Act.ABSENT: ("已记录：学生未到校。谢谢。", "Noted: the child is absent. Thank you."),
}
_NOTHING_MORE = ("您无需再做什么。", "There is nothing more for you to do.")


@dataclass(frozen=True, slots=True)
class _Question:
    """What a link to a question is about: the act, the alert it came with, the case as it is now."""

    act: Act
    alert: AlertRow
    case: Case
    done: bool
    """Whether it has been done already, by this link or otherwise."""


_Matter = Doing | Judging | _Question


def show(house: House, token: str, now: dt.datetime) -> Page:
    """Return what the link would do, with the buttons that do it, or why there are none; changes nothing."""
    matter = _matter(house, token, now)
    return Page.nothing_here() if matter is None else _page(house, matter, now)


def follow(house: House, token: str, now: dt.datetime, fields: Mapping[str, str] = _NOTHING) -> Page:
    """Do what was pressed, if it can still be done, and say what became of it."""
    matter = _matter(house, token, now)
    if matter is None:
        return Page.nothing_here()
    page = _page(house, matter, now)
    if not page.asks:
        return page
    try:
        refused = _do(house, matter, fields, now)
    except DeskError as refusal:
        log.info("link refused", **_about(matter), fault=refusal.fault)
        late = show(house, token, now)
        return late if not late.asks else late.with_status(409)
    if refused is not None:
        return refused
    log.info("link followed", **_about(matter))
    return show(house, token, now)


def _do(house: House, matter: _Matter, fields: Mapping[str, str], now: dt.datetime) -> Page | None:
    """Do it; a page where what was sent is not enough to do anything."""
    if isinstance(matter, Doing):
        return press(house, matter, fields, now)
    if isinstance(matter, Judging):
        kept = judge(house, matter, fields, now)
        return None if kept else judging_page(house, matter).with_status(422)
    confirm_by_link(house, matter.alert.alert_id, seen=matter.act is Act.SEEN, now=now)
    return None


def _about(matter: _Matter) -> dict[str, str | None]:
    """Return what the log says of it: nobody's name."""
    about = matter.row.incident_id if isinstance(matter, Judging) else matter.case.number
    return {"about": about, "kind": matter.alert.kind, "role": matter.alert.role}


def _matter(house: House, token: str, now: dt.datetime) -> _Matter | None:
    with house.store.read() as tx:
        link = house.links.read(token, lambda beginning: outbox.alert_ids_from(tx, beginning))
        alert = outbox.alert_by_id(tx, link.alert_id) if link is not None else None
        if link is None or alert is None:
            return None
        if link.act is Act.JUDGE:
            return read_judging(tx, house, alert)
        row = cases.cases_by_id(tx, [alert.case_id]).get(alert.case_id) if alert.case_id else None
        if row is None:
            return None
        case = from_row(row)
        if link.act in _ASKS:
            return _Question(link.act, alert, case, done=_answered(tx, house, case, alert, link.act is Act.SEEN, now))
        return read_doing(tx, case, alert)


def _answered(tx: Tx, house: House, case: Case, alert: AlertRow, seen: bool, now: dt.datetime) -> bool:  # noqa: FBT001
    """Whether this recipient's last word about the session that is now the current one was the same."""
    said = [entry for entry in journal.history(tx, case.case_id) if entry.kind == "confirmed"]
    if not said:
        return False
    last, line = said[-1], house.calendar.lines[case.finding.variant]
    same = (last.body.get("way"), last.body.get("by")) == (LINK, f"{alert.role} {alert.contact_id}")
    return same and last.body.get("seen") is seen and line.begun(to_micros(last.at)) == line.begun(to_micros(now))


# ---- the words ------------------------------------------------------------------------------------------------------


def _page(house: House, matter: _Matter, now: dt.datetime) -> Page:
    """The page for a matter as it stands; with a button only where pressing it does something."""
    if isinstance(matter, Doing):
        return page_of(house, matter, now)
    if isinstance(matter, Judging):
        return judging_page(house, matter)
    number = matter.case.number
    if not matter.case.is_open:
        closed = ("此案件已办结。", "This case is closed.")
        return Page(("已办结", "Closed"), (closed, _NOTHING_MORE), number)
    if matter.done:
        return Page(("已记录", "Noted"), (_DONE[matter.act], _NOTHING_MORE), number)
    if now - matter.alert.raised_at > QUESTION_LIVES:
        words = ("此消息所述情况已经改变。", "What this message was about is not so any more.")
        return Page(("无需处理", "Nothing to do"), (words, _NOTHING_MORE), number)
    title, words, button = _ASKS[matter.act]
    return Page(title, (words,), number, (Button(button),))
