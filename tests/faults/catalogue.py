"""Every kind of fault there is, each with a sentence for its name."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from tests.faults.delivery import bytewise, each_row, instead, is_absent, is_even, with_value
from tests.faults.kinds import Fault
from tests.faults.office import DAYS, EXCEPTIONS, GATE, GROWING
from tests.faults.spoiling import (
    WIDE,
    again,
    ahead,
    broken_quote,
    error,
    everybody_absent,
    first_half,
    half_a_row,
    header,
    in_capitals,
    in_utc,
    login_page,
    not_delivered,
    passed_over,
    renumbered,
    renumbered_throughout,
    together,
    torn_gzip,
    without_town,
    workbook,
)

_MARKS = (DAYS, GROWING, EXCEPTIONS)
_ONE_POLL = (dt.time(7), dt.time(9))

_FILES = (DAYS, GROWING, GATE)
_HTTP = (EXCEPTIONS,)

FAULTS = (
    Fault("the address answers with a login page", shapes=_HTTP, answer=login_page),
    Fault("the address answers with nothing", shapes=_HTTP, answer=instead()),
    Fault("the address answers with an error in JSON", shapes=_HTTP, answer=error),
    Fault("the address answers with a bare header", shapes=_HTTP, answer=bytewise(header), deceives=True),
    Fault("the address answers with half of a gzip stream", shapes=_HTTP, answer=torn_gzip),
    Fault("the answer ends within a row", shapes=_HTTP, answer=bytewise(half_a_row)),
    Fault("the address answers 401", shapes=_HTTP, answer=instead(status=401)),
    Fault("the address answers 500", shapes=_HTTP, answer=instead(status=500)),
    Fault("the address hangs up", shapes=_HTTP, answer=instead(hangs_up=True)),
    Fault(
        "the address gives the same bytes and never says so",
        shapes=_HTTP,
        answer=lambda answer, _: replace(answer, etag=False),
        harmless=True,
    ),
    Fault("the file of marks is a login page", shapes=_FILES, answer=login_page),
    Fault("the file of marks is empty", shapes=_FILES, answer=instead()),
    Fault("the file of marks is a bare header", shapes=_FILES, answer=bytewise(header)),
    Fault("the file of marks ends within a row", shapes=_FILES, answer=bytewise(half_a_row)),
    Fault(
        "absent is written in a word that nobody mapped",
        shapes=_MARKS,
        rows=with_value("mark", lambda _: "未到", where=is_absent),
    ),
    Fault(
        "sessions bear a name that nobody mapped",
        shapes=_MARKS,
        rows=with_value("session", lambda name: f"{name} 第一节"),
    ),
    Fault("a quote is opened and never closed", shapes=_MARKS, answer=broken_quote),
    Fault(
        "ids have lost their zeros",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: one.lstrip("0"), where=is_even),
    ),
    Fault(
        "ids are written in full width",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: one.translate(WIDE), where=is_even),
        harmless=True,
    ),
    Fault(
        "ids end in .0",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f"{one}.0", where=is_even),
        harmless=True,
    ),
    Fault(
        'ids are written as ="001"',
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f'="{one}"', where=is_even),
        harmless=True,
    ),
    Fault(
        "ids are led by an apostrophe",
        shapes=_MARKS,
        rows=with_value("student_id", lambda one: f"'{one}", where=is_even),
        harmless=True,
    ),
    Fault("a child has another number in the marks", shapes=_MARKS, rows=each_row(renumbered)),
    Fault(
        "a child has another number in the marks of days before, too",
        shapes=(EXCEPTIONS,),
        rows=renumbered_throughout,
        after=1,
    ),
    Fault("the roster is cut short", records="students", rows=first_half, shapes=_MARKS),
    Fault("the roster is a login page", records="students", answer=login_page, shapes=_MARKS),
    Fault("the roster is a bare header", records="students", answer=bytewise(header), shapes=_MARKS),
    Fault(
        "a class of the roster is in no feed of units",
        records="students",
        rows=with_value("class_id", lambda one: f"{one}-x" if one.endswith("-1") else one),
        shapes=_MARKS,
    ),
    Fault(
        "the contacts are cut short for one poll",
        records="contacts",
        rows=first_half,
        after=1,
        days=1,
        hours=_ONE_POLL,
        shapes=(GROWING,),
    ),
    Fault("the contacts are cut short for a week", records="contacts", rows=first_half, shapes=(GROWING,)),
    Fault(
        "the contacts have lost a town", records="contacts", heard=False, rows=each_row(without_town), shapes=(GROWING,)
    ),
    Fault("the file of leaves is gone", records="leaves", rows=not_delivered, is_missing=True, shapes=_MARKS),
    Fault("the file of leaves ends within a row", records="leaves", answer=bytewise(half_a_row), shapes=(GROWING,)),
    Fault(
        "a week is filled in ahead and no roll called",
        shapes=(GROWING,),
        rows=lambda one, scene: ahead(one, scene, rooms=(0, 1), goes_on=False),
    ),
    Fault(
        "a week is filled in ahead for one class and no roll of it called",
        shapes=(GROWING,),
        rows=lambda one, scene: ahead(one, scene, rooms=(0,), goes_on=False),
    ),
    Fault(
        "a week is filled in ahead and rolls go on",
        shapes=(GROWING,),
        rows=lambda one, scene: ahead(one, scene, rooms=(0, 1), goes_on=True),
    ),
    Fault(
        "local times are written with a Z",
        shapes=(GROWING,),
        rows=with_value("recorded_at", lambda one: f"{one.replace(' ', 'T')}Z"),
        harmless=True,
    ),
    Fault(
        "times of recording are dates alone",
        shapes=_FILES,
        rows=with_value("recorded_at", lambda one: one[:10]),
        harmless=True,
    ),
    Fault(
        "times of recording are of the year 2062",
        shapes=_FILES,
        rows=with_value("recorded_at", lambda one: "2062" + one[4:]),
        harmless=True,
    ),
    Fault(
        "times of recording are in UTC without saying so",
        shapes=_FILES,
        rows=with_value("recorded_at", in_utc),
    ),
    Fault("old files are delivered again under newer names", shapes=(DAYS,), rows=again, harmless=True),
    Fault("a roll and its correction come in one poll", shapes=(DAYS,), rows=together, harmless=True),
    Fault("a workbook has a sheet for each class", shapes=(DAYS,), rows=workbook, harmless=True, alone=True),
    Fault("files are saved by another program", shapes=(DAYS,), rows=passed_over, is_missing=True),
    Fault("files of one class are named in capitals", shapes=(GATE,), rows=in_capitals, is_missing=True),
    Fault("times at the gate are in UTC", records="gate", shapes=(GATE,), rows=with_value("at", in_utc), heard=False),
    Fault("the file of the gate is gone", records="gate", shapes=(GATE,), rows=not_delivered, is_missing=True),
    Fault("rolls stop while the gate goes on", shapes=(GATE,), rows=not_delivered, is_missing=True),
    Fault(
        "no more rolls come",
        shapes=(DAYS, GROWING),
        rows=lambda one, scene: [] if one.half is not None else each_row(lambda *_: None)(one, scene),
        is_missing=True,
    ),
    Fault(
        "the daemon is down for most of a day",
        shapes=(GROWING,),
        records="",
        down=True,
        alone=True,
        after=1,
        days=1,
        hours=(dt.time(7), dt.time(15)),
    ),
    Fault(
        "a school marks everybody absent for a day",
        shapes=_MARKS,
        rows=everybody_absent,
        is_judged=True,
        after=1,
        days=1,
    ),
)
